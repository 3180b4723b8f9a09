"""Robustness in words."""

from collections.abc import Sequence

from mnist_dash.analysis.corruption_accuracy import lead, robustness, untouched
from mnist_dash.analysis.words.number_words import accuracy_words, listed, percent
from mnist_dash.store.corruption_counts import CorruptionCounts

_NAMED = 5  # of those that it is ahead of


def robustness_words(titles: Sequence[str], readings: Sequence[CorruptionCounts]) -> str:
    """Says which run holds up best under corruption, and which may be as good.

    Args:
        titles: Names of the runs, at least one.
        readings: What was measured of them, all on the same pictures.
    """
    order = sorted(range(len(titles)), key=lambda place: -(readings[place].mean or 0.0))
    best, rest = order[0], order[1:]
    found, clean = robustness(readings[best]), untouched(readings[best])
    holds = "holds up best: it reads" if rest else "reads"
    words = [
        f"**{titles[best]}** {holds} {accuracy_words(found)} of corrupted pictures right, on average over 15 kinds at "
        f"five strengths, and {percent(clean.value)} of the same {found.n:,} pictures untouched."
    ]
    near = [place for place in rest if not lead(readings[best], readings[place]).is_real]
    if near:
        verb = "are" if len(near) > 1 else "is"
        words.append(f"{listed([titles[place] for place in near])} {verb} not shown to be worse.")
    far = [place for place in rest if place not in near]
    if far:
        named = [f"{titles[place]} with {percent(readings[place].mean or 0.0)}" for place in far]
        more = [f"{len(named) - _NAMED} more"] if len(named) > _NAMED else []
        words.append(f"It is ahead of {listed([*named[:_NAMED], *more])} by more than chance.")
    return " ".join(words)
