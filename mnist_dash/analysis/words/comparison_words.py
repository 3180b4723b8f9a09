"""What a comparison shows, in words a learner understands."""

import math
from collections.abc import Sequence

from mnist_dash.analysis.accuracies import Accuracy
from mnist_dash.analysis.importance import Effect
from mnist_dash.analysis.replicates import LEVEL, PairwiseTest, ReplicateGroup
from mnist_dash.analysis.words.number_words import accuracy_words, count_words, listed, percent, seconds_words
from mnist_dash.networks.variants import Claim

_CERTAIN = 1e-9
_NAMED = 3


def ranking_words(
    titles: Sequence[str],
    found: Sequence[ReplicateGroup],
    pairwise_tests: Sequence[PairwiseTest],
    mistakes: Sequence[tuple[int, int, int]] = (),
) -> str:
    """Says in a few sentences which contender reads best, where it fails, what it costs and what is tied with it.

    Args:
        titles: Names of the contenders, the best first.
        found: The contenders.
        verdicts: What the tests say of each pair.
        mistakes: The best one's, as (true digit, digit read, how often).
    """
    names = [one.first.title if len(one.runs) == 1 else title for one, title in zip(found, titles, strict=True)]
    of_best = [test for test in pairwise_tests if test.better == 0]
    beaten = [test.worse for test in of_best if test.real]
    tied = [test.worse for test in of_best if not test.real]
    n = found[0].accuracy.n
    words = [f"**{titles[0]}** reads {_reached(found[0])} of the {n:,} test pictures right."]
    if beaten:
        words.append(f"It is really better than {_some([names[place] for place in beaten])}.")
    if mistakes:
        words.append(f"Where it fails, it is mostly {_pairs(mistakes)}.")
    words.append(_cost_words(names, found, tied))
    if tied:
        verb = "are" if len(tied) > 1 else "is"
        words.append(
            f"{_some([names[place] for place in tied])} {verb} not shown to be worse: "
            "chance alone makes such differences."
        )
    return " ".join(filter(None, words))


def _some(names: Sequence[str]) -> str:
    """Lists a few names, and says how many more there are."""
    if len(names) <= _NAMED + 1:
        return listed(names)
    return listed([*names[:_NAMED], f"{len(names) - _NAMED} others"])


def _reached(group: ReplicateGroup) -> str:
    if len(group.runs) == 1:
        return accuracy_words(group.accuracy)
    return f"{accuracy_words(group.accuracy)} on average, in {len(group.runs)} runs,"


def _cost_words(names: Sequence[str], found: Sequence[ReplicateGroup], tied: Sequence[int]) -> str:
    """Says what the best costs: beside the cheapest that is tied with it, else beside the next."""
    if len(found) < 2:
        return ""
    other = min(tied, key=lambda place: found[place].first.weights or 0) if tied else 1
    costs = [(found[place].first.weights, found[place].mean("fit_seconds")) for place in (0, other)]
    (mine, my_seconds), (its, its_seconds) = costs
    if not (mine and its and my_seconds and its_seconds):
        return ""
    return (
        f"It has {mine:,} weights and trained for {seconds_words(my_seconds)}; "
        f"{names[other]} has {its:,} and took {seconds_words(its_seconds)}."
    )


def _pairs(mistakes: Sequence[tuple[int, int, int]]) -> str:
    return listed([f"{true} read as {read} ({count} ×)" for true, read, count in mistakes])


def chance_words(p: float) -> str:
    """Says how often chance makes such a difference: “once in 4,000 tries”."""
    if p >= 0.5:
        return "in more than half of all tries" if p < 1 else "in every try"
    if p < _CERTAIN:
        return "less than once in a billion tries"
    return f"once in {round(float(f'{1 / p:.2g}')):,} tries"


def verdict_words(titles: Sequence[str], test: PairwiseTest) -> str:
    """Says what a test found of two contenders, and what it rests on.

    Args:
        titles: Names of all contenders.
        test: What the test says.
    """
    better, worse = titles[test.better], titles[test.worse]
    if test.paired and test.paired.read_alike:
        return f"**{better}** and **{worse}** are the same here: they read every picture alike."
    found = f"**{better}** is better than **{worse}**" if test.real else _no_difference(better, worse, test)
    chance = chance_words(test.p_alone)
    pairs = math.comb(len(titles), 2)
    if test.p_alone < LEVEL and not test.real:
        chance = f"{chance}, no surprise among {pairs} pairs"
    return f"{found}; a difference like this would come up by chance {chance}. {_basis(test)}"


def _no_difference(better: str, worse: str, test: PairwiseTest) -> str:
    needed = ""
    if test.needed:
        needed = f" (if it is what it seems, about {test.needed:,} runs of each would show it)"
    return f"No difference is shown between **{better}** and **{worse}**{needed}"


def _basis(test: PairwiseTest) -> str:
    if test.paired:
        first, second = test.paired.only_first, test.paired.only_second
        return f"Only the first reads {count_words(first, 'picture')} right, only the second {second:,}."
    if test.means:
        low, high = 100 * test.means.low, 100 * test.means.high
        return f"The means differ by {100 * test.means.value:.2f} points (95 % interval {low:+.2f} to {high:+.2f})."
    return ""


def claim_words(claim: Claim | None, accuracy: Accuracy) -> str:
    """Says what a tutorial claims, and whether that lies inside what was measured; empty without claim."""
    if claim is None:
        return ""
    if claim.accuracy is None:
        return claim.words
    if accuracy.low <= claim.accuracy <= accuracy.high:
        return f"{claim.words}: inside the interval"
    return f"{claim.words}: {'more' if claim.accuracy > accuracy.high else 'less'} than was measured"


def confusion_words(mistakes: Sequence[tuple[int, int, int]], accuracy: Accuracy) -> str:
    """Says how many pictures were read wrong, and which digits were confused most."""
    wrong = accuracy.n - round(accuracy.value * accuracy.n)
    if not mistakes:
        return f"All {accuracy.n:,} test pictures were read right."
    return f"{wrong:,} of {accuracy.n:,} test pictures were read wrong; most often {_pairs(mistakes)}."


def effect_words(label: str, value: str, effect: Effect) -> str:
    """Says how much one setting of a sweep mattered, and which value did best."""
    return (
        f"**{label}** explains {percent(effect.share, decimals=0)} of the differences; "
        f"best was {value}, with {percent(effect.mean)} on average."
    )
