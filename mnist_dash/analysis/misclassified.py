"""Errors: per class, and image by image."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mnist_dash.analysis.accuracies import Accuracy, accuracy
from mnist_dash.analysis.test_predictions import TestPredictions
from mnist_dash.datasets.mnist import CLASSES

# Indices of MNIST's test images whose label human raters found wrong (Northcutt and others
# 2021, "Pervasive label errors in test sets destabilize machine learning benchmarks").
WRONG_LABELS = (947, 1621, 1901, 2130, 2462, 2597, 2654, 3520, 3558, 5937, 6651, 6783, 8527, 9679, 9729)


@dataclass(frozen=True)
class ClassScores:
    """Precision, recall and F1 of one digit.

    Attributes:
        digit: 0–9.
        precision: Of the images predicted as this digit, the share that are; None if there are none.
        recall: Of the images of this digit, the share predicted as it; None if there are none.
        f1: Harmonic mean of both; its `n` counts the images that are the digit or were predicted as it.
    """

    digit: int
    precision: Accuracy | None
    recall: Accuracy | None
    f1: Accuracy | None


def class_scores(confusion: np.ndarray) -> list[ClassScores]:
    """Returns precision, recall and F1 of every digit, each with its 95 % interval.

    Args:
        confusion: Shape (10, 10): row is the true digit, column the predicted one.

    Source:
        Wilson 1927 for precision and recall. F1 is 2 J / (1 + J), where J is the share
        of correct ones among the images that are the digit or were predicted as it; the
        interval of J, also Wilson's, is carried over.
    """
    return [_scores(confusion, digit) for digit in range(CLASSES)]


def _scores(confusion: np.ndarray, digit: int) -> ClassScores:
    correct, predicted, actual = map(int, (confusion[digit, digit], confusion[:, digit].sum(), confusion[digit].sum()))
    f1 = _f1(_share(correct, predicted + actual - correct))
    return ClassScores(digit, _share(correct, predicted), _share(correct, actual), f1)


def _f1(share: Accuracy | None) -> Accuracy | None:
    if share is None:
        return None
    value, low, high = (2 * part / (1 + part) for part in (share.value, share.low, share.high))
    return Accuracy(value, low, high, share.n)


def _share(correct: int, n: int) -> Accuracy | None:
    return accuracy(correct, n) if n else None


def disagreements(predictions: Sequence[TestPredictions]) -> np.ndarray:
    """Returns the indices of test images that runs predict differently.

    Args:
        predictions: Of at least one run on the same images.

    Returns:
        Shape (n,), int64: those first that fewest runs predict correctly, then in order.
    """
    predicted = np.stack([of_run.predicted for of_run in predictions])
    split = np.flatnonzero((predicted != predicted[0]).any(0))
    correct = (predicted[:, split] == predictions[0].labels[split]).sum(0)
    return split[np.argsort(correct, kind="stable")]


def most_confident_errors(predictions: TestPredictions) -> np.ndarray:
    """Returns the indices of misclassified images, shape (n,), int64; the highest confidence first."""
    return _by_confidence(predictions, ~predictions.correct)


def predicted_as(predictions: TestPredictions, true: int, predicted: int) -> np.ndarray:
    """Returns the indices of one cell of the confusion matrix, shape (n,), int64; the highest confidence first."""
    return _by_confidence(predictions, (predictions.labels == true) & (predictions.predicted == predicted))


def _by_confidence(predictions: TestPredictions, selected: np.ndarray) -> np.ndarray:
    indices = np.flatnonzero(selected)
    return indices[np.argsort(-predictions.confidence[indices], kind="stable")]


def accuracy_without(predictions: TestPredictions, indices: Sequence[int]) -> Accuracy:
    """Returns the accuracy on all test images but these."""
    correct = np.delete(predictions.correct, list(indices))
    return accuracy(int(correct.sum()), len(correct))
