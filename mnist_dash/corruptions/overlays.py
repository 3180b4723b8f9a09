"""What is drawn over a digit or made of it: stripes, lines, zigzags, outlines."""

import cv2
import numpy as np

from mnist_dash.corruptions.corruption import as_pixels

_SIDE = 28  # pixels
_FADE = 2.3  # pixels above and below a line where nothing is left of it
_FIRST, _LAST = 2, 25  # columns between which a zigzag runs
_TOOTH = 2.0  # pixels, how far a zigzag goes up and down, and half of a tooth's length
_WEAK, _STRONG = 25, 51  # gradients of an edge, tenths of white
_SMOOTHING = 1.0  # pixels, standard deviation
_GAP = 8  # rows of black between pictures, farther than smoothing and gradients reach


def stripe(pictures: np.ndarray, _: np.random.Generator, width: float) -> np.ndarray:
    """Inverts so many columns at the left and as many at the right."""
    changed = pictures.copy()
    for columns in (slice(0, int(width)), slice(_SIDE - int(width), _SIDE)):
        changed[:, :, columns] = 255 - changed[:, :, columns]
    return changed


def dotted_line(pictures: np.ndarray, random: np.random.Generator, lines: float, ink: float) -> np.ndarray:
    """Draws dotted lines across pictures, each from a random height to a random height.

    Args:
        pictures: Shape (n, 28, 28), uint8.
        random: Random numbers.
        lines: How many.
        ink: How bright they are, in [0, 1].
    """
    dots = np.arange(_SIDE) // 2 % 2 == 1
    changed = pictures.astype(np.float32)
    for _ in range(int(lines)):
        start, end = random.integers(0, _SIDE - 1, (2, len(pictures), 1))
        heights = start + (end - start) * np.arange(_SIDE) / (_SIDE - 1)
        changed += 255 * ink * _line(heights) * dots
    return as_pixels(changed)


def zigzag(pictures: np.ndarray, random: np.random.Generator, lines: float, ink: float) -> np.ndarray:
    """Draws zigzags across pictures, nearly level.

    Args:
        pictures: Shape (n, 28, 28), uint8.
        random: Random numbers.
        lines: How many.
        ink: How bright they are, in [0, 1].
    """
    columns = np.arange(_SIDE)
    teeth = _TOOTH * (1 - np.abs((columns - _FIRST + _TOOTH) % (4 * _TOOTH) / _TOOTH - 2))
    inside = (columns >= _FIRST) & (columns < _LAST)
    changed = pictures.astype(np.float32)
    for _ in range(int(lines)):
        start = random.integers(0, _SIDE - 1, (len(pictures), 1))
        rise = random.integers(-5, 5, (len(pictures), 1))
        heights = start + rise * (columns - _FIRST) / (_LAST - _FIRST) + teeth
        changed += 255 * ink * _line(heights) * inside
    return as_pixels(changed)


def canny_edges(pictures: np.ndarray, _: np.random.Generator, part: float) -> np.ndarray:
    """Lets pictures fade into their outlines, as far as `part` in [0, 1] says.

    Source:
        Canny 1986, "A computational approach to edge detection".
    """
    tall = np.pad(pictures, ((0, 0), (0, _GAP), (0, 0))).reshape(-1, _SIDE)
    smooth = cv2.GaussianBlur(tall, (0, 0), _SMOOTHING, borderType=cv2.BORDER_CONSTANT)
    edges = cv2.Canny(smooth, _WEAK, _STRONG, L2gradient=True).reshape(-1, _SIDE + _GAP, _SIDE)[:, :_SIDE]
    return as_pixels((1 - part) * pictures.astype(np.float32) + part * edges.astype(np.float32))


def _line(heights: np.ndarray) -> np.ndarray:
    """Draws a line that fades above and below, given its height in each column.

    Args:
        heights: Rows, counted from the top, shape (n, 28).

    Returns:
        Shape (n, 28, 28), float32 in [0, 1].
    """
    distance = np.abs(np.arange(_SIDE, dtype=np.float32)[:, None] - heights[:, None].astype(np.float32))
    near = np.minimum(distance, np.float32(_FADE * (1 - 1e-4)))
    return np.asarray(np.maximum(np.log1p(-near / np.float32(_FADE)) + 1, 0))
