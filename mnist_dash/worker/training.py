"""Runs, from claim to result: all that a worker executes."""

import contextlib
import time
from collections.abc import Mapping, Sequence
from functools import partial

import numpy as np

from mnist_dash.config import load_settings
from mnist_dash.datasets.mnist import Dataset
from mnist_dash.errors import MnistDashError, RunNotFoundError, RunStateError
from mnist_dash.store.records import CANCELLED, Epoch, Progress, Run
from mnist_dash.store.run_store import RunStore
from mnist_dash.worker.checkpoints import Checkpoint
from mnist_dash.worker.chunks import EpochProgress
from mnist_dash.worker.claimed_run import ClaimedRun
from mnist_dash.worker.compiled import load_tensorflow
from mnist_dash.worker.heartbeat import Heartbeat, retry_transient
from mnist_dash.worker.programs import TrainingProgram, dataset_of, program_for_runs, split_for


def train_run(run_id: int, database_url: str, *, claim: str | None = None) -> None:
    """Trains one run; see `train_runs`.

    Args:
        run_id: The run.
        database_url: The store that it is in.
        claim: The run's claim, if the caller created it as claimed.
    """
    train_runs([run_id], database_url, claims={run_id: claim} if claim else {})


def train_runs(run_ids: Sequence[int], database_url: str, *, claims: Mapping[int, str] | None = None) -> None:
    """Trains runs and records every step of them in the store.

    A run that an earlier worker left unfinished goes on from where it was, but only if it
    is the only one. Runs that are already in other hands or deleted are left alone.

    Args:
        run_ids: One run, or several that can be trained side by side.
        database_url: The store that they are in.
        claims: Claims of runs that the caller created as claimed.
    """
    store = retry_transient(lambda: RunStore(database_url))
    assert store
    try:
        runs = [run for run_id in run_ids if (run := _claimed(store, run_id, claims or {}, alone=len(run_ids) == 1))]
        if runs:
            _train_claimed(store, runs)
    finally:
        store.close()


def _claimed(store: RunStore, run_id: int, claims: Mapping[int, str], *, alone: bool) -> Run | None:
    with contextlib.suppress(RunNotFoundError, RunStateError):
        found = retry_transient(lambda: store.get_run(run_id))
        if run_id in claims:
            return found
        # Dask hands a group out again whose worker died; its runs may be queued one by one by then.
        if alone or (found and not found.attempt):
            return retry_transient(lambda: store.claim_run(run_id))
    return None


def _train_claimed(store: RunStore, runs: list[Run]) -> None:
    with Heartbeat(store, runs) as reporter:
        claimed = [ClaimedRun(run, store, reporter, load_settings()) for run in runs]
        try:
            _train(claimed)
        except KeyboardInterrupt:
            for run in claimed:
                run.stop(CANCELLED)
            raise
        except Exception as error:
            known = isinstance(error, MnistDashError)
            for run in claimed:
                run.fail(str(error) if known else f"{type(error).__name__}: {error}")
            if not known:
                raise


def _train(runs: Sequence[ClaimedRun]) -> None:
    _report_to_all(runs, "loading TensorFlow")
    load_tensorflow()
    dataset = dataset_of(runs[0].run)
    _report_to_all(runs, "compiling the network")
    lanes = program_for_runs(runs[0].run.variant, [run.run.settings for run in runs], dataset)
    resumed = runs[0].load() if len(runs) == 1 else None
    if resumed:
        lanes.resume(0, resumed.state)
    while not all(run.ended for run in runs):
        _finish_complete(runs, lanes, dataset)
        with contextlib.suppress(_AllEnded):
            _train_epoch(runs, lanes, dataset, resumed or Checkpoint([]))
        resumed = None


def _report_to_all(runs: Sequence[ClaimedRun], doing: str) -> None:
    for run in runs:
        run.report(Progress(1, 0, 0, doing=doing))


def _finish_complete(runs: Sequence[ClaimedRun], lanes: TrainingProgram, dataset: Dataset) -> None:
    for place, run in enumerate(runs):
        if not run.ended and run.is_complete():
            run.finish(lanes.select(place), dataset)


class _AllEnded(Exception):  # noqa: N818 - not an error
    """No run of the group is wanted any longer."""


def _train_epoch(runs: Sequence[ClaimedRun], lanes: TrainingProgram, dataset: Dataset, resumed: Checkpoint) -> None:
    """Trains all runs for one epoch; those that have ended are carried along unheard."""
    if all(run.ended for run in runs):
        return
    parts = [split_for(run.run.settings, dataset) for run in runs]
    number = max(len(run.history) for run in runs if not run.ended) + 1
    started = time.perf_counter() - resumed.seconds

    def seconds() -> float:
        # Each run bears its share of the time that all take together.
        return (time.perf_counter() - started) / len(runs)

    def follow(progress: Sequence[EpochProgress]) -> None:
        for place, run in enumerate(runs):
            if not run.ended:
                run.follow(progress[place], seconds(), partial(_state_of, lanes, place))
        if all(run.ended for run in runs):
            raise _AllEnded

    results = lanes.train_epoch([part.train for part in parts], number, progress=resumed.progress, report=follow)
    took = seconds()
    for place, run in enumerate(runs):
        if not run.ended:
            program, kept = lanes.select(place), parts[place].validation
            val_loss, val_accuracy = program.evaluate(kept) if len(kept) else (None, None)
            run.record(Epoch(number, *results[place], val_loss, val_accuracy, took), program)


def _state_of(lanes: TrainingProgram, place: int) -> list[np.ndarray]:
    return lanes.select(place).state()
