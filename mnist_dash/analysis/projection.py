"""Where images lie on a map: their first two principal components."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, eq=False)
class Projection:
    """Images as points.

    Attributes:
        points: Shape (n, 2), float32.
        explained: Share of the variance along both axes, shape (2,), each in [0, 1].
    """

    points: np.ndarray
    explained: np.ndarray


def project(features: np.ndarray) -> Projection:
    """Projects features to the two directions in which they vary most.

    Args:
        features: Shape (n, d), any number type; n at least 2.

    Source:
        Pearson 1901, "On lines and planes of closest fit to systems of points in
        space". The sign of each direction is such that its largest weight is positive.
    """
    centred = features.astype(np.float32)
    centred -= centred.mean(0)
    variances, directions = np.linalg.eigh(centred.T @ centred / len(centred))
    chosen = directions[:, [-1, -2]]
    chosen *= np.sign(chosen[np.abs(chosen).argmax(0), [0, 1]])
    total = max(float(variances.sum()), 1e-12)
    return Projection(centred @ chosen, np.maximum(variances[[-1, -2]], 0) / total)
