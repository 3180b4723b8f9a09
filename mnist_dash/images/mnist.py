"""One digit → 28 × 28 pixels, as MNIST's own digits were made."""

import cv2
import numpy as np

from mnist_dash.images.ink import stroke_width

SIZE = 28  # pixels, the side of an MNIST picture
DIGIT_SIZE = 20  # pixels, the longer side of the digit in it
CENTRE = 14.0  # where MNIST's centres of mass are, counted from the first pixel's middle
FINEST, WIDEST = 2.0, 3.6  # pixels; 70 % of MNIST's training pictures have strokes in between
_FINE = 8  # so many times as large as in the end, while strokes are measured and mended


def to_mnist(mask: np.ndarray) -> np.ndarray:
    """Redraws one digit the way MNIST's own digits were drawn.

    Args:
        mask: shape (height, width), float32 in [0,1]; 0.5 is the stroke's edge.
    """
    size = DIGIT_SIZE * _FINE
    big = _fitted(mask, size)
    fine = big > 0.5
    if not fine.any():
        fine = big >= big.max() * 0.5
    fine = _with_stroke(fine)
    rows, columns = np.flatnonzero(fine.any(1)), np.flatnonzero(fine.any(0))
    box = fine[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1].astype(np.float32)
    digit = _fitted(box, DIGIT_SIZE)
    return centred(digit)


def _fitted(picture: np.ndarray, size: int) -> np.ndarray:
    height, width = picture.shape
    scale = size / max(height, width)
    target = (max(1, round(width * scale)), max(1, round(height * scale)))
    way = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    return cv2.resize(np.ascontiguousarray(picture, np.float32), target, interpolation=way).clip(0, 1)


def _with_stroke(fine: np.ndarray) -> np.ndarray:
    """Brings the strokes to the widths that MNIST's have."""
    width = stroke_width(fine) / _FINE
    border = 2 * _FINE
    framed = cv2.copyMakeBorder(fine.astype(np.uint8), border, border, border, border, cv2.BORDER_CONSTANT)
    if width < FINEST:
        grown = round((FINEST - width) * _FINE)
        return cv2.dilate(framed, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (grown + 1, grown + 1))) > 0
    if width > WIDEST:
        shrunk = min(round((width - WIDEST) * _FINE), 4 * _FINE)
        return cv2.erode(framed, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (shrunk + 1, shrunk + 1))) > 0
    return framed > 0


def centred(digit: np.ndarray) -> np.ndarray:
    mass = digit.sum()
    moments = [float((digit.sum(1 - axis) * np.arange(digit.shape[axis])).sum() / mass) for axis in (0, 1)]
    top, left = (
        int(np.clip(round(CENTRE - moment), 0, SIZE - side)) for moment, side in zip(moments, digit.shape, strict=True)
    )
    square = np.zeros((SIZE, SIZE), np.uint8)
    square[top : top + digit.shape[0], left : left + digit.shape[1]] = np.rint(digit * 255)
    return square
