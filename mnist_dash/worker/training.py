"""Runs, from lease to result: all that a worker executes to train them."""

import contextlib
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import numpy as np

from mnist_dash.config import Settings
from mnist_dash.datasets.mnist import Dataset
from mnist_dash.datasets.splits import Split
from mnist_dash.errors import MnistDashError, RunNotFoundError, RunStateError
from mnist_dash.store.log import LOG
from mnist_dash.store.records import CANCELLED, Epoch, Progress, Run
from mnist_dash.store.run_leases import RunLeases
from mnist_dash.store.run_store import RunStore
from mnist_dash.worker.checkpoints import Checkpoint
from mnist_dash.worker.chunks import EpochProgress
from mnist_dash.worker.compiled import load_tensorflow
from mnist_dash.worker.device import this_device
from mnist_dash.worker.heartbeat import Heartbeat, retry_transient
from mnist_dash.worker.leased_run import LeasedRun
from mnist_dash.worker.programs import TrainingProgram, dataset_of, program_for_runs, split_for


def train_run(run_id: int, settings: Settings, *, lease: str | None = None) -> None:
    """Trains one run; see `train_runs`.

    Args:
        run_id: The run.
        settings: Say which store it is in, the data, and the limits.
        lease: The run's lease, if the caller created it as leased.
    """
    train_runs([run_id], settings, leases={run_id: lease} if lease else {})


def train_runs(
    run_ids: Sequence[int],
    settings: Settings,
    *,
    leases: Mapping[int, str] | None = None,
    leaving: Callable[[], bool] = lambda: False,
) -> None:
    """Trains runs and records every step of them in the store.

    A run that an earlier worker left unfinished goes on from where it was, but only if it
    is the only one. Runs that another worker holds, or that are deleted, are left alone.

    Args:
        run_ids: One run, or several that can be trained side by side.
        settings: Say which store they are in, the data, and the limits. A worker uses
            these, whatever its own environment says.
        leases: Leases of runs that the caller created as leased.
        leaving: Says whether this worker is to end; it then keeps where it is and queues its runs again.
    """
    store = retry_transient(lambda: RunStore(settings.database_url))
    assert store
    try:
        runs = [run for run_id in run_ids if (run := _acquire(store, run_id, leases or {}, single=len(run_ids) == 1))]
        if runs:
            _train_leased(store, runs, settings, leaving)
    finally:
        store.close()


def _acquire(store: RunStore, run_id: int, leases: Mapping[int, str], *, single: bool) -> Run | None:
    with contextlib.suppress(RunNotFoundError, RunStateError):
        found = retry_transient(lambda: store.get_run(run_id))
        if run_id in leases:
            return found
        # Dask hands a group out again whose worker died; its runs may be queued one by one by then.
        if single or (found and not found.attempt):
            return retry_transient(lambda: RunLeases(store).acquire(run_id))
    return None


def _train_leased(store: RunStore, runs: list[Run], settings: Settings, leaving: Callable[[], bool]) -> None:
    leases = {run.id: str(run.lease) for run in runs}
    with Heartbeat(RunLeases(store), leases, leaving=leaving) as heartbeat, ThreadPoolExecutor(1) as writer:
        leased = [LeasedRun(run, store, heartbeat, settings, writer) for run in runs]
        for each in runs:
            LOG.info("Run %d: running, attempt %d.", each.id, each.attempt, extra={"run": each.id})
        try:
            _train(leased, settings)
        except KeyboardInterrupt:
            for run in leased:
                run.stop(CANCELLED)
            raise
        except Exception as error:
            known = isinstance(error, MnistDashError)
            for run in leased:
                run.fail(str(error) if known else f"{type(error).__name__}: {error}")
            if not known:
                raise


def _train(runs: Sequence[LeasedRun], settings: Settings) -> None:
    _report_to_all(runs, "loading TensorFlow")
    load_tensorflow()
    device = this_device().name
    for run in runs:
        run.record_device(device)
    dataset = dataset_of(runs[0].run, settings)
    _report_to_all(runs, "compiling the network")
    program = program_for_runs(runs[0].run.variant, [run.run.settings for run in runs], dataset)
    splits = [split_for(run.run.settings, dataset) for run in runs]
    resumed = runs[0].load() if len(runs) == 1 else None
    if resumed:
        program.resume(0, resumed.state)
    for index, run in enumerate(runs):
        if not run.snapshots:
            run.take_snapshot(program.select(index))  # before training
    while not all(run.ended for run in runs):
        _finish_complete(runs, program, dataset)
        with contextlib.suppress(_AllEnded):
            _train_epoch(runs, program, splits, resumed or Checkpoint([]))
        resumed = None


def _report_to_all(runs: Sequence[LeasedRun], doing: str) -> None:
    for run in runs:
        run.report(Progress(1, 0, 0, doing=doing))


def _finish_complete(runs: Sequence[LeasedRun], program: TrainingProgram, dataset: Dataset) -> None:
    for index, run in enumerate(runs):
        if not run.ended and run.is_complete():
            run.finish(program.select(index), dataset)


class _AllEnded(Exception):  # noqa: N818 - not an error
    """No run of the group is to go on."""


def _train_epoch(
    runs: Sequence[LeasedRun], program: TrainingProgram, splits: Sequence[Split], resumed: Checkpoint
) -> None:
    """Trains all runs for one epoch; the results of those that have ended are ignored."""
    if all(run.ended for run in runs):
        return
    number = max(len(run.history) for run in runs if not run.ended) + 1
    started = time.perf_counter() - resumed.seconds

    def seconds() -> float:
        # Each run bears its share of the time that all take together.
        return (time.perf_counter() - started) / len(runs)

    def on_progress(progress: Sequence[EpochProgress]) -> None:
        for index, run in enumerate(runs):
            if not run.ended:
                run.on_progress(progress[index], seconds(), partial(_state_of, program, index))
        if all(run.ended for run in runs):
            raise _AllEnded

    results = program.train_epoch(
        [part.train for part in splits], number, progress=resumed.progress, report=on_progress
    )
    epoch_seconds = seconds()
    for index, run in enumerate(runs):
        if not run.ended:
            single, held_out = program.select(index), splits[index].validation
            val_loss, val_accuracy = single.evaluate(held_out) if len(held_out) else (None, None)
            run.record(Epoch(number, *results[index], val_loss, val_accuracy, epoch_seconds), single)


def _state_of(program: TrainingProgram, index: int) -> list[np.ndarray]:
    return program.select(index).state()
