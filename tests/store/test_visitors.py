"""What the store refuses one visitor, whatever a page or a forged message asks for."""

import numpy as np
import pytest

from mnist_dash.errors import KeptDigitsError, NotAllowedError, RunStateError, StoreError, VariantError
from mnist_dash.networks.experiments import PlannedRun
from mnist_dash.store import kept_digits, visitors
from mnist_dash.store.continuation import continue_run
from mnist_dash.store.custom_datasets import CustomDatasets
from mnist_dash.store.kept_digits import KeptDigits
from mnist_dash.store.measurements import Measurements
from mnist_dash.store.records import CANCELLED, DONE, MODEL_TFLITE, PAUSED, QUEUED, RUNNING, Result
from mnist_dash.store.run_leases import RunLeases
from mnist_dash.store.search import RunFinder
from mnist_dash.store.visitors import Limits, Visitor
from tests.support.datasets import custom_dataset

ANN = Visitor("ann", Limits(unfinished=3, epochs=10, runs=4))
MALLORY = Visitor("mallory", Limits(unfinished=3, epochs=10, runs=4))
KNOWN = {"dataset": "mnist-sample", "fingerprint": "0123456789abcdef"}
RESULT = Result(0.2, 0.94, 1.0, 25_450, 0.1)
CHANGES = {
    "pause": lambda store, run: store.pause_run(run, by=MALLORY),
    "resume": lambda store, run: store.resume_run(run, by=MALLORY),
    "cancel": lambda store, run: store.cancel_run(run, by=MALLORY),
    "delete": lambda store, run: store.delete_run(run, by=MALLORY),
    "tag": lambda store, run: RunFinder(store).set_tags(run, ["mine"], by=MALLORY),
}


def run_in(store, status):
    run = store.create_run("dense-32", {"epochs": 2}, **KNOWN, by=ANN)
    leases = RunLeases(store)
    if status in (RUNNING, DONE):
        lease = leases.acquire(run.id).lease
        if status == DONE:
            leases.finish(run.id, lease, RESULT, {MODEL_TFLITE: b"model"})
    elif status == PAUSED:
        store.pause_run(run.id, by=ANN)
    elif status == CANCELLED:
        store.cancel_run(run.id, by=ANN)
    RunFinder(store).set_tags(run.id, ["kept"], by=ANN)
    return store.get_run(run.id)


@pytest.mark.parametrize("status", [QUEUED, RUNNING, PAUSED, DONE, CANCELLED])
@pytest.mark.parametrize("change", CHANGES)
def test_nobody_changes_another_visitors_run(store, change, status):
    run = run_in(store, status)

    with pytest.raises(NotAllowedError, match=f"Run {run.id} belongs to somebody else: only its owner can do that"):
        CHANGES[change](store, run.id)

    assert store.get_run(run.id) == run
    assert RunFinder(store).tags_of([run.id]) == {run.id: ["kept"]}


def test_nobody_has_anothers_run_measured_or_withdraws_it(store):
    run, measurements = run_in(store, DONE), Measurements(store)

    with pytest.raises(NotAllowedError, match="belongs to somebody else"):
        measurements.request([run.id], by=MALLORY)
    assert measurements.read([run.id]) == {}

    measurements.request([run.id], by=ANN)
    measurements.withdraw([run.id], by=MALLORY)
    assert measurements.read([run.id])[run.id].status == QUEUED


def test_nobody_removes_anothers_digits_or_dataset(store):
    digits, datasets = KeptDigits(store), CustomDatasets(store)
    digits.keep(ANN.name, np.full((1, 28, 28), 9, np.uint8), np.array([3]))
    datasets.add(custom_dataset("Pets"), ANN)
    [digit] = digits.read(ANN.name).ids

    digits.remove(MALLORY.name, digit)
    digits.clear(MALLORY.name)
    with pytest.raises(StoreError, match="You have no dataset “Pets”"):
        datasets.remove("Pets", by=MALLORY)

    assert digits.read(ANN.name).ids == (digit,)
    assert [custom.name for custom in datasets.list()] == ["Pets"]


def test_a_name_like_anothers_is_not_the_other(store):
    run = run_in(store, QUEUED)

    for name in ("", "ANN", "ann ", "ann%", "a_n", "ann' OR '1'='1"):
        with pytest.raises(NotAllowedError):
            store.cancel_run(run.id, by=Visitor(name, Limits()))

    assert store.get_run(run.id).status == QUEUED


def test_a_run_has_no_more_epochs_than_allowed_however_it_is_asked_for(store):
    done = run_in(store, DONE)

    with pytest.raises(VariantError, match="epochs is 11, but 10 is the maximum on this shared dashboard"):
        store.create_runs([PlannedRun("dense-32", {"epochs": n}) for n in (1, 11)], **KNOWN, by=MALLORY)
    with pytest.raises(VariantError, match="epochs is 11, but 10 is the maximum"):
        continue_run(store, done.id, 11, by=MALLORY)

    assert store.list_runs(owner="mallory") == []


def test_ended_runs_count_until_they_are_deleted(store):
    runs = [run_in(store, status) for status in (CANCELLED, CANCELLED, CANCELLED, QUEUED)]

    with pytest.raises(RunStateError, match="You have 4 runs, and 4 is the maximum here"):
        store.create_run("dense-32", {}, **KNOWN, by=ANN)
    store.delete_run(runs[0].id, by=ANN)

    assert store.create_run("dense-32", {}, **KNOWN, by=ANN).status == QUEUED


def test_visitors_who_change_their_names_cannot_fill_the_queue(store, monkeypatch):
    monkeypatch.setattr(visitors, "_MOST_UNFINISHED", 3)
    for name in ("a", "b", "c"):
        store.create_run("dense-32", {}, **KNOWN, by=Visitor(name, Limits()))

    with pytest.raises(RunStateError, match="All visitors together have 3 unfinished runs"):
        store.create_run("dense-32", {}, **KNOWN, by=Visitor("d", Limits()))


def test_visitors_who_change_their_names_cannot_fill_the_store_with_digits(store, monkeypatch):
    monkeypatch.setattr(kept_digits, "MAX_KEPT_BY_ALL", 3)
    digits = KeptDigits(store)
    for value in range(3):
        digits.keep(f"visitor {value}", np.full((1, 28, 28), value, np.uint8), np.array([3]))

    with pytest.raises(KeptDigitsError, match="All visitors together keep 3 digits"):
        digits.keep("visitor 4", np.full((1, 28, 28), 4, np.uint8), np.array([3]))


def test_names_of_any_kind_are_kept_as_they_are_or_refused(store):
    info = custom_dataset("'; DROP TABLE runs; --").info
    run = store.create_run("dense-32", {}, dataset=info.name, fingerprint="0", info=info, by=ANN)
    RunFinder(store).set_tags(run.id, ["<script>alert(1)</script>", "../../etc/passwd", "'; DROP TABLE tags; --"])

    assert store.get_run(run.id).dataset == "'; DROP TABLE runs; --"
    assert "../../etc/passwd" in RunFinder(store).tags_of([run.id])[run.id]
