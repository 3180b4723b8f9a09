"""Accuracies with their intervals, and numbers over repeated runs with their spread."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

CONFIDENCE = 0.95


@dataclass(frozen=True)
class Accuracy:
    """A share of correct predictions, with its interval; all in [0, 1]."""

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
        correct: Correct predictions.
        n: Images in all, at least 1.
        confidence: How often such an interval holds the true value.

    Raises:
        ValueError: If the counts are impossible.

    Source:
        Wilson 1927, "Probable inference, the law of succession, and statistical
        inference".
    """
    if not 0 <= correct <= n or n < 1:
        raise ValueError(f"{correct} of {n} images cannot be correct.")
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    value = correct / n
    middle = (value + z * z / (2 * n)) / (1 + z * z / n)
    margin = z / (1 + z * z / n) * (value * (1 - value) / n + z * z / (4 * n * n)) ** 0.5
    # Rounding must not put the value outside its own interval.
    return Accuracy(value, min(value, max(0.0, middle - margin)), max(value, min(1.0, middle + margin)), n)


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
