"""Numbers that can be trusted: accuracies with intervals, confusion, what goes wrong most."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from statistics import NormalDist

import numpy as np

from mnist_dash.data import CLASSES, KNOWN
from mnist_dash.errors import StoreError
from mnist_dash.runs import TEST_LABELS, TEST_PROBABILITIES, Run, RunStore

CONFIDENCE = 0.95
SURENESS = (0.0, 0.5, 0.7, 0.9, 0.97, 0.99, 0.999, 1.0)  # limits of the ranges in which confidence is compared


@dataclass(frozen=True)
class Accuracy:
    """A share of pictures read right, with its interval; all in [0, 1]."""

    value: float
    low: float
    high: float
    n: int

    @property
    def margin(self) -> float:
        """Half the width of the interval."""
        return (self.high - self.low) / 2


def accuracy(correct: int, n: int, *, confidence: float = CONFIDENCE) -> Accuracy:
    """Returns an accuracy with its Wilson score interval.

    Args:
        correct: Pictures read right.
        n: Pictures in all, at least 1.
        confidence: How often such an interval holds the true value.

    Raises:
        ValueError: If the counts are impossible.

    Source:
        Wilson 1927, "Probable inference, the law of succession, and statistical
        inference".
    """
    if not 0 <= correct <= n or n < 1:
        raise ValueError(f"{correct} of {n} pictures cannot be right.")
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    value = correct / n
    middle = (value + z * z / (2 * n)) / (1 + z * z / n)
    margin = z / (1 + z * z / n) * (value * (1 - value) / n + z * z / (4 * n * n)) ** 0.5
    return Accuracy(value, max(0.0, middle - margin), min(1.0, middle + margin), n)


@dataclass(frozen=True)
class Spread:
    """Mean and spread of a number over repeated runs.

    Attributes:
        n: How many runs.
        mean: Their mean.
        sd: Standard deviation of the sample, with n - 1; None for a single run.
    """

    n: int
    mean: float
    sd: float | None


def spread(values: Sequence[float]) -> Spread:
    """Returns mean and standard deviation of at least one number."""
    return Spread(len(values), statistics.fmean(values), statistics.stdev(values) if len(values) > 1 else None)


def of_run(run: Run) -> Accuracy:
    """Returns a finished run's test accuracy with its interval."""
    n = KNOWN[run.dataset].test
    return accuracy(round((run.test_accuracy or 0.0) * n), n)


def confusion_matrix(labels: np.ndarray, predictions: np.ndarray) -> np.ndarray:
    """Counts how often each digit was read as which.

    Args:
        labels: True digits, shape (n,), 0–9.
        predictions: Digits read, shape (n,), 0–9.

    Returns:
        Shape (10, 10), int64: row is the true digit, column the digit read.
    """
    flat = labels.astype(np.int64) * CLASSES + predictions.astype(np.int64)
    return np.bincount(flat, minlength=CLASSES * CLASSES).reshape(CLASSES, CLASSES)


@dataclass(frozen=True, eq=False)
class Outcome:
    """What a finished run said about the test pictures.

    Attributes:
        labels: True digits, shape (n,), uint8.
        probabilities: Shape (n, 10), float16.
    """

    labels: np.ndarray
    probabilities: np.ndarray

    @cached_property
    def predictions(self) -> np.ndarray:
        """The digits read, shape (n,), int64."""
        return np.asarray(self.probabilities.argmax(1))

    @cached_property
    def highest(self) -> np.ndarray:
        """How sure the network was of each, shape (n,), float32."""
        return np.asarray(self.probabilities.max(1).astype(np.float32))

    @property
    def accuracy(self) -> Accuracy:
        """The share read right."""
        return accuracy(int((self.predictions == self.labels).sum()), len(self.labels))

    @property
    def confusion(self) -> np.ndarray:
        """The confusion matrix, shape (10, 10), int64."""
        return confusion_matrix(self.labels, self.predictions)


@dataclass(frozen=True)
class WhenSure:
    """How often a network was right on those test pictures on which it was about as sure as now.

    Attributes:
        low, high: The range of its highest probability, in [0, 1].
        accuracy: On the test pictures in that range.
    """

    low: float
    high: float
    accuracy: Accuracy


def when_as_sure(outcome: Outcome, probability: float) -> WhenSure | None:
    """Compares how sure a network is with how often it was right when it was that sure.

    Args:
        outcome: What it said about the test pictures.
        probability: Its highest probability now, in [0, 1].

    Returns:
        None if it never was that sure on a test picture.

    Source:
        Guo and others 2017, "On calibration of modern neural networks", for comparing
        confidence and accuracy bin by bin.
    """
    number = int(np.searchsorted(SURENESS, probability, side="right")) - 1
    number = min(max(number, 0), len(SURENESS) - 2)
    low, high = SURENESS[number], SURENESS[number + 1]
    inside = (outcome.highest >= low) & ((outcome.highest < high) | (high == 1))
    if not inside.any():
        return None
    right = outcome.predictions[inside] == outcome.labels[inside]
    return WhenSure(low, high, accuracy(int(right.sum()), int(inside.sum())))


def read_outcome(store: RunStore, run_id: int) -> Outcome:
    """Reads what a finished run said about the test pictures.

    Raises:
        RunNotFoundError: If the run has not finished.
        StoreError: If what is stored does not fit together.
    """
    labels = np.frombuffer(store.read_artifact(run_id, TEST_LABELS), np.uint8)
    content = store.read_artifact(run_id, TEST_PROBABILITIES)
    if len(content) != labels.size * CLASSES * np.dtype(np.float16).itemsize:
        raise StoreError(
            f"Run {run_id} has {len(content) // 2:,} stored probabilities for {labels.size:,} test pictures, "
            f"but {labels.size * CLASSES:,} were expected. Train it again."
        )
    return Outcome(labels, np.frombuffer(content, np.float16).reshape(-1, CLASSES))


def most_confused(confusion: np.ndarray, *, count: int = 3) -> list[tuple[int, int, int]]:
    """Returns the most frequent mistakes as (true digit, digit read, how often)."""
    mistakes = confusion - np.diag(np.diag(confusion))
    order = np.argsort(-mistakes, axis=None, kind="stable")[:count]
    pairs = [divmod(int(cell), CLASSES) for cell in order]
    return [(true, read, int(mistakes[true, read])) for true, read in pairs if mistakes[true, read]]
