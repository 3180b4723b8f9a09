"""Touching digits cut apart and loose strokes joined, as a network says: with judges made up here, and the real one."""

import numpy as np
import pytest
from PIL import Image

from mnist_dash.digitizer.components import Part
from mnist_dash.digitizer.pipeline import digitize_canvas
from mnist_dash.digitizer.touching import cut_by, join_by
from mnist_dash.inference.novelty import NoveltyDetector
from tests.support.pictures import strokes


def part(mask, *, left=0, top=0) -> Part:
    return Part(left, top, mask.shape[1], mask.shape[0], mask)


def boxes(parts) -> list[tuple[int, int]]:
    return [(one.left, one.right) for one in parts]


def narrow_ones_are_digits(parts) -> np.ndarray:
    """A judge: the nearer a part's width is to 40 pixels, the likelier it is a digit."""
    return np.array([np.exp(-abs(one.width - 40) / 10) for one in parts])


def never(parts) -> np.ndarray:
    raise AssertionError("there was nothing to ask")


BLOCKS = np.zeros((60, 120), bool)  # three blocks of 40 columns that touch at one row
BLOCKS[:, 2:38] = BLOCKS[:, 42:78] = BLOCKS[:, 82:118] = True
BLOCKS[30] = True


@pytest.mark.parametrize("blocks", [1, 2, 3])
def test_ink_is_cut_where_the_pieces_look_most_like_digits(blocks):
    pieces = cut_by(narrow_ones_are_digits, part(BLOCKS[:, : 40 * blocks], left=7, top=3))

    assert len(pieces) == blocks
    for number, piece in enumerate(pieces):
        assert piece.left == pytest.approx(7 + 40 * number, abs=5)
        assert piece.right == pytest.approx(7 + 40 * number + 40, abs=5)


def test_what_is_surely_one_digit_or_too_narrow_for_two_is_not_cut():
    wide, narrow = part(BLOCKS), part(BLOCKS[:, :25])

    assert cut_by(lambda parts: np.full(len(parts), 0.9), wide) == [wide]
    assert cut_by(never, narrow) == [narrow]


def test_pieces_lie_within_the_ink_and_leave_nothing_out():
    ink = part(BLOCKS, left=7, top=3)
    found = np.zeros((70, 140), bool)

    for piece in cut_by(narrow_ones_are_digits, ink):
        assert not (piece.mask & ~BLOCKS[piece.top - 3 : piece.bottom - 3, piece.left - 7 : piece.right - 7]).any()
        found[piece.top : piece.bottom, piece.left : piece.right] |= piece.mask

    np.testing.assert_array_equal(found[3:63, 7:127], BLOCKS)


def test_neighbours_above_each_other_are_joined_if_they_look_like_one_digit_together():
    left, right = part(np.ones((60, 25), bool)), part(np.ones((60, 25), bool), left=12)
    apart = part(np.ones((60, 25), bool), left=90)

    def judge(parts):
        return np.array([0.9 if one.width > 30 else 0.5 for one in parts])

    assert boxes(join_by(judge, [left, right, apart])) == [(0, 37), (90, 115)]
    assert boxes(join_by(lambda parts: 1 - 0.98 * (judge(parts) > 0.8), [left, right])) == [(0, 25), (12, 37)]
    assert join_by(never, [left, apart]) == [left, apart]
    assert join_by(never, []) == []


def test_a_picture_full_of_doubtful_ink_asks_about_a_bounded_number_of_parts():
    picture = np.zeros((900, 1_000), bool)
    for top in range(10, 880, 30):
        for left in range(10, 960, 60):
            picture[top : top + 15, left : left + 45] = BLOCKS[::4, :90:2]
    asked = []

    def doubtful(pictures):
        asked.append(len(pictures))
        return np.full(len(pictures), 0.01)

    digitize_canvas(canvas_of(picture), doubtful)

    assert sum(asked) < 1_500 + 2_000  # those of one more piece of ink


# The network that ships


@pytest.fixture(scope="module")
def likelihood():
    return NoveltyDetector.shipped().likelihood


def canvas_of(mask) -> np.ndarray:
    ink = np.where(mask, 255, 0).astype(np.uint8)
    return np.stack([ink, ink, ink, np.full_like(ink, 255)], axis=-1)


def test_a_four_of_two_slanted_strokes_is_one_digit(likelihood):
    corner = strokes((200, 200), [(85, 20), (40, 130), (100, 122)], width=8)
    slash = strokes((200, 200), [(192, 15), (76, 180)], width=8)

    assert len(digitize_canvas(canvas_of(corner | slash), likelihood).digits) == 1
    assert len(digitize_canvas(canvas_of(corner | slash)).digits) == 2


def test_single_digits_are_not_cut(sample, likelihood):
    large = [np.asarray(Image.fromarray(image).resize((112, 112))) > 110 for image in sample.x_test[:150]]

    found = [len(digitize_canvas(canvas_of(np.pad(mask, 20)), likelihood).digits) for mask in large]

    assert sum(number != 1 for number in found) <= 1


def test_digits_that_touch_are_told_apart_far_more_often_than_by_their_shape_alone(sample, likelihood):
    counts = []
    for left, right in zip(sample.x_test[:30], sample.x_test[30:60], strict=True):
        first, second = (image[:, image.max(0) > 110] for image in (left, right))
        both = np.concatenate([first, second], axis=1)
        mask = np.asarray(Image.fromarray(both).resize((4 * both.shape[1], 112))) > 110
        canvas = canvas_of(np.pad(mask, 20))
        counts.append([len(digitize_canvas(canvas, judge).digits) == 2 for judge in (likelihood, None)])

    told, by_shape = np.mean(counts, axis=0)
    assert told >= 0.7
    assert told > by_shape
