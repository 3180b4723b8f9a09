"""Ink → the digits in it, in reading order."""

import itertools
from dataclasses import dataclass

import cv2
import numpy as np

from mnist_dash.images.ink import stroke_width

_SPECK = 0.12  # of the tallest digit's height: what is smaller both ways is dirt
_FRAGMENT = 0.55  # of the usual height: what is lower may be a part of the digit beside it
_NEAR = 0.3  # of the usual height: how far from its digit a loose part may be
_OVER = 0.5  # of the narrower one's width: parts so much above each other are one digit
_BELOW = 0.25  # of the usual height: the gap between parts above each other
_BROKEN, _BROKEN_PIXELS = 0.5, 2.3  # of the stroke's width, or pixels: a gap in a stroke
_STRETCH, _STRETCH_LOOSE, _STRETCH_HALVES = 1.35, 1.6, 2.3  # of the usual height: parts together, see _pairs
_BORDER = 0.6  # of the picture's side: what runs along the edge so far is the paper's edge
_LEAST_DIGIT = 0.08  # of the picture's shorter side
_MUCH = 0.2  # of the area of what is cut off: so large must a whole digit be for that to be left out
_WIDE = 1.3  # width over height of what may be several touching digits
_DIGIT = 0.75  # usual width over height of a digit
_LOWEST, _HIGHEST = 0.35, 1.7  # of the usual height
_SEVERAL = 4  # so many digits say what is usual on this sheet
_FINEST_PEN, _WIDEST_PEN = 0.45, 2.2  # of the usual width of strokes
_MAX_DIGITS, _MAX_PARTS = 400, 1_000
_MAX_OVERLAP = 20  # pictures that all parts' boxes would fill


@dataclass(frozen=True, eq=False)
class Part:
    """A piece of ink.

    Attributes:
        left, top, width, height: Its box in the picture, pixels.
        mask: Where in the box it is, shape (height, width), bool.
    """

    left: int
    top: int
    width: int
    height: int
    mask: np.ndarray

    @property
    def area(self) -> int:
        """How many of its pixels have ink."""
        return int(np.count_nonzero(self.mask))

    @property
    def right(self) -> int:
        """The first column after it."""
        return self.left + self.width

    @property
    def bottom(self) -> int:
        """The first row after it."""
        return self.top + self.height


def find_digits(mask: np.ndarray, *, photo: bool = True) -> list[list[Part]]:
    """Finds the digits and puts them in reading order.

    Args:
        mask: Where there is ink, shape (height, width), bool.
        photo: Whether the edge of the picture may cut things off that are not digits.

    Returns:
        Rows from top to bottom, each with its digits from left to right. Empty if
        there is nothing but dirt.
    """
    parts = _without_edges(parts_of(mask), mask.shape, photo)
    if not parts:
        return []
    usual = usual_height(parts)
    parts = [part for part in parts if max(part.width, part.height) >= _SPECK * usual]
    digits = _joined(parts, usual)
    usual = usual_height(digits)
    digits = [digit for digit in digits if digit.height >= _LOWEST * usual] or digits
    digits = _of_one_pen(digits, usual)[:_MAX_DIGITS]
    widest = _widest(digits)
    return in_rows([piece for digit in digits for piece in split(digit, usual, widest)][:_MAX_DIGITS])


def _of_one_pen(digits: list[Part], usual: float) -> list[Part]:
    """Leaves out remains of lines, edges and shadows: much finer or wider than most strokes, or too long."""
    widths = np.array([stroke_width(digit.mask) for digit in digits])
    pen = _usual(widths, digits)
    highest = _HIGHEST * usual if len(digits) >= _SEVERAL else np.inf
    return [
        digit
        for digit, width in zip(digits, widths, strict=True)
        if _FINEST_PEN * pen <= width <= _WIDEST_PEN * pen and digit.height <= highest
    ]


def _widest(digits: list[Part]) -> float:
    """Returns up to which part of its height a digit may be wide before it counts as two."""
    if len(digits) < _SEVERAL:
        return _WIDE
    return min(_WIDE, 1.7 * float(np.median([digit.width / digit.height for digit in digits])))


def parts_of(mask: np.ndarray) -> list[Part]:
    """Returns the connected pieces of ink, largest area first, at most a thousand.

    Fewer if their boxes lie upon each other, as those of a hundred rings do.
    """
    _, labels, found, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=8)
    order = np.argsort(-found[1:, cv2.CC_STAT_AREA], kind="stable")[:_MAX_PARTS] + 1
    boxes = np.cumsum(found[order, cv2.CC_STAT_WIDTH].astype(int) * found[order, cv2.CC_STAT_HEIGHT])
    order = order[boxes <= _MAX_OVERLAP * mask.size]
    parts = []
    for label in order:
        left, top, width, height = (int(value) for value in found[label, :4])
        box = labels[top : top + height, left : left + width]
        parts.append(Part(left, top, width, height, box == label))
    return parts


def usual_height(parts: list[Part]) -> float:
    """Returns the height of a typical digit: the median over pixels of ink, so that dirt does not count."""
    return _usual(np.array([max(part.height, part.width / 2) for part in parts]), parts)


def _usual(values: np.ndarray, parts: list[Part]) -> float:
    areas = np.array([part.area for part in parts])
    order = np.argsort(values)
    return float(values[order][np.searchsorted(np.cumsum(areas[order]), areas.sum() / 2)])


def _without_edges(parts: list[Part], shape: tuple[int, ...], photo: bool) -> list[Part]:
    """Leaves out what the picture's edge cuts off: a table, a shadow, the paper's own edge.

    Only if something like a digit is left: a digit may touch the edge, too.
    """
    if not photo:
        return parts
    height, width = shape

    def runs_along(part: Part) -> bool:
        upright = (part.left == 0 or part.right == width) and part.height >= _BORDER * height
        level = (part.top == 0 or part.bottom == height) and part.width >= _BORDER * width
        return upright or level

    def is_cut(part: Part) -> bool:
        return part.left == 0 or part.top == 0 or part.right == width or part.bottom == height

    inside = [part for part in parts if not runs_along(part)]
    if not any(max(part.width, part.height) >= _LEAST_DIGIT * min(shape) for part in inside):
        return parts
    whole = [part for part in inside if not is_cut(part)]
    largest = max((part.area for part in whole), default=0)
    return [part for part in inside if not (is_cut(part) and largest >= _MUCH * part.area)]


def _joined(parts: list[Part], usual: float) -> list[Part]:
    """Joins the loose parts of a digit: the bar of a 5, the pieces of a broken 8. Nearest ones first."""
    group = list(range(len(parts)))
    members = {number: [number] for number in group}
    boxes = {number: _box_around([part]) for number, part in enumerate(parts)}
    for one, other, stretch in _pairs(parts, usual):
        first, second = group[one], group[other]
        if first == second or not _fit(boxes[first], boxes[second], usual, stretch):
            continue
        for number in members[second]:
            group[number] = first
        members[first] += members.pop(second)
        boxes[first] = _box_around([parts[number] for number in members[first]])
    return [_union([parts[number] for number in numbers]) for numbers in members.values()]


def _box_around(parts: list[Part]) -> tuple[int, int, int, int]:
    left, top = min(part.left for part in parts), min(part.top for part in parts)
    return left, top, max(part.right for part in parts), max(part.bottom for part in parts)


def _fit(one: tuple[int, int, int, int], other: tuple[int, int, int, int], usual: float, stretch: float) -> bool:
    """Tells whether two boxes together are not much larger than a digit, or than one of them alone."""
    width, height = (max(one[end], other[end]) - min(one[end - 2], other[end - 2]) for end in (2, 3))
    widest, highest = (max(usual, *(box[end] - box[end - 2] for box in (one, other))) for end in (2, 3))
    return height <= stretch * highest and width <= 1.2 * widest


def _pairs(parts: list[Part], usual: float) -> list[tuple[int, int, float]]:
    """Returns which neighbouring parts may be of one digit, nearest ones first.

    Each pair with the height they may have together, as a part of the usual one: where
    there are few parts, that may be the height of a piece.
    """
    apart, one, other = _neighbours(parts)
    left, top, right, bottom = np.array([_box_around([part]) for part in parts], float).T
    across = np.minimum(right[one], right[other]) - np.maximum(left[one], left[other])
    down = np.minimum(bottom[one], bottom[other]) - np.maximum(top[one], top[other])
    narrower = np.minimum((right - left)[one], (right - left)[other])
    lower = np.minimum((bottom - top)[one], (bottom - top)[other])
    inside = (down >= 0.8 * lower) & (across >= 0.8 * narrower)
    above = (across >= _OVER * narrower) & (-down <= _BELOW * usual)
    near = (lower <= _FRAGMENT * usual) & (np.maximum(-across, -down) <= _NEAR * usual)
    broken = max(_BROKEN_PIXELS, _BROKEN * float(np.median([stroke_width(part.mask) for part in parts])))
    likely = inside | ((above | near) & (apart <= _NEAR * usual)) | (apart <= broken)
    few = sum(part.height >= _LOWEST * usual for part in parts) < _SEVERAL
    halves = (apart <= broken) | (above & (apart <= 2 * broken))
    stretch = np.where(halves, _STRETCH_HALVES, _STRETCH_LOOSE) if few else np.full(len(apart), _STRETCH)
    return [(int(one[pair]), int(other[pair]), float(stretch[pair])) for pair in np.flatnonzero(likely)]


def _neighbours(parts: list[Part]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Returns the distances of neighbouring parts in pixels, nearest first, and the numbers of both.

    Each pixel belongs to the part nearest to it; parts are neighbours if pixels of theirs
    touch. That takes as long for a thousand parts as for two.

    Source:
        Borgefors 1986, "Distance transformations in digital images".
    """
    left, top, right, bottom = _box_around(parts)
    numbers = np.full((bottom - top, right - left), -1)
    for number, part in enumerate(parts):
        _place(numbers, part, left, top, number)
    paper = (numbers < 0).astype(np.uint8)
    distance, nearest = cv2.distanceTransformWithLabels(paper, cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL)
    owner_of = np.empty(nearest.max() + 1, int)
    owner_of[nearest[numbers >= 0]] = numbers[numbers >= 0]
    owner = owner_of[nearest]
    found = []
    for down, right_by in ((0, 1), (1, 0), (1, 1), (1, -1)):
        here = np.s_[: owner.shape[0] - down, max(0, -right_by) : owner.shape[1] - max(0, right_by)]
        there = np.s_[down:, max(0, right_by) : owner.shape[1] - max(0, -right_by)]
        touch = owner[here] != owner[there]
        one, other = owner[here][touch], owner[there][touch]
        apart = distance[here][touch] + distance[there][touch] + np.hypot(down, right_by)
        found.append((apart, np.minimum(one, other), np.maximum(one, other)))
    apart, one, other = (np.concatenate(values) for values in zip(*found, strict=True))
    order = np.argsort(apart, kind="stable")
    _, first = np.unique(one[order] * len(parts) + other[order], return_index=True)
    pairs = order[np.sort(first)]
    return apart[pairs], one[pairs], other[pairs]


def _place(picture: np.ndarray, part: Part, left: int, top: int, value: int) -> None:
    box = picture[part.top - top : part.bottom - top, part.left - left : part.right - left]
    box[part.mask] = value


def _union(parts: list[Part]) -> Part:
    if len(parts) == 1:
        return parts[0]
    left, top, right, bottom = _box_around(parts)
    mask = np.zeros((bottom - top, right - left), np.uint8)
    for part in parts:
        _place(mask, part, left, top, 1)
    return Part(left, top, right - left, bottom - top, mask > 0)


def split(digit: Part, usual: float, widest: float = _WIDE) -> list[Part]:
    """Splits touching neighbours where there is little ink between them.

    Args:
        digit: What may be several digits.
        usual: The height of a typical digit, pixels.

    Returns:
        The pieces from left to right, or `digit` alone.
    """
    height = min(digit.height, 1.3 * usual)
    if digit.width < widest * height:
        return [digit]
    number = max(2, round(digit.width / (_DIGIT * height)))
    column_ink = digit.mask.sum(0)
    cuts = [0]
    for piece in range(1, number):
        middle, reach = digit.width * piece / number, 0.35 * digit.width / number
        start, stop = int(middle - reach), int(middle + reach) + 1
        # Neighbours touch at one place; two strokes above each other are the two sides of a loop.
        one_place = [column for column in range(start, stop) if _runs(digit.mask[:, column]) <= 1]
        cut = min(one_place, key=column_ink.__getitem__, default=start)
        if not one_place or column_ink[cut] > 0.35 * digit.height:
            return [digit]
        cuts.append(cut)
    cuts.append(digit.width)
    pieces = [_cropped(digit, left, right) for left, right in itertools.pairwise(cuts)]
    # A piece that is not as high as a digit is a long stroke of the digit beside it.
    return pieces if min(piece.height for piece in pieces) >= 0.6 * height else [digit]


def _runs(column: np.ndarray) -> int:
    return int(np.count_nonzero(np.diff(column.astype(np.int8), prepend=0) == 1))


def _cropped(digit: Part, left: int, right: int) -> Part:
    mask = digit.mask[:, left:right]
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    if not rows.size:
        return Part(digit.left + left, digit.top, right - left, digit.height, mask)
    box = mask[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    return Part(digit.left + left + int(columns[0]), digit.top + int(rows[0]), box.shape[1], box.shape[0], box)


def in_rows(digits: list[Part]) -> list[list[Part]]:
    """Puts digits in reading order; a row may climb or fall.

    Each digit, from left to right, joins the row whose last digit is most beside it.
    """
    rows: list[list[Part]] = []
    for digit in sorted(digits, key=lambda part: part.left):
        beside = [(_beside(row[-1], digit), number) for number, row in enumerate(rows)]
        most, number = max(beside, default=(0.0, 0))
        if most > 0.3:
            rows[number].append(digit)
        else:
            rows.append([digit])
    return sorted(rows, key=lambda row: float(np.mean([digit.top + digit.height / 2 for digit in row])))


def _beside(one: Part, other: Part) -> float:
    shared = min(one.bottom, other.bottom) - max(one.top, other.top)
    return shared / min(one.height, other.height)
