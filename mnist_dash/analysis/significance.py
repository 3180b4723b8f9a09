"""Significance tests: paired tests on the same images, and differences between means of replicates."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from mnist_dash.analysis.accuracies import CONFIDENCE, spread
from mnist_dash.analysis.test_predictions import TestPredictions
from mnist_dash.errors import ComparisonError

POWER = 0.8  # the probability of finding a difference that is there


@dataclass(frozen=True)
class Paired:
    """Two runs on the same images.

    Attributes:
        only_first: Images that only the first predicts correctly.
        only_second: Images that only the second predicts correctly.
        identical: Whether both predict the same digit for every image.
        p: McNemar's exact p-value, in (0, 1].
    """

    only_first: int
    only_second: int
    identical: bool
    p: float


def paired_test(first: TestPredictions, second: TestPredictions) -> Paired:
    """Compares two runs on the same test images by McNemar's exact test.

    Raises:
        ComparisonError: If they were tested on different images.
    """
    if not np.array_equal(first.labels, second.labels):
        raise ComparisonError(
            f"These runs were tested on different images ({len(first.labels):,} and {len(second.labels):,}), "
            "so they cannot be compared image by image. Choose runs that were tested on the same data."
        )
    correct, other = first.correct, second.correct
    only_first, only_second = int((correct & ~other).sum()), int((other & ~correct).sum())
    identical = bool((first.predicted == second.predicted).all())
    return Paired(only_first, only_second, identical, mcnemar(only_first, only_second))


def mcnemar(only_first: int, only_second: int) -> float:
    """Returns the exact two-sided p-value of McNemar's test.

    Args:
        only_first: Images that only the first of two models predicts correctly.
        only_second: Images that only the second predicts correctly.

    Returns:
        The probability that fair coins, one for each of these images, fall at least as
        unevenly; in (0, 1]. 1 if there are no such images.

    Source:
        McNemar 1947, "Note on the sampling error of the difference between correlated
        proportions or percentages"; the exact form as in Dietterich 1998, "Approximate
        statistical tests for comparing supervised classification learning algorithms".
    """
    n, fewer = only_first + only_second, min(only_first, only_second)
    ways, total = 1, 0  # whole numbers, so that nothing is rounded before the end
    for count in range(fewer + 1):
        total += ways
        ways = ways * (n - count) // (count + 1)
    # At least the smallest positive float: no p-value is 0.
    return min(1.0, max(float(2 * total / 2**n), 5e-324))


def holm(p_values: Sequence[float]) -> list[float]:
    """Returns p-values corrected for their number, each in [0, 1], in the given order.

    Source:
        Holm 1979, "A simple sequentially rejective multiple test procedure".
    """
    corrected, largest = [0.0] * len(p_values), 0.0
    for rank, index in enumerate(sorted(range(len(p_values)), key=lambda index: p_values[index])):
        largest = max(largest, min(1.0, (len(p_values) - rank) * p_values[index]))
        corrected[index] = largest
    return corrected


_NORMAL_DEGREES = 10**6  # with so many, Student's distribution is the normal one


@dataclass(frozen=True)
class MeanDifference:
    """The difference between the means of two groups of replicates.

    Attributes:
        value: First mean minus second.
        low, high: Its interval.
        p: The two-sided p-value, in [0, 1].
    """

    value: float
    low: float
    high: float
    p: float


def welch_test(
    first: Sequence[float], second: Sequence[float], *, images: int | None = None, confidence: float = CONFIDENCE
) -> MeanDifference:
    """Compares two groups of replicates by Welch's t-test.

    A group of one has no variance of its own; it is assumed to have the other's.

    Args:
        first: A number of each run of the first group, at least one.
        second: The same of the second group. One of the groups has at least two.
        images: On how many test images the numbers, then accuracies in [0, 1], were
            measured. If no group has any variance, the images' own binomial variance gives the
            standard error, as in a two-proportion z-test.
        confidence: Coverage of the interval.

    Raises:
        ValueError: If both groups have a single run.

    Source:
        Welch 1947, "The generalization of Student's problem when several different
        population variances are involved". For a group of one: Crawford and Howell
        1998, "Comparing an individual's test score against norms derived from small
        samples".
    """
    value = spread(first).mean - spread(second).mean
    error, degrees = _standard_error(first, second)
    if error == 0 and images:
        error, degrees = _binomial_error((first[0], second[0]), images), _NORMAL_DEGREES
    if error == 0:
        return MeanDifference(value, value, value, 1.0 if value == 0 else 0.0)
    margin = student_quantile((1 + confidence) / 2, degrees) * error
    return MeanDifference(value, value - margin, value + margin, _two_sided_p(value / error, degrees))


def _standard_error(first: Sequence[float], second: Sequence[float]) -> tuple[float, float]:
    """Returns the standard error of the difference of two means, and its degrees of freedom."""
    if len(first) == len(second) == 1:
        raise ValueError("Two single runs have no spread; compare them image by image.")
    if 1 in (len(first), len(second)):
        many = max(first, second, key=len)
        return float(spread(many).sd or 0.0) * math.sqrt(1 + 1 / len(many)), len(many) - 1
    parts = [(spread(group).sd or 0.0) ** 2 / len(group) for group in (first, second)]
    if not sum(parts):
        return 0.0, 1
    below = sum(part**2 / (len(group) - 1) for part, group in zip(parts, (first, second), strict=True))
    return math.sqrt(sum(parts)), sum(parts) ** 2 / below


def _binomial_error(accuracies: tuple[float, float], images: int) -> float:
    """Returns the standard error of the difference of two accuracies, each measured on so many images."""
    return math.sqrt(sum(accuracy * (1 - accuracy) for accuracy in accuracies) / images)


def runs_needed(first: Sequence[float], second: Sequence[float], *, power: float = POWER) -> int | None:
    """Returns how many runs of each group would make a difference of this size significant.

    Args:
        first: A number of each run of the first group.
        second: The same of the second group.
        power: The probability of finding the difference, if it is as observed.

    Returns:
        Runs of each group, at least two; None if there is no difference or no spread.

    Source:
        Cohen 1988, "Statistical power analysis for the behavioral sciences", with the
        normal distribution in index of Student's.
    """
    spreads = [spread(first), spread(second)]
    difference = abs(spreads[0].mean - spreads[1].mean)
    variances = [group.sd**2 for group in spreads if group.sd is not None]
    if not difference or not any(variances):
        return None
    normal = NormalDist()
    reach = normal.inv_cdf((1 + CONFIDENCE) / 2) + normal.inv_cdf(power)
    return max(2, math.ceil(2 * (sum(variances) / len(variances)) * (reach / difference) ** 2))


def student_quantile(p: float, degrees: float) -> float:
    """Returns the value below which Student's t is with probability `p`, in (0, 1).

    Source:
        Student 1908, "The probable error of a mean".
    """
    from scipy.special import stdtrit  # 0.35 s, only where replicates are compared

    return float(stdtrit(degrees, p))


def _two_sided_p(t: float, degrees: float) -> float:
    from scipy.special import stdtr

    return float(2 * stdtr(degrees, -abs(t)))
