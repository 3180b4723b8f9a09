"""What digits look like — ink, slant, width — and how well those are read that have much or little of it."""

from dataclasses import dataclass

import numpy as np

from mnist_dash.analysis.accuracies import Accuracy, accuracy

INK = "ink"
SLANT = "slant"
WIDTH = "width"
TRAITS = (INK, SLANT, WIDTH)
PARTS = 5
_INKED = 128  # from this grey on a pixel counts as ink where an edge is looked for


def measure_trait(pictures: np.ndarray, trait: str) -> np.ndarray:
    """Measures one trait of every picture.

    Args:
        pictures: Shape (n, 28, 28), uint8, 0 is black paper and 255 white ink.
        trait: `INK`, the mean brightness in % of white; `SLANT`, how far the strokes lean to the
            right, in degrees; or `WIDTH`, pixels between the leftmost and rightmost ink.

    Returns:
        Shape (n,), float32; 0 for pictures without ink.

    Source:
        Slant from second moments, as LeCun and others 1998, "Gradient-based learning
        applied to document recognition", deslant digits.
    """
    if trait == INK:
        return np.asarray(pictures.mean((1, 2)) / 2.55, np.float32)
    if trait == WIDTH:
        columns = np.any(pictures >= _INKED, axis=1)
        width = columns.shape[1] - columns.argmax(1) - columns[:, ::-1].argmax(1)
        return np.asarray(width * np.any(columns, axis=1), np.float32)
    return _slants(pictures.astype(np.float32))


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
class TraitPart:
    """A part of the test pictures, by one trait.

    Attributes:
        low, high: The trait's range.
        middle: Its median there.
        accuracy: On these pictures.
    """

    low: float
    high: float
    middle: float
    accuracy: Accuracy


def accuracy_by_trait(values: np.ndarray, right: np.ndarray, *, parts: int = PARTS) -> list[TraitPart]:
    """Returns the accuracy on parts of equal size, from little of a trait to much.

    Args:
        values: The trait of every picture, shape (n,), n at least `parts`.
        right: Whether each was read right, shape (n,), bool.
        parts: How many.
    """
    return [
        TraitPart(
            float(values[part[0]]),
            float(values[part[-1]]),
            float(np.median(values[part])),
            accuracy(int(right[part].sum()), len(part)),
        )
        for part in np.array_split(np.argsort(values, kind="stable"), parts)
    ]
