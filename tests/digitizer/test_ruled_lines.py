"""Ruled paper, squared paper, frames: gone; digits across them: still there."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mnist_dash.digitizer.ruled_lines import without_lines
from tests.support.pictures import shade_of, strokes, ten_of_each

HEIGHT, WIDTH = 480, 640


@pytest.fixture(scope="module")
def digits(sample):
    """Real digits as masks of 140 × 140 pixels with strokes of about 15."""
    return [shade_of(digit, times=5, margins=(0, 0, 0, 0)) > 0.5 for digit in ten_of_each(sample)]


def level_lines(*, every=60, thickness=2, rise=0.0, bend=0.0, first=30) -> np.ndarray:
    """Lines from side to side; they rise by a part of the width, and bend by so many pixels in the middle."""
    across = np.linspace(-0.5, 0.5, WIDTH)
    offset = rise * WIDTH * across + bend * np.cos(np.pi * across)
    mask = np.zeros((HEIGHT, WIDTH), bool)
    for row in range(first, HEIGHT, every):
        rows = np.rint(row + offset).astype(int)
        if rows.min() >= 4 and rows.max() + thickness < HEIGHT - 4:  # from side to side
            mask[rows[:, None] + np.arange(thickness), np.arange(WIDTH)[:, None]] = True
    return mask


def squares(**how) -> np.ndarray:
    upright = (np.arange(WIDTH)[None, :] + 30) % how.get("every", 60) < how.get("thickness", 2)
    return level_lines(**how) | upright


def with_digit(digit, *, top=190, left=250) -> np.ndarray:
    mask = np.zeros((HEIGHT, WIDTH), bool)
    mask[top : top + 140, left : left + 140] = digit
    return mask


def assert_only_digit_left(cleaned, digit, lines):
    """Most of the digit is left; next to nothing is of the lines alone."""
    assert (cleaned & digit).sum() >= 0.9 * digit.sum()
    alone = lines & ~digit
    assert (cleaned & alone).sum() <= 0.1 * alone.sum()


PAPER = {
    "ruled": level_lines(),
    "ruled finely": level_lines(every=40, thickness=1),
    "ruled broadly": level_lines(every=80, thickness=5),
    "ruled and photographed askew": level_lines(rise=0.05),
    "ruled and bent": level_lines(bend=4),
    "ruled, askew and bent": level_lines(rise=-0.03, bend=-3),
    "ruled upright": np.tile((np.arange(WIDTH) + 35) % 70 < 2, (HEIGHT, 1)),
    "squared": squares(),
    "squared and askew": squares(rise=0.04),
    "one line all across": level_lines(every=1_000, first=260),
    "a frame": np.pad(np.pad(np.zeros((HEIGHT - 26, WIDTH - 26), bool), 3, constant_values=True), 10),
}


@pytest.mark.parametrize("paper", PAPER)
def test_lines_go_and_digits_across_them_stay(digits, paper):
    for digit in digits[::9]:
        alone = with_digit(digit)

        cleaned = without_lines(alone | PAPER[paper])

        assert_only_digit_left(cleaned, alone, PAPER[paper])


@given(
    rise=st.floats(-0.1, 0.1),
    bend=st.floats(-3.5, 3.5),
    every=st.integers(40, 120),
    thickness=st.integers(1, 5),
    first=st.integers(0, 39),
)
@settings(deadline=None)
def test_lines_go_however_they_run(rise, bend, every, thickness, first):
    digit = strokes((HEIGHT, WIDTH), [(300, 180), (360, 150), (380, 220), (290, 330), (400, 330)], width=14)
    lines = level_lines(rise=rise, bend=bend, every=every, thickness=thickness, first=first)

    cleaned = without_lines(digit | lines)

    assert (cleaned & digit).sum() >= 0.85 * digit.sum()
    assert (cleaned & lines & ~digit).sum() <= 0.2 * (lines & ~digit).sum()


def test_lines_are_taken_as_well_from_a_picture_laid_on_its_side(digits):
    picture = with_digit(digits[30]) | PAPER["ruled"]

    np.testing.assert_array_equal(without_lines(np.ascontiguousarray(picture.T)), without_lines(picture).T)


def test_nothing_is_taken_that_was_not_there(digits):
    for paper in PAPER.values():
        picture = with_digit(digits[50]) | paper

        assert not (without_lines(picture) & ~picture).any()


SINGLE_STROKES = {
    "a one": strokes((200, 200), [(100, 20), (98, 180)], width=10),
    "a one that fills the picture": strokes((200, 80), [(40, 8), (41, 192)], width=10),
    "a slanted one": strokes((200, 140), [(85, 12), (60, 188)], width=8),
    "a seven in a tight crop": strokes((160, 120), [(6, 8), (112, 8), (50, 152)], width=9),
    "a four in a tight crop": strokes((160, 130), [(50, 8), (10, 90), (120, 90)], [(85, 40), (85, 152)], width=9),
    "a two with a long foot": strokes((160, 130), [(20, 30), (60, 8), (95, 40), (8, 150), (122, 150)], width=9),
    "an eleven": strokes((200, 160), [(50, 10), (50, 190)], [(110, 10), (110, 190)], width=10),
    "a bar": strokes((100, 300), [(30, 50), (270, 52)], width=10),
}


@pytest.mark.parametrize("drawing", SINGLE_STROKES)
def test_a_straight_stroke_of_a_digit_is_not_a_line(drawing):
    np.testing.assert_array_equal(without_lines(SINGLE_STROKES[drawing]), SINGLE_STROKES[drawing])


def test_no_digit_of_mnist_has_lines(digits):
    for digit in digits:
        np.testing.assert_array_equal(without_lines(digit), digit)


def test_lines_alone_are_left_because_they_may_be_what_was_drawn():
    np.testing.assert_array_equal(without_lines(PAPER["ruled"]), PAPER["ruled"])


def test_in_a_small_picture_nothing_is_a_line():
    small = np.zeros((28, 60), bool)
    small[::7] = True
    small[5:20, 20:24] = True

    np.testing.assert_array_equal(without_lines(small), small)


@pytest.mark.parametrize("shape", [(1, 1), (1, 900), (900, 1), (2, 64), (64, 64)])
@pytest.mark.parametrize("filled", [False, True])
def test_pictures_without_paper_or_ink_are_left_alone(shape, filled):
    picture = np.full(shape, filled)

    np.testing.assert_array_equal(without_lines(picture), picture)
