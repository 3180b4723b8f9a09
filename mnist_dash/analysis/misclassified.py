"""Where networks go wrong: digit by digit, picture by picture."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mnist_dash.analysis.accuracies import Accuracy, accuracy
from mnist_dash.analysis.test_predictions import TestPredictions
from mnist_dash.datasets.mnist import CLASSES

# Positions of MNIST's test pictures whose label human raters found wrong (Northcutt and others
# 2021, "Pervasive label errors in test sets destabilize machine learning benchmarks").
WRONG_LABELS = (947, 1621, 1901, 2130, 2462, 2597, 2654, 3520, 3558, 5937, 6651, 6783, 8527, 9679, 9729)


@dataclass(frozen=True)
class DigitScores:
    """How well one digit was read.

    Attributes:
        digit: 0–9.
        precision: Of the pictures read as this digit, the share that are; None if none was.
        recall: Of the pictures of this digit, the share read as it; None if there are none.
        f1: Harmonic mean of both; its `n` counts the pictures that are the digit or were read as it.
    """

    digit: int
    precision: Accuracy | None
    recall: Accuracy | None
    f1: Accuracy | None


def digit_scores(confusion: np.ndarray) -> list[DigitScores]:
    """Returns precision, recall and F1 of every digit, each with its 95 % interval.

    Args:
        confusion: Shape (10, 10): row is the true digit, column the digit read.

    Source:
        Wilson 1927 for precision and recall. F1 is 2 J / (1 + J), where J is the share
        of right ones among the pictures that are the digit or were read as it; the
        interval of J, also Wilson's, is carried over.
    """
    return [_scores(confusion, digit) for digit in range(CLASSES)]


def _scores(confusion: np.ndarray, digit: int) -> DigitScores:
    right, read, are = (int(n) for n in (confusion[digit, digit], confusion[:, digit].sum(), confusion[digit].sum()))
    return DigitScores(digit, _share(right, read), _share(right, are), _f1(_share(right, read + are - right)))


def _f1(share: Accuracy | None) -> Accuracy | None:
    if share is None:
        return None
    value, low, high = (2 * part / (1 + part) for part in (share.value, share.low, share.high))
    return Accuracy(value, low, high, share.n)


def _share(right: int, n: int) -> Accuracy | None:
    return accuracy(right, n) if n else None


def disagreements(outcomes: Sequence[TestPredictions]) -> np.ndarray:
    """Returns where runs read test pictures differently, the most split first.

    Args:
        outcomes: Of at least one run on the same pictures.

    Returns:
        Positions, shape (n,), int64: those first that fewest runs read right, then in order.
    """
    read = np.stack([outcome.predictions for outcome in outcomes])
    split = np.flatnonzero((read != read[0]).any(0))
    right = (read[:, split] == outcomes[0].labels[split]).sum(0)
    return split[np.argsort(right, kind="stable")]


def worst_mistakes(outcome: TestPredictions) -> np.ndarray:
    """Returns the positions of pictures read wrong, shape (n,), int64: where it was most sure first."""
    wrong = np.flatnonzero(~outcome.right)
    return wrong[np.argsort(-outcome.highest[wrong], kind="stable")]


def read_as(outcome: TestPredictions, true: int, read: int) -> np.ndarray:
    """Returns the positions of pictures of one digit that were read as another, shape (n,), int64; the surest first."""
    found = np.flatnonzero((outcome.labels == true) & (outcome.predictions == read))
    return found[np.argsort(-outcome.highest[found], kind="stable")]


def accuracy_without(outcome: TestPredictions, positions: Sequence[int]) -> Accuracy:
    """Returns the accuracy on all test pictures but these."""
    kept = np.ones(len(outcome.labels), bool)
    kept[list(positions)] = False
    return accuracy(int(outcome.right[kept].sum()), int(kept.sum()))
