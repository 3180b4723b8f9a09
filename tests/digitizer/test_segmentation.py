"""Ink → digits in reading order: what is joined, split, dropped and kept."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from scipy import ndimage

from mnist_dash.digitizer.components import Part, parts_of
from mnist_dash.digitizer.ink import stroke_width
from mnist_dash.digitizer.segmentation import find_digits, in_rows, split
from tests.support.pictures import box_of, shade_of, strokes, ten_of_each

ALL_AROUND = np.ones((3, 3))  # pixels that touch at a corner are neighbours, too
SIDE = 28 * 3  # pixels of a digit's picture in these tests


@pytest.fixture(scope="module")
def digits(sample):
    """Real digits as masks, zeros first, cropped to their ink: those of one piece."""
    whole = []
    for digit in ten_of_each(sample):
        mask = shade_of(digit, times=3, margins=(0, 0, 0, 0)) > 0.4
        first, last, left, right = box_of(mask)
        if ndimage.label(mask, ALL_AROUND)[1] == 1:
            whole.append(mask[first : last + 1, left : right + 1])
    return whole


def laid_out(shape, *placed) -> np.ndarray:
    """A mask with masks at (top, left)."""
    picture = np.zeros(shape, bool)
    for top, left, mask in placed:
        picture[top : top + mask.shape[0], left : left + mask.shape[1]] |= mask
    return picture


def boxes(rows) -> list[list[tuple[int, int, int, int]]]:
    return [[(part.left, part.top, part.width, part.height) for part in row] for row in rows]


def part(mask, *, left=0, top=0) -> Part:
    return Part(left, top, mask.shape[1], mask.shape[0], mask)


def ring(height, width, *, thickness=8) -> np.ndarray:
    """A zero."""
    rows, columns = np.indices((height, width))
    outer = ((rows + 0.5) / height * 2 - 1) ** 2 + ((columns + 0.5) / width * 2 - 1) ** 2 <= 1
    return outer & ~ndimage.binary_erosion(outer, iterations=thickness)


ONE = strokes((90, 30), [(15, 8), (15, 82)], width=10)
FIVE_BODY = strokes((120, 90), [(25, 20), (22, 55), (60, 60), (60, 100), (20, 104)], width=9)
FIVE_BAR = strokes((120, 90), [(36, 14), (76, 10)], width=9)


# Pieces


@given(mask=arrays.arrays(bool, st.tuples(st.integers(1, 20), st.integers(1, 20))))
@settings(deadline=None)
def test_pieces_are_those_of_scipy_largest_first(mask):
    labels, count = ndimage.label(mask, ALL_AROUND)
    expected = sorted(np.bincount(labels.ravel())[1:].tolist(), reverse=True)

    found = parts_of(mask)

    assert [piece.area for piece in found] == expected
    assert len(found) == count
    again = laid_out(mask.shape, *[(piece.top, piece.left, piece.mask) for piece in found])
    np.testing.assert_array_equal(again, mask)


def test_of_ten_thousand_specks_a_thousand_are_pieces():
    specks = np.zeros((300, 300), bool)
    specks[::3, ::3] = True

    assert len(parts_of(specks)) == 1_000


def test_of_a_hundred_rings_in_each_other_the_largest_are_pieces():
    distance = np.maximum.outer(np.abs(np.arange(-300, 300)), np.abs(np.arange(-300, 300)))

    found = parts_of(distance % 3 == 0)

    assert 20 <= len(found) < 100
    assert sum(piece.width * piece.height for piece in found) <= 20 * 600 * 600
    assert found[0].width == max(piece.width for piece in found)


# One digit


def test_nothing_is_no_digit():
    assert find_digits(np.zeros((50, 60), bool)) == []


def test_every_digit_alone_is_one_digit_in_its_box(digits):
    wrong = []
    for number, digit in enumerate(digits):
        rows = find_digits(laid_out((150, 160), (30, 40, digit)))
        if boxes(rows) != [[(40, 30, digit.shape[1], digit.shape[0])]]:
            wrong.append(number)

    assert len(wrong) <= 1  # a 5 whose bar reaches as far as its body is wide


def test_the_bar_of_a_five_belongs_to_it():
    five = FIVE_BODY | FIVE_BAR

    ((found,),) = find_digits(laid_out((200, 200), (40, 50, five)))

    assert ndimage.label(five, ALL_AROUND)[1] == 2
    assert found.area == five.sum()


@pytest.mark.parametrize("gap", [2, 3, 4])
def test_an_eight_in_two_pieces_is_one_digit(gap):
    eight = laid_out((100 + gap, 60), (0, 4, ring(48, 52)), (48 + gap, 0, ring(52, 60)))

    ((found,),) = find_digits(laid_out((200, 200), (40, 50, eight)))

    assert ndimage.label(eight, ALL_AROUND)[1] == 2
    assert found.area == eight.sum()


@pytest.mark.parametrize("gap", [30, 50])
def test_two_zeros_above_each_other_are_two_digits(gap):
    zeros = laid_out((300, 200), (40, 50, ring(80, 60)), (120 + gap, 50, ring(80, 60)))

    assert [len(row) for row in find_digits(zeros)] == [1, 1]


def test_a_stroke_broken_by_a_dry_pen_is_one_digit():
    broken = strokes((140, 100), [(20, 20), (80, 20), (40, 120)], width=9)
    broken[60:64] = False

    ((found,),) = find_digits(laid_out((220, 200), (40, 50, broken)))

    assert found.area == broken.sum()


def test_a_four_of_two_strokes_that_do_not_touch_is_one_digit():
    four = strokes((120, 100), [(30, 15), (20, 70), (58, 70)], width=8) | strokes(
        (120, 100), [(69, 20), (68, 110)], width=8
    )

    ((found,),) = find_digits(laid_out((200, 200), (40, 50, four)))

    assert found.area == four.sum()


def test_a_wide_zero_is_one_digit():
    for width in (90, 110, 130, 150, 180):
        ((found,),) = find_digits(laid_out((180, 300), (40, 50, ring(90, width))))

        assert found.width == width


def test_a_dot_of_dirt_is_no_digit(digits):
    dirt = np.ones((6, 6), bool)

    rows = find_digits(laid_out((150, 300), (30, 40, digits[30]), (20, 200, dirt), (130, 10, dirt)))

    assert boxes(rows) == [[(40, 30, digits[30].shape[1], digits[30].shape[0])]]


def test_dirt_alone_is_taken_for_a_digit():
    assert len(find_digits(laid_out((100, 100), (50, 50, np.ones((3, 3), bool))))) == 1


# Several digits


def test_two_neighbours_are_two_digits(digits):
    of_one_pen = [digit for digit in digits if 7 <= stroke_width(digit) <= 11]
    for gap in (6, 12, 40):
        for one, other in itertools.pairwise(of_one_pen):
            left = 20 + one.shape[1] + gap

            rows = find_digits(laid_out((150, 300), (30, 20, one), (32, left, other)))

            assert [[found.left for found in row] for row in rows] == [[20, left]]


def test_two_ones_close_together_are_two_digits():
    rows = find_digits(laid_out((150, 200), (30, 50, ONE), (30, 75, ONE)))

    assert [[found.height for found in row] for row in rows] == [[85, 85]]


def test_two_digits_that_touch_are_split():
    twos = strokes((100, 80), [(12, 30), (40, 8), (66, 30), (10, 90), (74, 90)], width=8)
    pair = laid_out((100, 152), (0, 0, twos), (0, 72, twos))

    (row,) = find_digits(laid_out((200, 250), (40, 50, pair)))

    assert ndimage.label(pair, ALL_AROUND)[1] == 1
    assert len(row) == 2
    assert abs(row[1].left - (50 + 72)) < 12


def test_a_row_of_five_touching_digits_is_split_into_five():
    links = strokes((110, 420), [(20, 96), (400, 96)], width=6)
    row = links | laid_out((110, 420), *[(5, 20 + 80 * number, ring(100, 62)) for number in range(5)])

    pieces = split(part(row[:, 17:403]), 100)

    assert len(pieces) == 5
    assert all(50 <= piece.width <= 90 for piece in pieces)


def test_pieces_of_a_split_together_are_what_was_split():
    row = laid_out((100, 144), (0, 0, ring(100, 72)), (0, 72, ring(100, 72)))
    whole = part(row, left=7, top=11)

    pieces = split(whole, 100)

    assert len(pieces) == 2
    again = laid_out((111, 151), *[(piece.top, piece.left, piece.mask) for piece in pieces])
    np.testing.assert_array_equal(again[11:, 7:][:, :144], row)


def test_a_five_with_a_long_bar_is_not_split():
    five = strokes((110, 170), [(160, 10), (40, 14), (36, 50), (70, 60), (60, 98), (20, 96)], width=9)
    first, last, left, right = box_of(five)

    assert len(split(part(five[first : last + 1, left : right + 1]), 100)) == 1


# Rows


def page(digits, *, rows, columns, climb=0, seed=1):
    """Digits row by row, each a little up or down; gives the mask and the lefts of each row."""
    random = np.random.default_rng(seed)
    placed, lefts = [], []
    for row in range(rows):
        lefts.append([])
        for column in range(columns):
            digit = digits[random.integers(len(digits))]
            top = 60 + 140 * row + int(random.integers(-12, 13)) - climb * column
            left = 40 + 120 * column + int(random.integers(-10, 11))
            placed.append((top + climb * columns, left, digit))
            lefts[-1].append(left)
    shape = (140 * rows + 160 + climb * columns, 120 * columns + 120)
    return laid_out(shape, *placed), lefts


@pytest.mark.parametrize("climb", [-12, 0, 8, 14])
def test_rows_are_read_from_top_to_bottom_and_left_to_right(digits, climb):
    mask, lefts = page(digits, rows=4, columns=7, climb=max(climb, 0))
    if climb < 0:
        mask, lefts = page(digits, rows=4, columns=7, climb=-climb)
        mask = mask[::-1]
        lefts = lefts[::-1]

    rows = find_digits(mask)

    assert [[found.left for found in row] for row in rows] == lefts


@given(
    places=st.lists(
        st.tuples(st.integers(0, 300), st.integers(0, 300), st.integers(1, 60), st.integers(1, 60)), max_size=25
    )
)
@settings(deadline=None)
def test_every_digit_is_in_one_row_and_rows_go_to_the_right(places):
    parts = [Part(left, top, width, height, np.ones((height, width), bool)) for left, top, width, height in places]

    rows = in_rows(parts)

    assert sorted(map(id, parts)) == sorted(id(found) for row in rows for found in row)
    assert all(row == sorted(row, key=lambda found: found.left) for row in rows)
    middles = [np.mean([found.top + found.height / 2 for found in row]) for row in rows]
    assert middles == sorted(middles)


def test_digits_of_unlike_size_in_a_row_stay_in_it():
    small, large = ring(60, 40, thickness=6), ring(100, 70)

    rows = find_digits(laid_out((200, 500), (40, 40, large), (70, 160, small), (45, 260, large), (50, 400, small)))

    assert [[found.left for found in row] for row in rows] == [[40, 160, 260, 400]]


# The edge of a photograph


def test_the_edge_of_the_table_is_no_digit(digits):
    photo = laid_out((300, 400), (100, 150, digits[20]))
    photo[:, :14] = True
    photo[285:, :] = True

    rows = find_digits(photo)

    assert boxes(rows) == [[(150, 100, digits[20].shape[1], digits[20].shape[0])]]


def test_a_thumb_in_the_corner_is_no_digit(digits):
    photo = laid_out((300, 400), (100, 150, digits[20]), (250, 350, np.ones((50, 50), bool)))

    assert boxes(find_digits(photo)) == [[(150, 100, digits[20].shape[1], digits[20].shape[0])]]


@pytest.mark.parametrize("photo", [False, True])
def test_a_digit_that_touches_the_edge_of_its_crop_is_kept(digits, photo):
    for digit in digits[::7]:
        rows = find_digits(digit, photo=photo)

        assert sum(found.area for row in rows for found in row) == digit.sum()


def test_on_a_screen_what_touches_the_edge_is_a_digit_too(digits):
    drawing = laid_out((150, 300), (30, 0, digits[20]), (30, 150, digits[30]))

    rows = find_digits(drawing, photo=False)

    assert [[found.left for found in row] for row in rows] == [[0, 150]]


def test_the_shadow_between_lines_is_no_digit_among_many(digits):
    """Finer than any pen on the page, and longer than any digit."""
    mask, lefts = page(digits, rows=2, columns=5)
    mask[20:23, 100:400] = True
    mask[60:330, 660:662] = True

    rows = find_digits(mask)

    assert [[found.left for found in row] for row in rows] == lefts


# Without limit


@given(mask=arrays.arrays(bool, st.tuples(st.integers(1, 30), st.integers(1, 30))), photo=st.booleans())
@settings(deadline=None)
def test_any_ink_gives_digits_with_ink_inside_the_picture(mask, photo):
    rows = find_digits(mask, photo=photo)

    assert bool(rows) == bool(mask.any())
    for found in (found for row in rows for found in row):
        assert found.mask.shape == (found.height, found.width)
        assert found.left >= 0
        assert found.top >= 0
        assert found.mask.any()
        inside = mask[found.top : found.bottom, found.left : found.right]
        assert inside.shape == found.mask.shape
        assert not (found.mask & ~inside).any()


def test_a_picture_full_of_ink_has_at_most_400_digits():
    noise = np.random.default_rng(0).random((1_000, 1_000)) < 0.3

    assert 1 <= sum(map(len, find_digits(noise))) <= 400
