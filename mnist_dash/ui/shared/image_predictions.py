"""What models predict for the digits of images, and how pages show it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import streamlit as st

from mnist_dash.analysis import calibration
from mnist_dash.analysis.words.prediction_words import agreement_words, confidence_words, not_a_digit_words, ones_words
from mnist_dash.digitizer.pipeline import Digit
from mnist_dash.inference import recognition
from mnist_dash.inference.recognition import RecognizedDigit
from mnist_dash.networks.variants import RECOMMENDED_FOR_PICTURES
from mnist_dash.store.records import Run
from mnist_dash.ui.shared.controls import title_of
from mnist_dash.ui.shared.prediction_html import Prediction, headline, prediction_chart, probability_table
from mnist_dash.ui.shared.processed_image import ProcessedImage
from mnist_dash.ui.shared.resources import novelty_detector, predictions_of, predictor

_REPEATS = 3  # a prediction is timed so often, and the median shown

LAST_DIGIT = "last_digit"


@dataclass(frozen=True, eq=False)
class ImagePredictions:
    """Models' predictions for all digits of some images.

    Attributes:
        runs: The models.
        digits: Of all images, in reading order; each image has rows of its own.
        by_run: Each model's predictions, one a digit, by the run's id.
    """

    runs: Sequence[Run]
    digits: Sequence[Digit]
    by_run: Mapping[int, Sequence[RecognizedDigit]]

    @property
    def pixels(self) -> np.ndarray:
        """The models' input, shape (n, 28, 28), uint8."""
        return recognition.pixels_of(self.digits)

    @property
    def best(self) -> Sequence[RecognizedDigit]:
        """The predictions of the model recommended for pictures, or of the last one if that is not chosen."""
        best = next((run for run in self.runs if run.variant == RECOMMENDED_FOR_PICTURES), self.runs[-1])
        return self.by_run[best.id]

    @property
    def titles(self) -> list[str]:
        """The models' names."""
        return [title_of(run) for run in self.runs]

    def of_digit(self, index: int) -> list[RecognizedDigit]:
        """Returns each model's prediction for one digit."""
        return [self.by_run[run.id][index] for run in self.runs]

    def agreement(self) -> str:
        """Says whether all models predict the same number."""
        return agreement_words(self.titles, [recognition.number_text(self.by_run[run.id]) for run in self.runs])


def predict_images(images: Sequence[ProcessedImage], runs: Sequence[Run]) -> ImagePredictions:
    """Returns what models predict for all digits of some images."""
    digits = [replace(digit, row=1_000 * n + digit.row) for n, image in enumerate(images) for digit in image.digits]
    pixels = recognition.pixels_of(digits)
    st.session_state[LAST_DIGIT] = pixels[0]  # Inside shows what a network does with it
    is_digit = novelty_detector().is_digit(pixels)
    by_run = {run.id: recognition.recognize(digits, run.settings, predictor(run.id), is_digit) for run in runs}
    return ImagePredictions(runs, digits, by_run)


def show_digit(predictions: ImagePredictions, index: int) -> None:
    """Shows one digit: the models' input, whether they agree, and what each predicts."""
    found, best = predictions.of_digit(index), predictions.best[index]
    digits = [str(digit.digit) for digit in found]
    words = agreement_words(predictions.titles, digits) + ones_words(best.digit, digits)
    headline(
        best.source.pixels,
        str(best.digit) if best.is_digit else f"{best.digit}?",
        words if best.is_digit else not_a_digit_words(best.digit),
    )
    prediction_chart(_predictions(predictions, index))


def show_probabilities(predictions: ImagePredictions, index: int) -> None:
    """Shows all ten probabilities of each model for one digit, how far they can be trusted, and the time."""
    notes, times = [], []
    for run, digit in zip(predictions.runs, predictions.of_digit(index), strict=True):
        notes.append(confidence_words(calibration.accuracy_at_confidence(predictions_of(run.id), digit.probability)))
        times.append(predictor(run.id).milliseconds(digit.source.pixels, repeats=_REPEATS))
    probability_table(_predictions(predictions, index), notes, times)


def _predictions(predictions: ImagePredictions, index: int) -> list[Prediction]:
    return [
        Prediction(title_of(run), run.variant, digit.probabilities)
        for run, digit in zip(predictions.runs, predictions.of_digit(index), strict=True)
    ]
