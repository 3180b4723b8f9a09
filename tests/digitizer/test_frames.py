"""Printed frames are no ink, and digits of straight strokes are no frames."""

import io
from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image, ImageDraw

from mnist_dash.datasets.mnist import Dataset
from mnist_dash.digitizer.frames import without_frame
from mnist_dash.digitizer.pipeline import digitize_file
from mnist_dash.inference.predictor import Predictor
from mnist_dash.inference.recognition import predict
from mnist_dash.store.records import MODEL_TFLITE
from mnist_dash.store.reference_runs import REFERENCE_FOLDER

PICTURES = 150
PAPER = 250
# The strokes of a digital clock's digits: top, upper left, upper right, middle, lower left, lower right, bottom.
SEGMENTS = ("1110111", "0010010", "1011101", "1011011", "0111010")
SEGMENTS = (*SEGMENTS, "1101011", "1101111", "1010010", "1111111", "1111011")
LINES = (((0, 0), (1, 0)), ((0, 0), (0, 1)), ((1, 0), (1, 1)), ((0, 1), (1, 1)), ((0, 1), (0, 2)), ((1, 1), (1, 2)))
LINES = (*LINES, ((0, 2), (1, 2)))


def as_png(picture: Image.Image) -> bytes:
    file = io.BytesIO()
    picture.save(file, format="PNG")
    return file.getvalue()


Draw = Callable[[ImageDraw.ImageDraw, np.random.Generator, int], None]


def cell(digit: np.ndarray, random: np.random.Generator, size: int) -> Image.Image:
    """A digit in dark ink in the middle of a cell of a form."""
    side = int(size * random.uniform(0.45, 0.75))
    ink = np.asarray(Image.fromarray(digit).resize((side, side), Image.Resampling.BICUBIC), float) / 255
    paper = np.full((size, size), float(PAPER))
    left, top = ((size - side) // 2 + random.integers(-size // 16, size // 16 + 1, 2)).tolist()
    paper[top : top + side, left : left + side] -= (PAPER - random.uniform(20, 110)) * ink
    return Image.fromarray(paper.round().astype(np.uint8))


def corners(random: np.random.Generator, size: int, *, bend: float = 0.0) -> list[tuple[float, float]]:
    margin = size * random.uniform(0.02, 0.07)
    ends = [(margin, margin), (size - margin, margin), (size - margin, size - margin), (margin, size - margin)]
    return [(x + random.uniform(-bend, bend), y + random.uniform(-bend, bend)) for x, y in ends]


def shade(random: np.random.Generator) -> int:
    return int(random.integers(0, 170))


def closed(draw: ImageDraw.ImageDraw, random: np.random.Generator, size: int) -> None:
    draw.polygon(corners(random, size), outline=shade(random), width=int(random.integers(1, 9)))


def tilted(draw: ImageDraw.ImageDraw, random: np.random.Generator, size: int) -> None:
    draw.polygon(corners(random, size, bend=size * 0.02), outline=shade(random), width=int(random.integers(1, 6)))


def overshooting(draw: ImageDraw.ImageDraw, random: np.random.Generator, size: int) -> None:
    ends, grey, width = corners(random, size), shade(random), int(random.integers(1, 6))
    over = 0.02 * size
    for (x, y), (right, bottom) in zip(ends, [*ends[1:], ends[0]], strict=True):
        along = np.sign([right - x, bottom - y]) * over
        draw.line([(x - along[0], y - along[1]), (right + along[0], bottom + along[1])], fill=grey, width=width)


def broken(draw: ImageDraw.ImageDraw, random: np.random.Generator, size: int) -> None:
    closed(draw, random, size)
    for _ in range(3):  # gaps at the edge of the cell
        place = random.uniform(0.2, 0.8) * size
        box = (place, 0, place + 0.06 * size, 0.12 * size)
        draw.rectangle(box if random.random() < 0.5 else (box[1], box[0], box[3], box[2]), fill=PAPER)


def comb(draw: ImageDraw.ImageDraw, random: np.random.Generator, size: int) -> None:
    (left, top), (right, _), (_, bottom), _ = corners(random, size)
    places = [(left, top), (left, bottom), (right, bottom), (right, top)]
    draw.line(places, fill=shade(random), width=int(random.integers(1, 6)))


@pytest.fixture(scope="module")
def recommended() -> Predictor:
    return Predictor((REFERENCE_FOLDER / "cnn-augmented" / MODEL_TFLITE).read_bytes())


@pytest.mark.parametrize("kind", [closed, tilted, overshooting, broken, comb])
def test_a_digit_in_a_frame_is_read_as_it_is_without(sample: Dataset, recommended: Predictor, kind: Draw):
    random = np.random.default_rng(7)
    correct = {"plain": 0, "framed": 0}
    for digit, label in zip(sample.x_test[:PICTURES], sample.y_test[:PICTURES], strict=True):
        size = int(random.integers(80, 201))
        plain = cell(digit, random, size)
        framed = plain.copy()
        kind(ImageDraw.Draw(framed), random, size)
        for name, picture in (("plain", plain), ("framed", framed)):
            found = digitize_file(as_png(picture)).digits
            pixels = np.stack([each.pixels for each in found])
            answers = predict({"augmentation": 1.0}, recommended, pixels).argmax(1).tolist()
            correct[name] += answers == [int(label)]

    assert correct["plain"] >= 0.97 * PICTURES
    assert correct["framed"] >= correct["plain"] - 0.01 * PICTURES


@pytest.mark.parametrize("digit", range(10))
@pytest.mark.parametrize("width", [4, 12, 20])
def test_a_digit_of_straight_strokes_is_no_frame(digit: int, width: int):
    picture = Image.new("L", (140, 240))
    draw = ImageDraw.Draw(picture)
    for line, is_drawn in zip(LINES, SEGMENTS[digit], strict=True):
        if is_drawn == "1":
            draw.line([(20 + 100 * x, 20 + 100 * y) for x, y in line], fill=255, width=width)
    mask = np.asarray(picture) > 0

    assert without_frame(mask) is mask


def test_a_square_drawn_by_hand_is_still_there_alone_and_in_a_frame():
    picture = Image.new("L", (200, 200))
    draw = ImageDraw.Draw(picture)
    draw.polygon([(60, 62), (141, 58), (138, 142), (61, 139)], outline=255, width=7)
    alone = np.asarray(picture) > 0
    draw.rectangle((10, 10, 190, 190), outline=255, width=4)

    assert without_frame(alone) is alone
    np.testing.assert_array_equal(without_frame(np.asarray(picture) > 0), alone)


def test_boxes_in_a_row_hold_one_digit_each(sample: Dataset):
    random = np.random.default_rng(3)
    row = Image.new("L", (4 * 120, 120), PAPER)
    for number, digit in enumerate(sample.x_test[:4]):
        framed = cell(digit, random, 120)
        ImageDraw.Draw(framed).rectangle((5, 5, 114, 114), outline=60, width=3)
        row.paste(framed, (120 * number, 0))

    assert len(digitize_file(as_png(row)).digits) == 4


def test_an_empty_mask_has_no_frame():
    mask = np.zeros((50, 50), bool)

    assert without_frame(mask) is mask
