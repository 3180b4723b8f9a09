"""How well a finished run reads corrupted pictures: what a worker executes, with LiteRT instead of TensorFlow."""

import contextlib
import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial

import numpy as np

from mnist_dash.config import load_settings
from mnist_dash.corruptions.corruption import Kind, corrupt
from mnist_dash.corruptions.kinds import CLEAN, CORRUPTIONS, KINDS
from mnist_dash.datasets.mnist import Dataset
from mnist_dash.errors import MnistDashError, RunStateError
from mnist_dash.inference.predictor import Predictor
from mnist_dash.store.corruption_counts import CorruptionCounts, Measurement
from mnist_dash.store.measurements import Measurements
from mnist_dash.store.records import MODEL_TFLITE, QUEUED
from mnist_dash.store.run_store import RunStore
from mnist_dash.worker.heartbeat import retry_transient
from mnist_dash.worker.programs import dataset_of

MAX_IMAGES = 2_000
_BATCH = 100  # a CNN's activations for more take more memory and no less time


def measured_pictures(dataset: Dataset) -> tuple[np.ndarray, np.ndarray]:
    """Returns the test pictures that all runs read: every fifth of MNIST's, all of the sample's.

    Returns:
        Pictures, shape (n, 28, 28), uint8, and their labels, shape (n,), uint8; n is at
        most `MAX_IMAGES`.
    """
    every = -(-len(dataset.y_test) // MAX_IMAGES)
    return dataset.x_test[::every], dataset.y_test[::every]


def measure_run(run_id: int, database_url: str, *, gives_way: bool = False) -> None:
    """Measures a run that was asked for, kind by kind, and records each in the store.

    What an earlier worker left unfinished goes on after the last kind that it recorded. A
    measurement that is in other hands, withdrawn or deleted is left alone.

    Args:
        run_id: The run.
        database_url: The store that it is in.
        gives_way: Queue the rest again after any kind while a run waits to be trained.
    """
    store = retry_transient(lambda: RunStore(database_url))
    assert store
    try:
        with contextlib.suppress(RunStateError):
            measurements = Measurements(store)
            claimed = retry_transient(lambda: measurements.claim(run_id))
            assert claimed
            _measure_claimed(store, claimed, gives_way)
    finally:
        store.close()


def _measure_claimed(store: RunStore, claimed: Measurement, gives_way: bool) -> None:
    measurements, mine = Measurements(store), (claimed.run_id, str(claimed.claim))
    beat = partial(measurements.beat, *mine)
    try:
        run = retry_transient(lambda: store.get_run(claimed.run_id))
        assert run
        dataset = dataset_of(run)
        # Workers share the cores, as they do in training.
        threads = max(1, (os.cpu_count() or 1) // load_settings().workers)
        model = retry_transient(lambda: store.read_artifact(run.id, MODEL_TFLITE))
        predictor = Predictor(model or b"", num_threads=threads)
        readings = claimed.readings
        for readings in measure(predictor, dataset, claimed.readings, beat=partial(retry_transient, beat)):
            retry_transient(partial(measurements.record, *mine, readings))
            if gives_way and retry_transient(partial(_a_run_waits, store)):
                retry_transient(partial(measurements.release, *mine))
                return
        retry_transient(partial(measurements.finish, *mine, readings))
    except RunStateError:
        raise
    except Exception as error:
        known = isinstance(error, MnistDashError)
        retry_transient(partial(measurements.fail, *mine, str(error) if known else f"{type(error).__name__}: {error}"))
        if not known:
            raise


def _a_run_waits(store: RunStore) -> bool:
    return bool(store.list_runs(statuses=[QUEUED], limit=1))


def measure(
    predictor: Predictor, dataset: Dataset, progress: CorruptionCounts, *, beat: Callable[[], None] = lambda: None
) -> Iterator[CorruptionCounts]:
    """Reads the corrupted pictures of one kind after another.

    Args:
        predictor: The network.
        dataset: Has the test pictures.
        progress: What is known already.
        beat: Called after every level.

    Yields:
        What is known after each kind, the untouched pictures first.
    """
    pictures, labels = measured_pictures(dataset)
    found = replace(progress, pictures=len(labels))
    for kind in (CLEAN, *KINDS.values()):
        if kind.name not in found.right:
            right = []
            for level in kind.levels:
                right.append(digits_read(predictor, corrupt(kind, level, pictures)) == labels)
                beat()
            found = _added(found, kind, np.array(right))
            yield found


def digits_read(predictor: Predictor, pictures: np.ndarray) -> np.ndarray:
    """Returns the digit that a network reads in each picture, shape (n,), int64."""
    starts = range(0, len(pictures), _BATCH)
    return np.concatenate([predictor.probabilities(pictures[start : start + _BATCH]).argmax(1) for start in starts])


def _added(found: CorruptionCounts, kind: Kind, right: np.ndarray) -> CorruptionCounts:
    """Adds what was read right of a kind, shape (levels, n), bool."""
    counts = {**found.right, kind.name: tuple(int(count) for count in right.sum(1))}
    hits = np.frombuffer(found.hits or bytes(found.pictures), np.uint8)
    if kind in CORRUPTIONS:
        hits = hits + right.sum(0, dtype=np.uint8)
    return replace(found, right=counts, hits=hits.tobytes())
