"""Noise and blur: shot and impulse noise, glass, motion."""

import cv2
import numpy as np

from mnist_dash.corruptions.corruption import as_pixels

_DIRECTIONS = 13  # of motion, from 45° upwards to 45° downwards
_SIDE = 28  # pixels


def shot_noise(pictures: np.ndarray, random: np.random.Generator, photons: float) -> np.ndarray:
    """Counts light as a sensor does in the dark: white is `photons` on average, and no two counts are alike."""
    return as_pixels(random.poisson(pictures * np.float32(photons / 255)) * (255 / photons))


def impulse_noise(pictures: np.ndarray, random: np.random.Generator, part: float) -> np.ndarray:
    """Makes a part of all pixels black or white, as likely the one as the other."""
    drawn = random.random(pictures.shape, np.float32)
    return np.where(drawn < part, np.where(drawn < part / 2, np.uint8(0), np.uint8(255)), pictures)


def glass_blur(
    pictures: np.ndarray, random: np.random.Generator, sigma: float, reach: float, times: float
) -> np.ndarray:
    """Blurs, takes every second pixel from a random place near by, and blurs again, as seen through rough glass.

    Args:
        pictures: Shape (n, 28, 28), uint8.
        random: Random numbers.
        sigma: Of each blur, pixels.
        reach: How far away a pixel may come from, across and down, pixels.
        times: How often pixels change places.
    """
    shuffled = blurred(pictures.astype(np.float32), sigma)
    places = np.arange(_SIDE, dtype=np.int32)
    for _ in range(int(times)):
        shifts = random.integers(-int(reach), int(reach) + 1, (2, *pictures.shape), np.int8)
        shifts *= random.integers(0, 2, pictures.shape, np.int8)
        rows = np.clip(places[:, None] + shifts[0], 0, _SIDE - 1)
        columns = np.clip(places + shifts[1], 0, _SIDE - 1)
        flat = shuffled.reshape(len(pictures), -1)
        nearby = (rows * _SIDE + columns).reshape(flat.shape)
        shuffled = np.take_along_axis(flat, nearby, axis=1).reshape(pictures.shape)
    return as_pixels(blurred(shuffled, sigma))


def motion_blur(pictures: np.ndarray, random: np.random.Generator, sigma: float) -> np.ndarray:
    """Smears each picture to one side, in a direction within 45° of the horizontal.

    What was at a place fades like one half of a Gaussian, whose standard deviation is `sigma` pixels.
    """
    direction = random.integers(0, _DIRECTIONS, len(pictures))
    changed = np.empty_like(pictures)
    for number in np.unique(direction):
        chosen = direction == number
        kernel = _smear(sigma, np.pi / 2 * (number / (_DIRECTIONS - 1) - 0.5))
        tall = _stacked(pictures[chosen], len(kernel) // 2)
        smeared = cv2.filter2D(tall, -1, kernel, borderType=cv2.BORDER_CONSTANT)
        changed[chosen] = as_pixels(_unstacked(smeared, len(kernel) // 2))
    return changed


def blurred(pictures: np.ndarray, sigma: float) -> np.ndarray:
    """Returns pictures after a Gaussian blur with black around them, shape (n, 28, 28), float32."""
    reach = int(np.ceil(4 * sigma))
    size = (2 * reach + 1, 2 * reach + 1)
    tall = cv2.GaussianBlur(_stacked(pictures, reach), size, sigma, borderType=cv2.BORDER_CONSTANT)
    return _unstacked(tall, reach)


def _smear(sigma: float, angle: float) -> np.ndarray:
    """Returns the kernel that smears to one side, shape (2 r + 1, 2 r + 1), float32, its sum 1."""
    reach = int(np.ceil(3 * sigma))
    kernel = np.zeros((2 * reach + 1, 2 * reach + 1))
    for distance in range(reach + 1):
        weight = np.exp(-((distance / sigma) ** 2) / 2)
        row, column = reach + distance * np.sin(angle), reach - distance * np.cos(angle)
        top, left = int(np.floor(row)), int(np.floor(column))
        for near, share in ((top, 1 - (row - top)), (min(top + 1, 2 * reach), row - top)):
            kernel[near, left] += weight * share * (1 - (column - left))
            kernel[near, left + 1] += weight * share * (column - left)
    return np.asarray(kernel / kernel.sum(), np.float32)


# One call of OpenCV for all pictures costs a tenth of one call for each.
def _stacked(pictures: np.ndarray, reach: int) -> np.ndarray:
    """Puts pictures above each other, so much black in between that nothing reaches from one to the next."""
    return np.pad(pictures.astype(np.float32), ((0, 0), (0, reach), (0, 0))).reshape(-1, _SIDE)


def _unstacked(tall: np.ndarray, reach: int) -> np.ndarray:
    return tall.reshape(-1, _SIDE + reach, _SIDE)[:, :_SIDE]
