"""What models predict, in words."""

from collections.abc import Sequence

from mnist_dash.analysis.calibration import WhenSure
from mnist_dash.analysis.words.number_words import count_words, listed, probability_words


def agreement_words(titles: Sequence[str], readings: Sequence[str]) -> str:
    """Says whether all models predict the same (“7”, “2026”), or which predicts what."""
    if len(set(readings)) == 1:
        return f"**{'All models predict' if len(readings) > 1 else f'{titles[0]} predicts'} {readings[0]}.**"
    who = {read: [title for title, own in zip(titles, readings, strict=True) if own == read] for read in readings}
    parts = [
        f"{listed(names)} {'predict' if len(names) > 1 else 'predicts'} {read}"
        for read, names in sorted(who.items(), key=lambda item: -len(item[1]))
    ]
    return f"**Models disagree:** {'; '.join(parts)}."


def not_a_digit_words() -> str:
    """Says that a drawing is rejected, and how often that is a mistake."""
    return "**This does not look like a digit.** Fewer than 1 in 100 real digits are rejected by mistake."


def accuracy_at_confidence_words(found: WhenSure | None) -> str:
    """Says how accurate a model was on test images at the same confidence."""
    if found is None:
        return "no test image at this confidence"
    images = count_words(found.accuracy.n, "test image")
    return f"{probability_words(found.accuracy.value)} correct on {images} at this confidence"
