"""Images that are like each other: nearest neighbours by pixels, and exact duplicates."""

import hashlib
from collections.abc import Iterable

import numpy as np

_CHUNK = 2_000  # images that are compared at a time: 6 MB


def nearest(images: np.ndarray, image: np.ndarray, *, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Finds the images nearest to one.

    Args:
        images: Shape (n, 28, 28), uint8.
        image: Shape (28, 28), uint8.
        count: How many to find.

    Returns:
        Their indices, nearest first, and their Euclidean distances; pixels from 0 to 1.
    """
    target = image.reshape(-1).astype(np.float32) / 255
    squares = np.concatenate(
        [
            ((images[start : start + _CHUNK].reshape(-1, target.size) / np.float32(255) - target) ** 2).sum(1)
            for start in range(0, len(images), _CHUNK)
        ]
    )
    order = np.argsort(squares, kind="stable")[:count]
    return order, np.sqrt(squares[order])


def duplicates(images: Iterable[np.ndarray]) -> list[tuple[int, ...]]:
    """Returns groups of indices whose images are equal in every pixel."""
    groups: dict[bytes, list[int]] = {}
    for index, image in enumerate(images):
        groups.setdefault(hashlib.blake2b(image.tobytes(), digest_size=16).digest(), []).append(index)
    return [tuple(group) for group in groups.values() if len(group) > 1]
