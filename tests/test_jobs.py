"""The queue with real workers, killed for real."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import psutil
import pytest

from mnist_dash.data import Dataset
from mnist_dash.models import VARIANTS
from mnist_dash.prediction import read_weights
from mnist_dash.runs import CANCELLED, DONE, MODEL_KERAS, Run, RunStore

EPOCHS = 40
SCRIPT = Path(__file__).with_name("queue_process.py")
TIMEOUT_S = 180


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> str:
    return f"sqlite:///{tmp_path_factory.mktemp('jobs') / 'runs.sqlite'}"


@pytest.fixture(scope="module")
def store(database: str) -> Iterator[RunStore]:
    opened = RunStore(database)
    yield opened
    opened.close()


def queued(store: RunStore, sample: Dataset) -> Run:
    """Queues a run of many short epochs, so that a kill comes in the middle of one."""
    settings = VARIANTS["dense-32"].check({"epochs": EPOCHS, "batch_size": 2, "dropout": 0.2, "seed": 7})
    return store.create_run("dense-32", settings, dataset=sample.name, fingerprint=sample.fingerprint)


@contextmanager
def dashboard(database: str) -> Iterator[subprocess.Popen[bytes]]:
    """A queue with one worker in a session of its own; nothing of it is left behind."""
    environment = {**os.environ, "MNIST_DASH_DATABASE_URL": database, "PYTHONPATH": str(SCRIPT.parent.parent)}
    process = subprocess.Popen([sys.executable, str(SCRIPT)], env=environment, start_new_session=True)
    try:
        yield process
    finally:
        kill_all(process)


def kill_all(process: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(psutil.NoSuchProcess):
        for child in psutil.Process(process.pid).children(recursive=True):
            child.send_signal(signal.SIGKILL)
    process.kill()
    process.wait()


def worker_of(process: subprocess.Popen[bytes]) -> psutil.Process:
    """Returns the process that trains: the one that has TensorFlow in memory."""
    for child in psutil.Process(process.pid).children(recursive=True):
        with contextlib.suppress(psutil.NoSuchProcess):
            if any("tensorflow" in mapped.path for mapped in child.memory_maps()):
                return child
    raise AssertionError("no worker has loaded TensorFlow")


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + TIMEOUT_S
    while not condition():
        assert time.monotonic() < deadline, "waited too long"
        time.sleep(0.05)


def in_mid_training(store: RunStore, run: Run) -> None:
    wait_until(lambda: len(store.list_epochs(run.id)) >= 3)
    assert len(store.list_epochs(run.id)) < EPOCHS, "too fast to be disturbed"


def weights(store: RunStore, run: Run) -> list[np.ndarray]:
    layers = read_weights(store.read_artifact(run.id, MODEL_KERAS))
    return [array for layer in layers for array in (layer.kernel, layer.bias)]


def is_done(store: RunStore, run: Run) -> bool:
    found = store.get_run(run.id)
    assert found.status != "failed", found.error
    return found.status == DONE


@pytest.fixture(scope="module")
def undisturbed(store: RunStore, sample: Dataset, database: str) -> Run:
    run = queued(store, sample)
    with dashboard(database):
        wait_until(lambda: is_done(store, run))
    return store.get_run(run.id)


def assert_same_result(store: RunStore, run: Run, undisturbed: Run) -> None:
    assert [epoch.number for epoch in store.list_epochs(run.id)] == list(range(1, EPOCHS + 1))
    for array, expected in zip(weights(store, run), weights(store, undisturbed), strict=True):
        np.testing.assert_array_equal(array, expected)
    assert store.get_run(run.id).test_accuracy == undisturbed.test_accuracy


def test_a_queued_run_is_trained_by_a_worker(store: RunStore, undisturbed: Run):
    epochs = store.list_epochs(undisturbed.id)

    assert undisturbed.attempt == 1
    assert [epoch.number for epoch in epochs] == list(range(1, EPOCHS + 1))
    assert epochs[-1].loss < epochs[0].loss
    assert undisturbed.test_accuracy is not None
    assert undisturbed.test_accuracy > 0.85


def test_a_run_whose_worker_is_killed_ends_with_the_weights_of_an_undisturbed_one(
    store: RunStore, sample: Dataset, database: str, undisturbed: Run
):
    run = queued(store, sample)
    with dashboard(database) as process:
        in_mid_training(store, run)
        worker_of(process).send_signal(signal.SIGKILL)
        wait_until(lambda: is_done(store, run))

    assert store.get_run(run.id).attempt == 2
    assert_same_result(store, run, undisturbed)


def test_a_run_whose_dashboard_is_killed_goes_on_when_it_is_started_again(
    store: RunStore, sample: Dataset, database: str, undisturbed: Run
):
    run = queued(store, sample)
    with dashboard(database) as process:
        in_mid_training(store, run)
        kill_all(process)
    assert not is_done(store, run)
    with dashboard(database):
        wait_until(lambda: is_done(store, run))

    assert store.get_run(run.id).attempt == 2
    assert_same_result(store, run, undisturbed)


def test_when_only_the_page_process_is_killed_its_workers_end_too(store: RunStore, sample: Dataset, database: str):
    run = queued(store, sample)
    with dashboard(database) as process:
        in_mid_training(store, run)
        worker = worker_of(process)
        process.kill()

        worker.wait(timeout=30)

    store.cancel_run(run.id)


def test_cancelling_a_run_in_training_takes_less_than_two_seconds(store: RunStore, sample: Dataset, database: str):
    run = queued(store, sample)
    with dashboard(database):
        in_mid_training(store, run)
        asked = time.monotonic()
        store.cancel_run(run.id)
        wait_until(lambda: store.get_run(run.id).status == CANCELLED)

    assert time.monotonic() - asked < 2


def test_a_cancelled_run_whose_worker_died_does_not_start_again(store: RunStore, sample: Dataset, database: str):
    run = queued(store, sample)
    store.claim_run(run.id)
    store.cancel_run(run.id)

    store.requeue_lost_runs(lost_after_s=-1)

    assert store.get_run(run.id).status == CANCELLED
