"""The digits of an image → a model's predictions, or that something is no digit."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from mnist_dash.digitizer.normalization import narrow
from mnist_dash.digitizer.pipeline import Digit
from mnist_dash.inference.predictor import Predictor
from mnist_dash.networks.hyperparameters import Values

NARROWER = (0.85, 0.7)  # of its width: further views for a model trained with augmentation


@dataclass(frozen=True, eq=False)
class RecognizedDigit:
    """A model's prediction for one digit of an image.

    Attributes:
        source: The digit, as it was found and redrawn.
        probabilities: Shape (10,), float32.
        is_digit: Whether it looks like a digit at all.
    """

    source: Digit
    probabilities: np.ndarray
    is_digit: bool

    @property
    def digit(self) -> int:
        """The most probable digit."""
        return int(self.probabilities.argmax())

    @property
    def probability(self) -> float:
        """Probability of that digit, in [0, 1]."""
        return float(self.probabilities.max())


def predict(settings: Values, predictor: Predictor, pictures: np.ndarray) -> np.ndarray:
    """Returns a model's probabilities for digits from outside MNIST.

    For a model trained with augmentation, these are means over each digit in three widths:
    people's digits are wider than MNIST's.

    Args:
        settings: Those of the network's run.
        predictor: The network.
        pictures: Redrawn digits, shape (n, 28, 28), uint8.

    Returns:
        Probabilities of the ten digits, shape (n, 10), float32.
    """
    if not settings.get("augmentation"):
        return predictor.probabilities(pictures)
    views = [pictures, *(narrow(pictures, part) for part in NARROWER)]
    return np.asarray(np.mean([predictor.probabilities(view) for view in views], axis=0))


def pixels_of(digits: Sequence[Digit]) -> np.ndarray:
    """Returns the models' input for digits of an image, shape (n, 28, 28), uint8."""
    return np.stack([digit.pixels for digit in digits])


def recognize(
    digits: Sequence[Digit], settings: Values, predictor: Predictor, is_digit: np.ndarray
) -> tuple[RecognizedDigit, ...]:
    """Returns a model's prediction for each digit of an image.

    Args:
        digits: As `pipeline.digitize_file` found them.
        settings: Those of the model's run.
        predictor: The model.
        is_digit: From `NoveltyDetector.is_digit`, shape (n,), bool.
    """
    probabilities = predict(settings, predictor, pixels_of(digits))
    return tuple(map(RecognizedDigit, digits, probabilities, is_digit.tolist()))


def number_text(digits: Sequence[RecognizedDigit]) -> str:
    """Returns all digits in reading order, rows separated by “/”; also best guesses at what may be no digit."""
    rows: dict[int, str] = {}
    for digit in digits:
        rows[digit.source.row] = rows.get(digit.source.row, "") + str(digit.digit)
    return "/".join(rows[row] for row in sorted(rows))


def as_json(digits: Sequence[RecognizedDigit]) -> dict[str, Any]:
    """Returns what the command line prints of a picture as JSON."""
    rows = [_digit_as_json(digit) for digit in digits]
    found: dict[str, Any] = {"number": number_text(digits), "digits": rows}
    if len(digits) > 1:
        return found
    return {**{name: rows[0][name] for name in ("digit", "is_digit", "probability", "probabilities")}, **found}


def _digit_as_json(digit: RecognizedDigit) -> dict[str, Any]:
    source = digit.source
    return {
        "digit": digit.digit,
        "is_digit": digit.is_digit,
        "probability": digit.probability,
        "probabilities": digit.probabilities.tolist(),
        "box": [source.left, source.top, source.width, source.height],
        "row": source.row,
    }
