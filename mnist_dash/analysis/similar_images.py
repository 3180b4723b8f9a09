"""Images that are like each other: nearest neighbours, exact duplicates and near-duplicates."""

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np

_CHUNK = 2_000  # images that are compared at a time: 6 MB
_COMPONENTS = 40  # first principal components in which near-duplicates are looked for
_ROWS = 50  # images that are compared with all others at a time: 14 MB with 70,000
_ROUNDING = 0.01  # of squared distances in float32
_SAMPLE = 5_000  # images that the components are computed from


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


@dataclass(frozen=True)
class Pair:
    """Two images that are almost equal.

    Attributes:
        first: Index of one of them.
        second: Index of the other, the higher one.
        distance: Euclidean; pixels from 0 to 1.
    """

    first: int
    second: int
    distance: float


def near_duplicates(
    parts: Sequence[np.ndarray], *, count: int, limit: float, progress: Callable[[float], None] = lambda part: None
) -> list[Pair]:
    """Finds the pairs of images that are nearest to each other, exactly, not by approximation.

    A distance in a few principal components is never more than that in all pixels, so pairs that are
    farther apart there than `limit` need not be looked at.

    Args:
        parts: Images, each part of shape (n, 28, 28), uint8; indices go on from one part to the next.
        count: The most pairs to return.
        limit: The largest distance of a pair.
        progress: Called with the part done, 0 to 1.

    Returns:
        The pairs, the nearest first.
    """
    placed = _components(parts)
    norms, ones = (placed**2).sum(1, keepdims=True), np.ones((len(placed), 1), np.float32)
    # Of such rows and columns one matrix product is all squared distances.
    left, right = np.hstack([-2 * placed, norms, ones]), np.hstack([placed, ones, norms])
    pairs: list[Pair] = []
    for start in range(0, len(placed), _ROWS):
        squares = left[start : start + _ROWS] @ right[start:].T
        firsts, seconds = np.nonzero(squares <= limit**2 + _ROUNDING)
        kept = seconds > firsts  # each pair once
        firsts, seconds = firsts[kept] + start, seconds[kept] + start
        difference = (_taken(parts, firsts) - _taken(parts, seconds)) / np.float32(255)
        distances = np.sqrt((difference**2).sum(1))
        pairs += [
            Pair(int(first), int(second), float(distance))
            for first, second, distance in zip(firsts, seconds, distances, strict=True)
            if distance <= limit
        ]
        limit = min(limit, _worst_kept(pairs, count))
        progress(min(1.0, (start + _ROWS) / len(placed)))
    return sorted(pairs, key=lambda pair: pair.distance)[:count]


def _taken(parts: Sequence[np.ndarray], indices: np.ndarray) -> np.ndarray:
    """Returns images by their indices across the parts, shape (k, 784), float32 from 0 to 255."""
    ends = np.cumsum([len(part) for part in parts])
    owners = np.searchsorted(ends, indices, side="right")
    taken = [parts[owner][index - ends[owner]] for owner, index in zip(owners, indices, strict=True)]
    return np.array(taken, np.float32).reshape(len(indices), 784)


def _components(parts: Sequence[np.ndarray]) -> np.ndarray:
    """Returns images in their first principal components, shape (n, components), float32; pixels from 0 to 1."""
    every = -(-sum(map(len, parts)) // _SAMPLE)
    sample = np.concatenate([part[::every] for part in parts]).reshape(-1, 784).astype(np.float32) / 255
    mean = sample.mean(0)
    sample -= mean
    directions = np.linalg.eigh(sample.T @ sample)[1][:, -_COMPONENTS:]
    chunks = (part[start : start + _CHUNK] for part in parts for start in range(0, len(part), _CHUNK))
    return np.concatenate([(chunk.reshape(-1, 784).astype(np.float32) / 255 - mean) @ directions for chunk in chunks])


def _worst_kept(pairs: list[Pair], count: int) -> float:
    """Returns the distance beyond which no further pair can be among the nearest."""
    if len(pairs) < count:
        return np.inf
    return sorted(pair.distance for pair in pairs)[count - 1]
