"""Calibration: whether confidence matches accuracy."""

from dataclasses import dataclass

import numpy as np

from mnist_dash.analysis.accuracies import Accuracy, accuracy
from mnist_dash.analysis.test_predictions import TestPredictions

BINS = 15
CONFIDENCE_LIMITS = (0.0, 0.5, 0.7, 0.9, 0.97, 0.99, 0.999, 1.0)  # of the ranges of `accuracy_at_confidence`


@dataclass(frozen=True)
class Bin:
    """The test images that were predicted with similar confidence.

    Attributes:
        confidence: Mean of their highest probabilities, in [0, 1].
        accuracy: On these images.
    """

    confidence: float
    accuracy: Accuracy


def reliability(predictions: TestPredictions, *, bins: int = BINS) -> list[Bin]:
    """Compares confidence and accuracy in bins of equal width; empty bins are left out.

    Source:
        Guo and others 2017, "On calibration of modern neural networks".
    """
    number = np.minimum((predictions.confidence * bins).astype(int), bins - 1)
    counts = np.bincount(number, minlength=bins)
    correct = np.bincount(number, weights=predictions.correct, minlength=bins)
    confidence = np.bincount(number, weights=predictions.confidence, minlength=bins)
    return [
        Bin(min(1.0, float(confidence[index] / counts[index])), accuracy(int(correct[index]), int(counts[index])))
        for index in np.flatnonzero(counts)
    ]


def calibration_error(predictions: TestPredictions, *, bins: int = BINS) -> float:
    """Returns the expected calibration error: the mean distance of confidence from accuracy, in [0, 1].

    Source:
        Naeini and others 2015, "Obtaining well calibrated probabilities using Bayesian
        binning"; 15 bins of equal width as in Guo and others 2017.
    """
    errors = (
        abs(each.confidence - each.accuracy.value) * each.accuracy.n for each in reliability(predictions, bins=bins)
    )
    return sum(errors) / len(predictions.labels)


@dataclass(frozen=True)
class ConfidenceRange:
    """The test images that were predicted with a confidence in a range.

    Attributes:
        low, high: The range of the highest probability, in [0, 1].
        accuracy: On these images.
    """

    low: float
    high: float
    accuracy: Accuracy


def accuracy_at_confidence(predictions: TestPredictions, confidence: float) -> ConfidenceRange | None:
    """Returns the test accuracy among predictions of similar confidence.

    Args:
        predictions: On the test images.
        confidence: A highest probability, in [0, 1]; it selects the range.

    Returns:
        None if no test image was predicted with such a confidence.

    Source:
        Guo and others 2017, "On calibration of modern neural networks", for comparing
        confidence and accuracy bin by bin.
    """
    number = int(np.searchsorted(CONFIDENCE_LIMITS, confidence, side="right")) - 1
    number = min(max(number, 0), len(CONFIDENCE_LIMITS) - 2)
    low, high = CONFIDENCE_LIMITS[number], CONFIDENCE_LIMITS[number + 1]
    inside = (predictions.confidence >= low) & ((predictions.confidence < high) | (high == 1))
    if not inside.any():
        return None
    return ConfidenceRange(low, high, accuracy(int(predictions.correct[inside].sum()), int(inside.sum())))
