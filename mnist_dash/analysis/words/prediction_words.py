"""Predictions in words."""

from collections.abc import Sequence

from mnist_dash.analysis.calibration import ConfidenceRange
from mnist_dash.analysis.words.number_words import listed, probability_words


def agreement_words(titles: Sequence[str], predictions: Sequence[str]) -> str:
    """Says whether models predict the same (“a 7”, “2026”), and which predict what if they do not."""
    if len(set(predictions)) == 1:
        who = "All models predict" if len(predictions) > 1 else f"{titles[0]} predicts"
        return f"**{who} {predictions[0]}.**"
    models = {
        predicted: [title for title, own in zip(titles, predictions, strict=True) if own == predicted]
        for predicted in predictions
    }
    parts = [
        f"{listed(names)} {'predict' if len(names) > 1 else 'predicts'} {predicted}"
        for predicted, names in sorted(models.items(), key=lambda item: -len(item[1]))
    ]
    return f"**The models disagree:** {'; '.join(parts)}."


def not_a_digit_words() -> str:
    """Says that an image is rejected, and how often that is wrong."""
    return "**This does not look like a digit.** Fewer than 1 of 100 real digits are rejected."


def number_words(rows: Sequence[object], digits: Sequence[int]) -> str:
    """Writes digits in reading order as numbers, one a row: “2026”, or “12 / 34”.

    Args:
        rows: The row of each digit; equal ones stand together.
        digits: The digits.
    """
    parts: dict[object, str] = {}
    for row, digit in zip(rows, digits, strict=True):
        parts[row] = parts.get(row, "") + str(int(digit))
    return " / ".join(parts.values())


def confidence_words(similar: ConfidenceRange | None) -> str:
    """Says how often predictions with similar confidence were correct on the test images."""
    if similar is None:
        return "no test image at this confidence"
    images = "test image" if similar.accuracy.n == 1 else "test images"
    return f"{probability_words(similar.accuracy.value)} correct on {similar.accuracy.n:,} {images} at this confidence"
