"""One digit → 28 × 28 pixels, as MNIST's own digits were made."""

import cv2
import numpy as np

from mnist_dash.digitizer.ink import stroke_width
from mnist_dash.errors import PictureError

SIZE = 28  # pixels, the side of an MNIST picture
DIGIT_SIZE = 20  # pixels, the longer side of the digit in it
CENTRE = 14.0  # where MNIST's centres of mass are, counted from the first pixel's middle
FINEST, WIDEST = 2.0, 3.6  # pixels; 70 % of MNIST's training pictures have strokes in between
_FINE = 8  # so many times as large as in the end, while strokes are measured and mended


def to_mnist(ink: np.ndarray) -> np.ndarray:
    """Redraws one digit the way MNIST's own digits were drawn.

    Its strokes are brought to MNIST's width, it is scaled until its longer side is 20
    pixels, and it is placed on a black 28 × 28 square with its centre of mass in the
    middle. A model trained on MNIST has seen only pictures made this way.

    Args:
        ink: Shape (height, width), float in [0, 1]: 0 is paper, 1 is full ink, and 0.5
            the edge of a stroke.

    Returns:
        The redrawn picture, shape (28, 28), uint8, 0 is paper and 255 ink.

    Raises:
        ValueError: If `ink` is not two-dimensional.
        PictureError: If there is no ink in it.

    Source:
        "The MNIST database of handwritten digits", LeCun, Cortes and Burges.
    """
    if ink.ndim != 2:
        raise ValueError(f"ink has shape {ink.shape}, but must have two dimensions.")
    fine = _fitted(ink, DIGIT_SIZE * _FINE)
    if not fine.any():
        raise PictureError(
            f"No digit found: all {ink.shape[1]:,} × {ink.shape[0]:,} pixels are background. Draw a digit."
        )
    strokes = _with_stroke(fine > min(0.5, fine.max() / 2))
    rows, columns = np.flatnonzero(strokes.any(1)), np.flatnonzero(strokes.any(0))
    box = strokes[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    return centred(_fitted(box.astype(np.float32), DIGIT_SIZE))


def narrow(pictures: np.ndarray, part: float) -> np.ndarray:
    """Makes digits narrower about their centres of mass, as high as they are.

    Args:
        pictures: Shape (n, 28, 28), uint8.
        part: Of their width, in (0, 1].

    Returns:
        As `pictures`.
    """
    narrow = []
    for picture in pictures:
        moments = cv2.moments(picture)
        centre = moments["m10"] / max(moments["m00"], 1)
        turn = np.array([[part, 0, CENTRE - part * centre], [0, 1, 0]], np.float32)
        narrow.append(cv2.warpAffine(picture, turn, (SIZE, SIZE), flags=cv2.INTER_LINEAR))
    return np.stack(narrow)


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
    """Places a digit on a black square so that its centre of mass is in the middle, as far as it fits.

    Args:
        digit: Shape (height, width), each at most 28, float32 in [0, 1], not all 0.

    Returns:
        Shape (28, 28), uint8.
    """
    mass = digit.sum()
    moments = [float((digit.sum(1 - axis) * np.arange(digit.shape[axis])).sum() / mass) for axis in (0, 1)]
    top, left = (
        int(np.clip(round(CENTRE - moment), 0, SIZE - side)) for moment, side in zip(moments, digit.shape, strict=True)
    )
    square = np.zeros((SIZE, SIZE), np.uint8)
    square[top : top + digit.shape[0], left : left + digit.shape[1]] = np.rint(digit * 255)
    return square
