"""The robustness of finished runs: what a worker executes to measure it, with LiteRT instead of TensorFlow."""

import contextlib
import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial

import numpy as np

from mnist_dash.config import Settings
from mnist_dash.corruptions.corruption import Kind, corrupt
from mnist_dash.corruptions.kinds import CLEAN, CORRUPTIONS, KINDS
from mnist_dash.datasets.mnist import Dataset
from mnist_dash.errors import MnistDashError, RunStateError
from mnist_dash.inference.predictor import Predictor
from mnist_dash.store.corruption_counts import CorruptionCounts, Measurement
from mnist_dash.store.measurements import Measurements
from mnist_dash.store.records import MODEL_TFLITE, QUEUED
from mnist_dash.store.run_store import RunStore
from mnist_dash.worker.heartbeat import Heartbeat, retry_transient
from mnist_dash.worker.programs import dataset_of

MAX_IMAGES = 2_000
_BATCH = 100  # a CNN's activations for more take more memory and no less time


def measured_images(dataset: Dataset) -> tuple[np.ndarray, np.ndarray]:
    """Returns the test images that all runs are measured on: every fifth of MNIST's, all of the sample's.

    Returns:
        Images, shape (n, 28, 28), uint8, and their labels, shape (n,), uint8; n is at
        most `MAX_IMAGES`.
    """
    every = -(-len(dataset.y_test) // MAX_IMAGES)
    return dataset.x_test[::every], dataset.y_test[::every]


def measure_run(
    run_id: int, settings: Settings, *, yields: bool = False, leaving: Callable[[], bool] = lambda: False
) -> None:
    """Measures a run that was asked for, kind by kind, and records each in the store.

    What an earlier worker left unfinished goes on after the last kind that it recorded. A
    measurement that another worker holds, or that was withdrawn or deleted, is left alone.

    Args:
        run_id: The run.
        settings: Say which store it is in, the data, and how many workers share the cores.
        yields: Queue the rest again after any kind while a run waits to be trained.
        leaving: Says whether this worker is to end; it then queues the rest again, too.
    """
    store = retry_transient(lambda: RunStore(settings.database_url))
    assert store
    try:
        with contextlib.suppress(RunStateError):
            measurements = Measurements(store)
            acquired = retry_transient(lambda: measurements.acquire(run_id))
            assert acquired
            with Heartbeat(measurements, {run_id: str(acquired.lease)}, leaving=leaving) as heartbeat:
                _measure_leased(store, acquired, settings, heartbeat, yields=yields)
    finally:
        store.close()


def _measure_leased(
    store: RunStore, acquired: Measurement, settings: Settings, heartbeat: Heartbeat, *, yields: bool
) -> None:
    run_id, lease = acquired.run_id, str(acquired.lease)
    measurements = Measurements(store)
    try:
        predictor, dataset = _predictor_and_data(store, run_id, settings)
        counts = acquired.counts
        for counts in measure(predictor, dataset, acquired.counts, stop=lambda: run_id in heartbeat.requested):
            retry_transient(partial(measurements.record, run_id, lease, counts))
            if yields and retry_transient(lambda: bool(store.list_runs(statuses=[QUEUED], limit=1))):
                return _end(heartbeat, run_id, partial(measurements.release, run_id, lease))
        if heartbeat.requested.get(run_id) == QUEUED:
            _end(heartbeat, run_id, partial(measurements.release, run_id, lease))
        elif run_id not in heartbeat.requested:
            _end(heartbeat, run_id, partial(measurements.finish, run_id, lease, counts))
    except RunStateError:
        raise
    except Exception as error:
        known = isinstance(error, MnistDashError)
        problem = str(error) if known else f"{type(error).__name__}: {error}"
        _end(heartbeat, run_id, partial(measurements.fail, run_id, lease, problem))
        if not known:
            raise


def _end(heartbeat: Heartbeat, run_id: int, change: Callable[[], None]) -> None:
    heartbeat.forget(run_id)
    retry_transient(change)


def _predictor_and_data(store: RunStore, run_id: int, settings: Settings) -> tuple[Predictor, Dataset]:
    run = retry_transient(lambda: store.get_run(run_id))
    assert run
    dataset = dataset_of(run, settings)
    model = retry_transient(lambda: store.read_artifact(run.id, MODEL_TFLITE))
    # Workers share the cores, as they do in training.
    return Predictor(model or b"", num_threads=max(1, (os.cpu_count() or 1) // settings.workers)), dataset


def measure(
    predictor: Predictor, dataset: Dataset, progress: CorruptionCounts, *, stop: Callable[[], bool] = lambda: False
) -> Iterator[CorruptionCounts]:
    """Classifies the corrupted images of one kind after another.

    Args:
        predictor: The network.
        dataset: Has the test images.
        progress: What is known already.
        stop: Says, after every level, whether to end.

    Yields:
        What is known after each kind, the untouched images first.
    """
    images, labels = measured_images(dataset)
    found = replace(progress, images=len(labels))
    for kind in (CLEAN, *KINDS.values()):
        if kind.name not in found.correct:
            correct = []
            for level in kind.levels:
                correct.append(predicted_digits(predictor, corrupt(kind, level, images)) == labels)
                if stop():
                    return
            found = _added(found, kind, np.array(correct))
            yield found


def predicted_digits(predictor: Predictor, images: np.ndarray) -> np.ndarray:
    """Returns the digit that a network predicts for each image, shape (n,), int64."""
    starts = range(0, len(images), _BATCH)
    return np.concatenate([predictor.probabilities(images[start : start + _BATCH]).argmax(1) for start in starts])


def _added(found: CorruptionCounts, kind: Kind, correct: np.ndarray) -> CorruptionCounts:
    """Adds which images of a kind were classified correctly, shape (levels, n), bool."""
    counts = {**found.correct, kind.name: tuple(int(count) for count in correct.sum(1))}
    per_image = np.frombuffer(found.correct_per_image or bytes(found.images), np.uint8)
    if kind in CORRUPTIONS:
        per_image = per_image + correct.sum(0, dtype=np.uint8)
    return replace(found, correct=counts, correct_per_image=per_image.tobytes())
