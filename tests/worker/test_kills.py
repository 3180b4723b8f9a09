"""Workers, page processes and databases killed at random moments: every run ends as if nothing had happened.

`MNIST_DASH_KILLS` is how often each of them is killed, `MNIST_DASH_KILLS_SEED` draws the moments.
"""

import os
import random
import signal
import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing

import numpy as np
import pytest

from mnist_dash.datasets.mnist import Dataset
from mnist_dash.errors import StoreError
from mnist_dash.store.leases import MAX_LOST
from mnist_dash.store.records import DONE, FAILED, QUEUED, RUNNING, Epoch, Run
from mnist_dash.store.run_store import RunStore
from tests.support.learning import assert_equal_to_the_last_bit, final_weights, queue
from tests.support.postgresql import empty_schema
from tests.support.queue_process import LOST_AFTER, Dashboard, dashboard

pytestmark = pytest.mark.kill

KILLS = int(os.environ.get("MNIST_DASH_KILLS") or 1)
SEED = int(os.environ.get("MNIST_DASH_KILLS_SEED") or random.randrange(10**6))
SETTINGS = {"epochs": 40, "batch_size": 2, "validation": "stratified:10", "train_part": 0.3, "seed": 7}
LOST_AFTER_S = 5.0  # instead of 12, to be quick; more than TensorFlow holds up a beat while it starts
LOCKED_S = float(os.environ.get("MNIST_DASH_LOCKED_S") or 10)
DEADLINE_S = 240.0  # for a run without a kill


def patiently(question: Callable[[], object]) -> object:
    """Asks a database that may be away."""
    deadline = time.monotonic() + DEADLINE_S
    while True:
        try:
            return question()
        except StoreError:
            assert time.monotonic() < deadline
            time.sleep(0.1)


def wait_for(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + DEADLINE_S
    while not patiently(condition):
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.05)


def ended(store: RunStore, run: Run) -> bool:
    found = store.get_run(run.id)
    assert found.status != FAILED, found.error
    return found.status == DONE


def story(store: RunStore, run: Run) -> tuple[list[tuple[float, ...]], list[np.ndarray]]:
    """Returns all that must not depend on kills: each epoch once, and the weights."""
    epochs: list[Epoch] = store.list_epochs(run.id)
    assert [epoch.number for epoch in epochs] == list(range(1, SETTINGS["epochs"] + 1))
    return [(epoch.loss, epoch.accuracy, epoch.val_loss, epoch.val_accuracy) for epoch in epochs], final_weights(
        store, run
    )


class Undisturbed:
    """What a run has at its end when nothing happens, and how long that takes."""

    def __init__(self, store: RunStore, sample: Dataset):
        for _ in range(min(KILLS, 2)):  # the second finds its program compiled, as most do that are to be killed
            run = queue(store, sample, **SETTINGS)
            wait_for(lambda run=run: store.get_run(run.id).status != QUEUED)
            started = time.monotonic()
            wait_for(lambda run=run: ended(store, run))
        self.seconds = time.monotonic() - started
        self.losses, self.weights = story(store, run)


@pytest.fixture(scope="module")
def sqlite(tmp_path_factory) -> Iterator[RunStore]:
    opened = RunStore(f"sqlite:///{tmp_path_factory.mktemp('kills') / 'runs.sqlite'}")
    yield opened
    opened.close()


@pytest.fixture
def running(one_dashboard: Dashboard) -> Dashboard:
    """The dashboard, started again if a test before has ended it."""
    if not one_dashboard.is_running():
        one_dashboard.start()
    return one_dashboard


@pytest.fixture(scope="module")
def one_dashboard(sqlite: RunStore) -> Iterator[Dashboard]:
    with dashboard(sqlite.database_url, **{LOST_AFTER: str(LOST_AFTER_S)}) as made:
        yield made


@pytest.fixture(scope="module")
def undisturbed(sqlite: RunStore, sample: Dataset, one_dashboard: Dashboard) -> Undisturbed:
    return Undisturbed(sqlite, sample)


def kill_at_random_moments(
    kind: str, store: RunStore, sample: Dataset, undisturbed: Undisturbed, kill: Callable[[random.Random], bool]
) -> None:
    """Kills something that often while runs are trained one after another, and looks at every run at its end.

    A moment is any time from a run's start to its end: while its network is compiled,
    trained, tested or saved; or, after a kill, while what was killed starts again, too.

    Args:
        kind: What is killed, for the report.
        store: Where the runs are.
        sample: What they learn.
        undisturbed: What they should end as.
        kill: Kills, and starts again what does not start by itself; says whether there was something to kill.
    """
    draw = random.Random(f"{SEED} {kind}")
    kills, runs, several, attempts = 0, 0, 0, []
    while kills < KILLS:
        run = queue(store, sample, **SETTINGS)
        wait_for(lambda run=run: store.get_run(run.id).status != QUEUED)
        hits: list[int] = []  # which attempt each kill hit
        while kills + len(hits) < KILLS and not patiently(lambda run=run: ended(store, run)):
            moment = time.monotonic() + draw.uniform(0, (4.0 if hits else 1.0) * undisturbed.seconds)
            while time.monotonic() < moment and not patiently(lambda run=run: ended(store, run)):
                time.sleep(min(0.05, max(0.0, moment - time.monotonic())))
            wait_for(lambda run=run, hits=hits: ended(store, run) or stands_another_loss(store, run, hits))
            attempt = patiently(lambda run=run: store.get_run(run.id).attempt)
            if not patiently(lambda run=run: ended(store, run)) and kill(draw):
                hits.append(attempt)
        wait_for(lambda run=run: ended(store, run))
        losses, weights = patiently(lambda run=run: story(store, run))
        assert losses == undisturbed.losses
        assert_equal_to_the_last_bit(weights, undisturbed.weights)
        kills, runs, several = kills + len(hits), runs + 1, several + (len(hits) > 1)
        attempts.append(patiently(lambda run=run: store.get_run(run.id)).attempt)
    print(
        f"\n{kind}: {kills} kills of {runs} runs, {several} of them hit more than once, "
        f"attempts {attempts}, seed {SEED}, an undisturbed run takes {undisturbed.seconds:.1f} s"
    )


def stands_another_loss(store: RunStore, run: Run, hits: Sequence[int]) -> bool:
    """Says whether a run may lose its worker: too often in the same epoch, and it is rightly given up."""
    found = store.get_run(run.id)
    not_yet_counted = found.status == RUNNING and found.attempt in hits
    return found.lost + not_yet_counted < MAX_LOST - 1


kills_that_often = pytest.mark.slow if KILLS > 1 else lambda test: test


@kills_that_often
def test_runs_whose_worker_is_killed_end_as_if_nothing_had_happened(running, sqlite, sample, undisturbed):
    def kill_worker(_: random.Random) -> bool:
        workers = running.workers()
        for worker in workers:
            worker.send_signal(signal.SIGKILL)
        return bool(workers)

    kill_at_random_moments("worker", sqlite, sample, undisturbed, kill_worker)


@kills_that_often
def test_runs_whose_page_process_is_killed_end_as_if_nothing_had_happened(running, sqlite, sample, undisturbed):
    def kill_page(draw: random.Random) -> bool:
        running.kill_page()
        time.sleep(draw.uniform(0, 2))
        running.start()
        return True

    kill_at_random_moments("page", sqlite, sample, undisturbed, kill_page)


@kills_that_often
def test_runs_whose_database_is_killed_end_as_if_nothing_had_happened(postgresql_to_stop, running, sample, undisturbed):
    running.kill_all()  # one worker at a time
    store = RunStore(empty_schema(postgresql_to_stop.url))

    def kill_database(draw: random.Random) -> bool:
        postgresql_to_stop.stop(draw.choice([signal.SIGQUIT, signal.SIGKILL]))
        time.sleep(draw.uniform(0, 4))
        postgresql_to_stop.start()
        return True

    with dashboard(store.database_url, **{LOST_AFTER: str(LOST_AFTER_S)}):
        kill_at_random_moments("database", store, sample, undisturbed, kill_database)
    store.close()


def test_a_run_whose_database_is_locked_for_longer_than_a_lease_ends_as_if_nothing_had_happened(
    running, sqlite, sample, undisturbed
):
    run = queue(sqlite, sample, **SETTINGS)
    wait_for(lambda: len(sqlite.list_epochs(run.id)) >= 2)
    with closing(sqlite3.connect(str(sqlite.engine.url.database), isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        while_locked = len(sqlite.list_epochs(run.id))
        time.sleep(LOCKED_S)
        assert len(sqlite.list_epochs(run.id)) == while_locked
        other.execute("ROLLBACK")
    wait_for(lambda: ended(sqlite, run))

    losses, weights = story(sqlite, run)
    assert losses == undisturbed.losses
    assert_equal_to_the_last_bit(weights, undisturbed.weights)
