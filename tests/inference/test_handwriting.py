"""Ones as much of the world writes them, and sevens with a bar: read by the model recommended for pictures."""

import numpy as np
import pytest
from PIL import Image, ImageDraw

from mnist_dash.digitizer.pipeline import digitize_canvas
from mnist_dash.inference import recognition
from mnist_dash.inference.predictor import Predictor
from mnist_dash.networks.variants import RECOMMENDED_FOR_PICTURES, default_settings
from mnist_dash.store.records import MODEL_TFLITE
from mnist_dash.store.reference_runs import REFERENCE_FOLDER


def drawn(lines, width) -> np.ndarray:
    """Lines on a canvas, as the network gets to see them."""
    picture = Image.new("L", (300, 280))
    for line in lines:
        points = [tuple(map(float, point)) for point in line]
        ImageDraw.Draw(picture).line(points, fill=255, width=width, joint="curve")
        for x, y in (points[0], points[-1]):
            ImageDraw.Draw(picture).ellipse([x - width / 2, y - width / 2, x + width / 2, y + width / 2], fill=255)
    grey = np.asarray(picture)
    canvas = np.stack([grey, grey, grey, np.full_like(grey, 255)], axis=-1)
    return max(digitize_canvas(canvas).digits, key=lambda digit: digit.height).pixels


def bent(random, start, end) -> np.ndarray:
    """A line that is a little bent, shape (15, 2)."""
    start, end = np.asarray(start), np.asarray(end)
    middle = (start + end) / 2 + random.normal(0, 5, 2)
    part = np.linspace(0, 1, 15)[:, None]
    return (1 - part) ** 2 * start + 2 * part * (1 - part) * middle + part**2 * end


def one(random) -> np.ndarray:
    """A 1 with an up-stroke of a quarter to three quarters of its height, every second one with a foot."""
    height, lean, turn = random.uniform(140, 230), random.uniform(-0.15, 0.35), random.uniform(0.35, 0.9)
    top = np.array([160 + lean * height / 2, 140 - height / 2])
    bottom = np.array([160 - lean * height / 2, 140 + height / 2])
    up_stroke = random.uniform(0.25, 0.75) * height * np.array([-np.sin(turn), np.cos(turn)])
    lines = [bent(random, top, bottom), bent(random, top, top + up_stroke)]
    if random.random() < 0.5:
        left, right = random.uniform(0.15, 0.42, (2, 1)) * height * np.array([1, random.uniform(-0.2, 0.2)])
        lines.append(bent(random, bottom - left, bottom + right))
    return drawn(lines, int(random.integers(8, 26)))


def seven(random) -> np.ndarray:
    """A 7 with a bar."""
    height, width = random.uniform(150, 220), random.uniform(80, 130)
    left, right = np.array([150 - width / 2, 140 - height / 2]), np.array([150 + width / 2, 140 - height / 2])
    foot = np.array([150 - random.uniform(0, 0.3) * width, 140 + height / 2])
    middle = right + random.uniform(0.42, 0.58) * (foot - right)
    bar = random.uniform(0.2, 0.4, 2) * width
    lines = [[*bent(random, left, right), *bent(random, right, foot)]]
    tilt = random.uniform(-15, 15)
    lines.append(bent(random, middle - np.array([bar[0], 0]), middle + np.array([bar[1], tilt])))
    return drawn(lines, int(random.integers(8, 22)))


@pytest.mark.parametrize(("write", "digit"), [(one, 1), (seven, 7)])
def test_ones_with_an_up_stroke_and_sevens_with_a_bar_are_read(write, digit):
    random = np.random.default_rng(3)
    pictures = np.stack([write(random) for _ in range(300)])
    predictor = Predictor((REFERENCE_FOLDER / RECOMMENDED_FOR_PICTURES / MODEL_TFLITE).read_bytes())

    read = recognition.predict(default_settings(RECOMMENDED_FOR_PICTURES), predictor, pictures).argmax(1)

    assert (read == digit).mean() > 0.95
