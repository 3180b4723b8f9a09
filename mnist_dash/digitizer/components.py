"""Pieces of ink, and which of them are one digit."""

from dataclasses import dataclass

import cv2
import numpy as np

from mnist_dash.digitizer.ink import stroke_width

LOWEST = 0.35  # of the usual height: what is lower is no digit
SEVERAL = 4  # so many digits say what is usual on this sheet
_FRAGMENT = 0.55  # of the usual height: what is lower may be a part of the digit beside it
_NEAR = 0.3  # of the usual height: how far from its digit a loose part may be
_OVER = 0.5  # of the narrower one's width: parts so much above each other are one digit
_BELOW = 0.25  # of the usual height: the gap between parts above each other
_BROKEN, _BROKEN_PIXELS = 0.5, 2.3  # of the stroke's width, or pixels: a gap in a stroke
_STRETCH, _STRETCH_LOOSE, _STRETCH_HALVES = 1.35, 1.6, 2.3  # of the usual height: parts together, see _pairs
_MAX_OVERLAP = 20  # pictures that all parts' boxes would fill
_MAX_PARTS = 1_000

Box = tuple[int, int, int, int]  # left, top, right, bottom


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


def joined(parts: list[Part], usual: float) -> list[Part]:
    """Joins the loose parts of a digit: the bar of a 5, the pieces of a broken 8.

    Args:
        parts: The pieces of ink.
        usual: The height of a typical digit, pixels.

    Returns:
        The parts, those of one digit as one; which, in any order.
    """
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
    return [union([parts[number] for number in numbers]) for numbers in members.values()]


def _box_around(parts: list[Part]) -> Box:
    left, top = min(part.left for part in parts), min(part.top for part in parts)
    return left, top, max(part.right for part in parts), max(part.bottom for part in parts)


def _fit(one: Box, other: Box, usual: float, stretch: float) -> bool:
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
    few = sum(part.height >= LOWEST * usual for part in parts) < SEVERAL
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


def union(parts: list[Part]) -> Part:
    """Returns several pieces of ink as one."""
    if len(parts) == 1:
        return parts[0]
    left, top, right, bottom = _box_around(parts)
    mask = np.zeros((bottom - top, right - left), np.uint8)
    for part in parts:
        _place(mask, part, left, top, 1)
    return Part(left, top, right - left, bottom - top, mask > 0)
