"""What models predict, in words."""

from collections.abc import Sequence

from mnist_dash.analysis.calibration import ConfidenceRange
from mnist_dash.analysis.words.number_words import count_words, listed, probability_words


def agreement_words(titles: Sequence[str], predictions: Sequence[str]) -> str:
    """Says whether all models predict the same (“7”, “2026”), or which predicts what."""
    if len(set(predictions)) == 1:
        return f"**{'All models predict' if len(predictions) > 1 else f'{titles[0]} predicts'} {predictions[0]}.**"
    models = {
        predicted: [title for title, own in zip(titles, predictions, strict=True) if own == predicted]
        for predicted in predictions
    }
    parts = [
        f"{listed(names)} {'predict' if len(names) > 1 else 'predicts'} {predicted}"
        for predicted, names in sorted(models.items(), key=lambda item: -len(item[1]))
    ]
    return f"**Models disagree:** {'; '.join(parts)}."


def not_a_digit_words() -> str:
    """Says that a drawing is rejected, and how often that is a mistake."""
    return "**This does not look like a digit.** Fewer than 1 in 100 real digits are rejected by mistake."


def confidence_words(similar: ConfidenceRange | None) -> str:
    """Says how accurate a model was on test images at the same confidence."""
    if similar is None:
        return "no test image at this confidence"
    images = count_words(similar.accuracy.n, "test image")
    return f"{probability_words(similar.accuracy.value)} correct on {images} at this confidence"
