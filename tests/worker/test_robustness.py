"""How well runs read corrupted pictures: asked for, leased, measured, killed in between, and kept."""

import json
import os
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import update

from mnist_dash.corruptions.corruption import corrupt
from mnist_dash.corruptions.kinds import CORRUPTIONS, KINDS, SUITE
from mnist_dash.datasets.mnist import MNIST, Dataset
from mnist_dash.errors import RunStateError, StoreError
from mnist_dash.inference.predictor import Predictor
from mnist_dash.networks.variants import VARIANTS
from mnist_dash.store.corruption_counts import CorruptionCounts
from mnist_dash.store.database import transaction
from mnist_dash.store.leases import MAX_LOST
from mnist_dash.store.measurements import Measurements
from mnist_dash.store.records import (
    DONE,
    FAILED,
    MODEL_TFLITE,
    QUEUED,
    RUNNING,
    TEST_LABELS,
    TEST_PROBABILITIES,
    Result,
)
from mnist_dash.store.reference_runs import (
    REFERENCE_FOLDER,
    ROBUSTNESS_JSON,
    add_measured,
    ensure_reference_runs,
    unmeasured_references,
)
from mnist_dash.store.run_leases import RunLeases
from mnist_dash.store.run_store import RunStore
from mnist_dash.store.schema import runs_table
from mnist_dash.store.visitors import Limits, Visitor
from mnist_dash.worker import heartbeat, robustness
from mnist_dash.worker.robustness import measure, measure_run, measured_images
from tests.support.learning import settings_of, with_unusable_environment
from tests.support.statements import execute

NAMES = ["clean", *KINDS]
MODEL = (REFERENCE_FOLDER / "dense-32" / MODEL_TFLITE).read_bytes()
ROOT = Path(__file__).resolve().parents[2]
PICTURES = 200  # instead of 1,000, to be quick


@pytest.fixture(scope="module", autouse=True)
def fewer_pictures():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(robustness, "MAX_IMAGES", PICTURES)
        yield


@pytest.fixture
def measurements(store):
    return Measurements(store)


def finished(
    store: RunStore,
    sample: Dataset,
    *,
    fingerprint: str | None = None,
    model: bytes = MODEL,
    reference: str | None = None,
) -> int:
    """Adds a finished run with the weights of the shipped Dense 32; returns its number."""
    run = store.create_run(
        "dense-32",
        VARIANTS["dense-32"].check({}),
        dataset=sample.name,
        fingerprint=fingerprint or sample.fingerprint,
        leased=True,
    )
    RunLeases(store).finish(run.id, str(run.lease), Result(0.2, 0.94, 1.0, 25_450, 0.1), {MODEL_TFLITE: model})
    if reference:
        with transaction(store.engine) as connection:
            connection.execute(update(runs_table).where(runs_table.c.id == run.id).values(reference=reference))
    return run.id


@pytest.fixture(scope="module")
def expected(sample, fewer_pictures) -> CorruptionCounts:
    """All that is to be measured of the shipped Dense 32 on the sample."""
    *_, last = measure(Predictor(MODEL), sample, CorruptionCounts())
    return last


# Asking


def test_a_finished_run_is_asked_for_once(store, measurements, sample):
    first, second = finished(store, sample), finished(store, sample)

    assert measurements.request([first, second], by=Visitor("ann")) == 2
    assert measurements.request([second, first]) == 0

    found = measurements.read([first, second])
    assert {run_id: (row.status, row.owner, row.counts.correct) for run_id, row in found.items()} == {
        first: (QUEUED, "ann", {}),
        second: (QUEUED, "ann", {}),
    }
    assert measurements.waiting() == [(first, 0), (second, 0)]
    assert measurements.any_unfinished()


def test_nothing_is_asked_for_if_one_of_the_runs_has_not_finished(store, measurements, sample):
    done = finished(store, sample)
    queued = store.create_run("dense-32", {}, dataset=sample.name, fingerprint=sample.fingerprint)

    with pytest.raises(RunStateError, match=f"run {queued.id} cannot be measured: it is queued"):
        measurements.request([done, queued.id])
    with pytest.raises(RunStateError, match="it is deleted"):
        measurements.request([done, 12_345])

    assert measurements.read([done, queued.id]) == {}


def test_an_owner_gets_no_more_than_allowed_and_then_none_at_all(store, measurements, sample):
    runs = [finished(store, sample, reference=name) for name in "abcd"]  # anyone may have these measured
    measurements.request(runs[:2], by=Visitor("ann", Limits(unfinished=3)))

    with pytest.raises(
        RunStateError, match="You have 2 unfinished measurements and want 2 more, and 3 is the maximum here"
    ):
        measurements.request(runs, by=Visitor("ann", Limits(unfinished=3)))

    assert set(measurements.read(runs)) == set(runs[:2])
    assert measurements.request(runs[2:], by=Visitor("bob", Limits(unfinished=2))) == 2
    assert measurements.request(runs, by=Visitor("ann", Limits(unfinished=1))) == 0  # all are under way


def test_the_same_run_asked_for_by_many_at_once_is_asked_for_once(store_url, store, sample):
    run_id = finished(store, sample)
    start = threading.Barrier(6)

    def ask(_: int) -> int:
        own = RunStore(store_url)
        start.wait()
        try:
            return Measurements(own).request([run_id])
        finally:
            own.close()

    with ThreadPoolExecutor(6) as pool:
        assert sorted(pool.map(ask, range(6))) == [0, 0, 0, 0, 0, 1]


def test_what_is_withdrawn_is_gone_and_may_be_asked_for_again(store, measurements, sample):
    queued, running, other = (finished(store, sample) for _ in range(3))
    measurements.request([queued, running, other])
    acquired = measurements.acquire(running)

    measurements.withdraw([queued, running])

    assert set(measurements.read([queued, running, other])) == {other}
    with pytest.raises(RunStateError, match="lease lost"):
        measurements.beat(running, str(acquired.lease))
    assert measurements.request([queued, running]) == 2


def test_a_finished_measurement_is_not_withdrawn(store, measurements, sample, expected):
    run_id = finished(store, sample)
    add_measured(store, run_id, expected)

    measurements.withdraw([run_id])

    assert measurements.read([run_id])[run_id].status == DONE


def test_a_failed_measurement_may_be_asked_for_again(store, measurements, sample):
    run_id = finished(store, sample)
    measurements.request([run_id])
    acquired = measurements.acquire(run_id)

    measurements.fail(run_id, str(acquired.lease), "The moon was full.")
    failed = measurements.read([run_id])[run_id]

    assert (failed.status, failed.error) == (FAILED, "The moon was full.")
    assert not measurements.any_unfinished()
    assert measurements.request([run_id]) == 1
    assert measurements.read([run_id])[run_id].error is None


def test_the_deletion_of_a_run_takes_its_measurement_away(store, store_url, measurements, sample):
    run_id = finished(store, sample)
    measurements.request([run_id])

    store.delete_run(run_id)

    assert execute(store_url, "SELECT count(*) FROM robustness") == [(0,)]


def test_measurements_of_an_older_suite_count_as_not_made(store, store_url, measurements, sample, expected):
    run_id = finished(store, sample)
    add_measured(store, run_id, expected)
    execute(store_url, f"UPDATE robustness SET suite = {SUITE - 1}")

    assert measurements.read([run_id]) == {}
    assert measurements.request([run_id]) == 1
    assert measurements.read([run_id])[run_id].status == QUEUED
    assert CorruptionCounts.from_json({**expected.as_json(), "suite": SUITE - 1}) == CorruptionCounts()


# Claims


def test_only_one_of_many_workers_can_acquire_a_measurement(store, measurements, sample):
    run_id = finished(store, sample)
    measurements.request([run_id])

    def try_to_acquire(_: int) -> bool:
        try:
            measurements.acquire(run_id)
        except RunStateError:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(try_to_acquire, range(8))) == 1
    assert measurements.read([run_id])[run_id].status == RUNNING
    assert measurements.waiting() == []
    assert measurements.any_unfinished()


def test_what_was_lost_is_queued_again_with_all_that_was_recorded(store, measurements, sample, expected):
    run_id = finished(store, sample)
    measurements.request([run_id])
    lost = measurements.acquire(run_id)
    measurements.record(run_id, str(lost.lease), replace(expected, correct={"clean": expected.correct["clean"]}))

    measurements.requeue_lost(lost_after_s=60)
    still = measurements.read([run_id])[run_id].status
    measurements.requeue_lost(lost_after_s=-1)

    assert still == RUNNING
    assert measurements.waiting() == [(run_id, 1)]
    assert measurements.acquire(run_id).counts.correct == {"clean": expected.correct["clean"]}
    with pytest.raises(RunStateError, match="lease lost"):
        measurements.finish(run_id, str(lost.lease), expected)


def test_a_measurement_whose_worker_dies_again_and_again_fails(store, measurements, sample):
    run_id = finished(store, sample)
    measurements.request([run_id])
    for _ in range(MAX_LOST):
        measurements.acquire(run_id)
        measurements.requeue_lost(lost_after_s=-1)

    found = measurements.read([run_id])[run_id]

    assert found.status == FAILED
    assert "died 5 times" in str(found.error)


# Measuring


def test_a_run_is_measured_on_all_kinds(store, measurements, sample, expected):
    run_id = finished(store, sample)
    measurements.request([run_id])

    measure_run(run_id, settings_of(store))

    found = measurements.read([run_id])[run_id]
    assert (found.status, found.error, found.attempt) == (DONE, None, 1)
    assert found.counts == expected
    assert list(found.counts.correct) == NAMES
    assert not measurements.any_unfinished()


def test_every_number_is_that_of_a_plain_count(sample, expected):
    predictor = Predictor(MODEL)
    kind, level = KINDS["rotate"], 3

    right = [
        predictor.probabilities(picture[None]).argmax() == label
        for picture, label in zip(
            corrupt(kind, kind.levels[level], sample.x_test[::5]), sample.y_test[::5], strict=True
        )
    ]

    assert expected.correct["rotate"][level] == sum(right)
    assert expected.images == PICTURES


def test_the_mean_is_that_of_15_kinds_at_five_strengths_and_moves_do_not_count(expected):
    shares = [count / PICTURES for kind in CORRUPTIONS for count in expected.correct[kind.name]]

    assert len(shares) == 75
    assert expected.mean == pytest.approx(np.mean(shares))
    hits = np.frombuffer(expected.correct_per_image, np.uint8)
    assert (hits / 75).mean() == pytest.approx(expected.mean)
    assert (hits.min() >= 0, hits.max() <= 75) == (True, True)


def test_as_long_as_a_kind_is_missing_there_is_no_mean(expected):
    right = {name: counts for name, counts in expected.correct.items() if name != "fog"}

    assert replace(expected, correct=right).mean is None
    assert CorruptionCounts().mean is None


def test_all_runs_read_every_fifth_of_mnists_test_pictures_and_all_of_the_sample(sample, monkeypatch):
    monkeypatch.setattr(robustness, "MAX_IMAGES", 2_000)
    labels = np.arange(10_000) % 251
    mnist = replace(sample, info=MNIST, x_test=np.zeros((10_000, 28, 28), np.uint8), y_test=labels)

    assert measured_images(mnist)[1].tolist() == labels[::5].tolist()
    np.testing.assert_array_equal(measured_images(sample)[0], sample.x_test)


def test_a_run_of_other_data_fails_in_words(store, measurements, sample):
    run_id = finished(store, sample, fingerprint="of other data")
    measurements.request([run_id])

    measure_run(run_id, settings_of(store))

    found = measurements.read([run_id])[run_id]
    assert found.status == FAILED
    assert "this worker finds only mnist-sample" in str(found.error)


@pytest.mark.parametrize(
    ("holder", "name"),
    [(Measurements, "acquire"), (RunStore, "get_run"), (RunStore, "read_artifact"), (RunStore, "list_runs")],
)
def test_a_database_that_is_away_at_any_read_is_waited_for(holder, name, store, measurements, sample, monkeypatch):
    run_id = finished(store, sample)
    measurements.request([run_id])
    read, calls = getattr(holder, name), []

    def away_once(*arguments, **named):
        calls.append(arguments)
        if len(calls) == 1:
            raise StoreError("The database could not be read: connection refused. Try again.")
        return read(*arguments, **named)

    monkeypatch.setattr(holder, name, away_once)
    monkeypatch.setattr(heartbeat, "_WAIT_S", 0.01)

    measure_run(run_id, settings_of(store), yields=True)

    assert len(calls) > 1
    assert measurements.read([run_id])[run_id].status == DONE


def test_a_measurement_uses_the_settings_it_was_handed_and_not_its_environment(
    store, measurements, sample, monkeypatch
):
    run_id = finished(store, sample)
    measurements.request([run_id])
    settings = settings_of(store)
    with_unusable_environment(monkeypatch)

    measure_run(run_id, settings)

    assert measurements.read([run_id])[run_id].status == DONE


def test_a_run_whose_model_is_damaged_fails_in_words(store, measurements, sample):
    run_id = finished(store, sample, model=b"no model")
    measurements.request([run_id])

    measure_run(run_id, settings_of(store))

    found = measurements.read([run_id])[run_id]
    assert found.status == FAILED
    assert "cannot be read" in str(found.error)


def test_what_nobody_asked_for_or_another_worker_has_is_left_alone(store, measurements, sample):
    unasked, taken = finished(store, sample), finished(store, sample)
    measurements.request([taken])
    acquired = measurements.acquire(taken)

    measure_run(unasked, settings_of(store))
    measure_run(taken, settings_of(store))

    assert measurements.read([unasked, taken]) == {taken: acquired}


def test_a_measurement_gives_way_after_a_kind_while_a_run_waits_and_then_goes_on(store, measurements, sample, expected):
    run_id = finished(store, sample)
    measurements.request([run_id])
    waiting = store.create_run("dense-32", {}, dataset=sample.name, fingerprint=sample.fingerprint)

    measure_run(run_id, settings_of(store), yields=True)
    first = measurements.read([run_id])[run_id]
    measure_run(run_id, settings_of(store), yields=True)
    second = measurements.read([run_id])[run_id]
    store.cancel_run(waiting.id)
    measure_run(run_id, settings_of(store), yields=True)
    last = measurements.read([run_id])[run_id]

    assert [list(found.counts.correct) for found in (first, second)] == [NAMES[:1], NAMES[:2]]
    assert (first.status, second.status, last.status) == (QUEUED, QUEUED, DONE)
    assert last.counts == expected


def test_a_withdrawn_measurement_stops_at_the_next_beat(store, measurements, sample, monkeypatch):
    run_id = finished(store, sample)
    measurements.request([run_id])
    levels = []

    def withdrawn_after_three(kind, level, pictures):
        levels.append(level)
        if len(levels) == 3:
            measurements.withdraw([run_id])
        if len(levels) > 3:
            time.sleep(0.1)  # until the next beat
        return corrupt(kind, level, pictures)

    monkeypatch.setattr(robustness, "corrupt", withdrawn_after_three)
    measure_run(run_id, settings_of(store))

    assert len(levels) < sum(len(kind.levels) for kind in KINDS.values())
    assert measurements.read([run_id]) == {}


def test_a_measurement_whose_worker_is_killed_goes_on_and_counts_nothing_twice(
    store, measurements, sample, expected, monkeypatch
):
    run_id = finished(store, sample)
    measurements.request([run_id])
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [
        sys.executable,
        str(ROOT / "tests" / "support" / "measuring.py"),
        str(run_id),
        store.database_url,
        str(PICTURES),
    ]
    process = subprocess.Popen(command, env=environment)
    deadline = time.monotonic() + 60
    while len(measurements.read([run_id])[run_id].counts.correct) < 3:
        assert time.monotonic() < deadline
        time.sleep(0.01)

    process.kill()
    process.wait()
    killed = measurements.read([run_id])[run_id]
    measurements.requeue_lost(lost_after_s=-1)
    computed = []
    monkeypatch.setattr(
        robustness, "corrupt", lambda kind, level, x: (computed.append(kind.name), corrupt(kind, level, x))[1]
    )
    measure_run(run_id, settings_of(store))

    assert killed.status == RUNNING
    assert 3 <= len(killed.counts.correct) < len(NAMES)
    assert set(computed) == set(NAMES) - set(killed.counts.correct)
    found = measurements.read([run_id])[run_id]
    assert (found.status, found.attempt) == (DONE, 2)
    assert found.counts == expected


# Models that ship


@pytest.mark.parametrize("name", VARIANTS)
def test_what_ships_was_measured_with_the_model_that_ships(name):
    folder = REFERENCE_FOLDER / name
    counts = CorruptionCounts.from_json(json.loads((folder / ROBUSTNESS_JSON).read_text()))

    probabilities = np.frombuffer((folder / TEST_PROBABILITIES).read_bytes(), np.float16).reshape(-1, 10)
    labels = np.frombuffer((folder / TEST_LABELS).read_bytes(), np.uint8)

    assert list(counts.correct) == NAMES
    assert counts.images == len(counts.correct_per_image) == 2_000
    # Found at the end of training, by Keras, on the same pictures.
    assert counts.correct["clean"] == ((probabilities.argmax(1) == labels)[::5].sum(),)
    assert counts.mean == pytest.approx(np.frombuffer(counts.correct_per_image, np.uint8).mean() / 75)


def test_reference_runs_come_measured_also_into_a_database_that_has_them(store, store_url, measurements):
    ensure_reference_runs(store)
    ids = [run.id for run in store.list_runs()]
    first = measurements.read(ids)
    execute(store_url, "DELETE FROM robustness")

    ensure_reference_runs(store)
    ensure_reference_runs(store)

    assert len(ids) == len(VARIANTS)
    assert all(found.status == DONE and found.counts.mean for found in first.values())
    assert measurements.read(ids) == first
    assert unmeasured_references(store) == {}


def test_a_shipped_measurement_takes_the_place_of_one_that_is_not_done(store, store_url, measurements):
    ensure_reference_runs(store)
    run = store.find_run("cnn")
    execute(store_url, "DELETE FROM robustness")
    measurements.request([run.id])
    acquired = measurements.acquire(run.id)

    ensure_reference_runs(store)

    assert measurements.read([run.id])[run.id].status == DONE
    with pytest.raises(RunStateError):
        measurements.beat(run.id, str(acquired.lease))
