"""A picture as the Draw page remembers it: its digits, and small copies of the steps to them."""

from dataclasses import dataclass

import cv2
import numpy as np
import streamlit as st

from mnist_dash.digitizer import pipeline
from mnist_dash.digitizer.pipeline import Digit, DigitizedImage
from mnist_dash.ui.shared.resources import novelty_detector

_SHOWN_SIZE = 420  # pixels, the longer side of what is shown; the rest is forgotten
_BOX = (91, 124, 250)  # red, green, blue: an accent that shows on paper and on black


@dataclass(frozen=True, eq=False)
class ProcessedImage:
    """An image and the digits found in it.

    Attributes:
        name: The file's name, or what it is.
        digits: In reading order.
        boxed: The picture with a box around each digit, shape (height, width, 3), uint8.
        steps: From what it shows to each step on the way to the digits, uint8.
    """

    name: str
    digits: tuple[Digit, ...]
    boxed: np.ndarray
    steps: dict[str, np.ndarray]


def process_canvas(canvas: np.ndarray, name: str) -> ProcessedImage:
    """Finds the digits on a canvas, shape (height, width, 4), uint8."""
    return _processed(pipeline.digitize_canvas(canvas, novelty_detector().likelihood), name)


@st.cache_resource(show_spinner="Processing the image …", max_entries=64)
def process_file(content: bytes, name: str) -> ProcessedImage:
    """Finds the digits in an image file."""
    return _processed(pipeline.digitize_file(content, novelty_detector().likelihood), name)


def _processed(redrawn: DigitizedImage, name: str) -> ProcessedImage:
    steps = {
        "1. Image, upright": redrawn.colours,
        "2. Ink intensity, background removed": (255 * redrawn.strength).astype(np.uint8),
        "3. Possible ink (threshold)": 255 * redrawn.inked.astype(np.uint8),
        "4. Ruled lines and noise removed, digits detected": _boxed(
            np.repeat(255 * redrawn.cleaned.astype(np.uint8)[..., None], 3, axis=2), redrawn
        ),
    }
    small = {caption: _small(step) for caption, step in steps.items()}
    return ProcessedImage(name, redrawn.digits, _small(_boxed(redrawn.colours, redrawn)), small)


def _boxed(picture: np.ndarray, redrawn: DigitizedImage) -> np.ndarray:
    drawn = np.ascontiguousarray(picture).copy()
    thickness = max(1, round(max(drawn.shape) / 250))
    for digit in redrawn.digits:
        left, top, right, bottom = (
            round(value / redrawn.scale)
            for value in (digit.left, digit.top, digit.left + digit.width, digit.top + digit.height)
        )
        cv2.rectangle(drawn, (left - 2, top - 2), (right + 1, bottom + 1), _BOX, thickness)
    return drawn


def _small(picture: np.ndarray) -> np.ndarray:
    scale = min(1.0, _SHOWN_SIZE / max(picture.shape[:2]))
    if scale == 1:
        return picture
    size = (max(1, round(picture.shape[1] * scale)), max(1, round(picture.shape[0] * scale)))
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA))
