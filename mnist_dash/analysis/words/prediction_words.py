"""What networks read in a picture, in words."""

from collections.abc import Sequence

from mnist_dash.analysis.calibration import WhenSure
from mnist_dash.analysis.words.number_words import listed, probability_words


def agreement_words(titles: Sequence[str], readings: Sequence[str]) -> str:
    """Says whether networks read the same (“a 7”, “2026”), and who reads what if they do not."""
    if len(set(readings)) == 1:
        return f"**{'All networks read' if len(readings) > 1 else f'{titles[0]} reads'} {readings[0]}.**"
    who = {read: [title for title, own in zip(titles, readings, strict=True) if own == read] for read in readings}
    parts = [
        f"{listed(names)} {'read' if len(names) > 1 else 'reads'} {read}"
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


def as_sure_words(found: WhenSure | None) -> str:
    """Says how often a network was right when it was as sure as now."""
    if found is None:
        return "never this sure on a test picture"
    return f"this sure {found.accuracy.n:,} times in the test: right {probability_words(found.accuracy.value)}"
