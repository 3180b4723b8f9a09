"""The worker's line to the store: what it does when the database is away or full, and what it hears."""

import contextlib
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import Engine, event
from sqlalchemy.pool import Pool

from mnist_dash.errors import RunNotFoundError, RunStateError, StoreError
from mnist_dash.store.records import CANCELLED, CHECKPOINT, DONE, FAILED, PAUSED, QUEUED, RUNNING, Progress
from mnist_dash.store.run_leases import RunLeases
from mnist_dash.store.run_store import RunStore
from mnist_dash.worker import heartbeat
from mnist_dash.worker.heartbeat import LOST, Heartbeat, retry_transient
from mnist_dash.worker.leased_run import LeasedRun
from mnist_dash.worker.training import train_run, train_runs
from tests.support.learning import assert_ended_alike, at, history, queue, settings_of, slow, wait_until
from tests.support.postgresql import empty_schema

QUICK = {"epochs": 3, "batch_size": 16, "hidden_units": 8, "train_part": 0.1, "validation": "holdout"}


@pytest.fixture
def runs(tmp_path) -> Iterator[RunStore]:
    opened = RunStore(f"sqlite:///{tmp_path / 'runs.sqlite'}")
    yield opened
    opened.close()


@pytest.fixture
def impatient(monkeypatch) -> None:
    """Workers that give up after half a second instead of a minute and a half."""
    monkeypatch.setitem(retry_transient.__kwdefaults__, "patience_s", 0.5)


@pytest.fixture(autouse=True)
def quick(monkeypatch) -> None:
    monkeypatch.setattr(heartbeat, "_WAIT_S", 0.05)


# Retrying a change


class Change:
    """A change that fails some times before it succeeds."""

    def __init__(self, *errors: Exception):
        self.errors, self.calls = list(errors), 0

    def __call__(self) -> str:
        self.calls += 1
        if self.errors:
            raise self.errors.pop(0)
        return "made"


def test_a_change_is_tried_until_the_database_takes_it():
    change = Change(StoreError("away"), StoreError("away"), StoreError("full"))

    assert retry_transient(change) == "made"
    assert change.calls == 4


def test_a_change_that_stays_refused_is_given_up_with_the_last_reason():
    change = Change(*[StoreError("away")] * 3, *[StoreError("full")] * 1_000)

    with pytest.raises(StoreError, match="full"):
        retry_transient(change, patience_s=0.5)

    assert change.calls > 3


@pytest.mark.parametrize("error", [RunStateError("lease lost"), RunNotFoundError("deleted"), ValueError("a bug")])
def test_what_trying_again_cannot_change_is_not_tried_again(error):
    change = Change(error)

    with pytest.raises(type(error)):
        retry_transient(change)

    assert change.calls == 1


def test_a_change_whose_answer_was_lost_is_not_made_twice():
    change = Change(StoreError("the connection broke"))

    assert retry_transient(change, happened=lambda: True) is None
    assert change.calls == 1


def test_a_database_that_cannot_even_say_whether_it_happened_is_asked_again():
    change = Change(StoreError("away"), StoreError("away"))
    happened = Change(StoreError("away"))

    assert retry_transient(change, happened=lambda: happened() != "made") == "made"
    assert (change.calls, happened.calls) == (3, 2)


# Beats


@contextmanager
def reporting_on(store: RunStore, *leased) -> Iterator[Heartbeat]:
    with Heartbeat(RunLeases(store), {run.id: run.lease for run in leased}) as heartbeat:
        yield heartbeat


def test_a_run_beats_and_shows_its_newest_progress(runs, sample):
    run = RunLeases(runs).acquire(queue(runs, sample).id)

    with reporting_on(runs, run) as thread:
        thread.report(run.id, Progress(1, 2, 3, 0.5, 0.25))
        wait_until(lambda: runs.get_run(run.id).progress is not None)
        first = runs.get_run(run.id)
        wait_until(lambda: runs.get_run(run.id).heartbeat_at > first.heartbeat_at)

    assert first.progress == Progress(1, 2, 3, 0.5, 0.25)
    assert first.heartbeat_at > run.heartbeat_at


def test_the_worker_hears_what_each_of_its_runs_should_become_and_when_that_is_taken_back(runs, sample):
    to_pause, to_cancel, to_lose, to_go_on = leased = [
        RunLeases(runs).acquire(queue(runs, sample).id) for _ in range(4)
    ]

    with reporting_on(runs, *leased) as thread:
        runs.pause_run(to_pause.id)
        runs.cancel_run(to_cancel.id)
        RunLeases(runs).stop(to_lose.id, to_lose.lease, PAUSED, {})
        wait_until(lambda: len(thread.requested) == 3)
        heard = dict(thread.requested)
        runs.resume_run(to_pause.id)
        wait_until(lambda: len(thread.requested) == 2)

    assert heard == {to_pause.id: PAUSED, to_cancel.id: CANCELLED, to_lose.id: LOST}
    assert to_pause.id not in thread.requested
    assert to_go_on.id not in heard


def test_a_run_that_was_forgotten_beats_no_more(runs, sample):
    forgotten, other = (RunLeases(runs).acquire(queue(runs, sample).id) for _ in range(2))

    with reporting_on(runs, forgotten, other) as thread:
        wait_until(lambda: runs.get_run(forgotten.id).heartbeat_at > forgotten.heartbeat_at)
        thread.forget(forgotten.id)
        last = runs.get_run(forgotten.id).heartbeat_at
        beat = runs.get_run(other.id).heartbeat_at
        wait_until(lambda: runs.get_run(other.id).heartbeat_at > beat)

    assert runs.get_run(forgotten.id).heartbeat_at == last


# A full disk


class Disk:
    """Room for SQLite databases: as much as there is, or not a page more than they have."""

    def __init__(self) -> None:
        self.is_full = False
        self.refused = 0  # changes that failed for want of room

    def limit(self, connection, *_: object) -> None:
        # SQLite takes 1 for the number of pages that the file has; a connection keeps its limit until told otherwise.
        connection.execute(f"PRAGMA max_page_count={1 if self.is_full else 2**30}")

    def count(self, context) -> None:
        self.refused += "full" in str(context.original_exception)


@pytest.fixture
def disk() -> Iterator[Disk]:
    made = Disk()
    event.listen(Pool, "checkout", made.limit)
    event.listen(Engine, "handle_error", made.count)
    yield made
    event.remove(Pool, "checkout", made.limit)
    event.remove(Engine, "handle_error", made.count)


def train_aside(store: RunStore, *run_ids: int) -> threading.Thread:
    thread = threading.Thread(target=train_runs, args=(run_ids, settings_of(store)), name="worker")
    thread.start()
    return thread


def do(action: Callable[[], object]) -> Callable[..., None]:
    """Returns what `at` may call."""
    return lambda *_: action() and None


@pytest.mark.parametrize(
    "when", [(1, 1), slow((3, 1))]
)  # no room for the first checkpoint, or for the finished network
def test_a_run_goes_on_when_a_full_disk_has_room_again(when, runs, sample, disk):
    undisturbed, run = (queue(runs, sample, **QUICK) for _ in range(2))
    train_run(undisturbed.id, settings_of(runs))

    with at({when: do(lambda: setattr(disk, "is_full", True))}):
        worker = train_aside(runs, run.id)
        wait_until(lambda: disk.refused >= 3)
        disk.is_full = False
        worker.join()

    assert runs.get_run(run.id).attempt == 1
    assert_ended_alike(runs, run, undisturbed)


def test_a_run_that_a_full_disk_ended_says_so_and_can_be_resumed(runs, sample, disk, impatient, monkeypatch):
    undisturbed, run = (queue(runs, sample, **QUICK, seed=2) for _ in range(2))
    train_run(undisturbed.id, settings_of(runs))
    fail = LeasedRun.fail

    def fail_with_room_again(leased, problem):
        disk.is_full = False
        fail(leased, problem)

    monkeypatch.setattr(LeasedRun, "fail", fail_with_room_again)
    with at({(3, 1): do(lambda: setattr(disk, "is_full", True))}):
        train_run(run.id, settings_of(runs))
    failed = runs.get_run(run.id)
    runs.resume_run(run.id)
    train_run(run.id, settings_of(runs))

    assert failed.status == FAILED
    assert failed.error == (
        "The database did not take a change: database or disk is full. Nothing was lost; make room on the "
        "disk, then try again."
    )
    assert disk.refused > 1
    assert runs.get_run(run.id).attempt == 3
    assert_ended_alike(runs, run, undisturbed)


def test_a_run_whose_end_the_full_disk_does_not_take_either_is_trained_when_there_is_room(
    runs, sample, disk, impatient
):
    undisturbed, run = (queue(runs, sample, **QUICK, seed=3) for _ in range(2))
    train_run(undisturbed.id, settings_of(runs))

    with at({(2, 1): do(lambda: setattr(disk, "is_full", True))}), contextlib.suppress(StoreError):
        train_run(run.id, settings_of(runs))
    disk.is_full = False
    left = runs.get_run(run.id)
    if left.status == FAILED:  # if there was room for these few words
        runs.resume_run(run.id)
    RunLeases(runs).requeue_lost(lost_after_s=-1)
    train_run(run.id, settings_of(runs))

    assert_ended_alike(runs, run, undisturbed)


# A lost database


@pytest.fixture
def away(postgresql_to_stop) -> Iterator[RunStore]:
    """A store whose server can be stopped."""
    opened = RunStore(empty_schema(postgresql_to_stop.url))
    yield opened
    opened.close()


@contextmanager
def errors_counted() -> Iterator[list[str]]:
    found: list[str] = []

    def count(context) -> None:
        found.append(str(context.original_exception))

    event.listen(Engine, "handle_error", count)
    yield found
    event.remove(Engine, "handle_error", count)


def test_a_run_goes_on_when_its_database_is_back(postgresql_to_stop, away, sample):
    undisturbed, run = (queue(away, sample, **QUICK) for _ in range(2))
    train_run(undisturbed.id, settings_of(away))
    reached = threading.Event()
    stopped = threading.Event()

    def lose_database(*_):
        reached.set()
        stopped.wait()

    for how in (signal.SIGQUIT, signal.SIGKILL):
        with errors_counted() as errors, at({(2, 1): lose_database}):
            worker = train_aside(away, run.id)
            wait_until(reached.is_set)
            postgresql_to_stop.stop(how)
            stopped.set()
            wait_until(lambda errors=errors: len(errors) >= 3)
            postgresql_to_stop.start()
            worker.join()

        assert (away.get_run(run.id).status, away.get_run(run.id).attempt) == (DONE, 1)
        assert_ended_alike(away, run, undisturbed)
        run = queue(away, sample, **QUICK)
        reached.clear()
        stopped.clear()


def test_a_run_whose_database_stayed_away_too_long_is_trained_when_it_is_back(
    postgresql_to_stop, away, sample, impatient
):
    undisturbed, run = (queue(away, sample, **QUICK) for _ in range(2))
    train_run(undisturbed.id, settings_of(away))

    with at({(3, 1): do(lambda: postgresql_to_stop.stop(signal.SIGQUIT))}), pytest.raises(StoreError):
        train_run(run.id, settings_of(away))
    postgresql_to_stop.start()
    left = away.get_run(run.id)
    RunLeases(away).requeue_lost(lost_after_s=-1)
    requeued = away.get_run(run.id)
    train_run(run.id, settings_of(away))

    assert (left.status, requeued.status) == (RUNNING, QUEUED)
    assert away.find_artifact(run.id, CHECKPOINT) is not None
    assert_ended_alike(away, run, undisturbed)


def test_a_worker_that_starts_while_the_database_is_away_waits_for_it(postgresql_to_stop, away, sample):
    run = queue(away, sample, **QUICK)
    postgresql_to_stop.stop()

    with errors_counted() as errors:
        worker = train_aside(away, run.id)
        wait_until(lambda: len(errors) >= 2)
        postgresql_to_stop.start()
        worker.join()

    assert away.get_run(run.id).status == DONE
    assert len(history(away, run)) == 3


def test_a_worker_does_not_wait_for_a_run_that_was_deleted(runs, sample):
    run = queue(runs, sample)
    runs.cancel_run(run.id)
    runs.delete_run(run.id)
    started = time.monotonic()

    train_run(run.id, settings_of(runs))

    assert time.monotonic() - started < 60  # patience is 90 s
