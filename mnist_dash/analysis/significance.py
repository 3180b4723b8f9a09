"""Whether a difference is real: paired tests on the same pictures, differences between repeated runs."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from mnist_dash.analysis.accuracies import CONFIDENCE, spread
from mnist_dash.analysis.test_predictions import TestPredictions
from mnist_dash.errors import ComparisonError

POWER = 0.8  # how often a test is to find a difference that is there
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(200)


@dataclass(frozen=True)
class Paired:
    """How two runs did on the same pictures.

    Attributes:
        only_first: Pictures that only the first read right.
        only_second: Pictures that only the second read right.
        read_alike: Whether both read every picture as the same digit.
        p: How often chance alone would split such pictures at least as unevenly, in (0, 1].
    """

    only_first: int
    only_second: int
    read_alike: bool
    p: float


def paired_test(first: TestPredictions, second: TestPredictions) -> Paired:
    """Compares two runs on the same test pictures by McNemar's exact test.

    Raises:
        ComparisonError: If they were tested on different pictures.
    """
    if not np.array_equal(first.labels, second.labels):
        raise ComparisonError(
            f"These runs were tested on different pictures ({len(first.labels):,} and {len(second.labels):,}), "
            "so they cannot be compared picture by picture. Choose runs that were tested on the same data."
        )
    right, other = first.right, second.right
    only_first, only_second = int((right & ~other).sum()), int((other & ~right).sum())
    alike = bool((first.predictions == second.predictions).all())
    return Paired(only_first, only_second, alike, mcnemar(only_first, only_second))


def mcnemar(only_first: int, only_second: int) -> float:
    """Returns the exact two-sided p-value of McNemar's test.

    Args:
        only_first: Pictures that only the first of two networks read right.
        only_second: Pictures that only the second read right.

    Returns:
        How often fair coins, one for each of these pictures, would fall at least as
        unevenly; in (0, 1]. 1 if there are no such pictures.

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
    for rank, place in enumerate(sorted(range(len(p_values)), key=lambda place: p_values[place])):
        largest = max(largest, min(1.0, (len(p_values) - rank) * p_values[place]))
        corrected[place] = largest
    return corrected


_NORMAL_DEGREES = 10**6  # with so many, Student's distribution is the normal one


@dataclass(frozen=True)
class MeanDifference:
    """The difference between the means of two groups of repeated runs.

    Attributes:
        value: First mean minus second.
        low, high: Its interval.
        p: How often chance alone would make it at least as large, in [0, 1].
    """

    value: float
    low: float
    high: float
    p: float


def welch_test(
    first: Sequence[float], second: Sequence[float], *, images: int | None = None, confidence: float = CONFIDENCE
) -> MeanDifference:
    """Compares two groups of repeated runs by Welch's t-test.

    A group of one has no spread of its own; it is taken to have the other's.

    Args:
        first: A number of each run of the first group, at least one.
        second: The same of the second group. One of the groups has at least two.
        images: On how many test images the numbers, then accuracies in [0, 1], were
            measured. Where no group scatters, seeds say nothing of chance: then the images'
            own binomial spread is the standard error, as in a two-proportion z-test.
        confidence: How often such an interval holds the true difference.

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
    return MeanDifference(value, value - margin, value + margin, 2 * student_tail(abs(value) / error, degrees))


def _standard_error(first: Sequence[float], second: Sequence[float]) -> tuple[float, float]:
    """Returns the standard error of the difference of two means, and its degrees of freedom."""
    if len(first) == len(second) == 1:
        raise ValueError("Two single runs have no spread; compare them picture by picture.")
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
    """Returns how many runs of each kind would show a difference of this size.

    Args:
        first: A number of each run of the first group.
        second: The same of the second group.
        power: How often the difference is to be found, if it is what it seems now.

    Returns:
        Runs of each kind, at least two; None if there seems to be no difference at all.

    Source:
        Cohen 1988, "Statistical power analysis for the behavioral sciences", with the
        normal distribution in place of Student's.
    """
    found = [spread(first), spread(second)]
    difference = abs(found[0].mean - found[1].mean)
    variances = [group.sd**2 for group in found if group.sd is not None]
    if not difference or not variances:
        return None
    normal = NormalDist()
    reach = normal.inv_cdf((1 + CONFIDENCE) / 2) + normal.inv_cdf(power)
    return max(2, math.ceil(2 * (sum(variances) / len(variances)) * (reach / difference) ** 2))


def student_tail(t: float, degrees: float) -> float:
    """Returns how often Student's t is larger than `t`, which is at least 0, with so many degrees of freedom."""
    # With t = √degrees · cot φ the tail is the integral of a power of the sine over a finite
    # piece; φ = u⁴ makes it smooth where φ is 0, as Gauss and Legendre need it.
    high = math.atan2(math.sqrt(degrees), t)
    low = max(0.0, high - 40 / math.sqrt(degrees))  # a narrow peak beyond which is nothing
    first, last = math.sqrt(math.sqrt(low)), math.sqrt(math.sqrt(high))
    u = first + (last - first) / 2 * (_NODES + 1)
    inside = float(_WEIGHTS @ (4 * u**3 * np.sin(u**4) ** (degrees - 1))) * (last - first) / 2
    scale = math.exp(math.lgamma((degrees + 1) / 2) - math.lgamma(degrees / 2)) / math.sqrt(math.pi)
    return min(0.5, inside * scale)


def student_quantile(p: float, degrees: float) -> float:
    """Returns below which value Student's t is with probability `p`, in [0.5, 1), found by halving.

    Source:
        Student 1908, "The probable error of a mean".
    """
    low, high = 0.0, 1.0
    while student_tail(high, degrees) > 1 - p:
        high *= 2
    for _ in range(80):
        middle = (low + high) / 2
        low, high = (middle, high) if student_tail(middle, degrees) > 1 - p else (low, middle)
    return high
