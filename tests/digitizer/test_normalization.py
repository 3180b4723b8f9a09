"""One digit → 28 × 28 pixels as MNIST's, compared with MNIST's own."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from mnist_dash.digitizer.ink import stroke_width
from mnist_dash.digitizer.normalization import FINEST, WIDEST, centred, to_mnist
from mnist_dash.errors import PictureError
from tests.support.pictures import (
    BICUBIC,
    NEAREST,
    box_of,
    centre_of_mass,
    difference_but_for_a_step,
    enlarged,
    mean_difference,
    recommended_predictor,
    strokes,
    ten_of_each,
)


@pytest.fixture(scope="module")
def digits(sample):
    return ten_of_each(sample)


@pytest.fixture(scope="module")
def predictor():
    return recommended_predictor()


def cropped(shade) -> np.ndarray:
    first, last, left, right = box_of(shade > 0.1)
    return shade[first : last + 1, left : right + 1].astype(np.float32)


def answers(predictor, pictures) -> np.ndarray:
    return predictor.probabilities(np.asarray(pictures)).argmax(1)


@st.composite
def drawings(draw):
    """A few strokes on a square of 60 × 60, cropped, float32: 0 is paper, 1 is ink."""
    corners = st.lists(st.tuples(st.integers(4, 55), st.integers(4, 55)), min_size=2, max_size=6)
    lines = draw(st.lists(corners, min_size=1, max_size=3))
    return cropped(strokes((60, 60), *lines, width=draw(st.integers(3, 8))))


# Size and place


def test_a_square_becomes_20_by_20_pixels_in_the_middle():
    square = to_mnist(np.ones((40, 40), np.float32))

    expected = np.zeros((28, 28), np.uint8)
    expected[4:24, 4:24] = 255  # centre of mass at 9.5, so it starts at 4.5, rounded to even
    np.testing.assert_array_equal(square, expected)


def test_centred_puts_the_centre_of_mass_on_pixel_14():
    digit = np.zeros((10, 10), np.float32)
    digit[2:5, 1:4] = 1  # its middle is row 3, column 2

    square = centred(digit)

    expected = np.zeros((28, 28), np.uint8)
    expected[13:16, 13:16] = 255
    np.testing.assert_array_equal(square, expected)


def test_a_heavy_foot_does_not_push_a_digit_over_the_upper_edge():
    digit = np.zeros((20, 20), np.float32)
    digit[:, 9:11] = 1
    digit[15:] = 1  # an upside-down T

    square = centred(digit)

    # 15 rows of 2 pixels and 5 rows of 20, so the mass is at (15·2·7 + 5·20·17) / 130 = 14.69
    # from the top. To bring it to 14 the digit would have to start above the square.
    assert box_of(square)[:2] == (0, 19)


@given(drawing=drawings())
@settings(deadline=None)
def test_the_longer_side_of_a_redrawn_digit_is_20_pixels(drawing):
    top, bottom, left, right = box_of(to_mnist(drawing))

    assert max(bottom - top, right - left) + 1 == 20


@given(drawing=drawings())
@settings(deadline=None)
def test_the_centre_of_mass_is_pixel_14_unless_an_edge_is_in_the_way(drawing):
    square = to_mnist(drawing)

    top, bottom, left, right = box_of(square)
    for centre, first, last in zip(centre_of_mass(square), (top, left), (bottom, right), strict=True):
        assert abs(centre - 14) < 0.52 or first == 0 or last == 27


@given(drawing=drawings(), times=st.integers(2, 6))
@settings(deadline=None)
def test_how_large_a_digit_is_drawn_does_not_matter(drawing, times):
    larger = np.kron(drawing, np.ones((times, times), np.float32))

    assert difference_but_for_a_step(to_mnist(larger), to_mnist(drawing)) < 12


def test_a_digit_keeps_its_proportions():
    for height, width in ((100, 50), (60, 90), (120, 100)):
        outline = np.zeros((height, width), np.float32)
        outline[:8] = outline[-8:] = outline[:, :8] = outline[:, -8:] = 1

        top, bottom, left, right = box_of(to_mnist(outline) > 127)

        assert (bottom - top + 1) / (right - left + 1) == pytest.approx(height / width, rel=0.1)


# Strokes


def eight(width) -> np.ndarray:
    """Two rings above each other, 200 pixels high with strokes of a given width."""
    size = 260
    rows, columns = np.indices((size, size))
    rings = [np.abs(np.hypot(rows - middle, columns - 130) - 42) <= width / 2 for middle in (88, 172)]
    return cropped(rings[0] | rings[1])


def width_in(square) -> float:
    """Mean width of the strokes in an MNIST picture, in its pixels."""
    return stroke_width(np.kron(square > 127, np.ones((8, 8), bool))) / 8


@pytest.mark.parametrize("width", [1, 2, 4, 8, 15, 25, 36, 48])
def test_strokes_of_any_pen_become_as_wide_as_mnists(width):
    assert 0.8 * FINEST <= width_in(to_mnist(eight(width))) <= 1.3 * WIDEST


def test_finer_pens_than_mnists_are_made_wider_and_wider_ones_finer():
    widths = [width_in(to_mnist(eight(width))) for width in (2, 25, 48)]

    assert widths == sorted(widths)
    assert widths[0] > 1.5 * 2 / 10  # 2 of 200 pixels are 0.2 of 20
    assert widths[2] < 0.9 * 48 / 10


def test_most_of_mnists_own_strokes_are_left_as_wide_as_they_are(digits):
    kept = [FINEST - 0.5 <= width_in(digit) <= WIDEST + 0.5 for digit in digits]

    assert np.mean(kept) > 0.7


@pytest.mark.parametrize("shape", [(300, 1), (1, 300), (1, 1), (2, 1), (1_000, 3)])
def test_a_hair_line_is_as_wide_as_a_pen(shape):
    top, bottom, left, right = box_of(to_mnist(np.ones(shape, np.float32)))

    sides = sorted((bottom - top + 1, right - left + 1))
    assert sides[1] == 20
    assert sides[0] == 20 if max(shape) <= 1 else sides[0] >= 2


# MNIST's own digits


@pytest.mark.parametrize("times", [1, 2, 5, 10])
@pytest.mark.parametrize("resampling", [BICUBIC, NEAREST])
def test_a_real_digit_enlarged_is_redrawn_as_it_was(digits, predictor, times, resampling):
    shades = [np.asarray(enlarged(digit, times, resampling)) / 255 for digit in digits]

    redrawn = np.stack([to_mnist(cropped(shade)) for shade in shades])

    differences = [difference_but_for_a_step(one, other) for one, other in zip(redrawn, digits, strict=True)]
    assert np.mean(differences) < 9
    assert (answers(predictor, redrawn) == answers(predictor, digits)).mean() >= 0.97


def test_redrawing_what_was_redrawn_changes_little(digits):
    once = [to_mnist(cropped(digit / 255)) for digit in digits]

    twice = [to_mnist(cropped(digit / 255)) for digit in once]

    assert mean_difference(once, twice) < 6


# Whatever it is given


def test_no_ink_is_no_digit():
    with pytest.raises(PictureError, match=r"No digit found: all 30 × 20 pixels are background\. Draw"):
        to_mnist(np.zeros((20, 30), np.float32))


@pytest.mark.parametrize("shape", [(28,), (28, 28, 3)])
def test_ink_that_is_no_plane_is_a_programmers_mistake(shape):
    with pytest.raises(ValueError, match="must have two dimensions"):
        to_mnist(np.ones(shape, np.float32))


@given(
    shade=arrays.arrays(
        np.float32, st.tuples(st.integers(1, 40), st.integers(1, 40)), elements=st.floats(0, 1, width=32)
    ).filter(np.any)
)
@settings(deadline=None)
def test_any_ink_becomes_a_picture_of_mnists_kind(shade):
    square = to_mnist(shade)

    assert (square.shape, square.dtype) == ((28, 28), np.uint8)
    assert square.any()
