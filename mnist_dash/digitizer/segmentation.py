"""Ink → the digits in it, in reading order."""

import itertools

import numpy as np

from mnist_dash.digitizer.components import LOWEST, SEVERAL, Part, joined, parts_of
from mnist_dash.digitizer.ink import stroke_width
from mnist_dash.digitizer.touching import Judge, cut_by, join_by

_SPECK = 0.12  # of the usual height: what is smaller both ways is dirt
_BORDER = 0.6  # of the picture's side: what runs along the edge so far is the paper's edge
_LEAST_DIGIT = 0.08  # of the picture's shorter side
_MUCH = 0.2  # of the area of what is cut off: so large must a whole digit be for that to be left out
_WIDE = 1.3  # width over height of what may be several touching digits
_DIGIT = 0.75  # usual width over height of a digit
_HIGHEST = 1.7  # of the usual height
_FINEST_PEN, _WIDEST_PEN = 0.45, 2.2  # of the usual width of strokes
_MAX_DIGITS = 400


def find_digits(mask: np.ndarray, *, photo: bool = True, judge: Judge | None = None) -> list[list[Part]]:
    """Finds the digits and puts them in reading order.

    Args:
        mask: Where there is ink, shape (height, width), bool.
        photo: Whether the edge of the picture may cut things off that are not digits.
        judge: How likely parts are one digit; without it, touching digits are told by
            their shape alone.

    Returns:
        Rows from top to bottom, each with its digits from left to right. Empty if
        there is nothing but dirt.
    """
    parts = _without_edges(parts_of(mask), mask.shape, photo)
    if not parts:
        return []
    usual = usual_height(parts)
    parts = [part for part in parts if max(part.width, part.height) >= _SPECK * usual]
    digits = joined(parts, usual)
    usual = usual_height(digits)
    digits = [digit for digit in digits if digit.height >= LOWEST * usual] or digits
    digits = _of_one_pen(digits, usual)[:_MAX_DIGITS]
    if judge is None:
        widest = _widest(digits)
        return in_rows([piece for digit in digits for piece in split(digit, usual, widest)][:_MAX_DIGITS])
    if len(digits) < SEVERAL:
        digits = [digit for row in in_rows(digits) for digit in join_by(judge, row)]
    return in_rows([piece for digit in digits for piece in cut_by(judge, digit)][:_MAX_DIGITS])


def _of_one_pen(digits: list[Part], usual: float) -> list[Part]:
    """Leaves out remains of lines, edges and shadows: much finer or wider than most strokes, or too long."""
    widths = np.array([stroke_width(digit.mask) for digit in digits])
    pen = _usual(widths, digits)
    highest = _HIGHEST * usual if len(digits) >= SEVERAL else np.inf
    return [
        digit
        for digit, width in zip(digits, widths, strict=True)
        if _FINEST_PEN * pen <= width <= _WIDEST_PEN * pen and digit.height <= highest
    ]


def _widest(digits: list[Part]) -> float:
    """Returns up to which part of its height a digit may be wide before it counts as two."""
    if len(digits) < SEVERAL:
        return _WIDE
    return min(_WIDE, 1.7 * float(np.median([digit.width / digit.height for digit in digits])))


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
