"""Slices: accuracy on test images grouped by a trait of the digit, such as its ink or slant."""

from dataclasses import dataclass

import numpy as np

from mnist_dash.analysis.accuracies import Accuracy, accuracy

INK = "ink"
SLANT = "slant"
WIDTH = "width"
HEIGHT = "height"
STROKE = "stroke"
PROPERTIES = (INK, SLANT, WIDTH, HEIGHT, STROKE)
SLICES = 5
_INKED = 128  # from this grey on a pixel counts as ink where an edge is looked for


def measure_property(images: np.ndarray, name: str) -> np.ndarray:
    """Measures one property of every image.

    Args:
        images: Shape (n, 28, 28), uint8, 0 is black paper and 255 white ink.
        name: `INK`, the mean brightness in % of white; `SLANT`, how far the strokes lean to the
            right, in degrees; `WIDTH` or `HEIGHT`, pixels between the outermost ink; or `STROKE`,
            the mean width of the strokes, pixels.

    Returns:
        Shape (n,), float32; 0 for images without ink.

    Source:
        Slant from second moments, as LeCun and others 1998, "Gradient-based learning
        applied to document recognition", deslant digits. Stroke width is twice the ink
        divided by the length of its outline, which is the sum of the gradient's magnitude.
    """
    if name == INK:
        return np.asarray(images.mean((1, 2)) / 2.55, np.float32)
    if name in (WIDTH, HEIGHT):
        lines = np.any(images >= _INKED, axis=1 if name == WIDTH else 2)
        extent = lines.shape[1] - lines.argmax(1) - lines[:, ::-1].argmax(1)
        return np.asarray(extent * np.any(lines, axis=1), np.float32)
    if name == STROKE:
        return _stroke_widths(images)
    return _slants(images.astype(np.float32))


def _stroke_widths(images: np.ndarray) -> np.ndarray:
    padded = np.pad(images, ((0, 0), (1, 1), (1, 1))).astype(np.float32)
    down, across = np.diff(padded, axis=1), np.diff(padded, axis=2)
    # Of each square of four pixels, so that an outline is as long in every direction.
    downwards, sideways = (down[:, :, 1:] + down[:, :, :-1]) / 2, (across[:, 1:] + across[:, :-1]) / 2
    outline = np.hypot(downwards, sideways).sum((1, 2))
    return np.asarray(2 * images.sum((1, 2), dtype=np.float32) / np.maximum(outline, 1.0), np.float32)


def _slants(ink: np.ndarray) -> np.ndarray:
    rows, columns = np.mgrid[: ink.shape[1], : ink.shape[2]].astype(np.float32).reshape(2, -1)
    flat = ink.reshape(len(ink), -1)
    mass = np.maximum(flat.sum(1), 1.0)
    row, column = flat @ rows / mass, flat @ columns / mass
    covariance = flat @ (rows * columns) / mass - row * column
    variance = np.maximum(flat @ (rows * rows) / mass - row * row, 1e-6)
    # Rows grow downwards: strokes that lean to the right have fewer columns in lower rows.
    return np.asarray(np.degrees(np.arctan2(-covariance, variance)) * (flat.sum(1) > 0), np.float32)


@dataclass(frozen=True)
class Slice:
    """Test images with similar values of one property.

    Attributes:
        low, high: The property's range.
        middle: Its median.
        accuracy: On these images.
    """

    low: float
    high: float
    middle: float
    accuracy: Accuracy


def accuracy_by_slice(values: np.ndarray, correct: np.ndarray, *, slices: int = SLICES) -> list[Slice]:
    """Returns the accuracy on slices of equal size, from low values to high.

    Args:
        values: The property of every image, shape (n,), n at least `slices`.
        correct: Whether each is predicted correctly, shape (n,), bool.
        slices: How many.
    """
    return [
        Slice(
            float(values[indices[0]]),
            float(values[indices[-1]]),
            float(np.median(values[indices])),
            accuracy(int(correct[indices].sum()), len(indices)),
        )
        for indices in np.array_split(np.argsort(values, kind="stable"), slices)
    ]
