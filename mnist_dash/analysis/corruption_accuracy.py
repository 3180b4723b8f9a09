"""Robustness: accuracies on corrupted images with intervals, and whether two models differ."""

from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from mnist_dash.analysis.accuracies import CONFIDENCE, Accuracy, accuracy
from mnist_dash.corruptions.kinds import CLEAN, CORRUPTIONS
from mnist_dash.errors import ComparisonError
from mnist_dash.store.corruption_counts import CorruptionCounts

_CONDITIONS = sum(len(kind.levels) for kind in CORRUPTIONS)


@dataclass(frozen=True)
class Lead:
    """The difference of two models' robustness, a part of 1.

    Attributes:
        value: The difference of their means.
        low, high: Its interval.
    """

    value: float
    low: float
    high: float

    @property
    def is_significant(self) -> bool:
        """Whether the interval excludes 0."""
        return self.low > 0 or self.high < 0


def robustness(counts: CorruptionCounts) -> Accuracy:
    """Returns the mean accuracy over all kinds and strengths with its interval.

    An image that is predicted correctly under one corruption is more likely so under others, so the
    sample is the images, each with the share of corruptions under which it is predicted correctly.

    Args:
        counts: Of all kinds.

    Source:
        The mean over corruptions as in Mu and Gilmer 2019; the interval is that of the
        mean of n independent shares (central limit theorem).
    """
    shares = _shares(counts)
    mean, margin = float(shares.mean()), _margin(shares)
    return Accuracy(mean, max(0.0, mean - margin), min(1.0, mean + margin), counts.images)


def lead(first: CorruptionCounts, second: CorruptionCounts) -> Lead:
    """Compares the robustness of two models image by image.

    Raises:
        ComparisonError: If they were measured on different numbers of images.
    """
    if first.images != second.images:
        raise ComparisonError(
            f"The robustness of one run was measured on {first.images:,} images, of the other on "
            f"{second.images:,}. Choose runs that were tested on the same data."
        )
    differences = _shares(first) - _shares(second)
    value, margin = float(differences.mean()), _margin(differences)
    return Lead(value, value - margin, value + margin)


def clean_accuracy(counts: CorruptionCounts) -> Accuracy:
    """Returns the accuracy on the same images without corruption."""
    return accuracy_by_level(counts, CLEAN.name)[0]


def accuracy_by_level(counts: CorruptionCounts, name: str) -> list[Accuracy]:
    """Returns the accuracy at each level of a kind, with Wilson's interval."""
    return [accuracy(correct, counts.images) for correct in counts.correct[name]]


def mean_accuracy(counts: CorruptionCounts, name: str) -> float:
    """Returns the mean accuracy over all levels of a kind, in [0, 1]."""
    correct = counts.correct[name]
    return sum(correct) / (len(correct) * counts.images)


def mean_by_strength(counts: CorruptionCounts) -> list[float]:
    """Returns the mean accuracy over the 15 kinds at each of the five strengths, in [0, 1]."""
    correct = np.array([counts.correct[kind.name] for kind in CORRUPTIONS])
    return [float(mean) for mean in correct.mean(0) / counts.images]


def _shares(counts: CorruptionCounts) -> np.ndarray:
    return np.frombuffer(counts.correct_per_image, np.uint8) / _CONDITIONS


def _margin(values: np.ndarray) -> float:
    z = NormalDist().inv_cdf((1 + CONFIDENCE) / 2)
    return float(z * values.std(ddof=1) / np.sqrt(len(values)))
