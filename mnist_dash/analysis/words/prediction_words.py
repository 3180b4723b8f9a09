"""What models predict, in words."""

from collections.abc import Sequence

from mnist_dash.analysis.calibration import ConfidenceRange
from mnist_dash.analysis.words.number_words import count_words, listed, probability_words


def agreement_words(titles: Sequence[str], predictions: Sequence[str]) -> str:
    """Says whether all models predict the same (“7”, “2026”), or which predicts what."""
    models = {
        predicted: [title for title, own in zip(titles, predictions, strict=True) if own == predicted]
        for predicted in predictions
    }
    if len(models) == 1:
        return (
            f"{f'All {len(titles)} models predict' if len(titles) > 1 else f'{titles[0]} predicts'} {predictions[0]}."
        )
    first, *others = sorted(models.items(), key=lambda item: -len(item[1]))
    usual = f"{len(first[1])} of {len(titles)} models predict {first[0]}"
    parts = [usual] if len(first[1]) > 1 else [f"{first[1][0]} predicts {first[0]}"]
    parts += [f"{listed(names)} {'predict' if len(names) > 1 else 'predicts'} {other}" for other, names in others]
    return f"{'; '.join(parts)}."


def not_a_digit_words(digit: int) -> str:
    """Says that a drawing does not look like a digit, and what is nearest."""
    return f"This does not look like a digit; if it is one, it is {'an' if digit == 8 else 'a'} {digit}."


def ones_words(best: int, predictions: Sequence[str]) -> str:
    """Says why models take a 1 for a 7; empty if none does."""
    if best != 1 or "7" not in predictions:
        return ""
    return " Few of MNIST’s ones have an up-stroke or a foot, so models trained on them alone take such a 1 for a 7."


def confidence_words(similar: ConfidenceRange | None) -> str:
    """Says how accurate a model was on test images at the same confidence."""
    if similar is None:
        return "no test image at this confidence"
    images = count_words(similar.accuracy.n, "test image")
    return f"{probability_words(similar.accuracy.value)} correct on {images} at this confidence"
