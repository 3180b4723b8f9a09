"""What a comparison shows, in words a learner understands."""

from collections.abc import Sequence

from mnist_dash.evaluation import Accuracy
from mnist_dash.wording.numbers import accuracy_words, listed


def ranking_words(titles: Sequence[str], accuracies: Sequence[Accuracy]) -> str:
    """Says in one paragraph which run reads best, and which may be as good.

    Args:
        titles: Names of the runs, the best first.
        accuracies: Their accuracies on the same test pictures.
    """
    best, rest = accuracies[0], list(zip(titles, accuracies, strict=True))[1:]
    words = f"**{titles[0]}** reads {accuracy_words(best)} of the {best.n:,} test pictures right."
    near = [title for title, accuracy in rest if accuracy.high >= best.low]
    clear = [title for title, accuracy in rest if accuracy.high < best.low]
    if near:
        words += f" The interval of {listed(near)} overlaps with its own, so these may be as good."
    if clear:
        words += f" It is ahead of {listed(clear)} by more than their intervals."
    return words


def confusion_words(mistakes: Sequence[tuple[int, int, int]], accuracy: Accuracy) -> str:
    """Says how many pictures were read wrong, and which digits were confused most."""
    wrong = accuracy.n - round(accuracy.value * accuracy.n)
    if not mistakes:
        return f"All {accuracy.n:,} test pictures were read right."
    pairs = listed([f"{true} read as {read} ({count} ×)" for true, read, count in mistakes])
    return f"{wrong:,} of {accuracy.n:,} test pictures were read wrong; most often {pairs}."
