import csv
import gc
import json
import sqlite3
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, replace

import pytest

from mnist_dash.errors import RunNotFoundError, RunStateError, StoreError, VariantError
from mnist_dash.networks.experiments import PlannedRun
from mnist_dash.networks.variants import VARIANTS
from mnist_dash.store.continuation import continue_run
from mnist_dash.store.records import (
    BEST_WEIGHTS,
    CANCELLED,
    CHECKPOINT,
    DONE,
    FAILED,
    MODEL_KERAS,
    MODEL_TFLITE,
    PAUSED,
    QUEUED,
    RUNNING,
    TEST_LABELS,
    TEST_PROBABILITIES,
    Epoch,
    Experiment,
    Progress,
    Result,
    Run,
    in_turn,
)
from mnist_dash.store.reference_runs import ensure_reference_runs
from mnist_dash.store.run_export import export_run
from mnist_dash.store.run_leases import RunLeases
from mnist_dash.store.run_store import RunStore
from mnist_dash.store.schema import SCHEMA_VERSION
from mnist_dash.store.search import RunFinder
from mnist_dash.store.visitors import Limits, Visitor
from tests.support.statements import execute

SETTINGS = VARIANTS["dense-32"].check({"epochs": 3, "seed": 7})
PROGRESS = Progress(1, 50, 125, 0.9, 0.75, 4.5)
FIRST = Epoch(1, 0.36, 0.90, None, None, 0.4)
SECOND = Epoch(2, 0.21, 0.94, 0.19, 0.945, 0.3)
RESULT = Result(0.1856, 0.9469, 0.7, 25_450, 0.2)
THREE = [PlannedRun("dense-32", {**SETTINGS, "seed": seed}) for seed in (7, 8, 9)]
ARTIFACTS = {MODEL_KERAS: b"keras", MODEL_TFLITE: b"tflite", TEST_PROBABILITIES: b"\x00\x3c", TEST_LABELS: b"\x07"}


class Clock:
    """A clock that stands still until it is set."""

    def __init__(self, now: float):
        self.now = now

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock():
    return Clock(1_000.0)


@pytest.fixture
def timed(store_url, clock):
    opened = RunStore(store_url, clock=clock)
    yield opened
    opened.close()


def queue(store, variant="dense-32", settings=SETTINGS, dataset="mnist-sample", **options) -> Run:
    return store.create_run(variant, settings, dataset=dataset, fingerprint="0123456789abcdef", **options)


def queue_three(store, **options) -> list[Run]:
    return store.create_runs(THREE, dataset="mnist-sample", fingerprint="0123456789abcdef", **options)


def start(store, **options) -> Run:
    return RunLeases(store).acquire(queue(store, **options).id)


def finish(store, accuracy=RESULT.test_accuracy, **options) -> Run:
    run = start(store, **options)
    RunLeases(store).record_epoch(run.id, run.lease, FIRST, {CHECKPOINT: b"after 1"})
    RunLeases(store).record_epoch(run.id, run.lease, SECOND, {CHECKPOINT: b"after 2"})
    RunLeases(store).finish(run.id, run.lease, replace(RESULT, test_accuracy=accuracy), ARTIFACTS)
    return store.get_run(run.id)


def everything_of(store, run_id):
    names = [CHECKPOINT, BEST_WEIGHTS, *ARTIFACTS]
    return store.get_run(run_id), store.list_epochs(run_id), [store.find_artifact(run_id, name) for name in names]


def in_parallel(work, times=8):
    with ThreadPoolExecutor(times) as pool:
        return list(pool.map(work, range(times)))


def race(*works):
    """Starts all at the same moment; gives whether each was let do its work."""
    together = threading.Barrier(len(works))

    def try_to(place):
        together.wait()
        try:
            works[place]()
        except RunStateError:
            return False
        return True

    return in_parallel(try_to, len(works))


# Runs come into being


def test_a_new_run_is_queued_with_all_that_a_worker_needs(timed):
    run = queue(timed, by=Visitor("ann"))

    assert run == timed.get_run(run.id)
    assert (run.status, run.variant, run.settings) == (QUEUED, "dense-32", SETTINGS)
    assert (run.dataset, run.fingerprint, run.owner) == ("mnist-sample", "0123456789abcdef", "ann")
    assert (run.created_at, run.started_at, run.finished_at, run.attempt) == (1_000.0, None, None, 0)
    assert (run.requested_status, run.lost, run.experiment_id, run.continues) == (None, 0, None, None)
    assert not run.is_reference
    assert run.title == f"Dense 32 · run {run.id}"


def test_a_run_that_the_caller_trains_itself_is_never_queued(timed):
    run = queue(timed, leased=True)

    assert (run.status, run.attempt, run.started_at, run.heartbeat_at) == (RUNNING, 1, 1_000.0, 1_000.0)
    assert RunLeases(timed).beat(run.id, run.lease, PROGRESS) is None
    with pytest.raises(RunStateError):
        RunLeases(timed).acquire(run.id)


def test_settings_keep_their_types_and_values(store):
    settings = VARIANTS["cnn"].check({"learning_rate": 0.1 + 0.2, "validation": "kfold:4"})

    run = queue(store, "cnn", settings)

    assert store.get_run(run.id).settings == settings
    assert [type(value) for value in run.settings.values()] == [type(value) for value in settings.values()]


def test_an_owner_has_at_most_as_many_unfinished_runs_as_allowed(store):
    for _ in range(2):
        queue(store, by=Visitor("ann", Limits(unfinished=2)))

    with pytest.raises(RunStateError, match="You have 2 unfinished runs, and 2 is the maximum here"):
        queue(store, by=Visitor("ann", Limits(unfinished=2)))

    assert len(store.list_runs()) == 2


def test_a_run_that_ended_makes_room_for_the_next(store):
    run = queue(store, by=Visitor("ann", Limits(unfinished=1)))
    store.cancel_run(run.id)

    assert queue(store, by=Visitor("ann", Limits(unfinished=1))).status == QUEUED


def test_one_owners_runs_do_not_count_for_another(store):
    queue(store, by=Visitor("ann", Limits(unfinished=1)))

    assert queue(store, by=Visitor("bob", Limits(unfinished=1))).status == QUEUED


def test_requests_at_the_same_time_cannot_pass_the_limit_together(store):
    together = threading.Barrier(8)

    def try_to_queue(_):
        together.wait()
        try:
            queue(store, by=Visitor("ann", Limits(unfinished=3)))
        except RunStateError:
            return False
        return True

    queued = in_parallel(try_to_queue)

    assert sum(queued) == 3
    assert len(store.list_runs()) == 3


def test_paused_runs_count_as_unfinished(store):
    run = queue(store, by=Visitor("ann"))
    store.pause_run(run.id)

    with pytest.raises(RunStateError, match="You have 1 unfinished runs, and 1 is the maximum here"):
        queue(store, by=Visitor("ann", Limits(unfinished=1)))

    assert store.list_runs() == [store.get_run(run.id)]


# Experiments


def test_runs_that_are_queued_together_are_an_experiment(timed):
    runs = queue_three(timed, by=Visitor("ann"))

    assert [run.settings for run in runs] == [planned.settings for planned in THREE]
    assert {(run.status, run.owner, run.attempt, run.created_at) for run in runs} == {(QUEUED, "ann", 0, 1_000.0)}
    assert [timed.get_run(run.id) for run in runs] == runs
    [number] = {run.experiment_id for run in runs}
    assert timed.experiments([number]) == {number: Experiment(number, "Dense 32, 3 seeds", "ann", 1_000.0)}


def test_the_runs_of_an_experiment_may_be_of_several_networks(store):
    planned = [PlannedRun(name, VARIANTS[name].check({})) for name in ("cnn", "dense-512")]

    runs = store.create_runs(planned, dataset="mnist", fingerprint="0")

    assert [(run.variant, run.settings) for run in runs] == [(run.variant, run.settings) for run in planned]
    assert [experiment.title for experiment in store.experiments([runs[0].experiment_id]).values()] == ["2 networks"]


def test_a_run_that_is_queued_alone_is_no_experiment(store_url, store):
    [run] = store.create_runs(THREE[:1], dataset="mnist-sample", fingerprint="0")

    assert run.experiment_id is None
    assert execute(store_url, "SELECT * FROM experiments") == []


def test_no_runs_are_no_experiment(store_url, store):
    assert store.create_runs([], dataset="mnist-sample", fingerprint="0", by=Visitor("ann", Limits(unfinished=1))) == []

    assert execute(store_url, "SELECT * FROM experiments") == []


def test_an_experiment_that_the_caller_trains_itself_is_never_queued(timed):
    runs = queue_three(timed, leased=True)

    assert {(run.status, run.attempt, run.started_at) for run in runs} == {(RUNNING, 1, 1_000.0)}
    assert len({run.lease for run in runs}) == 3
    assert [RunLeases(timed).beat(run.id, run.lease, PROGRESS) for run in runs] == [None] * 3


def test_all_runs_of_an_experiment_count_and_none_is_added_if_one_is_too_many(store_url, store):
    runs = [queue(store, by=Visitor("ann")) for _ in range(3)]

    with pytest.raises(RunStateError, match="You have 3 unfinished runs and want 3 more, and 5 is the maximum here"):
        queue_three(store, by=Visitor("ann", Limits(unfinished=5)))

    assert {run.id for run in store.list_runs()} == {run.id for run in runs}
    assert execute(store_url, "SELECT * FROM experiments") == []


def test_an_experiment_may_fill_the_limit_to_the_last_run(store):
    queue(store, by=Visitor("ann"))
    queue_three(store, by=Visitor("bob"))

    assert len(queue_three(store, by=Visitor("ann", Limits(unfinished=4)))) == 3


def test_experiments_at_the_same_time_cannot_pass_the_limit_together(store_url, store):
    queued = race(*[lambda: queue_three(store, by=Visitor("ann", Limits(unfinished=7)))] * 6)

    assert sum(queued) == 2
    assert len(store.list_runs()) == 6
    assert execute(store_url, "SELECT count(*) FROM experiments") == [(2,)]


@pytest.mark.parametrize(
    ("bad", "error"),
    [
        (PlannedRun("dense-32", {"epochs": object()}), (StoreError, TypeError)),
        (PlannedRun("dense-33", SETTINGS), VariantError),
        (PlannedRun("d" * 1_000, SETTINGS), VariantError),
    ],
)
def test_an_experiment_of_which_one_run_cannot_be_added_is_not_added_at_all(store_url, store, bad, error):
    with pytest.raises(error):
        store.create_runs([*THREE, bad], dataset="mnist-sample", fingerprint="0")

    assert store.list_runs() == []
    assert execute(store_url, "SELECT * FROM experiments") == []


def test_runs_are_listed_by_experiment_and_by_owner(store):
    ann, bob = Visitor("ann"), Visitor("bob")
    alone, one, two = queue(store, by=ann), queue_three(store, by=ann), queue_three(store, by=bob)
    nobodys = queue(store)
    store.cancel_run(one[0].id)

    def listed(**which):
        return [run.id for run in store.list_runs(**which)]

    assert listed(experiment_id=one[0].experiment_id) == [run.id for run in reversed(one)]
    assert listed(experiment_id=two[0].experiment_id) == [run.id for run in reversed(two)]
    assert listed(owner="ann") == [run.id for run in reversed([alone, *one])]
    assert listed(owner="") == [nobodys.id]
    assert listed(owner="carol") == listed(experiment_id=99) == []
    assert listed(owner="bob", experiment_id=one[0].experiment_id) == []
    assert listed(owner="ann", experiment_id=one[0].experiment_id, statuses=[CANCELLED]) == [one[0].id]


def test_experiments_that_do_not_exist_are_left_out(store):
    one, two = (queue_three(store)[0].experiment_id for _ in range(2))

    assert store.experiments([]) == {}
    assert store.experiments({99}) == {}
    assert set(store.experiments({one, 99, two})) == {one, two}


def test_deleting_the_last_run_of_an_experiment_deletes_the_experiment(store):
    runs, others = queue_three(store), queue_three(store)
    number, other = runs[0].experiment_id, others[0].experiment_id
    for run in runs:
        store.cancel_run(run.id)

    left = []
    for run in runs:
        store.delete_run(run.id)
        left.append(set(store.experiments([number, other])))

    assert left == [{number, other}, {number, other}, {other}]
    assert [run.experiment_id for run in store.list_runs()] == [other] * 3


def test_deleting_a_run_without_experiment_leaves_experiments_alone(store):
    number, alone = queue_three(store)[0].experiment_id, finish(store)

    store.delete_run(alone.id)

    assert set(store.experiments([number])) == {number}


def test_the_runs_of_an_experiment_may_all_be_deleted_at_the_same_time(store_url, store):
    for _ in range(10):
        runs = queue_three(store)
        for run in runs:
            store.cancel_run(run.id)

        assert all(race(*[lambda run_id=run.id: store.delete_run(run_id) for run in runs]))

        assert store.list_runs() == []
        assert execute(store_url, "SELECT * FROM experiments") == []


def test_the_number_of_a_deleted_experiment_is_never_given_to_another(store):
    runs = queue_three(store)
    for run in runs:
        store.cancel_run(run.id)
        store.delete_run(run.id)

    assert queue_three(store)[0].experiment_id > runs[0].experiment_id


# Reading


def test_a_run_that_does_not_exist_is_said_to_be_missing(store):
    for number in (1, 0, -1, 2**31, 10**30):
        with pytest.raises(RunNotFoundError, match=f"There is no run {number}"):
            store.get_run(number)


def test_runs_are_listed_newest_first(timed, clock):
    first, second = queue(timed), queue(timed)
    clock.now = 900.0
    earlier = queue(timed)

    assert [run.id for run in timed.list_runs()] == [second.id, first.id, earlier.id]


def test_runs_are_listed_by_status(store):
    queued, running, done = queue(store), start(store), finish(store)

    listed = store.list_runs(statuses=[QUEUED, DONE])

    assert {run.id for run in store.list_runs()} == {queued.id, running.id, done.id}
    assert [run.id for run in listed] == [done.id, queued.id]


def test_only_the_newest_runs_are_listed_if_few_are_asked_for(store):
    runs = [queue(store, by=Visitor(owner)) for owner in ("ann", "bob", "ann", "bob")]

    assert [run.id for run in store.list_runs(limit=3)] == [run.id for run in runs[:0:-1]]
    assert [run.id for run in store.list_runs(owner="ann", limit=1)] == [runs[2].id]
    assert store.list_runs(limit=9) == store.list_runs()


def test_several_runs_are_read_at_once_without_those_that_do_not_exist(store):
    one, _, two = start(store), queue(store), finish(store)

    found = store.get_runs({two.id, 99, one.id})

    assert {run.id: run for run in found} == {one.id: one, two.id: two}
    assert store.get_runs([]) == []


def test_a_run_is_found_by_its_number(store):
    run = queue(store)

    assert store.find_run(str(run.id)) == run


def test_a_variants_name_finds_its_best_finished_run(store):
    finish(store, accuracy=0.94)
    best = finish(store, accuracy=0.96)
    finish(store, accuracy=0.95)
    finish(store, variant="cnn", accuracy=0.99)
    start(store)

    assert store.find_run("dense-32") == best


def test_a_run_on_the_full_mnist_is_found_before_a_better_one_on_the_sample(store):
    on_mnist = finish(store, accuracy=0.94, dataset="mnist")
    finish(store, accuracy=0.99)

    assert store.find_run("dense-32") == on_mnist


def test_a_variant_without_finished_run_says_how_to_train_one(store):
    queue(store)

    with pytest.raises(RunNotFoundError, match="python -m mnist_dash train dense-32"):
        store.find_run("dense-32")


@pytest.mark.parametrize("name", ["dense-33", "", "-1", "²", "٣", "1; DROP TABLE runs"])
def test_a_name_that_is_neither_number_nor_variant_is_refused_with_those_there_are(store, name):
    with pytest.raises(RunNotFoundError, match="neither a run's number nor one of dense-32, sigmoid-100"):
        store.find_run(name)


def test_a_number_of_any_length_is_only_a_number(store):
    with pytest.raises(RunNotFoundError, match="There is no run"):
        store.find_run("9" * 10_000)


def test_the_epochs_of_several_runs_come_by_run_in_their_order(store):
    one, two, none = start(store), start(store), start(store)
    for epoch in (FIRST, SECOND):
        RunLeases(store).record_epoch(one.id, one.lease, epoch, {CHECKPOINT: b""})
    RunLeases(store).record_epoch(two.id, two.lease, SECOND, {CHECKPOINT: b""})

    found = store.epochs_of([two.id, none.id, one.id])

    assert found == {one.id: [FIRST, SECOND], two.id: [SECOND], none.id: []}
    assert store.list_epochs(one.id) == [FIRST, SECOND]
    assert store.epochs_of([]) == {}


def test_an_artifact_that_is_missing_is_said_to_be_missing(store):
    run = queue(store)

    with pytest.raises(RunNotFoundError, match=r"has no model\.tflite: only a finished run has"):
        store.read_artifact(run.id, MODEL_TFLITE)

    assert store.find_artifact(run.id, MODEL_TFLITE) is None


# A worker's part


def test_a_leased_run_is_running_and_carries_its_lease(timed, clock):
    run = queue(timed)
    clock.now = 1_007.0

    leased = RunLeases(timed).acquire(run.id)

    assert (leased.status, leased.attempt) == (RUNNING, 1)
    assert (leased.started_at, leased.heartbeat_at) == (1_007.0, 1_007.0)
    assert leased.lease


def test_only_one_of_many_workers_can_acquire_a_run(store):
    run = queue(store)
    together = threading.Barrier(8)

    def try_to_acquire(_):
        together.wait()
        try:
            return RunLeases(store).acquire(run.id).lease
        except RunStateError:
            return None

    leases = [lease for lease in in_parallel(try_to_acquire) if lease]

    assert len(leases) == 1
    assert store.get_run(run.id).lease == leases[0]
    assert store.get_run(run.id).attempt == 1


def test_many_workers_with_as_many_runs_get_one_each(store_url, store):
    runs = [queue(store) for _ in range(4)]

    def acquire_what_is_left(_):
        own, leased = RunStore(store_url), []
        for run in runs:
            try:
                leased.append(RunLeases(own).acquire(run.id).id)
            except RunStateError:
                continue
        own.close()
        return leased

    leased = [run_id for found in in_parallel(acquire_what_is_left, 4) for run_id in found]

    assert sorted(leased) == [run.id for run in runs]


def test_a_run_that_is_not_queued_cannot_be_acquired_and_says_what_it_is(store):
    run = finish(store)

    with pytest.raises(RunStateError, match=f"Run {run.id} cannot start: it is done"):
        RunLeases(store).acquire(run.id)


def test_a_run_that_does_not_exist_cannot_be_acquired(store):
    with pytest.raises(RunNotFoundError):
        RunLeases(store).acquire(7)


def test_a_beat_says_when_and_how_far(timed, clock):
    run = start(timed)
    clock.now = 1_003.0

    wanted = RunLeases(timed).beat(run.id, run.lease, PROGRESS)

    assert wanted is None
    assert timed.get_run(run.id).progress == PROGRESS
    assert timed.get_run(run.id).heartbeat_at == 1_003.0


def test_a_beat_without_progress_still_says_when(timed, clock):
    run = start(timed)
    clock.now = 1_003.0

    RunLeases(timed).beat(run.id, run.lease, None)

    assert timed.get_run(run.id).progress is None
    assert timed.get_run(run.id).heartbeat_at == 1_003.0


@pytest.mark.parametrize("loss", [float("nan"), float("inf")])
def test_a_worker_whose_loss_is_no_number_still_beats(timed, clock, loss):
    run = start(timed)
    clock.now = 1_003.0

    RunLeases(timed).beat(run.id, run.lease, replace(PROGRESS, loss=loss))

    assert timed.get_run(run.id).heartbeat_at == 1_003.0
    assert timed.get_run(run.id).progress.step == 50


def test_an_epoch_is_recorded_together_with_its_checkpoint(timed, clock):
    run = start(timed)
    clock.now = 1_003.0

    RunLeases(timed).record_epoch(run.id, run.lease, FIRST, {CHECKPOINT: b"after 1"})
    RunLeases(timed).record_epoch(run.id, run.lease, SECOND, {CHECKPOINT: b"after 2"})

    assert timed.list_epochs(run.id) == [FIRST, SECOND]
    assert timed.read_artifact(run.id, CHECKPOINT) == b"after 2"
    assert timed.get_run(run.id).heartbeat_at == 1_003.0


def test_an_epoch_may_replace_some_artifacts_and_leave_others(store):
    run = start(store)
    RunLeases(store).record_epoch(run.id, run.lease, FIRST, {CHECKPOINT: b"after 1", BEST_WEIGHTS: b"best of 1"})

    RunLeases(store).record_epoch(run.id, run.lease, SECOND, {CHECKPOINT: b"after 2"})

    assert store.read_artifact(run.id, CHECKPOINT) == b"after 2"
    assert store.read_artifact(run.id, BEST_WEIGHTS) == b"best of 1"


def test_an_epoch_that_was_recorded_already_is_refused_with_its_checkpoint(store):
    run = start(store)
    RunLeases(store).record_epoch(run.id, run.lease, FIRST, {CHECKPOINT: b"after 1"})

    with pytest.raises(StoreError, match="did not take a change"):
        RunLeases(store).record_epoch(run.id, run.lease, replace(FIRST, loss=9.0), {CHECKPOINT: b"after 1 again"})

    assert store.list_epochs(run.id) == [FIRST]
    assert store.read_artifact(run.id, CHECKPOINT) == b"after 1"


def test_a_finished_run_has_its_result_and_artifacts_and_the_checkpoint_to_be_continued_from(timed, clock):
    run = start(timed)
    RunLeases(timed).beat(run.id, run.lease, PROGRESS)
    RunLeases(timed).record_epoch(run.id, run.lease, FIRST, {CHECKPOINT: b"after 1"})
    clock.now = 1_009.0

    RunLeases(timed).finish(run.id, run.lease, RESULT, ARTIFACTS)

    finished = timed.get_run(run.id)
    assert (finished.status, finished.finished_at, finished.progress) == (DONE, 1_009.0, None)
    assert {name: getattr(finished, name) for name in asdict(RESULT)} == asdict(RESULT)
    assert {name: timed.read_artifact(run.id, name) for name in ARTIFACTS} == ARTIFACTS
    assert timed.read_artifact(run.id, CHECKPOINT) == b"after 1"


def test_a_failed_run_says_why_and_keeps_its_epochs_and_checkpoint(timed, clock):
    run = start(timed)
    RunLeases(timed).record_epoch(run.id, run.lease, FIRST, {CHECKPOINT: b"after 1"})
    clock.now = 1_009.0

    RunLeases(timed).fail(run.id, run.lease, "Training diverged.")

    failed = timed.get_run(run.id)
    assert (failed.status, failed.error, failed.finished_at) == (FAILED, "Training diverged.", 1_009.0)
    assert timed.list_epochs(run.id) == [FIRST]
    assert timed.read_artifact(run.id, CHECKPOINT) == b"after 1"


def test_a_megabyte_of_any_bytes_comes_back_as_it_was(store):
    run = start(store)
    content = bytes(range(256)) * 4_096

    RunLeases(store).record_epoch(run.id, run.lease, FIRST, {CHECKPOINT: content})

    assert store.read_artifact(run.id, CHECKPOINT) == content


WORKER_CALLS = {
    "beat": lambda leases, *lease: leases.beat(*lease, PROGRESS),
    "record_epoch": lambda leases, *lease: leases.record_epoch(*lease, SECOND, {CHECKPOINT: b"old"}),
    "finish": lambda leases, *lease: leases.finish(*lease, RESULT, ARTIFACTS),
    "fail": lambda leases, *lease: leases.fail(*lease, "old"),
    "stop to cancel": lambda leases, *lease: leases.stop(*lease, CANCELLED, {}),
    "stop to pause": lambda leases, *lease: leases.stop(*lease, PAUSED, {CHECKPOINT: b"old"}),
}
each_worker_call = pytest.mark.parametrize("call", WORKER_CALLS.values(), ids=WORKER_CALLS)


@each_worker_call
def test_a_worker_that_was_given_up_changes_nothing(timed, clock, call):
    given_up = start(timed)
    RunLeases(timed).record_epoch(given_up.id, given_up.lease, FIRST, {CHECKPOINT: b"after 1"})
    clock.now += 100
    RunLeases(timed).requeue_lost(lost_after_s=0)
    RunLeases(timed).acquire(given_up.id)
    before = everything_of(timed, given_up.id)

    with pytest.raises(RunStateError, match="lease lost"):
        call(RunLeases(timed), given_up.id, given_up.lease)

    assert everything_of(timed, given_up.id) == before


@each_worker_call
def test_a_worker_changes_nothing_about_a_run_that_waits_for_another(timed, clock, call):
    given_up = start(timed)
    clock.now += 100
    RunLeases(timed).requeue_lost(lost_after_s=0)
    before = everything_of(timed, given_up.id)

    with pytest.raises(RunStateError):
        call(RunLeases(timed), given_up.id, given_up.lease)

    assert everything_of(timed, given_up.id) == before


@each_worker_call
def test_a_worker_changes_nothing_about_a_run_that_it_has_paused(store, call):
    run = start(store)
    RunLeases(store).record_epoch(run.id, run.lease, FIRST, {CHECKPOINT: b"after 1"})
    store.pause_run(run.id)
    RunLeases(store).stop(run.id, run.lease, PAUSED, {CHECKPOINT: b"within 2"})
    before = everything_of(store, run.id)

    with pytest.raises(RunStateError, match="lease lost"):
        call(RunLeases(store), run.id, run.lease)

    assert everything_of(store, run.id) == before


@each_worker_call
def test_a_worker_changes_nothing_about_a_run_that_has_ended(store, call):
    ended = finish(store)
    before = everything_of(store, ended.id)

    with pytest.raises(RunStateError):
        call(RunLeases(store), ended.id, ended.lease)

    assert everything_of(store, ended.id) == before


@each_worker_call
def test_a_worker_learns_that_its_run_was_deleted(store, call):
    ended = finish(store)
    store.delete_run(ended.id)

    with pytest.raises(RunStateError):
        call(RunLeases(store), ended.id, ended.lease)

    assert store.list_runs() == []


# Runs that ship with the project


@pytest.fixture
def shipped(tmp_path, store):
    """A folder with one reference run in it, and the run that it was made from."""
    run = finish(store, dataset="mnist")
    export_run(store, run, tmp_path / "reference" / "dense-32")
    store.delete_run(run.id)
    return tmp_path / "reference", run


def test_a_shipped_run_comes_into_the_store_as_it_was(store, shipped):
    folder, original = shipped

    ensure_reference_runs(store, folder=folder)

    [run] = store.list_runs()
    own = ("id", "reference", "attempt", "lease", "heartbeat_at")
    assert replace(run, **{name: getattr(original, name) for name in own}) == original
    assert store.list_epochs(run.id) == [FIRST, SECOND]
    assert {name: store.read_artifact(run.id, name) for name in ARTIFACTS} == ARTIFACTS
    assert run.is_reference
    assert run.title == "Dense 32"


def test_a_shipped_run_comes_only_once(store, shipped):
    folder, _ = shipped
    ensure_reference_runs(store, folder=folder)
    before = store.list_runs()

    ensure_reference_runs(store, folder=folder)

    assert store.list_runs() == before
    assert {run.reference for run in RunFinder(store).references()} == {before[0].reference}


def test_a_newer_shipped_run_takes_the_place_of_the_older(store, shipped):
    folder, _ = shipped
    ensure_reference_runs(store, folder=folder)
    own = finish(store)
    described = json.loads((folder / "dense-32" / "run.json").read_text())
    (folder / "dense-32" / "run.json").write_text(json.dumps({**described, "test_accuracy": 0.95}))

    ensure_reference_runs(store, folder=folder)

    assert {run.id for run in store.list_runs() if not run.is_reference} == {own.id}
    assert [run.test_accuracy for run in store.list_runs() if run.is_reference] == [0.95]


def test_dashboards_that_start_together_bring_a_shipped_run_only_once(store_url, shipped, store):
    folder, _ = shipped
    together = threading.Barrier(4)

    def start_dashboard(_):
        own = RunStore(store_url)
        together.wait()
        try:
            ensure_reference_runs(own, folder=folder)
        finally:
            own.close()

    in_parallel(start_dashboard, 4)

    assert len(store.list_runs()) == 1


def test_a_shipped_run_cannot_be_continued_for_it_has_no_optimizer_state(store, shipped):
    folder, _ = shipped
    ensure_reference_runs(store, folder=folder)
    [run] = store.list_runs()

    with pytest.raises(RunStateError, match=f"Run {run.id} cannot be continued: it keeps no optimizer state"):
        continue_run(store, run.id, 9)

    assert store.list_runs() == [run]


def test_a_shipped_run_cannot_be_deleted(store, shipped):
    folder, _ = shipped
    ensure_reference_runs(store, folder=folder)
    [run] = store.list_runs()

    with pytest.raises(RunStateError, match="it ships with MNIST Dash"):
        store.delete_run(run.id)

    assert store.list_runs() == [run]


def test_a_folder_without_models_brings_nothing(store, tmp_path):
    ensure_reference_runs(store, folder=tmp_path)

    assert store.list_runs() == []


def test_the_models_that_ship_with_the_project_come_into_a_new_store(store):
    ensure_reference_runs(store)

    runs = store.list_runs()
    assert all(run.is_reference and run.status == DONE and run.dataset == "mnist" for run in runs)
    assert {run.variant for run in runs} >= {"dense-32", "sigmoid-100", "dense-512"}
    for run in runs:
        assert len(store.list_epochs(run.id)) == run.settings["epochs"]
        assert len(store.read_artifact(run.id, TEST_LABELS)) == 10_000


# Export


def test_an_exported_run_is_a_folder_of_files(store, tmp_path):
    run = finish(store)

    files = export_run(store, run, tmp_path / "new" / "folder")

    assert {file.name for file in files} == {*ARTIFACTS, "run.json", "script.py", "history.csv"}
    assert all(file.parent == tmp_path / "new" / "folder" for file in files)
    assert (tmp_path / "new" / "folder" / MODEL_KERAS).read_bytes() == b"keras"


def test_an_exported_run_describes_itself(store, tmp_path):
    run = finish(store)

    export_run(store, run, tmp_path)

    described = json.loads((tmp_path / "run.json").read_text())
    with (tmp_path / "history.csv").open(newline="") as file:
        history = list(csv.DictReader(file))
    assert described["settings"] == SETTINGS
    assert described["test_accuracy"] == 0.9469
    assert [(row["number"], row["loss"], row["val_loss"]) for row in history] == [
        ("1", "0.36", ""),
        ("2", "0.21", "0.19"),
    ]
    compile((tmp_path / "script.py").read_text(), "script.py", "exec")


def test_a_run_that_has_not_finished_cannot_be_exported(store, tmp_path):
    run = start(store)

    with pytest.raises(RunNotFoundError, match="only a finished run has"):
        export_run(store, run, tmp_path / "folder")

    assert not (tmp_path / "folder").exists()


def test_exporting_to_where_a_file_stands_is_refused_in_words(store, tmp_path):
    run = finish(store)
    (tmp_path / "file").touch()

    with pytest.raises(StoreError, match="file"):
        export_run(store, run, tmp_path / "file")


# Opening databases


def test_a_new_database_carries_its_schema_version(store_url, store):
    assert execute(store_url, "SELECT version FROM schema_version") == [(SCHEMA_VERSION,)]


def test_a_database_opened_again_has_one_schema_version_and_its_runs(store_url, store):
    run = queue(store)

    again = RunStore(store_url)
    found = again.list_runs()
    again.close()

    assert found == [run]
    assert execute(store_url, "SELECT version FROM schema_version") == [(SCHEMA_VERSION,)]


def test_a_database_of_another_version_is_refused_and_left_alone(store_url, store):
    run = queue(store)
    execute(store_url, "UPDATE schema_version SET version = 99")

    with pytest.raises(StoreError, match="it has schema version 99, and this one knows versions up to"):
        RunStore(store_url)

    assert execute(store_url, "SELECT version FROM schema_version") == [(99,)]
    assert execute(store_url, "SELECT id FROM runs") == [(run.id,)]


def test_a_database_that_is_refused_is_closed_again(store_url, store):
    execute(store_url, "UPDATE schema_version SET version = 99")
    with pytest.raises(StoreError):
        RunStore(store_url)

    gc.collect()  # a connection that was left open warns now, and warnings are errors


OPEN_WHEN_TOLD = """
import sys
from mnist_dash.store.run_store import RunStore
print("ready", flush=True)
sys.stdin.readline()
store = RunStore(sys.argv[1])
exec(sys.argv[2])
store.close()
"""


def in_processes(work, store_url, times):
    """Has as many processes open a database at once and do a line of work; gives what each prints and complains of."""
    command = [sys.executable, "-c", OPEN_WHEN_TOLD, store_url, work]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    processes = [subprocess.Popen(command, **pipes) for _ in range(times)]
    for process in processes:
        process.stdout.readline()
    for process in processes:
        process.stdin.write("go\n")
        process.stdin.flush()
    return [process.communicate(timeout=60) for process in processes]


def test_several_processes_can_open_the_same_new_database_at_once(store_url):
    said = in_processes('store.create_run("dense-32", {}, dataset="mnist-sample", fingerprint="0")', store_url, 4)

    assert said == [("", "")] * 4
    assert execute(store_url, "SELECT version FROM schema_version") == [(SCHEMA_VERSION,)]
    assert execute(store_url, "SELECT count(*) FROM runs") == [(4,)]


def test_a_new_sqlite_file_is_waited_for_while_another_process_has_it_locked(tmp_path):
    path, opened = tmp_path / "runs.sqlite", []
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")

    opening = threading.Thread(target=lambda: opened.append(RunStore(f"sqlite:///{path}")))
    opening.start()
    opening.join(0.3)
    assert opening.is_alive()  # SQLite alone would say “database is locked” at once
    other.execute("COMMIT")
    other.close()
    opening.join(20)

    assert opened[0].list_runs() == []
    opened[0].close()


def test_an_sqlite_file_is_made_with_its_folder(tmp_path):
    RunStore(f"sqlite:///{tmp_path}/new/folder/runs.sqlite").close()

    assert (tmp_path / "new" / "folder" / "runs.sqlite").exists()


def test_sqlite_writes_ahead_so_that_readers_never_wait(tmp_path):
    url = f"sqlite:///{tmp_path}/runs.sqlite"
    RunStore(url).close()

    assert execute(url, "PRAGMA journal_mode") == [("wal",)]


@pytest.mark.parametrize(
    "url",
    [
        "",
        "runs.sqlite",
        "nosuchdatabase://host/runs",
        "sqlite:////proc/runs.sqlite",
        "postgresql+psycopg://ann:secret@127.0.0.1:9/runs",
        "postgresql+nosuchdriver://ann:secret@127.0.0.1/runs",
    ],
)
def test_a_database_that_cannot_be_opened_is_refused_with_what_to_check(url):
    with pytest.raises(StoreError, match=r"cannot be opened: .*Check MNIST_DASH_DATABASE_URL") as caught:
        RunStore(url)

    assert "secret" not in str(caught.value)


def test_a_file_that_is_no_database_is_refused_and_left_alone(tmp_path):
    file = tmp_path / "runs.sqlite"
    file.write_text("Minutes of the last meeting. " * 100)

    with pytest.raises(StoreError, match="not a database"):
        RunStore(f"sqlite:///{file}")

    assert file.read_text().startswith("Minutes")


def test_a_database_that_goes_away_is_reported_in_words(store_url, store):
    for table in ("artifacts", "epochs", "tags", "robustness", "runs"):
        execute(store_url, f"DROP TABLE {table}")

    with pytest.raises(StoreError, match="could not be read"):
        store.list_runs()
    with pytest.raises(StoreError, match="did not take a change"):
        queue(store)


def test_no_visitor_waits_for_all_runs_of_another(store):
    greedy = [queue(store, by=Visitor("greedy")).id for _ in range(3)]
    modest = queue(store, by=Visitor("modest")).id
    RunLeases(store).acquire(greedy[0])

    order = [run.id for run in in_turn(store.list_runs())]

    assert order == [greedy[0], modest, greedy[1], greedy[2]]


def test_a_run_says_which_settings_are_not_the_tutorials_own(store):
    own = VARIANTS["dense-32"].check({})

    same = queue(store, settings=own)
    changed = queue(store, settings={**own, "epochs": 7, "seed": 3})

    assert same.changes == ""
    assert changed.changes == "epochs 7, seed 3"


def test_a_run_from_before_a_setting_existed_has_what_is_now_its_default(store):
    own = VARIANTS["cnn"].check({})
    newer = ("augmentation", "schedule")
    stored = {name: value for name, value in own.items() if name not in newer}

    same = queue(store, "cnn", stored)
    changed = queue(store, "cnn", {**stored, "epochs": 7})

    assert store.get_run(same.id).settings == own
    assert store.get_run(same.id).changes == ""
    assert store.get_run(changed.id).changes == "epochs 7"
    assert [run.settings["augmentation"] for run in store.list_runs()] == [0.0, 0.0]


def test_a_run_of_a_network_that_is_no_more_keeps_the_settings_that_it_was_stored_with(store):
    run = queue(store, "dense-7", {"epochs": 3, "momentum": 0.5})

    assert store.get_run(run.id).settings == {"epochs": 3, "momentum": 0.5}
