"""LeasedRun: a run that this worker holds."""

import math
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor, Future
from dataclasses import dataclass, field
from functools import partial
from typing import TypeVar

import numpy as np
import psutil

from mnist_dash.config import Settings
from mnist_dash.datasets.mnist import Dataset
from mnist_dash.errors import RunNotFoundError, RunStateError, StoreError
from mnist_dash.inference.predictor import Predictor
from mnist_dash.inference.snapshots import Snapshots, first_snapshot, is_due, read_snapshots
from mnist_dash.store.log import LOG
from mnist_dash.store.records import (
    BEST_WEIGHTS,
    CHECKPOINT,
    DONE,
    FAILED,
    MODEL_KERAS,
    MODEL_TFLITE,
    PAUSED,
    QUEUED,
    SNAPSHOTS,
    TEST_LABELS,
    TEST_PROBABILITIES,
    Epoch,
    Progress,
    Result,
    Run,
    best_epoch,
)
from mnist_dash.store.run_leases import RunLeases
from mnist_dash.store.run_store import RunStore
from mnist_dash.worker.checkpoints import Checkpoint
from mnist_dash.worker.chunks import EpochProgress
from mnist_dash.worker.compiled import CompiledTraining
from mnist_dash.worker.heartbeat import LOST, Heartbeat, retry_transient

Answer = TypeVar("Answer")


@dataclass
class LeasedRun:
    """A run that this worker holds: what is known of it, and every change that the worker makes to it.

    Attributes:
        run: The run as it was when it was acquired.
        store: The store that it is in.
        heartbeat: Hears how far the run is and what is requested of it.
        settings: Say how long it may train and how much memory it may take.
        writer: Stores epochs, one after another, while the next one is trained.
        history: Its finished epochs.
        snapshots: The first layer's weights so far.
        ended: Whether this worker holds it no longer.
        recording_seconds: How long training stood still to store the last epoch.
    """

    run: Run
    store: RunStore
    heartbeat: Heartbeat
    settings: Settings
    writer: Executor
    history: list[Epoch] = field(default_factory=list)
    snapshots: Snapshots | None = None
    ended: bool = False
    recording_seconds: float = 0.0
    _writing: Future[None] | None = None

    @property
    def _leases(self) -> RunLeases:
        return RunLeases(self.store)

    @property
    def epochs(self) -> int:
        """Epochs that it is to have."""
        return int(self.run.settings["epochs"])

    def load(self) -> Checkpoint | None:
        """Reads the finished epochs, and returns where an earlier worker left off, if there was one."""
        self.history = retry_transient(lambda: self.store.list_epochs(self.run.id)) or []
        kept = retry_transient(lambda: self.store.find_artifact(self.run.id, SNAPSHOTS))
        self.snapshots = read_snapshots(kept) if kept else None
        content = retry_transient(lambda: self.store.find_artifact(self.run.id, CHECKPOINT))
        return Checkpoint.from_bytes(content) if content else None

    def record_device(self, device: str) -> None:
        """Keeps what it is trained on."""
        self._while_held(lambda lease: self._leases.record_device(self.run.id, lease, device))

    def report(self, progress: Progress) -> None:
        """Shows how far the run is."""
        self.heartbeat.report(self.run.id, progress)

    def on_progress(
        self, epoch_progress: EpochProgress, seconds: float, state: Callable[[], Sequence[np.ndarray]]
    ) -> None:
        """Reports how far the epoch is, and ends the run if that is requested or must be.

        Args:
            epoch_progress: How far the epoch is.
            seconds: How long it has taken so far.
            state: Returns what training goes on from.
        """
        number, part = len(self.history) + 1, epoch_progress.step / epoch_progress.steps
        to_go = self.epochs - number + 1 - part
        left = seconds / part * to_go + self.recording_seconds * (self.epochs - number + 1)
        loss, accuracy = epoch_progress.loss / epoch_progress.seen, epoch_progress.correct / epoch_progress.seen
        self.report(Progress(number, epoch_progress.step, epoch_progress.steps, loss, accuracy, left))
        problem = _diverged(loss, number) or self._beyond_limits(seconds)
        requested = self.heartbeat.requested.get(self.run.id)
        if problem:
            self.fail(problem)
        elif requested:
            goes_on = requested in (PAUSED, QUEUED)
            self.stop(requested, Checkpoint(state(), epoch_progress, seconds) if goes_on else None)

    def _beyond_limits(self, seconds: float) -> str | None:
        spent = seconds + sum(epoch.seconds for epoch in self.history)
        if spent > 60 * self.settings.max_minutes:
            return (
                f"It has trained for more than {self.settings.max_minutes} minutes, the most that is allowed here. "
                "Choose fewer epochs or a smaller network, or raise MNIST_DASH_MAX_MINUTES."
            )
        used = psutil.Process().memory_info().rss / 1e6
        if used > self.settings.max_memory_mb:
            return (
                f"Its worker took {used:,.0f} MB of memory; {self.settings.max_memory_mb:,} is the maximum here. "
                "Choose smaller batches or a smaller network, or raise MNIST_DASH_MAX_MEMORY_MB."
            )
        return None

    def take_snapshot(self, program: CompiledTraining) -> None:
        """Keeps the first layer's weights as they are now."""
        kernel, number = program.first_kernel(), len(self.history)
        self.snapshots = self.snapshots.with_epoch(number, kernel) if self.snapshots else first_snapshot(number, kernel)

    def record(self, epoch: Epoch, program: CompiledTraining) -> None:
        """Has a finished epoch stored, with what to go on from if the worker dies; training need not wait for it."""
        validated = 0.0 if epoch.val_loss is None else epoch.val_loss
        if problem := _diverged(epoch.loss, epoch.number) or _diverged(validated, epoch.number):
            return self.fail(problem)
        began = time.monotonic()
        self.settle()
        self.history.append(epoch)
        kept: dict[str, Checkpoint | Snapshots | None] = {CHECKPOINT: Checkpoint(program.state())}
        if is_due(epoch.number):
            self.take_snapshot(program)
            kept[SNAPSHOTS] = self.snapshots
        if self.run.settings["patience"] and best_epoch(self.history) == epoch:
            kept[BEST_WEIGHTS] = Checkpoint(program.weights())
        self._writing = self.writer.submit(self._write, epoch, kept)
        self.recording_seconds = time.monotonic() - began
        return None

    def _write(self, epoch: Epoch, kept: Mapping[str, Checkpoint | Snapshots | None]) -> None:
        artifacts = {name: each.as_bytes() for name, each in kept.items() if each}
        self._while_held(
            lambda lease: self._leases.record_epoch(self.run.id, lease, epoch, artifacts),
            happened=lambda: len(self.store.list_epochs(self.run.id)) >= epoch.number,
        )

    def settle(self) -> None:
        """Waits until the last epoch is stored.

        Raises:
            StoreError: If it could not be.
        """
        writing, self._writing = self._writing, None
        if writing:
            writing.result()

    def is_complete(self) -> bool:
        """Says whether there is nothing left to train: all epochs are done, or patience is at its end."""
        best, patience = best_epoch(self.history), int(self.run.settings["patience"])
        waited = len(self.history) - best.number if best else 0
        return len(self.history) >= self.epochs or bool(patience and waited >= patience)

    def finish(self, program: CompiledTraining, dataset: Dataset) -> None:
        """Tests the network and stores everything that a finished run has."""
        self.report(Progress(len(self.history), 1, 1, seconds_left=0.0, doing="testing and saving"))
        self.take_snapshot(program)
        if self.run.settings["patience"]:
            best = self._while_held(lambda _: self.store.read_artifact(self.run.id, BEST_WEIGHTS))
            if best is None:
                return
            program.take_state(Checkpoint.from_bytes(best).state)
        result, artifacts = _tested(program, dataset, fit_seconds=sum(epoch.seconds for epoch in self.history))
        if self.snapshots:
            artifacts[SNAPSHOTS] = self.snapshots.as_bytes()
        if problem := _diverged(result.test_loss, len(self.history)):
            self.fail(problem)
        else:
            kept = self.settings.kept_checkpoints
            finish = partial(self._leases.finish, self.run.id, kept_checkpoints=kept)
            self._end(lambda lease: finish(lease, result, artifacts), DONE)

    def fail(self, problem: str) -> None:
        """Ends the run with the reason in words; it keeps its last checkpoint."""
        LOG.warning("Run %d failed: %s", self.run.id, problem, extra={"run": self.run.id})
        self._end(lambda lease: self._leases.fail(self.run.id, lease, problem))

    def stop(self, status: str, checkpoint: Checkpoint | None = None) -> None:
        """Pauses, cancels or queues the run again, or lets it go if its lease is lost."""
        if status == LOST:
            self.ended = True
            return
        artifacts = {CHECKPOINT: checkpoint.as_bytes()} if checkpoint else {}
        self._end(lambda lease: self._leases.stop(self.run.id, lease, status, artifacts), status)

    def _end(self, change: Callable[[str], None], status: str | None = None) -> None:
        if self.ended:
            return
        self.ended = True
        LOG.info("Run %d: %s.", self.run.id, status or FAILED, extra={"run": self.run.id})
        try:
            self.settle()
            self.heartbeat.forget(self.run.id)
            self._while_held(change, happened=lambda: self.store.get_run(self.run.id).status == status)
        except StoreError:
            self.ended = False  # so that a finished run that finds no room can still end as failed
            raise

    def _while_held(
        self, change: Callable[[str], Answer], happened: Callable[[], bool] = lambda: False
    ) -> Answer | None:
        try:
            return retry_transient(lambda: change(str(self.run.lease)), happened=happened)
        except (RunNotFoundError, RunStateError):
            self.ended = True  # the lease is lost, before a heartbeat found out; its group goes on without it
            return None


def _diverged(loss: float, number: int) -> str | None:
    if math.isfinite(loss):
        return None
    return (
        f"Training diverged: the loss became {loss} in epoch {number}. Choose a smaller learning rate and start again."
    )


def _tested(program: CompiledTraining, dataset: Dataset, *, fit_seconds: float) -> tuple[Result, dict[str, bytes]]:
    loss, accuracy, probabilities = program.test(dataset.x_test, dataset.y_test)
    tflite = program.as_tflite()
    artifacts = {
        MODEL_KERAS: program.as_keras_file(),
        MODEL_TFLITE: tflite,
        TEST_PROBABILITIES: probabilities.astype(np.float16).tobytes(),
        TEST_LABELS: dataset.y_test.tobytes(),
    }
    milliseconds = Predictor(tflite).milliseconds(dataset.x_test[0])
    return Result(loss, accuracy, fit_seconds, program.model.count_params(), milliseconds), artifacts
