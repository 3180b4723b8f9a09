"""Printed frames around a digit → not ink: boxes, half-boxes and combs of forms."""

from dataclasses import dataclass

import cv2
import numpy as np

_DEEP = 0.2  # of the box: so far from its edge a side may lie, as corners overshoot
_STRAIGHT, _LEAST_STRAIGHT = 0.025, 2.0  # of the box, or pixels: how far a side may leave the straight line
_SHARE = 0.7  # of a side that must be there: the rest are gaps, corners and strokes that cross it
_THICKEST = 0.14  # of the box's shorter side
_CROSSED = 1.6  # times a side's thickness: a longer run of ink is a stroke that crosses it
_DIGIT = 0.15  # of the box's height: what is inside must be so high, or the box is itself a digit
_SPECK = 0.15  # of the largest piece of ink: smaller ones do not decide where the box is
_LEAST_SIDES = 3
_SMALLEST = 24  # pixels
_NESTED = 3  # frames inside each other, at most
_SMALL = 160  # pixels, the longer side of a copy that shows whether there is a frame
_SEEN = 25  # of 255: a line of one pixel is seen in a copy of a tenth


@dataclass(frozen=True, eq=False)
class _Side:
    """One side of a frame, seen from above: its pixels, and all that lies beyond it; shape (height, width), bool."""

    pixels: np.ndarray
    beyond: np.ndarray


def without_frame(mask: np.ndarray) -> np.ndarray:
    """Removes a printed frame around everything else.

    A frame has three or four straight, thin sides with something as high as a digit inside. Sides may be bent a
    little, tilted, broken, overshoot at the corners, and be touched or crossed by the digit; one side may be missing
    if what is inside stands apart.

    Args:
        mask: Where there is ink, shape (height, width), bool.

    Returns:
        The mask without the frame; the same array if there is none.
    """
    if min(mask.shape) < _SMALLEST:
        return mask
    part = round(max(mask.shape) / _SMALL)
    if part > 1:  # most pictures have no frame, which a small copy shows as well; whole parts are quick to make
        height, width = (side // part for side in mask.shape)
        whole = np.where(mask[: part * height, : part * width], np.uint8(255), np.uint8(0))
        if _inside(cv2.resize(whole, (width, height), interpolation=cv2.INTER_AREA) > _SEEN) is None:
            return mask
    for _ in range(_NESTED):
        inside = _inside(mask)
        if inside is None:
            break
        mask = inside
    return mask


def _inside(mask: np.ndarray) -> np.ndarray | None:
    top, bottom, left, right = _box(mask)
    crop = mask[top:bottom, left:right]
    if min(crop.shape) < _SMALLEST // 2:  # as small as in the copy of an image many times as long as wide
        return None
    found = _sides(crop)
    if len(found) < _LEAST_SIDES:
        return None
    frame = np.logical_or.reduce([side.pixels | side.beyond for side in found])
    rest = crop & ~frame
    count, labels, boxes, _ = cv2.connectedComponentsWithStats(rest.astype(np.uint8), connectivity=8)
    if count < 2 or boxes[1:, cv2.CC_STAT_HEIGHT].max() < _DIGIT * crop.shape[0]:
        return None
    largest = 1 + int(boxes[1:, cv2.CC_STAT_AREA].argmax())
    if len(found) == _LEAST_SIDES and _touches(labels == largest, crop & frame):
        return None  # a digit of straight strokes
    inside = np.zeros_like(mask)
    inside[top:bottom, left:right] = rest
    return inside


def _sides(crop: np.ndarray) -> list[_Side]:
    """Returns the sides of a frame that fills a picture; fewer than three as soon as two are missing."""
    found: list[_Side] = []
    for number, (upright, flipped) in enumerate(((False, False), (False, True), (True, False), (True, True))):
        if number - len(found) > 1:
            break
        turned = crop.T if upright else crop
        side = _side(np.ascontiguousarray(turned[::-1] if flipped else turned))
        if side is not None:
            found.append(_turned(side, flipped=flipped, upright=upright))
    return found


def _box(mask: np.ndarray) -> tuple[int, int, int, int]:
    """Returns top, bottom, left and right of the ink without specks."""
    count, _, boxes, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=8)
    if count < 2:
        return 0, 0, 0, 0
    left, top, width, height = boxes[1:, :4].T
    large = np.maximum(width, height) >= _SPECK * np.maximum(width, height).max()
    left, top, width, height = (values[large] for values in (left, top, width, height))
    return int(top.min()), int((top + height).max()), int(left.min()), int((left + width).max())


def _side(crop: np.ndarray) -> _Side | None:
    """Returns the upper side of a frame that fills a picture; None if there is no straight, thin line."""
    height, width = crop.shape
    columns = np.arange(width)
    first = np.where(crop.any(0), crop.argmax(0), height)
    near = first < _DEEP * height
    if near.mean() < _SHARE:
        return None
    line = _line(columns[near], first[near], width)
    tolerance = max(_LEAST_STRAIGHT, _STRAIGHT * height)
    straight = np.abs(first - line) <= tolerance
    if straight.mean() < _SHARE:
        return None
    runs = _runs(crop, first)
    thickness = float(np.median(runs[straight]))
    if thickness > _THICKEST * min(crop.shape):
        return None
    removed = np.where(runs <= _CROSSED * thickness + 2, runs, np.ceil(thickness) + 1)
    rows = np.arange(height)[:, None]
    pixels = straight & (rows >= first) & (rows < first + removed)
    return _Side(pixels, rows < line - tolerance)


def _line(columns: np.ndarray, rows: np.ndarray, width: int) -> np.ndarray:
    """Returns the straight line through the middle of most of these points, at all columns."""
    left, right = columns < np.quantile(columns, 1 / 3), columns > np.quantile(columns, 2 / 3)
    run = float(np.median(columns[right]) - np.median(columns[left])) or 1.0
    slope = float(np.median(rows[right]) - np.median(rows[left])) / run
    start = float(np.median(rows - slope * columns))
    return np.asarray(start + slope * np.arange(width))


def _runs(crop: np.ndarray, first: np.ndarray) -> np.ndarray:
    """Returns how many inked pixels follow each other in a column from its first one on."""
    rows = np.arange(crop.shape[0])[:, None]
    paper = np.where(~crop & (rows > first), rows, crop.shape[0]).min(0)
    return np.asarray(np.maximum(paper - first, 0))


def _turned(side: _Side, *, flipped: bool, upright: bool) -> _Side:
    """Returns a side as the picture has it that was transposed, or flipped, or both."""
    parts = (side.pixels[::-1], side.beyond[::-1]) if flipped else (side.pixels, side.beyond)
    return _Side(*(part.T for part in parts)) if upright else _Side(*parts)


def _touches(piece: np.ndarray, frame: np.ndarray) -> bool:
    around = cv2.dilate(piece.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    return bool((around & frame).any())
