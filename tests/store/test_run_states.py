import contextlib
import sqlite3
import subprocess
import sys
import threading
from dataclasses import asdict, replace
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import create_engine, inspect, make_url

from mnist_dash.errors import RunNotFoundError, RunStateError, StoreError, VariantError
from mnist_dash.store.continuation import continue_run
from mnist_dash.store.leases import LOST_AFTER_S, MAX_LOST
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
    Run,
)
from mnist_dash.store.run_leases import RunLeases
from mnist_dash.store.run_store import RunStore
from mnist_dash.store.schema import SCHEMA_VERSION
from mnist_dash.store.visitors import Limits, Visitor
from tests.store.test_run_store import (
    ARTIFACTS,
    FIRST,
    PROGRESS,
    RESULT,
    SECOND,
    SETTINGS,
    Clock,
    everything_of,
    execute,
    finish,
    in_parallel,
    in_processes,
    queue,
    queue_three,
    race,
    start,
)
from tests.support.postgresql import empty_schema

THIRD = replace(SECOND, number=3, loss=0.17, accuracy=0.95)
TRAINING = {CHECKPOINT: b"after 1", BEST_WEIGHTS: b"best of 1"}
GONE, REFUSED = "gone", "refused"
ROUNDS = 15  # of each race, for either side to win some


@pytest.fixture
def clock():
    return Clock(1_000.0)


@pytest.fixture
def timed(store_url, clock):
    opened = RunStore(store_url, clock=clock)
    yield opened
    opened.close()


def started(store) -> Run:
    """A running run that has done one epoch."""
    run = start(store)
    RunLeases(store).record_epoch(run.id, run.lease, FIRST, TRAINING)
    RunLeases(store).beat(run.id, run.lease, PROGRESS)
    return store.get_run(run.id)


def to_be_paused(store) -> Run:
    run = started(store)
    store.pause_run(run.id)
    return store.get_run(run.id)


def to_be_cancelled(store) -> Run:
    run = started(store)
    store.cancel_run(run.id)
    return store.get_run(run.id)


def paused(store) -> Run:
    run = to_be_paused(store)
    RunLeases(store).stop(run.id, run.lease, PAUSED, {CHECKPOINT: b"within 2"})
    return store.get_run(run.id)


def failed(store) -> Run:
    run = started(store)
    RunLeases(store).fail(run.id, run.lease, "Training diverged.")
    return store.get_run(run.id)


def cancelled(store) -> Run:
    run = to_be_cancelled(store)
    RunLeases(store).stop(run.id, run.lease, CANCELLED, {})
    return store.get_run(run.id)


def training_of(store, run_id):
    return [store.find_artifact(run_id, name) for name in (CHECKPOINT, BEST_WEIGHTS)]


# What may be done to a run in each state

ACTIONS = {
    "acquire": lambda store, run_id: RunLeases(store).acquire(run_id),
    "pause": lambda store, run_id: store.pause_run(run_id),
    "resume": lambda store, run_id: store.resume_run(run_id),
    "cancel": lambda store, run_id: store.cancel_run(run_id),
    "delete": lambda store, run_id: store.delete_run(run_id),
    "lose": lambda store, run_id: RunLeases(store).requeue_lost(lost_after_s=0),
}
TO_BE_PAUSED, TO_BE_CANCELLED = (RUNNING, PAUSED), (RUNNING, CANCELLED)
OUTCOMES = {  # the status after each action; with what is wanted, if that is something
    queue: (RUNNING, PAUSED, REFUSED, CANCELLED, REFUSED, QUEUED),
    started: (REFUSED, TO_BE_PAUSED, REFUSED, TO_BE_CANCELLED, REFUSED, QUEUED),
    to_be_paused: (REFUSED, TO_BE_PAUSED, RUNNING, TO_BE_CANCELLED, REFUSED, PAUSED),
    to_be_cancelled: (REFUSED, None, REFUSED, TO_BE_CANCELLED, REFUSED, CANCELLED),  # None: left open
    paused: (REFUSED, REFUSED, QUEUED, CANCELLED, REFUSED, PAUSED),
    failed: (REFUSED, REFUSED, QUEUED, REFUSED, GONE, FAILED),
    finish: (REFUSED, REFUSED, REFUSED, REFUSED, GONE, DONE),
    cancelled: (REFUSED, REFUSED, REFUSED, REFUSED, GONE, CANCELLED),
}
each_state = pytest.mark.parametrize(("make", "outcomes"), OUTCOMES.items(), ids=[make.__name__ for make in OUTCOMES])


def outcome_of(act, store, run_id):
    before = everything_of(store, run_id)
    try:
        act(store, run_id)
    except RunStateError:
        assert everything_of(store, run_id) == before
        return REFUSED
    after = [
        (run.status, run.requested_status) if run.requested_status else run.status
        for run in store.list_runs()
        if run.id == run_id
    ]
    return after[0] if after else GONE


@each_state
def test_what_may_be_done_to_a_run_depends_on_its_state(timed, clock, make, outcomes):
    expected = dict(zip(ACTIONS, outcomes, strict=True))
    found = {}
    for name in [name for name in ACTIONS if expected[name]]:
        run = make(timed)
        clock.now += LOST_AFTER_S + 1
        found[name] = outcome_of(ACTIONS[name], timed, run.id)

    assert found == {name: outcome for name, outcome in expected.items() if outcome}


# Cancelling and deleting


def test_a_queued_run_is_cancelled_at_once(timed, clock):
    run = queue(timed)
    clock.now = 1_004.0

    timed.cancel_run(run.id)

    cancelled = timed.get_run(run.id)
    assert (cancelled.status, cancelled.finished_at) == (CANCELLED, 1_004.0)
    with pytest.raises(RunStateError):
        RunLeases(timed).acquire(run.id)


def test_a_running_run_is_cancelled_by_its_worker_when_it_hears_of_it(timed, clock):
    run = start(timed)
    RunLeases(timed).record_epoch(run.id, run.lease, FIRST, {CHECKPOINT: b"after 1"})

    timed.cancel_run(run.id)
    status_before, wanted = timed.get_run(run.id).status, RunLeases(timed).beat(run.id, run.lease, PROGRESS)
    clock.now = 1_004.0
    RunLeases(timed).stop(run.id, run.lease, CANCELLED, {})

    stopped = timed.get_run(run.id)
    assert (status_before, wanted) == (RUNNING, CANCELLED)
    assert (stopped.status, stopped.requested_status, stopped.finished_at, stopped.progress) == (
        CANCELLED,
        None,
        1_004.0,
        None,
    )
    assert timed.find_artifact(run.id, CHECKPOINT) is None


def test_a_run_that_ended_cannot_be_cancelled(store):
    run = finish(store)

    with pytest.raises(RunStateError, match=f"Run {run.id} cannot be cancelled: it is done"):
        store.cancel_run(run.id)


def test_a_run_is_deleted_with_all_that_belongs_to_it(store_url, store):
    kept, deleted = finish(store), finish(store)

    store.delete_run(deleted.id)

    assert [run.id for run in store.list_runs()] == [kept.id]
    assert execute(store_url, "SELECT DISTINCT run_id FROM epochs") == [(kept.id,)]
    assert execute(store_url, "SELECT DISTINCT run_id FROM artifacts") == [(kept.id,)]


def test_the_number_of_a_deleted_run_is_never_given_to_another(store):
    deleted = finish(store)
    store.delete_run(deleted.id)

    assert queue(store).id > deleted.id


@pytest.mark.parametrize(("make", "status"), [(queue, QUEUED), (start, RUNNING), (paused, PAUSED)])
def test_a_run_that_has_not_ended_cannot_be_deleted(store, make, status):
    run = make(store)

    with pytest.raises(RunStateError, match=f"it is {status}; cancel it first"):
        store.delete_run(run.id)

    assert store.get_run(run.id).status == status


@pytest.mark.parametrize("number", [7, 0, -1])
def test_nothing_can_be_done_to_a_run_that_does_not_exist(store, number):
    acts = [store.pause_run, store.resume_run, store.cancel_run, store.delete_run, lambda n: continue_run(store, n, 9)]

    for act in acts:
        with pytest.raises(RunNotFoundError, match=f"There is no run {number}"):
            act(number)


def test_a_paused_run_is_cancelled_at_once_and_keeps_nothing_to_go_on_from(timed, clock):
    run = paused(timed)
    clock.now = 1_004.0

    timed.cancel_run(run.id)

    now = timed.get_run(run.id)
    assert (now.status, now.requested_status, now.finished_at) == (CANCELLED, None, 1_004.0)
    assert timed.list_epochs(run.id) == [FIRST]
    assert training_of(timed, run.id) == [None, None]


def test_cancelling_a_run_takes_nothing_from_other_runs(store):
    others = [started(store), paused(store), failed(store), finish(store)]
    before = [everything_of(store, run.id) for run in others]

    cancelled(store)
    store.cancel_run(queue(store).id)

    assert [everything_of(store, run.id) for run in others] == before


def test_a_run_that_is_about_to_be_paused_can_be_cancelled_instead(store):
    run = to_be_paused(store)

    store.cancel_run(run.id)

    assert RunLeases(store).beat(run.id, run.lease, PROGRESS) == CANCELLED


def test_a_run_that_is_cancelled_after_its_worker_has_heard_of_a_pause_is_cancelled(timed, clock):
    run = to_be_paused(timed)
    heard = RunLeases(timed).beat(run.id, run.lease, PROGRESS)
    timed.cancel_run(run.id)
    clock.now = 1_004.0

    RunLeases(timed).stop(run.id, run.lease, heard, {CHECKPOINT: b"within 2"})

    now = timed.get_run(run.id)
    assert (heard, now.status, now.requested_status, now.finished_at) == (PAUSED, CANCELLED, None, 1_004.0)
    assert training_of(timed, run.id) == [None, None]


def test_a_run_that_ends_before_its_worker_hears_of_a_wish_has_no_wish_left(store):
    for ask in (store.pause_run, store.cancel_run):
        done, broken = started(store), started(store)
        ask(done.id)
        ask(broken.id)

        RunLeases(store).finish(done.id, done.lease, RESULT, ARTIFACTS)
        RunLeases(store).fail(broken.id, broken.lease, "Training diverged.")

        ended = [store.get_run(run.id) for run in (done, broken)]
        assert [(run.status, run.requested_status) for run in ended] == [(DONE, None), (FAILED, None)]
        assert store.read_artifact(done.id, MODEL_KERAS) == b"keras"


def test_cancelling_against_finishing_ends_as_done_with_everything(store):
    for _ in range(ROUNDS):
        run = started(store)

        _, was_finished = race(
            lambda run_id=run.id: store.cancel_run(run_id),
            lambda run=run: RunLeases(store).finish(run.id, run.lease, RESULT, ARTIFACTS),
        )

        now = store.get_run(run.id)
        assert was_finished
        assert (now.status, now.requested_status) == (DONE, None)
        assert training_of(store, run.id) == list(TRAINING.values())
        assert {name: store.read_artifact(run.id, name) for name in ARTIFACTS} == ARTIFACTS


def test_cancelling_against_a_worker_that_pauses_ends_as_cancelled(store):
    for _ in range(ROUNDS):
        run = to_be_paused(store)

        done = race(
            lambda run_id=run.id: store.cancel_run(run_id),
            lambda run=run: RunLeases(store).stop(run.id, run.lease, PAUSED, {CHECKPOINT: b"within 2"}),
        )

        assert done == [True, True]
        assert (store.get_run(run.id).status, store.get_run(run.id).requested_status) == (CANCELLED, None)
        assert training_of(store, run.id) == [None, None]


def test_cancelling_against_acquiring_never_leaves_a_run_that_nobody_stops(store):
    for _ in range(ROUNDS):
        run = queue(store)

        was_cancelled, was_acquired = race(
            lambda run_id=run.id: store.cancel_run(run_id), lambda run_id=run.id: RunLeases(store).acquire(run_id)
        )

        now = store.get_run(run.id)
        assert was_cancelled
        assert (now.status, now.requested_status) == (TO_BE_CANCELLED if was_acquired else (CANCELLED, None))


# Pausing


def test_a_queued_run_is_paused_at_once(timed, clock):
    run = queue(timed)
    clock.now = 1_004.0

    timed.pause_run(run.id)

    assert timed.get_run(run.id) == replace(run, status=PAUSED)


def test_a_running_run_is_paused_by_its_worker_when_it_hears_of_it(timed, clock):
    run = started(timed)

    timed.pause_run(run.id)
    asked, heard = timed.get_run(run.id), RunLeases(timed).beat(run.id, run.lease, PROGRESS)
    clock.now = 1_004.0
    RunLeases(timed).stop(run.id, run.lease, heard, {CHECKPOINT: b"within 2"})

    now = timed.get_run(run.id)
    assert asked == replace(run, requested_status=PAUSED)
    assert heard == PAUSED
    assert (now.status, now.requested_status, now.progress, now.finished_at) == (PAUSED, None, PROGRESS, None)
    assert (now.started_at, now.error) == (1_000.0, None)


def test_pausing_keeps_all_epochs_and_what_training_goes_on_from(store):
    run = to_be_paused(store)

    RunLeases(store).stop(run.id, run.lease, PAUSED, {})

    assert store.list_epochs(run.id) == [FIRST]
    assert training_of(store, run.id) == [b"after 1", b"best of 1"]


def test_a_worker_that_pauses_within_an_epoch_may_leave_a_newer_checkpoint(store):
    run = to_be_paused(store)

    RunLeases(store).stop(run.id, run.lease, PAUSED, {CHECKPOINT: b"within 2"})

    assert store.list_epochs(run.id) == [FIRST]
    assert training_of(store, run.id) == [b"within 2", b"best of 1"]


def test_a_pause_that_is_taken_back_too_late_queues_the_run_again_with_its_checkpoint(store):
    run = started(store)
    store.pause_run(run.id)
    assert RunLeases(store).beat(run.id, run.lease, None) == PAUSED
    store.resume_run(run.id)

    RunLeases(store).stop(run.id, run.lease, PAUSED, {CHECKPOINT: b"in the middle"})

    assert (store.get_run(run.id).status, store.get_run(run.id).requested_status) == (QUEUED, None)
    assert RunLeases(store).acquire(run.id).status == RUNNING
    assert store.read_artifact(run.id, CHECKPOINT) == b"in the middle"


def test_a_run_that_is_being_cancelled_cannot_be_paused(store):
    run = started(store)
    store.cancel_run(run.id)

    with pytest.raises(RunStateError, match="it is being cancelled"):
        store.pause_run(run.id)

    assert RunLeases(store).beat(run.id, run.lease, None) == CANCELLED


@pytest.mark.parametrize("epochs", [1, 2])
def test_a_run_is_continued_only_for_more_epochs_than_it_has(store, epochs):
    run = finish(store)
    trained = len(store.list_epochs(run.id))

    with pytest.raises(RunStateError, match=f"it has {trained} epochs"):
        continue_run(store, run.id, min(epochs, trained))


def test_a_run_is_not_continued_for_more_epochs_than_a_run_may_have(store):
    with pytest.raises(VariantError, match="from 1 to 1,000"):
        continue_run(store, finish(store).id, 10**9)


def test_failed_runs_are_not_resumed_beyond_what_their_owner_may_have(store):
    runs = [started(store) for _ in range(2)]
    for run in runs:
        RunLeases(store).fail(run.id, run.lease, "out of memory")

    store.resume_run(runs[0].id, by=Visitor(limits=Limits(unfinished=1)))
    with pytest.raises(RunStateError, match="1 is the maximum here"):
        store.resume_run(runs[1].id, by=Visitor(limits=Limits(unfinished=1)))

    assert [store.get_run(run.id).status for run in runs] == [QUEUED, FAILED]


def test_a_pause_within_an_epoch_loses_no_epoch(store):
    run = paused(store)
    store.resume_run(run.id)

    again = RunLeases(store).acquire(run.id)
    found = store.list_epochs(run.id), store.read_artifact(run.id, CHECKPOINT)
    RunLeases(store).record_epoch(run.id, again.lease, SECOND, {CHECKPOINT: b"after 2"})
    RunLeases(store).record_epoch(run.id, again.lease, THIRD, {CHECKPOINT: b"after 3"})
    RunLeases(store).finish(run.id, again.lease, RESULT, ARTIFACTS)

    assert found == ([FIRST], b"within 2")
    assert store.list_epochs(run.id) == [FIRST, SECOND, THIRD]
    assert store.get_run(run.id).status == DONE
    assert store.get_run(run.id).started_at == run.started_at


def test_a_run_may_be_paused_in_every_epoch(store):
    run_id = queue(store).id
    for epoch in (FIRST, SECOND, THIRD):
        run = RunLeases(store).acquire(run_id)
        RunLeases(store).record_epoch(run_id, run.lease, epoch, {CHECKPOINT: f"after {epoch.number}".encode()})
        store.pause_run(run_id)
        RunLeases(store).stop(run_id, run.lease, RunLeases(store).beat(run_id, run.lease, PROGRESS), {})
        store.resume_run(run_id)

    assert store.list_epochs(run_id) == [FIRST, SECOND, THIRD]
    assert store.read_artifact(run_id, CHECKPOINT) == b"after 3"
    assert store.get_run(run_id).status == QUEUED


@pytest.mark.parametrize(
    ("make", "status"), [(paused, PAUSED), (failed, FAILED), (finish, DONE), (cancelled, CANCELLED)]
)
def test_only_what_is_queued_or_running_can_be_paused(store, make, status):
    run = make(store)

    with pytest.raises(RunStateError, match=f"Run {run.id} cannot be paused: it is {status}"):
        store.pause_run(run.id)


def test_many_workers_at_once_cannot_acquire_a_paused_run(store):
    run = paused(store)

    leased = race(*[lambda: RunLeases(store).acquire(run.id)] * 8)

    assert not any(leased)
    assert store.get_run(run.id) == run


def test_a_paused_run_that_is_acquired_says_that_it_is_paused(store):
    with pytest.raises(RunStateError, match="cannot start: it is paused"):
        RunLeases(store).acquire(paused(store).id)


def test_pausing_against_acquiring_never_leaves_a_run_that_nobody_pauses(store):
    for _ in range(ROUNDS):
        run = queue(store)

        was_paused, *leased = race(
            lambda run_id=run.id: store.pause_run(run_id), *[lambda run_id=run.id: RunLeases(store).acquire(run_id)] * 3
        )

        now = store.get_run(run.id)
        assert was_paused
        assert sum(leased) <= 1
        assert (now.status, now.requested_status) == (TO_BE_PAUSED if any(leased) else (PAUSED, None))
        assert now.attempt == sum(leased)


def test_pausing_against_finishing_ends_as_done(store):
    for _ in range(ROUNDS):
        run = started(store)

        _, was_finished = race(
            lambda run_id=run.id: store.pause_run(run_id),
            lambda run=run: RunLeases(store).finish(run.id, run.lease, RESULT, ARTIFACTS),
        )

        assert was_finished
        assert (store.get_run(run.id).status, store.get_run(run.id).requested_status) == (DONE, None)


def test_a_run_of_which_the_last_epoch_comes_while_it_is_paused_keeps_epoch_and_checkpoint_together(store):
    for _ in range(ROUNDS):
        run = started(store)

        done = race(
            lambda run_id=run.id: store.pause_run(run_id),
            lambda run=run: RunLeases(store).record_epoch(run.id, run.lease, SECOND, {CHECKPOINT: b"after 2"}),
        )

        assert done == [True, True]
        assert store.get_run(run.id).requested_status == PAUSED
        assert (len(store.list_epochs(run.id)), store.read_artifact(run.id, CHECKPOINT)) == (2, b"after 2")


def test_some_runs_of_an_experiment_may_be_paused(store):
    one, two, three = queue_three(store)

    store.pause_run(two.id)

    listed = store.list_runs(experiment_id=one.experiment_id, statuses=[PAUSED])
    assert [run.id for run in listed] == [two.id]
    assert [store.get_run(run.id) for run in (one, three)] == [one, three]


# Resuming


@pytest.mark.parametrize("make", [paused, failed])
def test_a_resumed_run_waits_with_all_that_it_has(timed, clock, make):
    run = make(timed)
    before = training_of(timed, run.id)
    clock.now = 1_004.0

    timed.resume_run(run.id)

    now = timed.get_run(run.id)
    assert (now.status, now.requested_status, now.error, now.finished_at, now.lost) == (QUEUED, None, None, None, 0)
    assert (now.created_at, now.started_at) == (run.created_at, run.started_at)
    assert timed.list_epochs(run.id) == [FIRST]
    assert training_of(timed, run.id) == before


def test_a_resumed_run_can_be_acquired_and_its_first_worker_changes_nothing_any_more(store):
    run = paused(store)
    store.resume_run(run.id)

    again = RunLeases(store).acquire(run.id)

    assert again.lease != run.lease
    assert RunLeases(store).beat(run.id, again.lease, PROGRESS) is None
    with pytest.raises(RunStateError):
        RunLeases(store).record_epoch(run.id, run.lease, SECOND, {CHECKPOINT: b"old"})


def test_a_run_that_was_paused_before_it_started_is_as_it_was(store):
    run = queue(store)
    store.pause_run(run.id)

    store.resume_run(run.id)

    assert replace(store.get_run(run.id), attempt=run.attempt) == run
    assert RunLeases(store).acquire(run.id).status == RUNNING


def test_every_time_that_a_run_is_queued_its_attempt_is_another(store):  # the queue submits each attempt once
    run = queue(store)
    attempts = [run.attempt]
    for _ in range(3):
        store.pause_run(run.id)
        store.resume_run(run.id)
        attempts.append(store.get_run(run.id).attempt)
    leased = RunLeases(store).acquire(run.id)
    RunLeases(store).fail(run.id, leased.lease, "Training diverged.")
    store.resume_run(run.id)
    attempts.append(store.get_run(run.id).attempt)

    assert len(set(attempts)) == 5


def test_a_failed_run_without_an_epoch_starts_from_the_beginning(store):
    run = start(store)
    RunLeases(store).fail(run.id, run.lease, "No memory.")

    store.resume_run(run.id)

    assert RunLeases(store).acquire(run.id).status == RUNNING
    assert store.list_epochs(run.id) == []
    assert store.find_artifact(run.id, CHECKPOINT) is None


def test_a_pause_can_be_taken_back_before_the_worker_hears_of_it(store):
    run = to_be_paused(store)

    store.resume_run(run.id)

    now = store.get_run(run.id)
    assert (now.status, now.requested_status, now.lease, now.progress) == (RUNNING, None, run.lease, PROGRESS)
    assert RunLeases(store).beat(run.id, run.lease, PROGRESS) is None
    RunLeases(store).record_epoch(run.id, run.lease, SECOND, {CHECKPOINT: b"after 2"})


@pytest.mark.parametrize(
    ("make", "status"),
    [(queue, QUEUED), (started, RUNNING), (to_be_cancelled, RUNNING), (finish, DONE), (cancelled, CANCELLED)],
)
def test_only_what_is_paused_or_failed_can_be_resumed(store, make, status):
    run = make(store)

    with pytest.raises(RunStateError, match=f"Run {run.id} cannot be resumed: it is {status}"):
        store.resume_run(run.id)


@pytest.mark.parametrize("make", [paused, failed, to_be_paused])
def test_of_two_resumes_at_once_one_wins(store, make):
    for _ in range(ROUNDS):
        run = make(store)

        resumed = race(*[lambda run_id=run.id: store.resume_run(run_id)] * 2)

        assert sum(resumed) == 1
        assert store.get_run(run.id).attempt == run.attempt + 1


def test_a_run_that_is_resumed_twice_at_once_is_trained_once(store):
    for _ in range(ROUNDS):
        run = paused(store)

        def resume_and_acquire(run_id=run.id):
            try:
                store.resume_run(run_id)
            finally:
                RunLeases(store).acquire(run_id)

        race(resume_and_acquire, resume_and_acquire)

        assert store.get_run(run.id).attempt == run.attempt + 2  # resumed once, acquired once


def test_resuming_against_cancelling_ends_as_cancelled(store):
    for _ in range(ROUNDS):
        run = paused(store)

        was_cancelled, _ = race(
            lambda run_id=run.id: store.cancel_run(run_id), lambda run_id=run.id: store.resume_run(run_id)
        )

        assert was_cancelled
        assert store.get_run(run.id).status == CANCELLED
        assert training_of(store, run.id) == [None, None]


# Continuing


def continued_from(store, **options):
    run = finish(store)
    return run, continue_run(store, run.id, 9, **options)


def test_a_continued_run_waits_with_the_epochs_and_the_checkpoint_of_the_first(timed, clock):
    run = started(timed)
    RunLeases(timed).record_epoch(run.id, run.lease, SECOND, {CHECKPOINT: b"after 2"})
    RunLeases(timed).finish(run.id, run.lease, RESULT, ARTIFACTS)
    clock.now = 1_004.0

    new = continue_run(timed, run.id, 9, by=Visitor("bob"))

    assert new == timed.get_run(new.id)
    assert new.id != run.id
    assert (new.status, new.continues, new.owner, new.created_at) == (QUEUED, run.id, "bob", 1_004.0)
    assert (new.variant, new.dataset, new.fingerprint) == (run.variant, run.dataset, run.fingerprint)
    assert new.settings == {**SETTINGS, "epochs": 9}
    assert timed.list_epochs(new.id) == [FIRST, SECOND]
    assert training_of(timed, new.id) == [b"after 2", b"best of 1"]


def test_a_continued_run_has_no_result_and_no_models_yet(store):
    _, new = continued_from(store)

    assert [store.find_artifact(new.id, name) for name in ARTIFACTS] == [None] * len(ARTIFACTS)
    assert (new.test_accuracy, new.test_loss, new.fit_seconds, new.weights, new.prediction_ms) == (None,) * 5
    assert (new.lease, new.attempt, new.lost, new.requested_status, new.finished_at) == (None, 0, 0, None, None)
    assert (new.experiment_id, new.progress, new.error, new.reference) == (None, None, None, None)


def test_the_run_that_is_continued_stays_as_it_is(store):
    run = finish(store)
    before = everything_of(store, run.id)

    new = continue_run(store, run.id, 9)
    leased = RunLeases(store).acquire(new.id)
    RunLeases(store).record_epoch(new.id, leased.lease, THIRD, {CHECKPOINT: b"after 3"})
    store.cancel_run(new.id)
    RunLeases(store).stop(new.id, leased.lease, CANCELLED, {})

    assert everything_of(store, run.id) == before


def test_a_continued_run_goes_on_after_the_last_epoch_of_the_first(store):
    run, new = continued_from(store)
    leased = RunLeases(store).acquire(new.id)

    RunLeases(store).record_epoch(new.id, leased.lease, THIRD, {CHECKPOINT: b"after 3"})
    RunLeases(store).finish(new.id, leased.lease, RESULT, ARTIFACTS)

    assert store.list_epochs(new.id) == [FIRST, SECOND, THIRD]
    assert store.list_epochs(run.id) == [FIRST, SECOND]
    assert store.read_artifact(run.id, CHECKPOINT) == b"after 2"


def test_a_continued_run_can_be_continued_again_and_outlives_the_first(store):
    run, new = continued_from(store)
    leased = RunLeases(store).acquire(new.id)
    RunLeases(store).record_epoch(new.id, leased.lease, THIRD, {CHECKPOINT: b"after 3"})
    RunLeases(store).finish(new.id, leased.lease, RESULT, ARTIFACTS)
    store.delete_run(run.id)

    third = continue_run(store, new.id, 12)

    assert store.get_run(new.id).continues == run.id
    assert (third.continues, third.settings["epochs"]) == (new.id, 12)
    assert store.list_epochs(third.id) == [FIRST, SECOND, THIRD]


def test_a_run_of_an_experiment_continues_outside_of_it(store):
    one, *_ = queue_three(store)
    leased = RunLeases(store).acquire(one.id)
    RunLeases(store).record_epoch(one.id, leased.lease, FIRST, {CHECKPOINT: b"after 1"})
    RunLeases(store).finish(one.id, leased.lease, RESULT, ARTIFACTS)

    new = continue_run(store, one.id, 9)

    assert new.experiment_id is None
    assert len(store.list_runs(experiment_id=one.experiment_id)) == 3


@pytest.mark.parametrize(
    ("make", "status"),
    [(queue, QUEUED), (started, RUNNING), (paused, PAUSED), (failed, FAILED), (cancelled, CANCELLED)],
)
def test_a_run_that_is_not_done_cannot_be_continued(store, make, status):
    run = make(store)

    with pytest.raises(RunStateError, match=f"Run {run.id} cannot be continued: it is {status}, not done"):
        continue_run(store, run.id, 9)

    assert store.list_runs() == [run]


def test_a_run_without_checkpoint_cannot_be_continued(store):  # done before checkpoints were kept
    run = start(store)
    RunLeases(store).finish(run.id, run.lease, RESULT, ARTIFACTS)

    with pytest.raises(RunStateError, match="it keeps no optimizer state"):
        continue_run(store, run.id, 9)

    assert [found.id for found in store.list_runs()] == [run.id]


def test_a_continued_run_counts_as_unfinish(store):
    run, _ = continued_from(store, by=Visitor("ann", Limits(unfinished=1)))

    with pytest.raises(RunStateError, match="You have 1 unfinished runs, and 1 is the maximum here"):
        continue_run(store, run.id, 9, by=Visitor("ann", Limits(unfinished=1)))

    assert len(store.list_runs()) == 2
    assert continue_run(store, run.id, 9, by=Visitor("bob", Limits(unfinished=1))).status == QUEUED


def test_runs_that_are_continued_at_the_same_time_cannot_pass_the_limit_together(store):
    run = finish(store)
    for owner in ("ann", "bob", "carol", "dan", "eve"):
        visitor = Visitor(owner, Limits(unfinished=2))
        queued = race(*[lambda visitor=visitor: continue_run(store, run.id, 9, by=visitor)] * 6)

        assert sum(queued) == 2
        assert len(store.list_runs(owner=owner)) == 2


def test_continuing_and_queueing_at_the_same_time_cannot_pass_the_limit_together(store):
    run = finish(store)

    queued = race(
        *[lambda: continue_run(store, run.id, 9, by=Visitor("ann", Limits(unfinished=3)))] * 4,
        *[lambda: queue(store, by=Visitor("ann", Limits(unfinished=3)))] * 4,
    )

    assert sum(queued) == 3
    assert len(store.list_runs(owner="ann")) == 3


# Lost runs


def test_a_run_whose_worker_is_silent_waits_for_another_and_keeps_what_it_has(timed, clock):
    run = start(timed)
    RunLeases(timed).record_epoch(run.id, run.lease, FIRST, {CHECKPOINT: b"after 1"})

    lose(timed, clock)
    lost = timed.get_run(run.id)
    again = RunLeases(timed).acquire(run.id)

    assert (lost.status, lost.lease, lost.finished_at) == (QUEUED, None, None)
    assert timed.list_epochs(run.id) == [FIRST]
    assert timed.read_artifact(run.id, CHECKPOINT) == b"after 1"
    assert (again.attempt, again.started_at) == (2, 1_000.0)
    assert again.lease != run.lease


def watching(store, clock) -> RunLeases:
    """Leases that have seen what runs, and measure silence by this clock."""
    leases = RunLeases(store, steady_clock=clock)
    leases.requeue_lost()
    return leases


def test_a_run_is_lost_when_its_worker_was_silent_for_twelve_seconds(timed, clock):
    run, leases = start(timed), watching(timed, clock)

    clock.now += 11.9
    leases.requeue_lost()
    before = timed.get_run(run.id).status
    clock.now += 0.2
    leases.requeue_lost()

    assert (before, timed.get_run(run.id).status) == (RUNNING, QUEUED)


def test_a_run_whose_worker_was_just_heard_of_is_left_alone(timed, clock):
    run, leases = start(timed), watching(timed, clock)
    for _ in range(3):
        clock.now += 11.0
        RunLeases(timed).beat(run.id, run.lease, PROGRESS)
        leases.requeue_lost()

    assert timed.get_run(run.id).status == RUNNING
    assert RunLeases(timed).beat(run.id, run.lease, PROGRESS) is None


@pytest.mark.parametrize("moved_s", [-86_400.0, -13.0, 13.0, 86_400.0])
def test_a_clock_that_is_moved_or_wrong_loses_no_run_and_hides_no_loss(store_url, moved_s):
    here, there, steady = Clock(1_000_000.0), Clock(1_000_000.0 + moved_s), Clock(0.0)
    dashboard, elsewhere = RunStore(store_url, clock=here), RunStore(store_url, clock=there)
    run, leases = start(elsewhere), watching(dashboard, steady)

    for _ in range(20):
        for clock in (here, there, steady):
            clock.now += 1
        RunLeases(elsewhere).beat(run.id, run.lease, PROGRESS)
        leases.requeue_lost()
    here.now += moved_s  # someone sets the clock of the dashboard
    leases.requeue_lost()
    while_it_beats = dashboard.get_run(run.id).status
    leases.requeue_lost()
    steady.now += LOST_AFTER_S
    leases.requeue_lost()

    assert (while_it_beats, dashboard.get_run(run.id).status) == (RUNNING, QUEUED)
    dashboard.close()
    elsewhere.close()


def test_a_lost_run_that_was_to_be_cancelled_is_cancelled(timed, clock):
    run = start(timed)
    timed.cancel_run(run.id)
    clock.now = 1_100.0

    RunLeases(timed).requeue_lost(lost_after_s=0)

    assert (timed.get_run(run.id).status, timed.get_run(run.id).finished_at) == (CANCELLED, 1_100.0)


def cancel_then_lose(store, run, clock):
    store.cancel_run(run.id)
    clock.now += 100
    RunLeases(store).requeue_lost(lost_after_s=0)


def lose_then_cancel(store, run, clock):
    clock.now += 100
    RunLeases(store).requeue_lost(lost_after_s=0)
    store.cancel_run(run.id)


@pytest.mark.parametrize("end", [cancel_then_lose, lose_then_cancel])
def test_a_cancelled_run_keeps_no_checkpoint_and_no_progress_though_its_worker_is_gone(timed, clock, end):
    run = start(timed)
    RunLeases(timed).record_epoch(run.id, run.lease, FIRST, {CHECKPOINT: b"after 1"})
    RunLeases(timed).beat(run.id, run.lease, PROGRESS)

    end(timed, run, clock)

    assert timed.get_run(run.id).status == CANCELLED
    assert timed.find_artifact(run.id, CHECKPOINT) is None
    assert timed.get_run(run.id).progress is None


def test_runs_that_wait_or_have_ended_are_never_lost(timed, clock):
    runs = [queue(timed), paused(timed), finish(timed), failed(timed), cancelled(timed)]
    clock.now = 10_000.0

    RunLeases(timed).requeue_lost(lost_after_s=0)

    assert [timed.get_run(run.id) for run in runs] == runs


def lose(store, clock):
    clock.now += LOST_AFTER_S
    RunLeases(store).requeue_lost(lost_after_s=0)


def test_a_lost_run_that_was_to_be_paused_is_paused_and_keeps_what_it_has(timed, clock):
    run = to_be_paused(timed)

    lose(timed, clock)

    now = timed.get_run(run.id)
    assert (now.status, now.requested_status, now.lease, now.progress) == (PAUSED, None, None, None)
    assert (now.finished_at, now.error) == (None, None)
    assert timed.list_epochs(run.id) == [FIRST]
    assert training_of(timed, run.id) == list(TRAINING.values())


def test_how_often_a_worker_was_lost_is_counted(timed, clock):
    run = started(timed)
    counts = [run.lost]
    for _ in range(MAX_LOST - 1):
        lose(timed, clock)
        counts.append(timed.get_run(run.id).lost)
        RunLeases(timed).acquire(run.id)

    assert counts == [0, 1, 2, 3, 4]
    assert timed.get_run(run.id).status == RUNNING


def lose_often(store, clock, run_id, times):
    """Loses a running run's worker so often; between, another worker takes it."""
    for number in range(times):
        if number:
            RunLeases(store).acquire(run_id)
        lose(store, clock)


def test_a_run_whose_worker_dies_five_times_in_the_same_epoch_fails_and_says_why(timed, clock):
    run = started(timed)

    lose_often(timed, clock, run.id, 5)

    now = timed.get_run(run.id)
    assert (now.status, now.finished_at, now.lease, now.progress) == (FAILED, clock.now, None, None)
    assert "died 5 times in the same epoch" in now.error
    assert "choose smaller batches or a smaller network, or try again" in now.error
    assert timed.list_epochs(run.id) == [FIRST]
    assert training_of(timed, run.id) == list(TRAINING.values())
    with pytest.raises(RunStateError):
        RunLeases(timed).acquire(run.id)


def test_a_run_that_gets_an_epoch_further_is_tried_again(timed, clock):
    run = started(timed)
    lose_often(timed, clock, run.id, 4)
    again = RunLeases(timed).acquire(run.id)
    RunLeases(timed).record_epoch(run.id, again.lease, SECOND, {CHECKPOINT: b"after 2"})
    counted_from_here = timed.get_run(run.id).lost

    lose_often(timed, clock, run.id, 4)

    assert counted_from_here == 0
    assert (timed.get_run(run.id).status, timed.get_run(run.id).lost) == (QUEUED, 4)
    RunLeases(timed).acquire(run.id)
    lose(timed, clock)
    assert timed.get_run(run.id).status == FAILED


def test_a_beat_is_no_sign_that_a_run_gets_further(timed, clock):
    run = started(timed)
    for _ in range(2):
        lose(timed, clock)
        again = RunLeases(timed).acquire(run.id)
        RunLeases(timed).beat(run.id, again.lease, PROGRESS)

    assert timed.get_run(run.id).lost == 2


def test_a_failed_run_that_is_resumed_is_tried_five_times_again(timed, clock):
    run = started(timed)
    lose_often(timed, clock, run.id, 5)

    timed.resume_run(run.id)
    RunLeases(timed).acquire(run.id)
    lose_often(timed, clock, run.id, 4)
    tried_four_times = timed.get_run(run.id).status
    RunLeases(timed).acquire(run.id)
    lose(timed, clock)

    assert tried_four_times == QUEUED
    assert timed.get_run(run.id).status == FAILED


@pytest.mark.parametrize(("ask", "status"), [(RunStore.cancel_run, CANCELLED), (RunStore.pause_run, PAUSED)])
def test_a_run_whose_worker_dies_for_the_last_time_ends_as_was_wanted(timed, clock, ask, status):
    run = started(timed)
    lose_often(timed, clock, run.id, 4)
    RunLeases(timed).acquire(run.id)
    ask(timed, run.id)

    lose(timed, clock)

    assert (timed.get_run(run.id).status, timed.get_run(run.id).error) == (status, None)


def test_dashboards_that_look_for_lost_runs_at_once_count_each_loss_once(timed, clock):
    for _ in range(ROUNDS):
        run = started(timed)
        clock.now += LOST_AFTER_S + 1

        race(*[lambda: RunLeases(timed).requeue_lost(lost_after_s=0)] * 4)

        assert (timed.get_run(run.id).status, timed.get_run(run.id).lost) == (QUEUED, 1)


def test_a_worker_that_is_back_in_the_moment_it_is_given_up_either_stays_or_changes_nothing(timed, clock):
    for _ in range(ROUNDS):
        run, leases = started(timed), watching(timed, clock)
        clock.now += LOST_AFTER_S

        _, was_recorded = race(
            leases.requeue_lost,
            lambda run=run: RunLeases(timed).record_epoch(run.id, run.lease, SECOND, {CHECKPOINT: b"after 2"}),
        )

        now, epochs = timed.get_run(run.id), timed.list_epochs(run.id)
        assert (now.status, len(epochs)) == ((RUNNING, 2) if was_recorded else (QUEUED, 1))
        assert timed.read_artifact(run.id, CHECKPOINT) == (b"after 2" if was_recorded else b"after 1")


# Databases of version 1

VERSION_1_SQLITE = Path(__file__).with_name("databases") / "version_1.sql"
VERSION_1_POSTGRESQL = """
CREATE TABLE schema_version (version SERIAL PRIMARY KEY);
CREATE TABLE runs (
    id SERIAL PRIMARY KEY,
    variant VARCHAR(64) NOT NULL,
    settings JSON NOT NULL,
    dataset VARCHAR(64) NOT NULL,
    fingerprint VARCHAR(64) NOT NULL,
    status VARCHAR(16) NOT NULL,
    owner VARCHAR(128) NOT NULL,
    created_at FLOAT NOT NULL,
    started_at FLOAT,
    finished_at FLOAT,
    heartbeat_at FLOAT,
    attempt INTEGER NOT NULL,
    claim VARCHAR(64),
    cancel_wanted BOOLEAN NOT NULL,
    progress JSON,
    error TEXT,
    reference VARCHAR(128) UNIQUE,
    test_loss FLOAT,
    test_accuracy FLOAT,
    fit_seconds FLOAT,
    weights INTEGER,
    prediction_ms FLOAT
);
CREATE TABLE epochs (
    run_id INTEGER NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
    number INTEGER NOT NULL,
    loss FLOAT NOT NULL,
    accuracy FLOAT NOT NULL,
    val_loss FLOAT,
    val_accuracy FLOAT,
    seconds FLOAT NOT NULL,
    PRIMARY KEY (run_id, number)
);
CREATE TABLE artifacts (
    run_id INTEGER NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
    name VARCHAR(64) NOT NULL,
    content BYTEA NOT NULL,
    PRIMARY KEY (run_id, name)
);
CREATE TABLE kept_digits (
    id SERIAL PRIMARY KEY,
    owner VARCHAR(128) NOT NULL,
    label INTEGER NOT NULL,
    pixels BYTEA NOT NULL,
    created_at FLOAT NOT NULL
);
CREATE INDEX ix_runs_status ON runs (status);
CREATE INDEX ix_kept_digits_owner ON kept_digits (owner);
"""
DONE_1, TO_BE_CANCELLED_2, RUNNING_3, QUEUED_4, CANCELLED_5 = range(1, 6)
LEASE_OF_2, LEASE_OF_3 = "1dbbecc3ce4a4bccba7ceca69c56b390", "00dfd828ff894f9abd292100be8ea2ef"


def make_sqlite_version_1(path):
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.executescript(VERSION_1_SQLITE.read_text())
        connection.execute("PRAGMA journal_mode=WAL")  # as version 1 left it


def make_postgresql_version_1(store_url, path):
    """The same rows as in SQLite, in the tables that version 1 made in PostgreSQL."""
    make_sqlite_version_1(path)
    with (
        psycopg.connect(store_url.replace("+psycopg", "")) as into,
        contextlib.closing(sqlite3.connect(path)) as from_file,
    ):
        from_file.row_factory = sqlite3.Row
        into.execute(VERSION_1_POSTGRESQL)
        for table in ("schema_version", "runs", "epochs", "artifacts"):
            for row in map(dict, from_file.execute(f"SELECT * FROM {table}")):
                if table == "runs":
                    row["cancel_wanted"] = bool(row["cancel_wanted"])
                places = ", ".join(["%s"] * len(row))
                into.execute(f"INSERT INTO {table} ({', '.join(row)}) VALUES ({places})", list(row.values()))
        into.execute("SELECT setval('runs_id_seq', 5)")


@pytest.fixture
def version_1(store_url, tmp_path):
    """URL of a version-1 database with five runs, once of each kind."""
    if store_url.startswith("sqlite"):
        make_sqlite_version_1(make_url(store_url).database)
    else:
        make_postgresql_version_1(store_url, tmp_path / "version_1.sqlite")
    return store_url


@pytest.fixture
def upgraded(version_1):
    opened = RunStore(version_1, clock=Clock(1_005.0))
    yield opened
    opened.close()


def structure_of(url):
    """All that a database's tables are made of, whatever the order of the columns."""
    engine = create_engine(url)
    inspector = inspect(engine)
    found = {
        table: {
            "columns": {
                column["name"]: (str(column["type"]), column["nullable"], str(column["default"]).strip("'"))
                for column in inspector.get_columns(table)
            },
            "primary key": inspector.get_pk_constraint(table)["constrained_columns"],
            "foreign keys": sorted(
                (key["constrained_columns"], key["referred_table"], key["options"])
                for key in inspector.get_foreign_keys(table)
            ),
            "indexes": sorted((index["name"], index["column_names"]) for index in inspector.get_indexes(table)),
        }
        for table in inspector.get_table_names()
    }
    engine.dispose()
    return found


def rows_of(url):
    return {table: sorted(map(repr, execute(url, f"SELECT * FROM {table}"))) for table in structure_of(url)}


def test_a_version_1_database_opens_with_all_its_runs(upgraded):
    runs = {run.id: run for run in upgraded.list_runs()}

    assert {run_id: (run.status, run.requested_status) for run_id, run in runs.items()} == {
        DONE_1: (DONE, None),
        TO_BE_CANCELLED_2: (RUNNING, CANCELLED),
        RUNNING_3: (RUNNING, None),
        QUEUED_4: (QUEUED, None),
        CANCELLED_5: (CANCELLED, None),
    }
    assert {(run.variant, run.dataset, run.fingerprint, run.owner) for run in runs.values()} == {
        ("dense-32", "mnist-sample", "0123456789abcdef", "ann")
    }
    assert {(run.lost, run.experiment_id, run.continues) for run in runs.values()} == {(0, None, None)}
    assert [runs[run_id].attempt for run_id in sorted(runs)] == [1, 1, 1, 0, 0]
    assert [runs[run_id].settings["epochs"] for run_id in sorted(runs)] == [3] * 5


def test_a_version_1_database_opens_with_all_its_results_epochs_and_artifacts(upgraded):
    done = upgraded.get_run(DONE_1)

    assert (done.created_at, done.started_at, done.finished_at, done.heartbeat_at) == (1_000.0,) * 4
    assert {name: getattr(done, name) for name in asdict(RESULT)} == asdict(RESULT)
    found = upgraded.epochs_of([DONE_1, TO_BE_CANCELLED_2, RUNNING_3, QUEUED_4, CANCELLED_5])
    assert list(found.values()) == [[FIRST], [FIRST], [FIRST], [], []]
    assert upgraded.read_artifact(DONE_1, MODEL_KERAS) == b"keras"
    assert upgraded.read_artifact(DONE_1, MODEL_TFLITE) == b"tflite"
    checkpoints = [upgraded.find_artifact(run_id, CHECKPOINT) for run_id in range(1, 6)]
    assert checkpoints == [None, b"after 1", b"after 1", None, None]


def test_the_workers_of_a_version_1_database_go_on_or_stop_as_was_wanted(upgraded):
    assert RunLeases(upgraded).beat(RUNNING_3, LEASE_OF_3, PROGRESS) is None
    assert RunLeases(upgraded).beat(TO_BE_CANCELLED_2, LEASE_OF_2, PROGRESS) == CANCELLED

    RunLeases(upgraded).record_epoch(RUNNING_3, LEASE_OF_3, SECOND, {CHECKPOINT: b"after 2"})

    assert upgraded.list_epochs(RUNNING_3) == [FIRST, SECOND]


def test_the_lost_runs_of_a_version_1_database_are_taken_up_or_ended_as_was_wanted(version_1):
    store = RunStore(version_1, clock=Clock(2_000.0))

    RunLeases(store).requeue_lost(lost_after_s=0)

    found = {run.id: (run.status, run.lost) for run in store.list_runs(statuses=[QUEUED, CANCELLED])}
    store.close()
    assert found.keys() == {TO_BE_CANCELLED_2, RUNNING_3, QUEUED_4, CANCELLED_5}
    assert (found[RUNNING_3], found[TO_BE_CANCELLED_2][0]) == ((QUEUED, 1), CANCELLED)


def test_what_is_new_works_in_a_database_that_was_version_1(upgraded):
    upgraded.pause_run(QUEUED_4)
    upgraded.resume_run(QUEUED_4)
    upgraded.pause_run(RUNNING_3)
    runs = queue_three(upgraded)

    with pytest.raises(RunStateError, match="it keeps no optimizer state"):
        continue_run(upgraded, DONE_1, 9)
    assert RunLeases(upgraded).acquire(QUEUED_4).status == RUNNING
    assert RunLeases(upgraded).beat(RUNNING_3, LEASE_OF_3, PROGRESS) == PAUSED
    assert [run.id for run in runs] == [6, 7, 8]
    assert upgraded.list_runs(experiment_id=runs[0].experiment_id) == runs[::-1]


@pytest.fixture
def new_url(store_url, request, tmp_path):
    """URL of a second database, of the same kind and empty."""
    if store_url.startswith("sqlite"):
        return f"sqlite:///{tmp_path / 'new.sqlite'}"
    return empty_schema(request.getfixturevalue("postgresql"))


def test_a_database_that_was_version_1_has_the_structure_of_a_new_one(version_1, upgraded, new_url):
    RunStore(new_url).close()

    assert structure_of(version_1) == structure_of(new_url)
    assert execute(version_1, "SELECT version FROM schema_version") == [(SCHEMA_VERSION,)]


def test_a_database_that_was_upgraded_opens_again_unchanged(version_1, upgraded):
    before = structure_of(version_1), rows_of(version_1)

    RunStore(version_1).close()

    assert (structure_of(version_1), rows_of(version_1)) == before


def open_and_list(url):
    store = RunStore(url)
    try:
        return [(run.id, run.status, run.requested_status) for run in store.list_runs()]
    finally:
        store.close()


def test_several_threads_can_open_and_upgrade_the_same_version_1_database_at_once(version_1):
    together = threading.Barrier(6)

    def open_it(_):
        together.wait()
        return open_and_list(version_1)

    found = in_parallel(open_it, 6)

    assert len(found[0]) == 5
    assert found == [found[0]] * 6
    assert execute(version_1, "SELECT version FROM schema_version") == [(SCHEMA_VERSION,)]


def test_several_processes_can_open_and_upgrade_the_same_version_1_database_at_once(version_1):
    said = in_processes("print(len(store.list_runs()))", version_1, 3)

    assert said == [("5\n", "")] * 3
    assert execute(version_1, "SELECT version FROM schema_version") == [(SCHEMA_VERSION,)]


@pytest.mark.parametrize(
    "in_the_way",
    [
        "ALTER TABLE runs ADD COLUMN wanted VARCHAR(16)",
        "ALTER TABLE runs ADD COLUMN continues INTEGER",
        "CREATE INDEX ix_runs_experiment_id ON runs (owner)",
        "CREATE VIEW cancelling AS SELECT id FROM runs WHERE cancel_wanted",  # the column cannot be dropped
    ],
)
def test_an_upgrade_that_fails_half_way_leaves_version_1_whole(version_1, in_the_way):
    execute(version_1, in_the_way)
    before = structure_of(version_1), rows_of(version_1)

    with pytest.raises(StoreError, match="cannot be opened"):
        RunStore(version_1)

    assert (structure_of(version_1), rows_of(version_1)) == before
    assert execute(version_1, "SELECT version FROM schema_version") == [(1,)]
    assert "experiments" not in structure_of(version_1)


DIE_BEFORE = """
import os, sys
from sqlalchemy import Engine, event
from mnist_dash.store.run_store import RunStore

@event.listens_for(Engine, "before_cursor_execute")
def _(connection, cursor, statement, *_):
    if statement.startswith(sys.argv[2]):
        os._exit(9)

RunStore(sys.argv[1])
"""


@pytest.mark.parametrize("statement", ["ALTER TABLE runs DROP", "UPDATE schema_version"])
def test_an_upgrade_that_is_killed_leaves_version_1_whole_and_is_done_the_next_time(version_1, statement):
    before = structure_of(version_1), rows_of(version_1)

    killed = subprocess.run([sys.executable, "-c", DIE_BEFORE, version_1, statement], timeout=60)

    assert killed.returncode == 9
    assert (structure_of(version_1), rows_of(version_1)) == before
    assert len(open_and_list(version_1)) == 5
    assert execute(version_1, "SELECT version FROM schema_version") == [(SCHEMA_VERSION,)]


def test_a_version_1_database_that_was_made_without_write_ahead_log_opens_too(tmp_path):
    path = tmp_path / "copy.sqlite"
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.executescript(VERSION_1_SQLITE.read_text())

    assert len(open_and_list(f"sqlite:///{path}")) == 5
