"""Reads pairs of touching digits: `python -m benchmarks.touching [--pairs 1000]`.

Two test digits of MNIST stand beside each other, their ink from two pixels apart to four
pixels into each other, on paper with a margin, four times as large as MNIST's. A pair is
read right if both digits are found and read, and nothing else.
"""

import argparse
import io
import time
from collections.abc import Iterator

import numpy as np
from PIL import Image

from mnist_dash.analysis.accuracies import accuracy
from mnist_dash.config import load_settings
from mnist_dash.datasets.mnist import load_dataset
from mnist_dash.digitizer.pipeline import digitize_file
from mnist_dash.errors import PictureError
from mnist_dash.inference import recognition
from mnist_dash.inference.novelty import NoveltyDetector
from mnist_dash.inference.predictor import Predictor
from mnist_dash.networks.variants import RECOMMENDED_FOR_PICTURES, default_settings
from mnist_dash.store.reference_runs import REFERENCE_FOLDER

OVERLAPS = range(-2, 5)  # pixels of MNIST's size
_TIMES, _MARGIN, _LIFT = 4, 40, 2


def main() -> None:
    """Prints a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=int, default=1_000)
    count = parser.parse_args().pairs
    dataset = load_dataset(load_settings())
    content = (REFERENCE_FOLDER / RECOMMENDED_FOR_PICTURES / "model.tflite").read_bytes()
    predictor, detector = Predictor(content), NoveltyDetector.shipped()
    right: dict[int, list[bool]] = {overlap: [] for overlap in OVERLAPS}
    started = time.perf_counter()
    for overlap, label, picture in pairs(dataset.x_test, dataset.y_test, count):
        right[overlap].append(read(picture, predictor, detector) == label)
    seconds = time.perf_counter() - started
    print("| overlap, pixels | pairs | read right, % |\n| --- | --- | --- |")
    for name, found in [*right.items(), ("all", [each for one in right.values() for each in one])]:
        share = accuracy(sum(found), len(found))
        print(f"| {name} | {share.n} | {100 * share.value:.1f} ({100 * share.low:.1f}–{100 * share.high:.1f}) |")
    print(f"\n{1000 * seconds / count:.1f} ms a pair")


def pairs(images: np.ndarray, labels: np.ndarray, count: int) -> Iterator[tuple[int, str, bytes]]:
    """Yields overlaps, what the pairs say, and PNG files of them."""
    random = np.random.default_rng(12)
    for number in range(count):
        overlap = OVERLAPS[number % len(OVERLAPS)]
        left, right = random.integers(len(images), size=2)
        lift = int(random.integers(-_LIFT, _LIFT + 1))
        yield overlap, f"{labels[left]}{labels[right]}", _file(_beside(images[left], images[right], overlap, lift))


def _beside(left: np.ndarray, right: np.ndarray, overlap: int, lift: int) -> np.ndarray:
    """Puts one image beside the other so that their ink overlaps where it is nearest, in some row."""
    right = np.roll(right, lift, axis=0)
    inked = (left > 100).any(1) & (right > 100).any(1)
    rows = np.flatnonzero(inked)
    ends = 27 - np.argmax(left[rows, ::-1] > 100, axis=1)
    starts = np.argmax(right[rows] > 100, axis=1)
    shift = int((ends - starts).max()) + 1 - overlap if rows.size else 20
    both = np.zeros((28, 28 + max(shift, 0)), np.uint8)
    both[:, :28] = left
    place = both[:, max(shift, 0) : max(shift, 0) + 28]
    np.maximum(place, right, out=place)
    return both


def _file(ink: np.ndarray) -> bytes:
    size = (ink.shape[1] * _TIMES, ink.shape[0] * _TIMES)
    large = np.asarray(Image.fromarray(ink).resize(size, Image.Resampling.BICUBIC))
    file = io.BytesIO()
    Image.fromarray(255 - np.pad(large, _MARGIN)).save(file, "PNG")
    return file.getvalue()


def read(picture: bytes, predictor: Predictor, detector: NoveltyDetector) -> str:
    """Returns the digits that are read in a picture file; "" if none is found."""
    try:
        digits = digitize_file(picture, detector.likelihood).digits
    except PictureError:
        return ""
    is_digit = detector.is_digit(recognition.pixels_of(digits))
    settings = default_settings(RECOMMENDED_FOR_PICTURES)
    return recognition.number_text(recognition.recognize(digits, settings, predictor, is_digit))


if __name__ == "__main__":
    main()
