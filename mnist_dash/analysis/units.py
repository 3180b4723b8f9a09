"""Neurons and filters: how strong their weights are, which class they speak for, which of them never respond."""

import numpy as np


def norms(kernel: np.ndarray) -> np.ndarray:
    """Returns the Euclidean norm of each unit's incoming weights, shape (units,); the last axis is the units."""
    return np.asarray(np.linalg.norm(kernel.reshape(-1, kernel.shape[-1]), axis=0))


def speaks_for(outgoing: np.ndarray) -> np.ndarray:
    """Returns the class that each unit raises most compared with the others, shape (units,).

    Args:
        outgoing: Weights from the units to the ten logits, shape (units, 10).
    """
    return np.asarray((outgoing - outgoing.mean(1, keepdims=True)).argmax(1))


def dead(strongest: np.ndarray) -> np.ndarray:
    """Returns which units are zero for every image, shape (units,), bool.

    Args:
        strongest: Each unit's largest activation in each image, shape (n, units).
    """
    return np.asarray((strongest <= 0).all(0))


def extremes(activations: np.ndarray, *, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Returns the indices of the images that a unit responds to most, and least, strongest and weakest first.

    Args:
        activations: Of one unit, shape (n,).
        count: How many of each.
    """
    order = np.argsort(activations, kind="stable")
    return order[::-1][:count], order[:count]
