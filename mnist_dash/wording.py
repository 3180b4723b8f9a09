"""Numbers as people read them: never more digits than they justify."""

from collections.abc import Sequence

from mnist_dash.evaluation import Accuracy, Spread, WhenSure
from mnist_dash.runs import Epoch, best_epoch


def percent(part: float, *, decimals: int = 1) -> str:
    """Returns a share in [0, 1] as, for instance, “97.9 %”."""
    return f"{100 * part:.{decimals}f} %"


def probability_words(part: float) -> str:
    """Returns a probability in [0, 1]; none is rounded to impossible or certain."""
    if 0 < part < 0.0005:
        return "< 0.1 %"
    return "> 99.9 %" if 0.9995 <= part < 1 else percent(part)


def rounded(value: float) -> float:
    """Returns a number with two significant digits, or as a whole number if it has more."""
    return float(round(value)) if value >= 100 else float(f"{value:.2g}")


def accuracy_words(accuracy: Accuracy) -> str:
    """Returns an accuracy with its interval, for instance “97.9 % (± 0.3)”."""
    decimals = 1 if accuracy.margin >= 0.0005 else 2 if accuracy.margin >= 0.00005 else 3
    return f"{percent(accuracy.value, decimals=decimals)} (± {100 * accuracy.margin:.{decimals}f})"


def spread_words(found: Spread) -> str:
    """Returns a mean share with its standard deviation over repeated runs, for instance “97.8 % ± 0.2”."""
    if found.sd is None:
        return percent(found.mean)
    decimals = 1 if found.sd >= 0.0005 else 2
    return f"{percent(found.mean, decimals=decimals)} ± {100 * found.sd:.{decimals}f}"


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
        words += f" The interval of {_listed(near)} overlaps with its own, so these may be as good."
    if clear:
        words += f" It is ahead of {_listed(clear)} by more than their intervals."
    return words


def confusion_words(mistakes: Sequence[tuple[int, int, int]], accuracy: Accuracy) -> str:
    """Says how many pictures were read wrong, and which digits were confused most."""
    wrong = accuracy.n - round(accuracy.value * accuracy.n)
    if not mistakes:
        return f"All {accuracy.n:,} test pictures were read right."
    pairs = _listed([f"{true} read as {read} ({count} ×)" for true, read, count in mistakes])
    return f"{wrong:,} of {accuracy.n:,} test pictures were read wrong; most often {pairs}."


def over_fitting_words(epochs: Sequence[Epoch]) -> str:
    """Says where the validation loss was lowest; empty without validation."""
    best = best_epoch(epochs)
    if best is None or best.val_loss is None:
        return ""
    words = f"lowest validation loss, {best.val_loss:.4f}, in epoch {best.number} of {epochs[-1].number}"
    last = epochs[-1].val_loss or 0.0
    if last > 1.1 * best.val_loss:
        return f"{words}; since then it has risen to {last:.4f} while training went on: over-fitting."
    return f"{words}; no clear over-fitting."


def agreement_words(titles: Sequence[str], readings: Sequence[str]) -> str:
    """Says whether networks read the same (“a 7”, “2026”), and who reads what if they do not."""
    if len(set(readings)) == 1:
        return f"**{'All networks read' if len(readings) > 1 else f'{titles[0]} reads'} {readings[0]}.**"
    who = {read: [title for title, own in zip(titles, readings, strict=True) if own == read] for read in readings}
    parts = [
        f"{_listed(names)} {'read' if len(names) > 1 else 'reads'} {read}"
        for read, names in sorted(who.items(), key=lambda item: -len(item[1]))
    ]
    return f"**They disagree:** {'; '.join(parts)}."


def not_a_digit_words() -> str:
    """Says that something is refused, and how often that is a mistake."""
    return "**This does not look like a digit.** Fewer than 1 of 100 real digits are refused by mistake."


def number_words(rows: Sequence[object], digits: Sequence[int]) -> str:
    """Writes digits in reading order as numbers, one a row: “2026”, or “12 / 34”.

    Args:
        rows: What tells the row of each digit; equal ones stand together.
        digits: The digits.
    """
    parts: dict[object, str] = {}
    for row, digit in zip(rows, digits, strict=True):
        parts[row] = parts.get(row, "") + str(int(digit))
    return " / ".join(parts.values())


def count_words(count: int, noun: str) -> str:
    """Writes “1 digit” or “12 digits”."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def as_sure_words(found: WhenSure | None) -> str:
    """Says how often a network was right when it was as sure as now."""
    if found is None:
        return "never this sure on a test picture"
    return f"this sure {found.accuracy.n:,} times in the test: right {probability_words(found.accuracy.value)}"


def _listed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def seconds_words(seconds: float) -> str:
    """Returns a duration with two significant digits: “0.32 s”, “31 s”, “12 min”, “1.5 h”."""
    for size, unit in ((3600, "h"), (60, "min")):
        if seconds >= 2 * size:
            return f"{_two_digits(seconds / size)} {unit}"
    return f"{_two_digits(seconds)} s"


def milliseconds_words(milliseconds: float) -> str:
    """Returns milliseconds with two significant digits."""
    return f"{_two_digits(milliseconds)} ms"


def _two_digits(value: float) -> str:
    if value <= 0:
        return "0"
    rounded = float(f"{value:.2g}")
    return f"{rounded:,.0f}" if rounded >= 10 else f"{rounded:.2g}"
