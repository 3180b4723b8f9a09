"""Commands for image files and arrays of images."""

import sys
from pathlib import Path

import click
import numpy as np

from mnist_dash.analysis import accuracies, test_predictions
from mnist_dash.analysis.words.number_words import accuracy_words, percent
from mnist_dash.analysis.words.prediction_words import not_a_digit_words
from mnist_dash.cli.group import as_json_option, commands, emit, open_store, run_option
from mnist_dash.config import load_settings
from mnist_dash.datasets import arrays as arrays_module
from mnist_dash.digitizer import decoding, pipeline
from mnist_dash.errors import PictureError
from mnist_dash.inference import recognition
from mnist_dash.inference.novelty import NoveltyDetector
from mnist_dash.inference.predictor import Predictor
from mnist_dash.networks.variants import RECOMMENDED_FOR_PICTURES
from mnist_dash.store.records import MODEL_TFLITE, Run
from mnist_dash.store.run_store import RunStore


@commands.command("predict")
@click.argument("pictures", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="PICTURE…")
@run_option
@as_json_option
def predict_command(pictures: tuple[Path, ...], run_name: str | None, as_json: bool) -> None:
    """Predict the digits in each image file."""
    with open_store(load_settings()) as store:
        run, predictor = _network(store, run_name)
    detector = NoveltyDetector.shipped()
    failed = [path for path in pictures if not _predict(path, run, predictor, detector, as_json=as_json)]
    if failed:
        sys.exit(1)


def _predict(path: Path, run: Run, predictor: Predictor, detector: NoveltyDetector, *, as_json: bool) -> bool:
    """Predicts and prints the digits of one image; returns whether there was one.

    What does not look like a digit is predicted as well, with a warning.
    """
    try:
        digits = pipeline.digitize_file(_read_file(path), detector.likelihood).digits
        is_digit = detector.is_digit(recognition.pixels_of(digits))
        recognized = recognition.recognize(digits, run.settings, predictor, is_digit)
        found = {**recognition.as_json(recognized), "run": run.id}
    except PictureError as error:
        recognized, found = (), {"error": str(error)}
    name = click.format_filename(path)
    if "error" in found:
        click.echo(f"Error: {name}: {found['error']}", err=True)
    for number, digit in enumerate(recognized, start=1):
        if not digit.is_digit:
            which = f", digit {number}" if len(recognized) > 1 else ""
            click.echo(f"Warning: {name}{which}: {not_a_digit_words(digit.digit)}", err=True)
    confidence = percent(recognized[0].probability) if len(recognized) == 1 else f"{len(recognized)} digits"
    words = None if "error" in found else f"{name}: {found['number']} ({confidence})"
    emit({"picture": str(path), **found}, words, as_json=as_json)
    return "error" not in found


def _read_file(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(decoding.MAX_FILE_BYTES + 1)
    except OSError as error:
        raise PictureError(f"The file cannot be read ({error.strerror}). Name an existing image file.") from error


@commands.command("evaluate")
@click.argument("file", type=click.Path(path_type=Path))
@run_option
@as_json_option
def evaluate_command(file: Path, run_name: str | None, as_json: bool) -> None:
    """Measure the accuracy on the arrays x (n, 28, 28) uint8 and y (n,) of FILE.npz."""
    arrays = arrays_module.read_arrays(file, ("x", "y"))
    arrays_module.check_pictures(arrays["x"], arrays["y"], where=str(file))
    with open_store(load_settings()) as store:
        run, predictor = _network(store, run_name)
    parts = np.array_split(arrays["x"], -(-len(arrays["x"]) // 1000))
    predictions = np.concatenate([predictor.probabilities(part).argmax(1) for part in parts])
    accuracy = accuracies.accuracy(int((predictions == arrays["y"]).sum()), len(predictions))
    found = {
        "run": run.id,
        "n": accuracy.n,
        "accuracy": accuracy.value,
        "low": accuracy.low,
        "high": accuracy.high,
        "confusion": test_predictions.confusion_matrix(arrays["y"], predictions).tolist(),
    }
    emit(found, f"{run.title}: accuracy {accuracy_words(accuracy)} on {accuracy.n:,} images", as_json=as_json)


def _network(store: RunStore, run_name: str | None) -> tuple[Run, Predictor]:
    run = store.find_run(run_name or RECOMMENDED_FOR_PICTURES)
    return run, Predictor(store.read_artifact(run.id, MODEL_TFLITE))
