"""How sure a network was, beside how often it was right."""

from dataclasses import dataclass

import numpy as np

from mnist_dash.analysis.accuracies import Accuracy, accuracy
from mnist_dash.analysis.test_predictions import TestPredictions

BINS = 15
SURENESS = (0.0, 0.5, 0.7, 0.9, 0.97, 0.99, 0.999, 1.0)  # limits of the ranges in which confidence is compared


@dataclass(frozen=True)
class Bin:
    """The test pictures on which a network was about equally sure.

    Attributes:
        confidence: Mean of its highest probabilities, in [0, 1].
        accuracy: How often it was right.
    """

    confidence: float
    accuracy: Accuracy


def reliability(outcome: TestPredictions, *, bins: int = BINS) -> list[Bin]:
    """Compares confidence and accuracy in bins of equal width; empty bins are left out.

    Source:
        Guo and others 2017, "On calibration of modern neural networks".
    """
    number = np.minimum((outcome.highest * bins).astype(int), bins - 1)
    counts = np.bincount(number, minlength=bins)
    right = np.bincount(number, weights=outcome.right, minlength=bins)
    confidence = np.bincount(number, weights=outcome.highest, minlength=bins)
    return [
        Bin(min(1.0, float(confidence[place] / counts[place])), accuracy(int(right[place]), int(counts[place])))
        for place in np.flatnonzero(counts)
    ]


def calibration_error(outcome: TestPredictions, *, bins: int = BINS) -> float:
    """Returns the expected calibration error: the mean distance of confidence from accuracy, in [0, 1].

    Source:
        Naeini and others 2015, "Obtaining well calibrated probabilities using Bayesian
        binning"; 15 bins of equal width as in Guo and others 2017.
    """
    found = reliability(outcome, bins=bins)
    return sum(abs(each.confidence - each.accuracy.value) * each.accuracy.n for each in found) / len(outcome.labels)


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


def when_as_sure(outcome: TestPredictions, probability: float) -> WhenSure | None:
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
    return WhenSure(low, high, accuracy(int(outcome.right[inside].sum()), int(inside.sum())))
