"""One run, from claim to result: all that a worker executes."""

import contextlib
import threading
import time
from dataclasses import replace

import numpy as np

from mnist_dash.data import Dataset, Split, load_dataset, split
from mnist_dash.errors import MnistDashError, RunStateError, StoreError, TrainingError
from mnist_dash.models import get_variant
from mnist_dash.prediction import Predictor
from mnist_dash.runs import (
    CHECKPOINT,
    MODEL_KERAS,
    MODEL_TFLITE,
    TEST_LABELS,
    TEST_PROBABILITIES,
    Epoch,
    Progress,
    Result,
    Run,
    RunStore,
)
from mnist_dash.settings import load_settings
from mnist_dash.training.compiled import CompiledTraining, load_tensorflow

_BEAT_S = 0.25


def train_run(run_id: int, database_url: str, *, claim: str | None = None) -> None:
    """Trains a run and records every step of it in the store.

    A run that an earlier worker left unfinished goes on from its last epoch. A run
    that is already in other hands is left alone.

    Args:
        run_id: The run.
        database_url: The store that it is in.
        claim: The run's claim, if the caller created it as claimed.
    """
    store = RunStore(database_url)
    try:
        try:
            run = store.get_run(run_id) if claim else store.claim_run(run_id)
        except RunStateError:
            return
        _train_claimed(store, run)
    finally:
        store.close()


def _train_claimed(store: RunStore, run: Run) -> None:
    claim = str(run.claim)
    with _Reporter(store, run.id, claim) as reporter:
        try:
            result, artifacts = _train(store, run, reporter)
            reporter.pause()
            store.finish_run(run.id, claim, result, artifacts)
        except _Stopped:
            reporter.pause()
            if not reporter.lost:
                store.stop_run(run.id, claim)
        except KeyboardInterrupt:
            reporter.pause()
            store.stop_run(run.id, claim)
            raise
        except Exception as error:
            reporter.pause()
            known = isinstance(error, MnistDashError)
            with contextlib.suppress(RunStateError):
                store.fail_run(run.id, claim, str(error) if known else f"{type(error).__name__}: {error}")
            if not known:
                raise


class _Stopped(Exception):  # noqa: N818 - not an error
    """The run was cancelled or taken away."""


class _Reporter(threading.Thread):
    """Beats and reports from a thread of its own, so that training never waits for the store."""

    def __init__(self, store: RunStore, run_id: int, claim: str):
        super().__init__(name=f"run {run_id} reporter", daemon=True)
        self._store, self._run_id, self._claim = store, run_id, claim
        self._ended = threading.Event()
        self._wanted = threading.Event()
        self.lost = False
        self.progress: Progress | None = None

    def run(self) -> None:
        while not self._ended.wait(_BEAT_S):
            try:
                if self._store.beat(self._run_id, self._claim, self.progress):
                    self._wanted.set()
            except RunStateError:
                self.lost = True
                self._wanted.set()
                return
            except StoreError:
                continue  # the database may come back; the next epoch tells

    def report(self, progress: Progress) -> None:
        """Takes the newest progress, and ends the training if that is wanted."""
        self.progress = progress
        if self._wanted.is_set():
            raise _Stopped

    def pause(self) -> None:
        """Ends the beats, before the run's last change."""
        self._ended.set()
        if self.is_alive():
            self.join()

    def __enter__(self) -> "_Reporter":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.pause()


def _train(store: RunStore, run: Run, reporter: _Reporter) -> tuple[Result, dict[str, bytes]]:
    epochs = int(run.settings["epochs"])
    reporter.report(Progress(1, 0, 0, doing="loading TensorFlow"))
    load_tensorflow()
    dataset = _dataset_of(run)
    parts = split(
        dataset.y_train,
        str(run.settings["validation"]),
        fold=int(run.settings["fold"]),
        train_part=float(run.settings["train_part"]),
    )
    reporter.report(Progress(1, 0, 0, doing="compiling the network"))
    program = CompiledTraining(get_variant(run.variant), run.settings, dataset.x_train, dataset.y_train)

    history = store.list_epochs(run.id)
    checkpoint = store.find_artifact(run.id, CHECKPOINT)
    if checkpoint:
        program.restore(checkpoint)
    for number in range(len(history) + 1, epochs + 1):
        epoch = _train_epoch(program, parts, number, epochs, reporter)
        store.record_epoch(run.id, str(run.claim), epoch, program.checkpoint())
        history.append(epoch)

    reporter.report(Progress(epochs, 1, 1, seconds_left=0.0, doing="testing and saving"))
    return _finish(program, dataset, fit_seconds=sum(epoch.seconds for epoch in history))


def _dataset_of(run: Run) -> Dataset:
    dataset = load_dataset(load_settings())
    if dataset.fingerprint != run.fingerprint:
        raise TrainingError(
            f"Run {run.id} was queued for {run.dataset}, but this worker finds only {dataset.name}. "
            "Give the worker the same MNIST_DASH_DATA as the dashboard, or queue the run again."
        )
    return dataset


def _train_epoch(program: CompiledTraining, parts: Split, number: int, epochs: int, reporter: _Reporter) -> Epoch:
    started = time.perf_counter()

    def report(progress: Progress) -> None:
        _check_loss(progress.loss or 0.0, number)
        done = progress.step / progress.steps
        left = (time.perf_counter() - started) / done * (epochs - number + 1 - done)
        reporter.report(replace(progress, seconds_left=left))

    loss, accuracy = program.train_epoch(parts.train, number, report=report)
    seconds = time.perf_counter() - started
    _check_loss(loss, number)
    val_loss, val_accuracy = program.evaluate(parts.validation) if len(parts.validation) else (None, None)
    return Epoch(number, loss, accuracy, val_loss, val_accuracy, seconds)


def _check_loss(loss: float, number: int) -> None:
    if not np.isfinite(loss):
        raise TrainingError(
            f"The loss became {loss} in epoch {number}: the weights have run away. "
            "Choose a smaller learning rate and start again."
        )


def _finish(program: CompiledTraining, dataset: Dataset, *, fit_seconds: float) -> tuple[Result, dict[str, bytes]]:
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
