"""What readings of corrupted pictures say: accuracies with intervals, and whether one network holds up better."""

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
    """By how much one network's robustness is ahead of another's, in parts of 1.

    Attributes:
        value: The difference of their means.
        low, high: Its interval.
    """

    value: float
    low: float
    high: float

    @property
    def is_real(self) -> bool:
        """Whether more than chance is shown."""
        return self.low > 0 or self.high < 0


def robustness(readings: CorruptionCounts) -> Accuracy:
    """Returns the mean accuracy over all kinds and strengths with its interval.

    A picture that is read right under one corruption is more likely so under others, so it
    is the pictures that are counted, each with the share of corruptions that it withstands.

    Args:
        readings: Of all kinds.

    Source:
        The mean over corruptions as in Mu and Gilmer 2019; the interval is that of the
        mean of n independent shares (central limit theorem).
    """
    shares = _shares(readings)
    mean, margin = float(shares.mean()), _margin(shares)
    return Accuracy(mean, max(0.0, mean - margin), min(1.0, mean + margin), readings.pictures)


def lead(first: CorruptionCounts, second: CorruptionCounts) -> Lead:
    """Compares the robustness of two networks picture by picture.

    Raises:
        ComparisonError: If they read different numbers of pictures.
    """
    if first.pictures != second.pictures:
        raise ComparisonError(
            f"The robustness of one run was measured on {first.pictures:,} pictures, of the other on "
            f"{second.pictures:,}. Choose runs that were tested on the same data."
        )
    differences = _shares(first) - _shares(second)
    value, margin = float(differences.mean()), _margin(differences)
    return Lead(value, value - margin, value + margin)


def untouched(readings: CorruptionCounts) -> Accuracy:
    """Returns the accuracy on the same pictures before they were corrupted."""
    return under(readings, CLEAN.name)[0]


def under(readings: CorruptionCounts, name: str) -> list[Accuracy]:
    """Returns the accuracy at each level of a kind, with Wilson's interval."""
    return [accuracy(right, readings.pictures) for right in readings.right[name]]


def mean_under(readings: CorruptionCounts, name: str) -> float:
    """Returns the mean accuracy over all levels of a kind, in [0, 1]."""
    counts = readings.right[name]
    return sum(counts) / (len(counts) * readings.pictures)


def mean_by_strength(readings: CorruptionCounts) -> list[float]:
    """Returns the mean accuracy over the 15 kinds at each of the five strengths, in [0, 1]."""
    counts = np.array([readings.right[kind.name] for kind in CORRUPTIONS])
    return [float(mean) for mean in counts.mean(0) / readings.pictures]


def _shares(readings: CorruptionCounts) -> np.ndarray:
    return np.frombuffer(readings.hits, np.uint8) / _CONDITIONS


def _margin(values: np.ndarray) -> float:
    z = NormalDist().inv_cdf((1 + CONFIDENCE) / 2)
    return float(z * values.std(ddof=1) / np.sqrt(len(values)))
