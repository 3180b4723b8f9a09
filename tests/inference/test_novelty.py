import numpy as np
import pytest
from PIL import Image, ImageDraw

from mnist_dash.datasets.mnist import Dataset
from mnist_dash.digitizer.pipeline import digitize_canvas
from mnist_dash.inference.novelty import NoveltyDetector, fit
from mnist_dash.inference.predictor import Predictor
from mnist_dash.networks.variants import RECOMMENDED_FOR_PICTURES
from mnist_dash.store.records import MODEL_TFLITE
from mnist_dash.store.reference_runs import REFERENCE_FOLDER


@pytest.fixture(scope="module")
def detector() -> NoveltyDetector:
    return NoveltyDetector.shipped()


def drawn(points: np.ndarray, *, width: int, filled: bool = False) -> np.ndarray:
    """A line through these points on a canvas, as the network gets to see it."""
    picture = Image.new("L", (280, 280))
    corners = [tuple(map(float, point)) for point in points]
    if filled:
        ImageDraw.Draw(picture).polygon(corners, fill=255)
    else:
        ImageDraw.Draw(picture).line(corners, fill=255, width=width, joint="curve")
    grey = np.asarray(picture)
    canvas = np.stack([grey, grey, grey, np.full_like(grey, 255)], axis=-1)
    return max(digitize_canvas(canvas).digits, key=lambda digit: digit.width * digit.height).pixels


def scribble(random: np.random.Generator) -> np.ndarray:
    steps = np.cumsum(random.normal(0, 60, (int(random.integers(10, 30)), 2)), axis=0)
    places = 140 + 110 * (steps - steps.mean(0)) / np.abs(steps - steps.mean(0)).max()
    return drawn(places, width=int(random.integers(8, 26)))


def star(random: np.random.Generator) -> np.ndarray:
    points = int(random.integers(5, 9))
    turns = np.pi * np.arange(2 * points) / points + random.uniform(0, 1)
    radii = np.where(np.arange(2 * points) % 2, 105, random.uniform(35, 60))[:, None]
    return drawn(140 + radii * np.stack([np.cos(turns), np.sin(turns)], axis=1), width=0, filled=True)


def test_fewer_than_one_in_a_hundred_real_digits_is_refused(detector: NoveltyDetector, sample: Dataset):
    refused = 1 - detector.is_digit(sample.x_test).mean()

    assert refused < 0.015  # 0.009 of MNIST's 10,000; here are only 1,000


def test_most_scribbles_are_refused(detector: NoveltyDetector):
    random = np.random.default_rng(7)

    refused = 1 - detector.is_digit(np.stack([scribble(random) for _ in range(200)])).mean()

    assert refused > 0.6


def test_stars_are_refused(detector: NoveltyDetector):
    random = np.random.default_rng(8)

    refused = 1 - detector.is_digit(np.stack([star(random) for _ in range(50)])).mean()

    assert refused > 0.9


def test_pictures_are_judged_each_by_itself(detector: NoveltyDetector, sample: Dataset):
    together = detector.distances(sample.x_test[:20])

    alone = np.concatenate([detector.distances(picture[None]) for picture in sample.x_test[:20]])

    np.testing.assert_allclose(together, alone, rtol=1e-3, atol=1e-3)


def test_a_detector_is_fitted_so_that_the_chosen_part_of_real_digits_is_refused(sample: Dataset):
    predictor = Predictor((REFERENCE_FOLDER / RECOMMENDED_FOR_PICTURES / MODEL_TFLITE).read_bytes())
    learned, held_out = sample.x_train[:1_500], sample.x_train[1_500:2_500]

    fitted = NoveltyDetector(predictor, fit(predictor, learned, held_out))

    assert 1 - fitted.is_digit(held_out).mean() == pytest.approx(0.006, abs=0.0011)
    assert not fitted.is_digit(np.random.default_rng(0).integers(0, 256, (5, 28, 28), np.uint8)).any()
