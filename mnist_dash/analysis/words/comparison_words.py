"""Comparisons in words: ranking, pairwise tests, tutorial figures, confusions, effects of settings."""

import math
from collections.abc import Sequence

from mnist_dash.analysis.accuracies import Accuracy
from mnist_dash.analysis.importance import Effect
from mnist_dash.analysis.replicates import LEVEL, PairwiseTest, ReplicateGroup
from mnist_dash.analysis.words.number_words import accuracy_words, listed, percent, seconds_words
from mnist_dash.datasets.mnist import DIGITS
from mnist_dash.networks.variants import Claim

_SMALL_P = 0.0001  # smaller p-values are given as below a power of ten …
_SMALLEST_POWER = 9  # … at most this one
_SUPERSCRIPTS = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")
_MAX_NAMES = 3


def ranking_words(
    titles: Sequence[str],
    groups: Sequence[ReplicateGroup],
    pairwise_tests: Sequence[PairwiseTest],
    confusions: Sequence[tuple[int, int, int]] = (),
) -> str:
    """Summarises a comparison: the best group, which others differ significantly, its confusions, its cost.

    Args:
        titles: Names of the groups, the best first.
        groups: The groups.
        pairwise_tests: One a pair.
        confusions: The best group's, as (true digit, predicted digit, count).
    """
    names = [group.first.title if len(group.runs) == 1 else title for group, title in zip(groups, titles, strict=True)]
    of_best = [test for test in pairwise_tests if test.better == 0]
    worse = [test.worse for test in of_best if test.significant]
    tied = [test.worse for test in of_best if not test.significant]
    words = [f"**{titles[0]}**: {_accuracy_words(groups[0])} on {groups[0].accuracy.n:,} test images."]
    if worse:
        words.append(f"Significantly better than {_first_names([names[index] for index in worse])}.")
    if tied:
        words.append(f"Statistically tied with {_first_names([names[index] for index in tied])}.")
    if confusions:
        words.append(f"Most frequent confusions (true → predicted): {_pairs(confusions, groups[0].first.classes)}.")
    words.append(_cost_words(names, groups, tied))
    return " ".join(filter(None, words))


def verdict_words(
    titles: Sequence[str], groups: Sequence[ReplicateGroup], pairwise_tests: Sequence[PairwiseTest]
) -> str:
    """Says in one sentence which groups are best, and whether that is significant.

    Args:
        titles: Names of the groups, the best first.
        groups: The groups.
        pairwise_tests: One a pair.
    """
    best = f"**{titles[0]}**"
    if len(groups) == 1:
        return f"{best}: {_accuracy_words(groups[0])} on {groups[0].accuracy.n:,} test images."
    of_best = {test.worse: test for test in pairwise_tests if test.better == 0}
    tied = [index for index, test in of_best.items() if not test.significant]
    worse = [index for index, test in of_best.items() if test.significant]
    rest = "the rest" if len(worse) > 1 else f"**{titles[worse[0]]}**" if worse else ""
    if not tied:
        p = f": {p_words(of_best[worse[0]].p)}" if len(worse) == 1 else ""
        return f"{best} is best, {accuracy_words(groups[0].accuracy)}, and significantly better than {rest}{p}."
    names = _first_names([best, *(f"**{titles[index]}**" for index in tied)])
    words = f"{names} are statistically tied"
    if not worse:
        return f"{words}."
    beaten = {(test.better, test.worse) for test in pairwise_tests if test.significant}
    all_beat = all((better, other) in beaten for better in tied for other in worse)
    winners = ("both are" if len(tied) == 1 else "all are") if all_beat else f"{best} is"
    return f"{words}; {winners} significantly better than {rest}."


def _first_names(names: Sequence[str]) -> str:
    """Lists a few names, and says how many more there are."""
    if len(names) <= _MAX_NAMES + 1:
        return listed(names)
    return listed([*names[:_MAX_NAMES], f"{len(names) - _MAX_NAMES} others"])


def _accuracy_words(group: ReplicateGroup) -> str:
    if len(group.runs) == 1:
        return f"{accuracy_words(group.accuracy)} accuracy"
    return f"{accuracy_words(group.accuracy)} mean accuracy of {len(group.runs)} runs"


def _cost_words(names: Sequence[str], groups: Sequence[ReplicateGroup], tied: Sequence[int]) -> str:
    """Compares the best group's cost with the smallest that is tied with it, else with the next."""
    if len(groups) < 2:
        return ""
    other = min(tied, key=lambda index: groups[index].first.weights or 0) if tied else 1
    costs = [(groups[index].first.weights, groups[index].mean("fit_seconds")) for index in (0, other)]
    (weights, seconds), (other_weights, other_seconds) = costs
    if not (weights and other_weights and seconds and other_seconds):
        return ""
    return (
        f"{weights:,} parameters, {seconds_words(seconds)} of training; "
        f"{names[other]}: {other_weights:,} parameters, {seconds_words(other_seconds)}."
    )


def _pairs(confusions: Sequence[tuple[int, int, int]], classes: Sequence[str]) -> str:
    return ", ".join(
        f"{classes[true]}\u2009→\u2009{classes[predicted]} ({count}\u00a0×)" for true, predicted, count in confusions
    )


def p_words(p: float) -> str:
    """Returns a p-value as it is reported: “p = 0.03”, “p < 10⁻⁹”."""
    if p >= _SMALL_P:
        return f"p\u00a0=\u00a0{p:.2g}"
    power = min(_SMALLEST_POWER, math.floor(-math.log10(p))) if p > 0 else _SMALLEST_POWER
    return f"p\u00a0<\u00a010⁻{str(power).translate(_SUPERSCRIPTS)}"


def pairwise_words(titles: Sequence[str], test: PairwiseTest) -> str:
    """Says whether two groups differ significantly, with the p-value and the counts or means behind it.

    Args:
        titles: Names of all groups.
        test: The test of two of them.
    """
    better, worse = f"**{titles[test.better]}**", f"**{titles[test.worse]}**"
    if test.paired and test.paired.identical:
        return f"{better} and {worse} predict the same digit for every image."
    p = p_words(test.p)
    if test.significant:
        return f"{better} is significantly better than {worse}: {p}. {_basis(test)}"
    if test.uncorrected_p < LEVEL:
        p += f" after correction for {math.comb(len(titles), 2)} pairs ({p_words(test.uncorrected_p)} without)"
    return f"{better} and {worse} are statistically tied: {p}. {_basis(test)}"


def _basis(test: PairwiseTest) -> str:
    if test.paired:
        first, second = test.paired.only_first, test.paired.only_second
        return f"Right alone: {first:,} vs {second:,} images."
    if not test.means:
        return ""
    low, high = 100 * test.means.low, 100 * test.means.high
    words = f"Means differ by {100 * test.means.value:.2f} points (95 % interval {low:+.2f} to {high:+.2f})"
    if test.significant or not test.runs_needed:
        return f"{words}."
    return f"{words}; about {test.runs_needed:,} runs of each are needed to detect this difference."


def claim_words(claim: Claim | None, accuracy: Accuracy) -> str:
    """Says what a tutorial reports, and whether the measured interval contains it; empty without claim."""
    if claim is None:
        return ""
    if claim.accuracy is None:
        return claim.words
    if accuracy.low <= claim.accuracy <= accuracy.high:
        return f"{claim.words} (inside the interval)"
    return f"{claim.words} ({'above' if claim.accuracy > accuracy.high else 'below'} the interval)"


def confusion_words(
    confusions: Sequence[tuple[int, int, int]], accuracy: Accuracy, classes: Sequence[str] = DIGITS
) -> str:
    """Says how many images are misclassified, and which classes are confused most."""
    wrong = accuracy.n - round(accuracy.value * accuracy.n)
    if not confusions:
        return f"All {accuracy.n:,} test images are predicted correctly."
    return f"{wrong:,} of {accuracy.n:,} misclassified; most often {_pairs(confusions, classes)}."


def effect_words(label: str, value: str, effect: Effect) -> str:
    """Says how much of the variance one setting of a sweep explains, and which value is best."""
    return (
        f"**{label}** explains {percent(effect.share, decimals=0)} of the variance in accuracy; "
        f"best value: {value} (mean accuracy {percent(effect.mean)})."
    )
