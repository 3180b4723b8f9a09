"""Pictures → the numbers in them: every digit found, read by a network, or refused."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from mnist_dash.digitizer.normalization import narrow
from mnist_dash.digitizer.pipeline import Digit
from mnist_dash.inference.novelty import NoveltyDetector
from mnist_dash.inference.predictor import Predictor
from mnist_dash.networks.hyperparameters import Values
from mnist_dash.store.records import Run

NARROWER = (0.85, 0.7)  # of its width: how else a network trained with augmentation sees a digit
NOT_A_DIGIT = "The image does not look like a digit from 0 to 9. Draw or photograph large, clear digits."


@dataclass(frozen=True, eq=False)
class Answer:
    """What a network says about one digit of a picture.

    Attributes:
        found: The digit, as it was found and redrawn.
        probabilities: Shape (10,), float32.
        is_digit: Whether it looks like a digit at all.
    """

    found: Digit
    probabilities: np.ndarray
    is_digit: bool

    @property
    def digit(self) -> int:
        """The most probable digit."""
        return int(self.probabilities.argmax())

    @property
    def probability(self) -> float:
        """How sure the network is of it, in [0, 1]."""
        return float(self.probabilities.max())


def read(settings: Values, predictor: Predictor, pictures: np.ndarray) -> np.ndarray:
    """Returns what a network says about digits from outside MNIST.

    A network that was trained with augmentation sees each of them in three widths, and
    the mean of its answers counts: people's digits are wider than MNIST's.

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


def recognize(digits: Sequence[Digit], run: Run, predictor: Predictor, detector: NoveltyDetector) -> tuple[Answer, ...]:
    """Returns what a network says about each digit of a picture.

    Args:
        digits: As `images.digitize_file` found them.
        run: The network's run.
        predictor: The network.
        detector: Tells digits from other things.
    """
    pictures = np.stack([digit.pixels for digit in digits])
    known, probabilities = detector.is_digit(pictures), read(run.settings, predictor, pictures)
    return tuple(
        Answer(digit, parts, bool(is_digit))
        for digit, parts, is_digit in zip(digits, probabilities, known, strict=True)
    )


def number_read(answers: Sequence[Answer]) -> str:
    """Returns all digits in reading order, rows parted by “/”; “?” stands for what is no digit."""
    rows: dict[int, str] = {}
    for answer in answers:
        rows[answer.found.row] = rows.get(answer.found.row, "") + (str(answer.digit) if answer.is_digit else "?")
    return "/".join(rows[row] for row in sorted(rows))


def described(answers: Sequence[Answer]) -> dict[str, Any]:
    """Returns what the command line prints of a picture as JSON."""
    digits = [_described(answer) for answer in answers]
    found: dict[str, Any] = {"number": number_read(answers), "digits": digits}
    if len(answers) > 1:
        return found
    if not answers[0].is_digit:
        return {**found, "error": NOT_A_DIGIT}
    return {**{name: digits[0][name] for name in ("digit", "probability", "probabilities")}, **found}


def _described(answer: Answer) -> dict[str, Any]:
    found = answer.found
    return {
        "digit": answer.digit if answer.is_digit else None,
        "probability": answer.probability,
        "probabilities": [float(part) for part in answer.probabilities],
        "box": [found.left, found.top, found.width, found.height],
        "row": found.row,
    }
