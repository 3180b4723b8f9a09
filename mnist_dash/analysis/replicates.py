"""What is compared: single runs, and repeats of the same thing taken together."""

import statistics
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from itertools import combinations

from mnist_dash.analysis.accuracies import CONFIDENCE, Accuracy, spread
from mnist_dash.analysis.significance import (
    MeanDifference,
    Paired,
    holm,
    paired_test,
    runs_needed,
    student_quantile,
    welch_test,
)
from mnist_dash.analysis.test_predictions import TestPredictions, of_run
from mnist_dash.errors import ComparisonError
from mnist_dash.networks.experiments import replicate_key
from mnist_dash.store.records import Run

_quantile = cache(student_quantile)  # 3 ms, and there are few numbers of repeats
LEVEL = 1 - CONFIDENCE  # a difference that chance makes more seldom than this is called real


@dataclass(frozen=True)
class ReplicateGroup:
    """One run, or several that differ only in seed or fold.

    Attributes:
        runs: Finished runs, at least one.
    """

    runs: tuple[Run, ...]

    @property
    def first(self) -> Run:
        """A run with all that its repeats share."""
        return self.runs[0]

    @property
    def accuracies(self) -> list[float]:
        """Test accuracy of each run, in [0, 1]."""
        return [run.test_accuracy or 0.0 for run in self.runs]

    @cached_property
    def accuracy(self) -> Accuracy:
        """Of one run with the interval for its test pictures; of several their mean, with that for their chance."""
        if len(self.runs) == 1:
            return of_run(self.first)
        found = spread(self.accuracies)
        margin = _quantile((1 + CONFIDENCE) / 2, found.n - 1) * (found.sd or 0.0) / found.n**0.5
        return Accuracy(found.mean, max(0.0, found.mean - margin), min(1.0, found.mean + margin), of_run(self.first).n)

    def mean(self, name: str) -> float | None:
        """Returns the mean of a field of `Result` over the runs; None if no run has it."""
        known = [value for run in self.runs if (value := getattr(run, name)) is not None]
        return statistics.fmean(known) if known else None


def replicate_groups(runs: Sequence[Run], *, together: bool = True) -> list[ReplicateGroup]:
    """Returns what is to be compared, the best first.

    Args:
        runs: Finished runs.
        together: Take repeats together; else every run stands for itself.

    Raises:
        ComparisonError: If they were tested on different data.
    """
    check_same_data(runs)
    groups: dict[object, list[Run]] = {}
    times = Counter[object]()
    for run in sorted(runs, key=lambda run: run.id):
        # A run that ships with the project is known by its own name, whatever else is like it.
        alike = replicate_key(run) if together and not run.is_reference else run.id
        # The same seed and fold once more is the same run, which would make the spread too small: it stands beside.
        same = (alike, run.settings.get("seed"), run.settings.get("fold"))
        groups.setdefault((alike, times[same]), []).append(run)
        times[same] += 1
    return sorted(map(ReplicateGroup, map(tuple, groups.values())), key=lambda group: -group.accuracy.value)


def check_same_data(runs: Sequence[Run]) -> None:
    """Makes sure that runs can be compared.

    Raises:
        ComparisonError: If they were tested on different data.
    """
    names = sorted({run.dataset for run in runs})
    if len({run.fingerprint for run in runs}) > 1:
        raise ComparisonError(
            f"These runs were tested on different data ({' and '.join(names)}), so their numbers cannot be compared. "
            "Choose runs that were tested on the same pictures."
        )


@dataclass(frozen=True)
class PairwiseTest:
    """What a test says of two contenders.

    Attributes:
        better: Place of the one with the higher accuracy.
        worse: Place of the other.
        p: How often chance alone makes such a difference somewhere, corrected for the number of pairs.
        paired: How two single runs did picture by picture.
        means: The difference of means of repeated runs, better minus worse.
        needed: How many runs of each would show the difference of means; None for single runs, or
            if there is no difference.
    """

    better: int
    worse: int
    p: float
    paired: Paired | None = None
    means: MeanDifference | None = None
    needed: int | None = None

    @property
    def p_alone(self) -> float:
        """How often chance alone makes such a difference between these two; not corrected."""
        return self.paired.p if self.paired else self.means.p if self.means else self.p

    @property
    def real(self) -> bool:
        """Whether chance makes such a difference more seldom than `LEVEL`."""
        return self.p < LEVEL


def pairwise_tests(found: Sequence[ReplicateGroup], outcomes: Mapping[int, TestPredictions]) -> list[PairwiseTest]:
    """Tests every pair, and corrects for the number of pairs.

    Args:
        found: The contenders, the best first.
        outcomes: What each run said about the test pictures, by run.

    Returns:
        One verdict a pair, those with the best contender first.

    Source:
        See `mcnemar`, `welch_test` and `holm`.
    """
    tested = [_tested(found, better, worse, outcomes) for better, worse in combinations(range(len(found)), 2)]
    corrected = holm([test.p for test in tested])
    return [
        PairwiseTest(test.better, test.worse, p, test.paired, test.means, test.needed)
        for test, p in zip(tested, corrected, strict=True)
    ]


def _tested(
    found: Sequence[ReplicateGroup], better: int, worse: int, outcomes: Mapping[int, TestPredictions]
) -> PairwiseTest:
    first, second = found[better], found[worse]
    if len(first.runs) == len(second.runs) == 1:
        paired = paired_test(outcomes[first.first.id], outcomes[second.first.id])
        return PairwiseTest(better, worse, paired.p, paired=paired)
    means = welch_test(first.accuracies, second.accuracies, images=first.accuracy.n)
    return PairwiseTest(better, worse, means.p, means=means, needed=runs_needed(first.accuracies, second.accuracies))
