"""What lies between the paper and the eye: brightness, fog, spatter."""

import numpy as np

from mnist_dash.corruptions.corruption import as_pixels
from mnist_dash.corruptions.noise import blurred

_SIDE = 28  # pixels
_LARGEST = 256  # pixels, the size of the largest clouds
_MUD = 63.0  # of 255, how bright spatter is
_THICK = 0.8  # of a drop's middle; where it is thinner, nothing is seen


def brightness(pictures: np.ndarray, _: np.random.Generator, added: float) -> np.ndarray:
    """Makes every pixel brighter by a part of white."""
    return as_pixels(pictures + np.float32(255 * added))


def fog(pictures: np.ndarray, random: np.random.Generator, thickness: float, decay: float) -> np.ndarray:
    """Lays clouds over pictures and keeps white as white, so that contrast is lost.

    Args:
        pictures: Shape (n, 28, 28), uint8.
        random: Random numbers.
        thickness: How bright the clouds are at most; 1 is as bright as ink.
        decay: How much smoother clouds are than what is twice as large, squared: the
            smaller, the more patchy.
    """
    clouds = _clouds(len(pictures), random, decay)
    brightest = pictures.max(axis=(1, 2), keepdims=True).astype(np.float32) / 255
    foggy = (pictures / np.float32(255) + np.float32(thickness) * clouds) * brightest / (brightest + thickness)
    return as_pixels(255 * foggy)


def spatter(pictures: np.ndarray, random: np.random.Generator, wetness: float) -> np.ndarray:
    """Covers parts of pictures with grey drops.

    Args:
        pictures: Shape (n, 28, 28), uint8.
        random: Random numbers.
        wetness: The mean of a liquid layer, that is mud where it is above 0.65.
    """
    layer = blurred(random.normal(0.0, 0.3, pictures.shape).astype(np.float32), 1.0) + np.float32(wetness)
    drops = blurred((layer > 0.65).astype(np.float32), 1.5)
    cover = np.where(drops < _THICK, np.float32(0), drops)
    return as_pixels(pictures * (1 - cover) + _MUD * cover)


def _clouds(n: int, random: np.random.Generator, decay: float) -> np.ndarray:
    """Returns the upper left corners of clouds of 256 × 256 pixels: shape (n, 28, 28), float32 in [0, 1]."""
    total = np.zeros((n, _SIDE, _SIDE), np.float32)
    step, height, heights = _LARGEST, 1.0, 0.0
    while step > 1:
        rows = _between(step)
        corners = random.uniform(-height, height, (n, rows.shape[1], rows.shape[1])).astype(np.float32)
        total += rows @ corners @ rows.T
        heights += height
        step, height = step // 2, height / decay**2
    return np.asarray(np.clip(0.5 + total / np.float32(1.5 * heights), 0, 1))


def _between(step: int) -> np.ndarray:
    """Returns the weights of corners `step` pixels apart for each pixel between them, shape (28, corners), float32."""
    places = np.arange(_SIDE) / step
    corners = np.arange(int(np.ceil(places[-1])) + 1)
    return np.asarray(np.maximum(0, 1 - np.abs(places[:, None] - corners)), np.float32)
