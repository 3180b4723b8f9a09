"""Replicate groups, runs that differ only in seed or fold, and pairwise tests between them."""

import statistics
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
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
from mnist_dash.networks.experiments import group_replicates
from mnist_dash.store.records import Run

LEVEL = 1 - CONFIDENCE  # p-values below this are significant


@dataclass(frozen=True)
class ReplicateGroup:
    """One run, or several that differ only in seed or fold.

    Attributes:
        runs: Finished runs, at least one.
    """

    runs: tuple[Run, ...]

    @property
    def first(self) -> Run:
        """A run with all settings that its replicates share."""
        return self.runs[0]

    @property
    def accuracies(self) -> list[float]:
        """Test accuracy of each run, in [0, 1]."""
        return [run.test_accuracy or 0.0 for run in self.runs]

    @cached_property
    def accuracy(self) -> Accuracy:
        """Of one run with the interval from its test images; of several their mean, with that from their spread."""
        if len(self.runs) == 1:
            return of_run(self.first)
        of_runs = spread(self.accuracies)
        margin = student_quantile((1 + CONFIDENCE) / 2, of_runs.n - 1) * (of_runs.sd or 0.0) / of_runs.n**0.5
        return Accuracy(
            of_runs.mean, max(0.0, of_runs.mean - margin), min(1.0, of_runs.mean + margin), of_run(self.first).n
        )

    def mean(self, name: str) -> float | None:
        """Returns the mean of a field of `Result` over the runs; None if no run has it."""
        known = [value for run in self.runs if (value := getattr(run, name)) is not None]
        return statistics.fmean(known) if known else None


def replicate_groups(runs: Sequence[Run], *, together: bool = True) -> list[ReplicateGroup]:
    """Returns the groups to compare, the best first.

    Args:
        runs: Finished runs.
        together: Group replicates; else every run is a group of its own.

    Raises:
        ComparisonError: If they were tested on different data.
    """
    check_same_data(runs)
    by_id = sorted(runs, key=lambda run: run.id)
    # A run that ships with the project is known by its own name, whatever else is like it.
    groups = group_replicates(by_id, separate=lambda run: not together or run.is_reference)
    distinct = [ReplicateGroup(tuple(part)) for group in groups for part in _without_duplicates(group)]
    return sorted(distinct, key=lambda group: -group.accuracy.value)


def _without_duplicates(runs: Sequence[Run]) -> list[list[Run]]:
    """Divides runs so that no seed and fold occurs twice in a part: the same numbers again would narrow the spread."""
    parts: dict[int, list[Run]] = {}
    seen = Counter[object]()
    for run in runs:
        replicate = (run.settings.get("seed"), run.settings.get("fold"))
        parts.setdefault(seen[replicate], []).append(run)
        seen[replicate] += 1
    return list(parts.values())


def check_same_data(runs: Sequence[Run]) -> None:
    """Makes sure that runs can be compared.

    Raises:
        ComparisonError: If they were tested on different data.
    """
    names = sorted({run.dataset for run in runs})
    if len({run.fingerprint for run in runs}) > 1:
        raise ComparisonError(
            f"These runs were tested on different data ({' and '.join(names)}), so their numbers cannot be compared. "
            "Choose runs that were tested on the same images."
        )


@dataclass(frozen=True)
class PairwiseTest:
    """A test between two groups.

    Attributes:
        better: Index of the group with the higher accuracy.
        worse: Index of the other.
        p: The p-value, corrected for the number of pairs.
        paired: The comparison of two single runs image by image.
        means: The difference of the groups' means, better minus worse.
        runs_needed: Runs of each group at which the difference of means would be significant; None for
            single runs, or if there is no difference.
    """

    better: int
    worse: int
    p: float
    paired: Paired | None = None
    means: MeanDifference | None = None
    runs_needed: int | None = None

    @property
    def uncorrected_p(self) -> float:
        """The p-value without correction for the number of pairs."""
        return self.paired.p if self.paired else self.means.p if self.means else self.p

    @property
    def significant(self) -> bool:
        """Whether the corrected p-value is below `LEVEL`."""
        return self.p < LEVEL


def pairwise_tests(groups: Sequence[ReplicateGroup], predictions: Mapping[int, TestPredictions]) -> list[PairwiseTest]:
    """Tests every pair, and corrects for the number of pairs.

    Args:
        groups: The best first.
        predictions: Of each single run on the test images, by run.

    Returns:
        One test a pair, those with the best group first.

    Source:
        See `mcnemar`, `welch_test` and `holm`.
    """
    tested = [_tested(groups, better, worse, predictions) for better, worse in combinations(range(len(groups)), 2)]
    corrected = holm([test.p for test in tested])
    return [replace(test, p=p) for test, p in zip(tested, corrected, strict=True)]


def _tested(
    groups: Sequence[ReplicateGroup], better: int, worse: int, predictions: Mapping[int, TestPredictions]
) -> PairwiseTest:
    first, second = groups[better], groups[worse]
    if len(first.runs) == len(second.runs) == 1:
        paired = paired_test(predictions[first.first.id], predictions[second.first.id])
        return PairwiseTest(better, worse, paired.p, paired=paired)
    means = welch_test(first.accuracies, second.accuracies, images=first.accuracy.n)
    needed = runs_needed(first.accuracies, second.accuracies)
    if needed and needed <= min(len(first.runs), len(second.runs)):
        needed = None  # the test says more than the estimate, which takes the normal distribution for Student's
    return PairwiseTest(better, worse, means.p, means=means, runs_needed=needed)
