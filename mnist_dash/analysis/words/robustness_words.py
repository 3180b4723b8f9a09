"""Robustness in words."""

from collections.abc import Sequence

from mnist_dash.analysis.corruption_accuracy import clean_accuracy, lead, robustness
from mnist_dash.analysis.words.number_words import accuracy_words, listed, percent
from mnist_dash.store.corruption_counts import CorruptionCounts

_MAX_NAMES = 5  # of those that are significantly worse


def robustness_words(titles: Sequence[str], counts: Sequence[CorruptionCounts]) -> str:
    """Says which run is the most robust, and which are tied with it.

    Args:
        titles: Names of the runs, at least one.
        counts: Their measurements, all on the same images.
    """
    best, *rest = sorted(range(len(titles)), key=lambda index: -(counts[index].mean or 0.0))
    corrupted, clean = robustness(counts[best]), clean_accuracy(counts[best])
    words = [
        f"**{titles[best]}**: {accuracy_words(corrupted)} mean accuracy over 15 corruptions at five strengths, "
        f"{percent(clean.value)} on the same {corrupted.n:,} clean images."
    ]
    tied = [index for index in rest if not lead(counts[best], counts[index]).is_significant]
    worse = [f"{titles[index]} ({percent(counts[index].mean or 0.0)})" for index in rest if index not in tied]
    if worse:
        more = [f"{len(worse) - _MAX_NAMES} more"] if len(worse) > _MAX_NAMES else []
        words.append(f"Significantly better than {listed([*worse[:_MAX_NAMES], *more])}.")
    if tied:
        words.append(f"Statistically tied with {listed([titles[index] for index in tied])}.")
    return " ".join(words)
