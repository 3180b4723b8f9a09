"""Where there is ink, compared with hand-worked numbers, Pillow and scipy."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from PIL import Image
from scipy import ndimage

from mnist_dash.digitizer.ink import (
    full_ink,
    ink_of,
    likely_ink,
    paper_of,
    stroke_width,
    sure_ink,
    to_grey,
    uniform_background,
)
from tests.support.pictures import in_colours, shade_of, strokes, ten_of_each

CROSS = strokes((200, 240), [(70, 50), (170, 150)], [(170, 50), (70, 150)], width=12)
ALL_AROUND = np.ones((3, 3))  # pixels that touch at a corner are neighbours, too


@pytest.fixture(scope="module")
def digits(sample):
    return ten_of_each(sample)


def coloured(shade, paper, ink) -> np.ndarray:
    return np.asarray(in_colours(np.asarray(shade, float), paper=paper, ink=ink))


def grey_of(shade, paper, ink) -> np.ndarray:
    """Brightness from 0 to 1 of paper, which may differ from place to place, and the ink on it."""
    return (paper + np.asarray(shade, np.float32) * (ink - paper)).astype(np.float32)


def overlap(one, other) -> float:
    """Pixels in both masks as a part of those in any."""
    return float((one & other).sum() / (one | other).sum())


# Colours → grey


@given(values=arrays.arrays(np.uint8, (12, 17)))
@settings(deadline=None)
def test_a_grey_picture_keeps_its_grey_values(values):
    grey = to_grey(np.repeat(values[..., None], 3, axis=2))

    assert grey.dtype == np.float32
    np.testing.assert_allclose(grey, values / 255, atol=1e-4)


@given(colours=arrays.arrays(np.uint8, st.tuples(st.integers(1, 20), st.integers(1, 20), st.just(3))))
@settings(deadline=None)
def test_grey_values_are_between_0_and_1(colours):
    grey = to_grey(colours)

    assert grey.shape == colours.shape[:2]
    assert grey.min() >= -1e-5
    assert grey.max() <= 1 + 1e-5


@pytest.mark.parametrize(
    ("ink", "paper"), [((200, 0, 0), (0, 102, 0)), ((0, 0, 255), (97, 0, 0)), ((255, 0, 255), (0, 179, 0))]
)
def test_ink_as_bright_as_its_paper_is_seen_by_its_colour(ink, paper):
    picture = coloured(CROSS, paper, ink)
    as_pillow_sees_it = np.asarray(Image.fromarray(picture).convert("L"), int)

    grey = to_grey(picture)

    assert np.ptp(as_pillow_sees_it) <= 2
    assert abs(grey[CROSS].mean() - grey[~CROSS].mean()) > 0.3
    assert max(grey[CROSS].std(), grey[~CROSS].std()) < 1e-5


def test_red_ink_on_paper_ruled_in_light_blue_stands_out_most():
    ruled = np.tile(np.where(np.arange(200) % 20 < 2, 1.0, 0.0)[:, None], (1, 240))
    picture = coloured(ruled, (250, 250, 245), (190, 215, 250))
    picture = np.where(CROSS[..., None], np.array((200, 30, 40), np.uint8), picture)

    grey = to_grey(picture)

    lines = (ruled > 0) & ~CROSS
    paper = grey[~CROSS & ~lines].mean()
    assert abs(grey[CROSS].mean() - paper) > 5 * abs(grey[lines].mean() - paper)


@given(dark=st.integers(0, 127), light=st.integers(128, 255))
@settings(deadline=None)
def test_what_is_lighter_in_all_colours_stays_lighter(dark, light):
    grey = to_grey(coloured(CROSS, (light, light, light // 2 + 64), (dark, dark // 2, dark)))

    assert grey[CROSS].mean() < grey[~CROSS].mean()


# Paper


def ink_in(grey: np.ndarray) -> np.ndarray:
    return ink_of(grey, uniform_background(grey))


def test_paper_is_even_if_the_edge_is():
    assert uniform_background(grey_of(CROSS, 0.8, 0.1)) == pytest.approx(0.8)


def test_a_digit_may_hide_most_of_a_uniform_background_and_touch_its_edge():
    crop = CROSS[44:157, 64:177]  # tight

    assert uniform_background(grey_of(crop, 0.8, 0.1)) == pytest.approx(0.8)


def test_of_two_levels_the_one_at_the_edge_and_everywhere_is_paper():
    stripes = np.zeros((100, 100), bool)
    stripes[:, ::5] = stripes[:, 1::5] = True  # two of five columns, and so two fifths of the edge

    assert uniform_background(grey_of(stripes, 0.3, 0.9)) == pytest.approx(0.3)


def test_paper_in_uneven_light_is_not_even():
    light = np.linspace(0.9, 0.4, 240)[None, :] * np.ones((200, 1))

    assert uniform_background(grey_of(CROSS, light, 0.1)) is None


def test_noise_is_not_uniform_background():
    noise = np.random.default_rng(4).normal(0, 0.1, CROSS.shape)

    assert uniform_background((grey_of(CROSS, 0.7, 0.1) + noise).astype(np.float32)) is None


@given(grey=arrays.arrays(np.float32, (23, 31), elements=st.floats(0, 1, width=32)), window=st.integers(1, 25))
@settings(deadline=None)
def test_the_paper_under_ink_is_scipys_closing(grey, window):
    size = 2 * (window // 2) + 1
    framed = np.pad(grey, size, mode="symmetric")

    paper = paper_of(grey, window)

    np.testing.assert_array_equal(paper, ndimage.grey_closing(framed, (size, size))[size:-size, size:-size])


def test_strokes_vanish_from_paper_in_light_from_one_side():
    light = np.linspace(0.9, 0.5, 240)[None, :] * np.ones((200, 1))

    paper = paper_of(grey_of(CROSS, light, 0.1), 31)

    # In a window of 31 pixels the light changes by 31 / 240 of its range.
    np.testing.assert_allclose(paper, light, atol=0.4 * 31 / 240)


def test_a_shadow_wider_than_the_window_is_paper():
    shadowed = np.full((200, 240), 0.9)
    shadowed[:, 120:] = 0.5

    paper = paper_of(grey_of(CROSS, shadowed, 0.1), 31)

    np.testing.assert_allclose(paper, shadowed, atol=1e-6)


# Ink

DOWN, RIGHT = np.meshgrid(np.linspace(-0.5, 0.5, 200), np.linspace(-0.5, 0.5, 240), indexing="ij")
LIGHT = {
    "even": np.ones((200, 240)),
    "from one side": 0.75 - 0.5 * RIGHT,
    "with a soft shadow": 1 - 0.4 / (1 + np.exp(-12 * (DOWN + RIGHT))),
    "with a hard shadow": np.where(RIGHT > 0.1, 0.6, 1.0),
    "darker in the corners": 1 - 0.9 * (DOWN**2 + RIGHT**2),
    "of a lamp": 0.4 + 0.6 * np.exp(-6 * ((DOWN + 0.3) ** 2 + (RIGHT + 0.3) ** 2)),
}


def found_in(grey) -> np.ndarray:
    strength = ink_in(grey.astype(np.float32))
    full = full_ink(strength)
    return sure_ink(likely_ink(strength, full), strength, full)


def pieces_whole(mask) -> np.ndarray:
    """The mask without what the edge of the picture cuts off, as find_digits leaves it out of a photograph."""
    labels, count = ndimage.label(mask, ALL_AROUND)
    cut = np.unique(np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]]))
    return np.isin(labels, np.setdiff1d(np.arange(1, count + 1), cut))


@pytest.mark.parametrize(("paper", "ink"), [(0.9, 0.1), (0.9, 0.5), (0.15, 0.9), (0.15, 0.4)])
@pytest.mark.parametrize("light", LIGHT)
def test_ink_is_found_on_paper_and_chalk_on_a_board_in_any_light(paper, ink, light):
    a_little = np.random.default_rng(5).normal(0, 0.01, CROSS.shape)

    found = found_in(grey_of(CROSS, paper, ink) * LIGHT[light] + a_little)

    assert overlap(pieces_whole(found), CROSS) > 0.85


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize(("paper", "ink"), [(0.9, 0.3), (0.15, 0.7)])
def test_noise_of_a_cheap_camera_is_no_ink(paper, ink, seed):
    noise = np.random.default_rng(seed).normal(0, 0.03, CROSS.shape)

    found = found_in(grey_of(CROSS, paper, ink) * LIGHT["from one side"] + noise)

    assert overlap(found, CROSS) > 0.85


@pytest.mark.parametrize(("paper", "ink"), [(0.9, 0.1), (0.1, 0.9)])
def test_ink_that_fills_most_of_a_tight_crop_is_still_ink(digits, paper, ink):
    wrong = []
    for number, digit in enumerate(digits):
        mask = shade_of(digit, times=4, margins=(0, 0, 0, 0)) > 0.5
        rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
        crop = mask[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
        crop = np.pad(crop, 2)
        if overlap(found_in(grey_of(crop, paper, ink)), crop) < 0.9:
            wrong.append(number)

    assert not wrong


def test_dark_on_light_and_light_on_dark_are_the_same_ink():
    np.testing.assert_allclose(ink_in(grey_of(CROSS, 0.8, 0.2)), ink_in(grey_of(CROSS, 0.2, 0.8)), atol=1e-6)


@pytest.mark.parametrize("level", [0.0, 0.3, 1.0])
def test_blank_paper_has_no_ink(level):
    strength = ink_in(np.full((60, 80), level, np.float32))

    assert not likely_ink(strength, full_ink(strength)).any()


# How much ink is full ink


def test_full_ink_is_what_nine_of_ten_inked_pixels_stay_below():
    strength = np.zeros((100, 100), np.float32)
    strength[:10, :10] = np.linspace(0.2, 0.8, 100).reshape(10, 10)

    assert full_ink(strength) == pytest.approx(0.2 + 0.6 * 0.9)


def test_full_ink_is_at_least_a_fourteenth_of_the_papers_brightness():
    assert full_ink(np.full((50, 50), 0.01, np.float32)) == pytest.approx(0.07)


# Hysteresis


def test_the_faint_end_of_a_stroke_is_ink_and_a_faint_speck_is_not():
    strength = np.zeros((40, 100), np.float32)
    strength[10:14, 10:50] = 1
    strength[10:14, 50:80] = 0.4  # the pen runs dry
    strength[30:34, 10:30] = 0.4  # what shines through from the other side

    ink = sure_ink(likely_ink(strength, 1), strength, 1)

    expected = np.zeros((40, 100), bool)
    expected[10:14, 10:80] = True
    np.testing.assert_array_equal(ink, expected)


@given(strength=arrays.arrays(np.float32, (15, 15), elements=st.sampled_from(np.float32([0, 0.2, 0.4, 0.7, 1]))))
@settings(deadline=None)
def test_sure_ink_is_scipys_pieces_with_something_sure_in_them(strength):
    likely = likely_ink(strength, 1)
    labels, _ = ndimage.label(strength > 0.3, ALL_AROUND)
    sure_labels = np.unique(labels[strength > 0.6])

    ink = sure_ink(likely, strength, 1)

    np.testing.assert_array_equal(ink, np.isin(labels, sure_labels) & (labels > 0))


# Widths of strokes


@pytest.mark.parametrize("width", [4, 5, 8, 13, 20, 32])
def test_a_bar_has_its_width(width):
    bar = np.zeros((400, 100), bool)
    bar[20:380, 30 : 30 + width] = True

    assert stroke_width(bar) == pytest.approx(width, rel=0.07, abs=1)


@pytest.mark.parametrize("width", [6, 10, 16])
def test_a_slanted_stroke_is_as_wide_as_an_upright_one(width):
    slanted = strokes((300, 300), [(40, 40), (260, 200)], width=width)

    assert stroke_width(slanted) == pytest.approx(width, rel=0.15, abs=1)


def test_a_stroke_at_the_edge_of_the_picture_is_not_wider_there():
    bar = np.zeros((50, 100), bool)
    bar[:10] = True

    assert stroke_width(bar) == pytest.approx(stroke_width(np.roll(bar, 20, axis=0)))


def test_no_ink_has_the_width_of_one_pixel():
    assert stroke_width(np.zeros((9, 9), bool)) == 1
