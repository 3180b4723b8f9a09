"""From a file or a canvas to its digits: boxes, rows, light, lines; and what must not change an answer."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from mnist_dash.digitizer.pipeline import Digit, DigitizedImage, digitize_canvas, digitize_file
from mnist_dash.errors import PictureError
from tests.support.pictures import (
    BICUBIC,
    difference_but_for_a_step,
    encoded,
    enlarged,
    in_colours,
    on_paper,
    recommended_predictor,
    shade_of,
    strokes,
    ten_of_each,
)

EXIF_ORIENTATION, TURNED_LEFT = 0x0112, 6
LUMINANCE = np.array([0.299, 0.587, 0.114]) / 255  # of red, green and blue; ITU-R BT.601


@pytest.fixture(scope="module")
def digits(sample):
    return ten_of_each(sample)


@pytest.fixture(scope="module")
def predictor():
    return recommended_predictor()


def answers(predictor, pictures) -> np.ndarray:
    return predictor.probabilities(np.asarray(pictures)).argmax(1)


def pixels_of(redrawn: DigitizedImage) -> np.ndarray:
    """The only digit; nothing if there are several."""
    return redrawn.digits[0].pixels if len(redrawn.digits) == 1 else np.zeros((28, 28), np.uint8)


def box_of_ink(shade) -> tuple[int, int, int, int]:
    """Left, top, width and height of what is at least three tenths ink."""
    rows, columns = np.flatnonzero((shade > 0.3).any(1)), np.flatnonzero((shade > 0.3).any(0))
    return int(columns[0]), int(rows[0]), int(np.ptp(columns)) + 1, int(np.ptp(rows)) + 1


def assert_same_box(digit: Digit, box, tolerance):
    assert (digit.left, digit.top, digit.width, digit.height) == pytest.approx(box, abs=tolerance)


# The canvas


def on_canvas(shade) -> np.ndarray:
    canvas = np.zeros((*shade.shape, 4), np.uint8)
    canvas[..., :3] = np.rint(255 * shade)[..., None]
    canvas[..., 3] = 255
    return canvas


@pytest.mark.parametrize("opacity", [0, 255])
def test_an_empty_canvas_says_so(opacity):
    canvas = np.zeros((280, 280, 4), np.uint8)
    canvas[..., 3] = opacity

    with pytest.raises(PictureError, match=r"The canvas is empty\. Draw a digit"):
        digitize_canvas(canvas)


def test_white_strokes_on_a_canvas_are_the_ink(digits):
    shade = shade_of(digits[70], times=7, margins=(6, 6, 6, 6))

    redrawn = digitize_canvas(on_canvas(shade))

    np.testing.assert_allclose(redrawn.strength, np.rint(255 * shade) / 255, atol=0.01)
    assert redrawn.scale == 1
    (digit,) = redrawn.digits
    assert_same_box(digit, box_of_ink(shade), 3)


def test_a_canvas_is_read_as_mnist_was(digits, predictor):
    drawn = [pixels_of(digitize_canvas(on_canvas(np.asarray(enlarged(digit, 10)) / 255))) for digit in digits]

    assert (answers(predictor, drawn) == answers(predictor, digits)).mean() >= 0.97


def test_several_digits_on_a_canvas_are_read_row_by_row(digits, predictor):
    canvas = np.zeros((280, 560), np.float32)
    placed = [(10, 20, 30), (10, 160, 10), (30, 300, 70), (150, 40, 20), (140, 200, 60)]
    for top, left, number in placed:
        canvas[top : top + 112, left : left + 112] = np.asarray(enlarged(digits[number], 4)) / 255

    redrawn = digitize_canvas(on_canvas(canvas))

    assert [digit.row for digit in redrawn.digits] == [0, 0, 0, 1, 1]
    read = answers(predictor, [digit.pixels for digit in redrawn.digits])
    assert read.tolist() == [3, 1, 7, 2, 6]


def test_a_dot_beside_the_digit_on_a_canvas_is_left_out(digits):
    shade = shade_of(digits[30], times=7, margins=(6, 6, 6, 6))
    dotted = shade.copy()
    dotted[20:26, 20:26] = 1

    with_dot, without = (digitize_canvas(on_canvas(drawing)) for drawing in (dotted, shade))

    np.testing.assert_array_equal(pixels_of(with_dot), pixels_of(without))


@given(top=st.integers(0, 140), left=st.integers(0, 140), number=st.integers(0, 99))
@settings(deadline=None, max_examples=50)
def test_where_on_the_canvas_a_digit_is_drawn_does_not_matter(digits, top, left, number):
    drawn = np.zeros((2, 280, 280))
    drawn[0, top : top + 140, left : left + 140] = drawn[1, 70:210, 70:210] = (
        np.asarray(enlarged(digits[number], 5)) / 255
    )

    one, other = (digitize_canvas(on_canvas(drawing)) for drawing in drawn)

    assert len(one.digits) == len(other.digits)
    for found, as_before in zip(one.digits, other.digits, strict=True):
        assert difference_but_for_a_step(found.pixels, as_before.pixels) < 2
        assert (found.left - left, found.top - top) == (as_before.left - 70, as_before.top - 70)


# Boxes


@pytest.mark.parametrize("times", [1, 3, 8, 20])
def test_a_box_is_where_the_digit_is_in_the_file(digits, times):
    shade = shade_of(digits[40], times=times, margins=(5, 30, 20, 12))

    (digit,) = digitize_file(encoded(in_colours(shade))).digits

    assert_same_box(digit, box_of_ink(shade), max(2, times / 3))


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_a_box_is_in_the_upright_picture_of_a_turned_camera(digits, kind):
    shade = shade_of(digits[40], times=50, margins=(5, 30, 20, 12))
    exif = Image.Exif()
    exif[EXIF_ORIENTATION] = TURNED_LEFT
    lying = in_colours(shade).transpose(Image.Transpose.ROTATE_90)

    redrawn = digitize_file(encoded(lying, kind, exif=exif))

    assert redrawn.scale > 3
    assert redrawn.colours.shape[0] < redrawn.colours.shape[1]
    assert_same_box(redrawn.digits[0], box_of_ink(shade), 14)


def test_boxes_of_several_digits_follow_each_other_in_reading_order(digits):
    page = np.zeros((900, 1_400))
    for row, column in np.ndindex(3, 5):
        top, left = 40 + 280 * row + 9 * column, 60 + 260 * column
        page[top : top + 224, left : left + 224] = np.asarray(enlarged(digits[10 * (5 * row + column) % 100], 8)) / 255

    redrawn = digitize_file(encoded(in_colours(page)))

    assert [digit.row for digit in redrawn.digits] == [row for row in range(3) for _ in range(5)]
    for number, digit in enumerate(redrawn.digits):
        row, column = divmod(number, 5)
        top, left = 40 + 280 * row + 9 * column, 60 + 260 * column
        assert top <= digit.top < digit.top + digit.height <= top + 224
        assert left <= digit.left < digit.left + digit.width <= left + 224


def test_every_step_has_the_size_of_the_reduced_picture(digits):
    redrawn = digitize_file(encoded(on_paper(digits[50], times=40)))

    assert redrawn.colours.shape == (880, 1000, 3)
    steps = (redrawn.strength, redrawn.inked, redrawn.cleaned)
    assert [step.shape for step in steps] == [(880, 1000)] * 3
    assert [step.dtype for step in steps] == [np.float32, bool, bool]
    assert redrawn.strength.min() >= 0
    assert redrawn.strength.max() <= 1
    assert redrawn.scale == 2


# Answers stay as they were


@pytest.mark.parametrize("times", [1, 5, 10])
def test_a_digit_of_mnist_saved_as_a_file_is_read_as_before(digits, predictor, times):
    read = [pixels_of(digitize_file(encoded(enlarged(digit, times)))) for digit in digits]

    assert (answers(predictor, read) == answers(predictor, digits)).mean() >= 0.97


def in_light(shade, *, light, ink=0.35, seed=0) -> Image.Image:
    """A photograph: paper, ink that takes away light, uneven light, the noise of a camera."""
    noise = np.random.default_rng(seed).normal(0, 0.015, shade.shape)
    return Image.fromarray(np.rint(255 * ((0.9 - (0.9 - ink) * shade) * light + noise).clip(0, 1)).astype(np.uint8))


def lights(shape) -> dict[str, np.ndarray]:
    down, right = np.meshgrid(*(np.linspace(-0.5, 0.5, side) for side in shape), indexing="ij")
    return {
        "from one side": 0.75 - 0.5 * right,
        "with a soft shadow": 1 - 0.4 / (1 + np.exp(-12 * (down + right))),
        "with a hard shadow": np.where(right + 0.3 * down > 0.1, 0.6, 1.0),
        "darker in the corners": 1 - 0.9 * (down**2 + right**2),
        "of a lamp": 0.4 + 0.6 * np.exp(-6 * ((down + 0.3) ** 2 + (right + 0.3) ** 2)),
    }


@pytest.mark.parametrize("light", lights((2, 2)))
def test_uneven_light_does_not_change_the_answer(digits, predictor, light):
    shades = [shade_of(digit) for digit in digits[::3]]

    photos = [in_light(shade, light=lights(shade.shape)[light], seed=seed) for seed, shade in enumerate(shades)]
    read = [pixels_of(digitize_file(encoded(photo, "JPEG", quality=85))) for photo in photos]

    assert (answers(predictor, read) == answers(predictor, digits[::3])).mean() >= 0.94


@pytest.mark.parametrize("paper", ["ruled", "squared"])
def test_lines_on_the_paper_do_not_change_the_answer(digits, predictor, paper):
    shade = shade_of(digits[0], times=10)
    level = (np.arange(shade.shape[0]) % 70 >= 67)[:, None]
    upright = (np.arange(shade.shape[1]) % 70 >= 67)[None, :]
    lines = 0.5 * (level | upright if paper == "squared" else np.broadcast_to(level, shade.shape))

    read = [
        pixels_of(digitize_file(encoded(in_light(np.maximum(shade_of(digit, times=10), lines), light=1.0))))
        for digit in digits[::4]
    ]

    assert (answers(predictor, read) == answers(predictor, digits[::4])).mean() >= 0.9


def test_dark_on_light_and_light_on_dark_give_the_same(digits):
    for digit in digits[::7]:
        one, other = (
            digitize_file(encoded(on_paper(digit, paper=paper, ink=ink))) for paper, ink in ((230, 40), (25, 215))
        )

        assert len(one.digits) == len(other.digits)
        for found, as_before in zip(one.digits, other.digits, strict=True):
            assert difference_but_for_a_step(found.pixels, as_before.pixels) < 3


def drawn_anyhow(digit, random) -> bytes:
    """A file with the digit turned by up to 15°, 1/4 to 4 times as large as 112 pixels, anywhere, in other colours."""
    side = round(112 * 4 ** random.uniform(-1, 1))
    turned = Image.fromarray(digit).resize((side, side), BICUBIC)
    turned = turned.rotate(random.uniform(-15, 15), BICUBIC, expand=True)
    width, height = (round(length * random.uniform(1.05, 2.5)) for length in turned.size)
    left, top = random.integers(0, width - turned.width + 1), random.integers(0, height - turned.height + 1)
    shade = np.zeros((height, width))
    shade[top : top + turned.height, left : left + turned.width] = np.asarray(turned) / 255
    paper, ink = two_colours(random)
    return encoded(in_colours(shade, paper=paper, ink=ink), "BMP")


def two_colours(random) -> np.ndarray:
    """Of paper and ink: either may be the lighter one, by a quarter of the way from black to white at least."""
    while True:
        colours = random.integers(0, 256, (2, 3))
        if abs(np.diff(colours @ LUMINANCE)[0]) >= 0.25:
            return colours


@pytest.mark.parametrize("count", [250, pytest.param(2_000, marks=pytest.mark.slow)])
def test_size_place_turn_and_colours_do_not_change_the_answer(sample, predictor, count):
    random = np.random.default_rng(7)
    chosen = sample.x_test[random.integers(0, len(sample.x_test), count)]

    read = [pixels_of(digitize_file(drawn_anyhow(digit, random))) for digit in chosen]

    same = answers(predictor, read) == answers(predictor, chosen)
    print(f"{same.mean():.2%} of {count:,} answers are the same")
    assert same.mean() >= 0.96  # of a thousand it is 0.99; these 250 are harder than most


def test_a_long_number_is_read_from_left_to_right(sample, predictor):
    random = np.random.default_rng(8)
    chosen = random.integers(0, len(sample.x_test), 12)
    page = np.zeros((160, 12 * 110))
    for column, number in enumerate(chosen):
        top, left = 20 + int(random.integers(0, 20)), 5 + 108 * column
        page[top : top + 112, left : left + 112] = np.asarray(enlarged(sample.x_test[number], 4)) / 255

    found = digitize_file(encoded(in_light(page, light=1.0))).digits

    assert len(found) == 12
    read = answers(predictor, [digit.pixels for digit in found])
    assert (read == sample.y_test[chosen]).mean() >= 0.9


def test_a_picture_without_contrast_says_so():
    with pytest.raises(PictureError, match="No digit found: the 300 × 200 pixels have too little contrast"):
        digitize_file(encoded(in_colours(strokes((200, 300), [(100, 50), (100, 150)]) * 0.04, paper=200, ink=0)))
