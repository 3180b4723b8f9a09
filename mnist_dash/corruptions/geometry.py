"""What a hand does to a digit: slant it, turn it, scale it, put it elsewhere."""

import numpy as np

from mnist_dash.corruptions.corruption import as_pixels

_SIDE = 28  # pixels
_CENTRE = 13.5  # pixels, counted from the first pixel's middle


def shear(pictures: np.ndarray, random: np.random.Generator, slant: float) -> np.ndarray:
    """Slants pictures to the left or right, by `slant` pixels across for each pixel up."""
    matrices = [np.array([[1, 0], [side * slant, 1]]) for side in (-1, 1)]
    return _either(pictures, random, matrices)


def rotate(pictures: np.ndarray, random: np.random.Generator, radians: float) -> np.ndarray:
    """Turns pictures about their middle, to the left or right."""
    return _either(pictures, random, [_turned(side * radians) for side in (-1, 1)])


def turn(pictures: np.ndarray, _: np.random.Generator, degrees: float) -> np.ndarray:
    """Turns pictures about their middle, to the right (clockwise) if `degrees` is positive."""
    return _warped(pictures, _turned(np.deg2rad(degrees)))


def scale(pictures: np.ndarray, _: np.random.Generator, factor: float) -> np.ndarray:
    """Makes pictures so many times as large, about their middle."""
    return _warped(pictures, np.eye(2) / factor)


def translate(pictures: np.ndarray, random: np.random.Generator, pixels: float) -> np.ndarray:
    """Moves pictures by so many pixels up or down and as many to the left or right."""
    return _moved(pictures, random, [(down, right) for down in (-1, 1) for right in (-1, 1)], int(pixels))


def shift(pictures: np.ndarray, random: np.random.Generator, pixels: float) -> np.ndarray:
    """Moves pictures by so many pixels up, down, to the left or to the right."""
    return _moved(pictures, random, [(-1, 0), (1, 0), (0, -1), (0, 1)], int(pixels))


def _either(pictures: np.ndarray, random: np.random.Generator, matrices: list[np.ndarray]) -> np.ndarray:
    """Warps each picture by one of the matrices."""
    drawn = random.integers(0, len(matrices), len(pictures))
    changed = np.empty_like(pictures)
    for number, matrix in enumerate(matrices):
        changed[drawn == number] = _warped(pictures[drawn == number], matrix)
    return changed


def _turned(radians: float) -> np.ndarray:
    """Returns the matrix that `_warped` turns by, clockwise on the screen, where rows grow downwards."""
    cosine, sine = np.cos(radians), np.sin(radians)
    return np.array([[cosine, -sine], [sine, cosine]])


def _warped(pictures: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    """Takes each pixel from another place, about the middle, bilinearly, with black outside.

    Args:
        pictures: Shape (n, 28, 28), uint8.
        matrix: Where a pixel comes from: shape (2, 2), times its (row, column) from the middle.

    Returns:
        As `pictures`.
    """
    places = np.indices((_SIDE, _SIDE)).reshape(2, -1) - _CENTRE
    from_row, from_column = matrix @ places + _CENTRE
    # What lies outside is taken from the frame.
    framed = np.pad(pictures, ((0, 0), (1, 1), (1, 1))).reshape(len(pictures), (_SIDE + 2) ** 2)
    changed = np.zeros((len(pictures), _SIDE * _SIDE), np.float32)
    top, left = np.floor(from_row).astype(int), np.floor(from_column).astype(int)
    for row, of_row in ((top, 1 - (from_row - top)), (top + 1, from_row - top)):
        for column, of_column in ((left, 1 - (from_column - left)), (left + 1, from_column - left)):
            found = np.clip(row + 1, 0, _SIDE + 1) * (_SIDE + 2) + np.clip(column + 1, 0, _SIDE + 1)
            changed += framed[:, found] * (of_row * of_column).astype(np.float32)
    return as_pixels(changed).reshape(pictures.shape)


def _moved(
    pictures: np.ndarray, random: np.random.Generator, directions: list[tuple[int, int]], pixels: int
) -> np.ndarray:
    drawn = random.integers(0, len(directions), len(pictures))
    framed = np.pad(pictures, ((0, 0), (pixels, pixels), (pixels, pixels)))
    changed = np.empty_like(pictures)
    for number, (down, right) in enumerate(directions):
        top, left = pixels - pixels * down, pixels - pixels * right
        changed[drawn == number] = framed[drawn == number, top : top + _SIDE, left : left + _SIDE]
    return changed
