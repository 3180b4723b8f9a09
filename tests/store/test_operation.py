"""What whoever runs a dashboard has: events, status, cleaning, pruning, runs taken from one store to another."""

import io
import json
from pathlib import Path

import numpy as np
import pytest

from mnist_dash.errors import StoreError
from mnist_dash.networks.variants import VARIANTS
from mnist_dash.store import events
from mnist_dash.store.cleaning import Cleaned, clean
from mnist_dash.store.custom_datasets import CustomDatasets
from mnist_dash.store.events import LOG, JsonLines, list_events, start_logging
from mnist_dash.store.kept_digits import KeptDigits
from mnist_dash.store.records import (
    BEST_WEIGHTS,
    CHECKPOINT,
    MODEL_KERAS,
    MODEL_TFLITE,
    TEST_LABELS,
    TEST_PROBABILITIES,
    Epoch,
    Result,
)
from mnist_dash.store.reference_runs import ensure_reference_runs
from mnist_dash.store.run_export import export_run
from mnist_dash.store.run_import import import_run
from mnist_dash.store.run_leases import RunLeases
from mnist_dash.store.run_store import RunStore
from mnist_dash.store.status import read_status
from mnist_dash.store.visitors import OPERATOR, Limits, Visitor
from tests.support.datasets import custom_dataset

DAY = 86_400.0
LABELS = np.array([3, 1, 4, 1], np.uint8)
PROBABILITIES = np.eye(10, dtype=np.float16)[[3, 1, 4, 5]]  # 3 of 4 are right
FILES = {
    MODEL_KERAS: b"PK\x03\x04 model",
    MODEL_TFLITE: b"\x1c\x00\x00\x00TFL3 model",
    TEST_LABELS: LABELS.tobytes(),
    TEST_PROBABILITIES: PROBABILITIES.tobytes(),
}
RESULT = Result(0.2, 0.75, 1.0, 25_450, 0.1)


@pytest.fixture
def at_day(store: RunStore):
    """Sets the store's clock to a day."""

    def set_clock(day: float) -> None:
        store.clock = lambda: 1_000_000_000.0 + day * DAY

    set_clock(0)
    return set_clock


def finished(store: RunStore, *, by: Visitor = OPERATOR, kept: int | None = None, **known) -> int:
    known = known or {"dataset": "mnist-sample", "fingerprint": "0"}
    run = store.create_run("dense-32", VARIANTS["dense-32"].check({"epochs": 1}), **known, by=by, leased=True)
    leases, training = RunLeases(store), {CHECKPOINT: b"state", BEST_WEIGHTS: b"best"}
    leases.record_epoch(run.id, run.lease, Epoch(1, 0.5, 0.9, 0.4, None, 1.0), training)
    leases.finish(run.id, run.lease, RESULT, FILES, kept_checkpoints=kept)
    return run.id


@pytest.fixture
def logged(store_url: str, capsys: pytest.CaptureFixture[str]):
    """Starts the log, and afterwards leaves it as it was."""
    before = LOG.handlers[:], LOG.propagate, LOG.level
    LOG.handlers.clear()  # so that it writes to this test's standard error
    start_logging(store_url)
    yield
    LOG.handlers[:], LOG.propagate, level = before
    LOG.setLevel(level)


# Events


def test_what_goes_wrong_is_a_line_of_the_log_and_an_event_with_its_run(store: RunStore, logged):
    written = io.StringIO()
    for handler in LOG.handlers:
        if isinstance(handler.formatter, JsonLines):
            handler.stream = written

    LOG.info("Run 7: running.", extra={"run": 7})
    LOG.warning("Run 7 failed: “ü”\n%s", "x" * 5_000, extra={"run": 7})
    try:
        raise ZeroDivisionError("division")
    except ZeroDivisionError:
        LOG.exception("A page failed.")

    lines = [json.loads(line) for line in written.getvalue().splitlines()]
    assert [(line["level"], line["run"]) for line in lines] == [("INFO", 7), ("WARNING", 7), ("ERROR", None)]
    found, count = list_events(store, since=0)
    assert count == 2
    assert found[0].message == "A page failed. ZeroDivisionError: division"
    assert (found[1].level, found[1].run_id, found[1].source) == ("WARNING", 7, "test_operation")
    assert found[1].message.startswith("Run 7 failed: “ü”\nxxx")
    assert len(found[1].message) == 2_000


def test_only_the_newest_events_are_kept(store: RunStore, logged, monkeypatch):
    monkeypatch.setattr(events, "MAX_EVENTS", 3)
    for number in range(5):
        LOG.warning("%d", number)

    found, count = list_events(store, since=0, limit=2)
    assert ([event.message for event in found], count) == (["4", "3"], 3)


def test_a_store_that_is_away_does_not_stop_the_log(tmp_path: Path, logged):
    (tmp_path / "file").touch()
    start_logging(f"sqlite:///{tmp_path / 'file' / 'runs.sqlite'}")

    LOG.error("Nowhere to keep this.")


def test_a_lost_worker_is_an_event(store: RunStore, logged):
    run = store.create_run("dense-32", {}, dataset="mnist", fingerprint="0", leased=True)

    RunLeases(store).requeue_lost(lost_after_s=0)

    [event], _ = list_events(store, since=0)
    assert (event.run_id, event.message) == (run.id, f"Run {run.id}: its worker was lost.")


# Status


def test_the_status_counts_what_is_there(store: RunStore, at_day, logged):
    finished(store)
    at_day(2)
    finished(store)
    queued = store.create_run("dense-32", {}, dataset="mnist", fingerprint="0")
    failed = store.create_run("dense-32", {}, dataset="mnist", fingerprint="0", leased=True)
    RunLeases(store).fail(failed.id, failed.lease, "out of memory")
    KeptDigits(store).keep("ann", np.zeros((1, 28, 28), np.uint8), np.array([7]))
    store.clock = lambda: queued.created_at + 60

    status = read_status(store)

    assert status.runs == {"done": 2, "queued": 1, "failed": 1}
    assert (status.done_today, status.failed_today, status.oldest_queued_s) == (1, 1, 60)
    assert (status.checkpoint_bytes, status.kept_digits, status.datasets) == (10, 1, 0)
    assert status.bytes > 10_000


# Cleaning


def test_what_is_old_is_counted_then_removed_and_nothing_else(store: RunStore, at_day):
    ensure_reference_runs(store)
    ann, bob, digits = Visitor("ann", Limits()), Visitor("bob", Limits()), KeptDigits(store)
    old, waiting = finished(store), store.create_run("dense-32", {}, dataset="Used", fingerprint="0")
    for name, seed in (("Pets", 1), ("Used", 2)):
        CustomDatasets(store).add(custom_dataset(name, seed=seed), ann)
    for visitor in ("ann", "bob"):
        digits.keep(visitor, np.zeros((1, 28, 28), np.uint8), np.array([7]))
    at_day(90)
    new = finished(store)
    digits.keep(bob.name, np.ones((1, 28, 28), np.uint8), np.array([7]))
    before = len(store.list_runs())

    counted = clean(store, older_than_days=30, remove=False)
    assert len(store.list_runs()) == before
    removed = clean(store, older_than_days=30, remove=True)

    assert counted == removed == Cleaned(runs=1, digits=1, datasets=1)
    assert {run.id for run in store.list_runs() if not run.is_reference} == {new, waiting.id}
    assert old not in {run.id for run in store.list_runs()}
    assert (len(digits.read("ann").y), len(digits.read("bob").y)) == (0, 2)
    assert [custom.name for custom in CustomDatasets(store).list()] == ["Used"]
    assert len(store.list_runs()) == before - 1


def test_only_the_newest_finished_runs_of_each_owner_can_be_continued(store: RunStore):
    ann = [finished(store, by=Visitor("ann"), kept=2) for _ in range(4)]
    bob = finished(store, by=Visitor("bob"), kept=2)
    unpruned = finished(store, by=Visitor("ann"))

    kept = [run for run in (*ann, bob, unpruned) if store.has_artifact(run, CHECKPOINT)]

    assert kept == [*ann[2:], bob, unpruned]
    assert not store.has_artifact(ann[0], BEST_WEIGHTS)
    assert all(store.has_artifact(run, MODEL_KERAS) for run in ann)


# From one store to another


@pytest.fixture
def other(tmp_path: Path):
    opened = RunStore(f"sqlite:///{tmp_path / 'other.sqlite'}")
    yield opened
    opened.close()


def test_an_exported_run_is_the_same_in_another_store_but_for_its_number_and_owner(
    store: RunStore, other: RunStore, tmp_path: Path
):
    finished(store)
    pets = custom_dataset("Pets", classes=[f"pet {n}" for n in range(10)])
    run = store.get_run(finished(store, dataset="Pets", fingerprint=pets.fingerprint, info=pets.info))
    export_run(store, run, tmp_path / "exported")

    imported = import_run(other, tmp_path / "exported", by=Visitor("ann", Limits()))

    assert (imported.id, imported.owner) == (1, "ann")
    for name in ("variant", "settings", "dataset", "fingerprint", "classes", "train_images", "test_accuracy"):
        assert getattr(imported, name) == getattr(run, name), name
    assert other.list_epochs(imported.id) == store.list_epochs(run.id)
    assert all(other.read_artifact(imported.id, name) == content for name, content in FILES.items())


@pytest.mark.parametrize(
    ("name", "content", "problem"),
    [
        ("run.json", None, "run.json cannot be read"),
        ("run.json", b"[1, 2", "Expecting"),
        ("run.json", b"[]", "list indices"),
        ("run.json", b'{"variant": "dense-99"}', "created_at"),
        ("history.csv", b"number,loss\n1,0.5\n", "accuracy"),
        ("history.csv", b"", "does not count"),
        (MODEL_KERAS, b"\x80\x04pickled", "model.keras is not what was exported"),
        (TEST_PROBABILITIES, b"\x00" * 80, "test_probabilities is not what was exported"),
    ],
)
def test_a_folder_that_is_no_exported_run_changes_nothing(
    store: RunStore, other: RunStore, tmp_path: Path, name: str, content: bytes | None, problem: str
):
    folder = tmp_path / "exported"
    export_run(store, store.get_run(finished(store)), folder)
    (folder / name).unlink() if content is None else (folder / name).write_bytes(content)

    with pytest.raises(StoreError, match=problem):
        import_run(other, folder)

    assert other.list_runs() == []


def test_an_accuracy_that_the_predictions_do_not_have_is_not_imported(store: RunStore, other: RunStore, tmp_path: Path):
    folder = tmp_path / "exported"
    export_run(store, store.get_run(finished(store)), folder)
    described = json.loads((folder / "run.json").read_text())
    (folder / "run.json").write_text(json.dumps({**described, "test_accuracy": 0.99}))

    with pytest.raises(StoreError, match=r"have an accuracy of 0\.7500, not 0\.9900"):
        import_run(other, folder)
