"""The queue with real workers: what it gives them, and what becomes of it. Kills at random moments: test_kills.py."""

import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from distributed import LocalCluster
from sqlalchemy import Engine, event

from mnist_dash.config import load_settings
from mnist_dash.datasets.mnist import Dataset
from mnist_dash.networks.experiments import PlannedRun
from mnist_dash.networks.variants import VARIANTS
from mnist_dash.store.corruption_counts import Measurement
from mnist_dash.store.measurements import Measurements
from mnist_dash.store.records import (
    CANCELLED,
    CHECKPOINT,
    DONE,
    FAILED,
    MODEL_TFLITE,
    PAUSED,
    QUEUED,
    RUNNING,
    Result,
    Run,
)
from mnist_dash.store.reference_runs import REFERENCE_FOLDER
from mnist_dash.store.run_leases import RunLeases
from mnist_dash.store.run_store import RunStore
from mnist_dash.worker.checkpoints import Checkpoint
from mnist_dash.worker.device import processor
from mnist_dash.worker.groups import MAX_STACKED, grouped_runs
from mnist_dash.worker.heartbeat import retry_transient
from mnist_dash.worker.job_queue import JobQueue, WorkerStatus, placed
from tests.support.learning import final_weights, history, queue, wait_until
from tests.support.queue_process import IDLE, LOST_AFTER, Dashboard, dashboard

LONG = {"epochs": 1_000, "batch_size": 2}  # ends only when it is stopped
SHORT = {"epochs": 2, "batch_size": 32, "hidden_units": 8, "train_part": 0.1}


@pytest.fixture(scope="module")
def store(tmp_path_factory) -> Iterator[RunStore]:
    opened = RunStore(f"sqlite:///{tmp_path_factory.mktemp('jobs') / 'runs.sqlite'}")
    yield opened
    opened.close()


def experiment(store: RunStore, sample: Dataset, seeds: int, variant: str = "dense-32", **settings) -> list[Run]:
    planned = [PlannedRun(variant, VARIANTS[variant].check({**settings, "seed": seed})) for seed in range(seeds)]
    return store.create_runs(planned, dataset=sample.name, fingerprint=sample.fingerprint)


def is_done(store: RunStore, run: Run) -> bool:
    found = store.get_run(run.id)
    assert found.status != FAILED, found.error
    return found.status == DONE


# Which runs are trained together


@pytest.fixture
def waiting(tmp_path) -> Iterator[RunStore]:
    """A store whose runs are never trained."""
    opened = RunStore(f"sqlite:///{tmp_path / 'runs.sqlite'}")
    yield opened
    opened.close()


def ids_of(groups):
    return [[run.id for run in group] for group in groups]


def test_seeds_of_one_experiment_are_trained_side_by_side_at_most_eight_at_once(waiting, sample):
    runs = experiment(waiting, sample, 19)
    ids = [run.id for run in runs]

    assert MAX_STACKED == 8
    assert ids_of(grouped_runs(runs, workers=1)) == [ids[:8], ids[8:16], ids[16:]]
    assert ids_of(grouped_runs(runs, workers=2)) == [ids[:8], ids[8:16], ids[16:]]


def test_a_small_experiment_is_spread_over_all_workers(waiting, sample):
    runs = experiment(waiting, sample, 7)
    ids = [run.id for run in runs]

    assert ids_of(grouped_runs(runs, workers=2)) == [ids[:4], ids[4:]]
    assert ids_of(grouped_runs(runs, workers=3)) == [ids[:3], ids[3:6], ids[6:]]
    assert ids_of(grouped_runs(runs, workers=50)) == [[run_id] for run_id in ids]


def test_only_fresh_runs_that_are_alike_but_for_seed_and_fold_are_trained_together(waiting, sample):
    one, two = experiment(waiting, sample, 2), experiment(waiting, sample, 2)
    wider = replace(one[0], id=1_001, settings={**one[0].settings, "hidden_units": 33})
    of_other_data = replace(one[0], id=1_002, fingerprint="of other data")
    other_fold = replace(one[0], id=1_003, settings={**one[0].settings, "fold": 2})
    progress = replace(one[0], id=1_004, attempt=1)
    continued = replace(one[0], id=1_005, continues=7)
    not_of_an_experiment = [replace(run, id=run.id + 2_000, experiment_id=None) for run in one]

    groups = grouped_runs(
        [*one, *two, wider, of_other_data, other_fold, progress, continued, *not_of_an_experiment], workers=1
    )

    expected = [[one[0].id, one[1].id, 1_003], [two[0].id, two[1].id], [1_001], [1_002], [1_004], [1_005]]
    assert ids_of(groups) == [*expected, *([run.id] for run in not_of_an_experiment)]


@pytest.mark.parametrize(
    ("variant", "settings"),
    [("cnn", {}), ("dense-512", {}), ("dense-32", {"dropout": 0.1})],
)
def test_runs_that_would_not_gain_by_it_are_trained_one_by_one(variant, settings, waiting, sample):
    runs = experiment(waiting, sample, 3, variant, **settings)

    assert ids_of(grouped_runs(runs, workers=1)) == [[run.id] for run in runs]


def worker_of(address, *tasks, for_large=False):
    return WorkerStatus(address, 0, list(tasks), for_large=for_large)


def is_free(worker):
    return not worker.tasks


@pytest.mark.parametrize(
    ("workers", "expected"),
    [
        ([worker_of("a")], [("dense-32", "a")]),
        ([worker_of("a"), worker_of("b", "run-1")], [("dense-32", "a")]),
        ([worker_of("gpu", for_large=True)], [("dense-32", "gpu")]),  # there is no other
        ([worker_of("a"), worker_of("gpu", for_large=True)], [("dense-32", "a"), ("cnn", "gpu")]),
        ([worker_of("a", "run-1"), worker_of("gpu", for_large=True)], [("cnn", "gpu")]),
        (
            [worker_of("a"), worker_of("b"), worker_of("gpu", "run-1", for_large=True)],
            [("dense-32", "a"), ("cnn", "b")],
        ),
        (
            [worker_of("gpu", for_large=True), worker_of("a"), worker_of("b")],
            [("dense-32", "a"), ("cnn", "gpu"), ("dense-512", "b")],
        ),
        ([], []),
    ],
)
def test_large_networks_go_to_a_gpu_and_small_ones_only_if_there_is_nothing_else(workers, expected, store, sample):
    names = ("dense-32", "cnn", "dense-512", "cnn-augmented")
    groups = [experiment(store, sample, 1, name) for name in names]
    for [run] in groups:
        store.cancel_run(run.id)  # or the other tests' workers would train it

    found = [(group[0].variant, worker.address) for group, worker in placed(groups, workers, is_free)]

    assert found == expected


def test_every_waiting_run_is_in_one_group_in_the_order_of_their_first(waiting, sample):
    first, second = experiment(waiting, sample, 3), experiment(waiting, sample, 3, "cnn")
    mixed = [second[0], first[2], second[1], first[0], second[2], first[1]]

    groups = grouped_runs(mixed, workers=1)

    assert ids_of(groups) == [
        [second[0].id],
        [first[2].id, first[0].id, first[1].id],
        [second[1].id],
        [second[2].id],
    ]


# A worker in this process


@pytest.fixture(scope="module")
def scheduler() -> Iterator[str]:
    with LocalCluster(
        n_workers=1, threads_per_worker=1, processes=False, dashboard_address="127.0.0.1:0", protocol="tcp"
    ) as cluster:
        yield cluster.scheduler_address


@pytest.fixture
def jobs(store, scheduler) -> Iterator[JobQueue]:
    opened = JobQueue(replace(load_settings(), database_url=store.database_url, scheduler=scheduler))
    yield opened
    opened.close()


def test_a_run_that_was_paused_while_queued_and_then_resumed_is_trained(store, sample, jobs):
    running = queue(store, sample, **LONG)
    wait_until(lambda: store.get_run(running.id).status == RUNNING)
    waiting = queue(store, sample, **SHORT)

    store.pause_run(waiting.id)
    wait_until(lambda: not jobs._training._futures)
    store.cancel_run(running.id)
    wait_until(lambda: store.get_run(running.id).status == CANCELLED)
    while_paused = store.get_run(waiting.id).status
    store.resume_run(waiting.id)

    wait_until(lambda: is_done(store, waiting))
    assert while_paused == PAUSED
    assert len(store.list_epochs(waiting.id)) == 2


def test_a_task_that_ended_without_starting_its_run_is_submitted_again(store, sample, jobs, monkeypatch):
    monkeypatch.setitem(retry_transient.__kwdefaults__, "patience_s", 0.2)
    failures = []

    def away_for_the_worker(*_):
        # The queue's own thread is not concerned.
        if "job queue" not in threading.current_thread().name and len(failures) < 2:
            failures.append(threading.current_thread().name)
            raise OSError("the database is away")

    event.listen(Engine, "do_connect", away_for_the_worker)
    try:
        run = queue(store, sample, **SHORT)
        wait_until(lambda: is_done(store, run))
    finally:
        event.remove(Engine, "do_connect", away_for_the_worker)

    assert len(failures) == 2
    assert store.get_run(run.id).attempt == 1


def test_workers_say_what_they_train_on_once_tensorflow_is_there(jobs):
    wait_until(lambda: jobs.workers() and jobs.workers()[0].device is not None)

    assert {worker.device for worker in jobs.workers()} == {processor()}
    wait_until(lambda: jobs.multiplies_bfloat16() == processor().bfloat16)


def test_a_rehearsal_tells_the_seconds_of_a_step(jobs):
    planned = PlannedRun("dense-32", VARIANTS["dense-32"].check({"hidden_units": 7, "train_part": 0.1}))

    at_first = jobs.seconds_per_step(planned)
    wait_until(lambda: jobs.seconds_per_step(planned) is not None)

    assert at_first is None
    assert 0 < jobs.seconds_per_step(planned) < 1


def test_another_seed_and_other_epochs_need_no_rehearsal_of_their_own(jobs):
    def planned(**settings):
        return PlannedRun("dense-32", VARIANTS["dense-32"].check({"hidden_units": 5, "train_part": 0.1, **settings}))

    wait_until(lambda: jobs.seconds_per_step(planned()) is not None)

    assert jobs.seconds_per_step(planned(seed=77, epochs=9)) == jobs.seconds_per_step(planned())
    assert jobs.seconds_per_step(planned(batch_size=9)) is None


def test_a_precompilation_waits_for_queued_runs_and_they_never_for_it(store, sample, jobs):
    running = queue(store, sample, **LONG)
    wait_until(lambda: store.get_run(running.id).status == RUNNING)
    planned = PlannedRun("dense-32", VARIANTS["dense-32"].check({"hidden_units": 6, "train_part": 0.1}))
    jobs.seconds_per_step(planned)
    second = queue(store, sample, **LONG)

    store.cancel_run(running.id)
    wait_until(lambda: store.get_run(second.id).status == RUNNING)
    while_running = jobs.seconds_per_step(planned)
    store.cancel_run(second.id)
    wait_until(lambda: jobs.seconds_per_step(planned) is not None)

    assert while_running is None


# Measurements of robustness


def measurable(store: RunStore, sample: Dataset) -> int:
    """A finished run with a model, that waits to be measured."""
    run = store.create_run("dense-32", {}, dataset=sample.name, fingerprint=sample.fingerprint, leased=True)
    model = (REFERENCE_FOLDER / "dense-32" / MODEL_TFLITE).read_bytes()
    RunLeases(store).finish(run.id, str(run.lease), Result(0.2, 0.94, 1.0, 25_450, 0.1), {MODEL_TFLITE: model})
    Measurements(store).request([run.id])
    return run.id


def measured(store: RunStore, run_id: int) -> Measurement:
    return Measurements(store).read([run_id])[run_id]


def test_what_is_to_be_measured_is_measured_by_a_worker(store, sample, jobs):
    runs = [measurable(store, sample) for _ in range(2)]

    wait_until(lambda: all(measured(store, run_id).status == DONE for run_id in runs))

    first, second = (measured(store, run_id).counts for run_id in runs)
    assert first == second
    assert first.mean is not None
    assert jobs.problem is None


def test_a_measurement_under_way_gives_way_to_a_run_and_goes_on_after_it(store, sample, jobs):
    run_id = measurable(store, sample)
    wait_until(lambda: measured(store, run_id).status == RUNNING)
    run = queue(store, sample, **LONG)
    asked = time.monotonic()
    wait_until(lambda: store.get_run(run.id).status == RUNNING)
    waited = time.monotonic() - asked
    while_training = measured(store, run_id)
    store.cancel_run(run.id)

    wait_until(lambda: measured(store, run_id).status == DONE)

    assert waited < 5  # the queue polls every two seconds, and a kind takes a fraction of one
    assert while_training.status == QUEUED
    assert 0 < len(while_training.counts.correct) < 19
    assert measured(store, run_id).attempt > 1


# Workers in processes of their own


@pytest.fixture
def running_dashboard(one_dashboard: tuple[Dashboard, RunStore]) -> tuple[Dashboard, RunStore]:
    """The dashboard, started again if a test before has killed it."""
    made, _ = one_dashboard
    if not made.is_running():
        made.start()
    return one_dashboard


@pytest.fixture(scope="module")
def one_dashboard(tmp_path_factory) -> Iterator[tuple[Dashboard, RunStore]]:
    """A dashboard with a store of its own, so that no other queue takes its runs."""
    opened = RunStore(f"sqlite:///{tmp_path_factory.mktemp('dashboard') / 'runs.sqlite'}")
    with dashboard(opened.database_url, **{LOST_AFTER: "5"}) as made:  # instead of 12, to be quick
        yield made, opened
    opened.close()


def in_training(store: RunStore, run: Run, epochs: int = 1) -> None:
    wait_until(lambda: len(store.list_epochs(run.id)) >= epochs)
    assert store.get_run(run.id).status == RUNNING, "too fast to be disturbed"


@pytest.mark.kill
def test_workers_end_when_nothing_was_to_do_for_a_while_and_are_back_when_they_are_needed(tmp_path, sample):
    store = RunStore(f"sqlite:///{tmp_path / 'runs.sqlite'}")
    with dashboard(store.database_url, **{IDLE: "3"}) as made:
        wait_until(lambda: len(made.workers()) == 1)
        first = queue(store, sample, **SHORT)
        wait_until(lambda: is_done(store, first))
        wait_until(lambda: not made.workers())
        second = queue(store, sample, **SHORT)
        wait_until(lambda: is_done(store, second))

        assert len(made.workers()) == 1
    store.close()


@pytest.mark.kill
def test_a_run_in_training_is_queued_again_when_its_dashboard_is_told_to_end(tmp_path, sample):
    store = RunStore(f"sqlite:///{tmp_path / 'runs.sqlite'}")
    with dashboard(store.database_url) as made:
        run = queue(store, sample, **LONG)
        in_training(store, run)
        made.terminate()
        left = store.get_run(run.id)
        made.start()
        wait_until(lambda: store.get_run(run.id).status == RUNNING)

        assert (left.status, left.lost) == (QUEUED, 0)
        assert Checkpoint.from_bytes(store.read_artifact(run.id, CHECKPOINT)).progress is not None
        assert store.get_run(run.id).attempt == 2
    store.close()


def test_a_queued_run_is_trained_by_a_worker(running_dashboard, sample):
    _, store = running_dashboard
    run, again = (queue(store, sample, epochs=5, batch_size=16, seed=7) for _ in range(2))
    wait_until(lambda: is_done(store, run) and is_done(store, again))

    epochs, done = store.list_epochs(run.id), store.get_run(run.id)
    assert done.attempt == 1
    assert [epoch.number for epoch in epochs] == [1, 2, 3, 4, 5]
    assert epochs[-1].loss < epochs[0].loss
    assert done.test_accuracy > 0.85
    assert history(store, run) == history(store, again)


def test_cancelling_a_run_in_training_takes_less_than_two_seconds(running_dashboard, sample):
    _, store = running_dashboard
    run = queue(store, sample, **LONG)
    in_training(store, run)

    asked = time.monotonic()
    store.cancel_run(run.id)
    wait_until(lambda: store.get_run(run.id).status == CANCELLED)

    assert time.monotonic() - asked < 2


@pytest.mark.slow
def test_every_run_of_a_group_whose_worker_is_killed_ends_with_the_weights_of_an_undisturbed_one(
    running_dashboard, sample
):
    made, store = running_dashboard
    settings = {"epochs": 20, "batch_size": 2, "train_part": 0.5, "validation": "stratified:5"}
    runs = experiment(store, sample, 4, **settings)
    in_training(store, runs[-1], epochs=2)

    [worker] = made.workers()
    worker.kill()
    wait_until(lambda: all(is_done(store, run) for run in runs))

    assert [store.get_run(run.id).attempt for run in runs] == [2] * 4
    for run in runs:
        assert [epoch.number for epoch in store.list_epochs(run.id)] == list(range(1, 21))
    undisturbed = queue(store, sample, **runs[2].settings)
    wait_until(lambda: is_done(store, undisturbed))
    for one, other in zip(final_weights(store, runs[2]), final_weights(store, undisturbed), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-4)


def test_when_only_the_page_process_is_killed_its_workers_end_too(running_dashboard, sample):
    made, store = running_dashboard
    run = queue(store, sample, **LONG)
    in_training(store, run)
    [worker] = made.workers()

    made.kill_page()
    worker.wait(timeout=60)

    store.cancel_run(run.id)


@pytest.mark.slow
@pytest.mark.parametrize("missed_after", ["15s", "500ms"])  # the latter is over before a worker has restarted
def test_a_worker_whose_memory_has_grown_restarts_after_its_run(missed_after, tmp_path, sample):
    missed = {"DASK_DISTRIBUTED__DEPLOY__LOST_WORKER_TIMEOUT": missed_after}
    store = RunStore(f"sqlite:///{tmp_path / 'runs.sqlite'}")
    workers = []

    with dashboard(store.database_url, MNIST_DASH_MAX_MEMORY_MB="1000", **missed) as made:  # TensorFlow takes 800
        for _ in range(2):
            wait_until(made.workers)
            pid = made.workers()[0].pid  # before the run ends: it may restart at once
            run = queue(store, sample, **SHORT)
            wait_until(lambda run=run: is_done(store, run))
            wait_until(lambda pid=pid: (pids := {worker.pid for worker in made.workers()}) and pid not in pids)
            workers.append(pid)
    store.close()

    assert len(set(workers)) == 2


def test_a_cancelled_run_whose_worker_died_does_not_start_again(store, sample):
    run = queue(store, sample)
    RunLeases(store).acquire(run.id)
    store.cancel_run(run.id)

    RunLeases(store).requeue_lost(lost_after_s=-1)

    assert store.get_run(run.id).status == CANCELLED


LOW_PRIORITY = """
import os, threading
from mnist_dash.worker.local_workers import _LowPriority

earlier = threading.Thread(target=threading.Event().wait, daemon=True)
earlier.start()
_LowPriority().setup(None)
later = threading.Thread(target=threading.Event().wait, daemon=True)
later.start()
threads = (threading.main_thread(), earlier, later)
print([os.getpriority(os.PRIO_PROCESS, thread.native_id) for thread in threads], flush=True)
os._exit(0)
"""


@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="priorities of threads are Linux'")
def test_every_thread_of_a_worker_on_this_machine_has_low_priority():
    said = subprocess.run([sys.executable, "-c", LOW_PRIORITY], capture_output=True, text=True, timeout=60, check=True)

    assert said.stdout.strip() == "[10, 10, 10]"
