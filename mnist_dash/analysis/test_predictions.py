"""What finished runs predicted on the test images: confusion matrix, frequent confusions, confidence."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from mnist_dash.analysis.accuracies import Accuracy, accuracy
from mnist_dash.datasets.mnist import CLASSES
from mnist_dash.errors import StoreError
from mnist_dash.store.records import TEST_LABELS, TEST_PROBABILITIES, Run
from mnist_dash.store.run_store import RunStore


def of_run(run: Run) -> Accuracy:
    """Returns a finished run's test accuracy with its interval."""
    return accuracy(round((run.test_accuracy or 0.0) * run.test_images), run.test_images)


def confusion_matrix(labels: np.ndarray, predictions: np.ndarray) -> np.ndarray:
    """Counts how often each digit was predicted as which.

    Args:
        labels: True digits, shape (n,), 0–9.
        predictions: Predicted digits, shape (n,), 0–9.

    Returns:
        Shape (10, 10), int64: row is the true digit, column the predicted one.
    """
    flat = labels.astype(np.int64) * CLASSES + predictions.astype(np.int64)
    return np.bincount(flat, minlength=CLASSES * CLASSES).reshape(CLASSES, CLASSES)


@dataclass(frozen=True, eq=False)
class TestPredictions:
    """What a finished run predicted on the test images.

    Attributes:
        labels: True digits, shape (n,), uint8.
        probabilities: Shape (n, 10), float16.
    """

    labels: np.ndarray
    probabilities: np.ndarray

    @cached_property
    def predicted(self) -> np.ndarray:
        """The predicted digits, shape (n,), int64."""
        return np.asarray(self.probabilities.argmax(1))

    @cached_property
    def confidence(self) -> np.ndarray:
        """The highest probability of each image, shape (n,), float32 in [0, 1]."""
        return np.asarray(self.probabilities.max(1).astype(np.float32))

    @cached_property
    def correct(self) -> np.ndarray:
        """Whether each prediction is correct, shape (n,), bool."""
        return np.asarray(self.predicted == self.labels)

    @property
    def accuracy(self) -> Accuracy:
        """The share of correct predictions."""
        return accuracy(int(self.correct.sum()), len(self.labels))

    @property
    def confusion(self) -> np.ndarray:
        """The confusion matrix, shape (10, 10), int64."""
        return confusion_matrix(self.labels, self.predicted)


def read_test_predictions(store: RunStore, run_id: int) -> TestPredictions:
    """Reads what a finished run predicted on the test images.

    Raises:
        RunNotFoundError: If the run has not finished.
        StoreError: If what is stored does not fit together.
    """
    labels = np.frombuffer(store.read_artifact(run_id, TEST_LABELS), np.uint8)
    content = store.read_artifact(run_id, TEST_PROBABILITIES)
    if len(content) != labels.size * CLASSES * np.dtype(np.float16).itemsize:
        raise StoreError(
            f"Run {run_id} has {len(content) // 2:,} stored probabilities for {labels.size:,} test images, "
            f"but {labels.size * CLASSES:,} were expected. Train it again."
        )
    return TestPredictions(labels, np.frombuffer(content, np.float16).reshape(-1, CLASSES))


def most_confused(confusion: np.ndarray, *, count: int = 3) -> list[tuple[int, int, int]]:
    """Returns the most frequent confusions as (true digit, predicted digit, count)."""
    errors = confusion - np.diag(np.diag(confusion))
    order = np.argsort(-errors, axis=None, kind="stable")[:count]
    pairs = [divmod(int(cell), CLASSES) for cell in order]
    return [(true, predicted, int(errors[true, predicted])) for true, predicted in pairs if errors[true, predicted]]
