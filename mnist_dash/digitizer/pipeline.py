"""From a canvas or a picture file to its digits, each as a network gets to see it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from mnist_dash.digitizer.components import Part
from mnist_dash.digitizer.decoding import read_colours
from mnist_dash.digitizer.frames import without_frame
from mnist_dash.digitizer.ink import PART_OF_FULL, full_ink, ink_of, likely_ink, sure_ink, to_grey, uniform_background
from mnist_dash.digitizer.normalization import to_mnist
from mnist_dash.digitizer.ruled_lines import without_lines
from mnist_dash.digitizer.segmentation import find_digits
from mnist_dash.digitizer.touching import Judge
from mnist_dash.errors import PictureError

Likelihood = Callable[[np.ndarray], np.ndarray]  # pictures (n, 28, 28) → how likely each is one digit, (n,) in (0, 1]

_MAX_JUDGED = 1_500  # parts of a picture that a network is asked about
_EDGE = 2  # pixels around a digit whose shade still belongs to its strokes


@dataclass(frozen=True, eq=False)
class Digit:
    """One digit of a picture.

    Attributes:
        left, top, width, height: Its box, in pixels of the upright picture as it was given.
        row: The row of digits that it stands in, from 0.
        pixels: The digit redrawn, shape (28, 28), uint8: 0 is paper, 255 ink.
    """

    left: int
    top: int
    width: int
    height: int
    row: int
    pixels: np.ndarray


@dataclass(frozen=True, eq=False)
class DigitizedImage:
    """A picture, step by step, and the digits found in it.

    All steps have the same height and width; one of their pixels is `scale` pixels of
    the picture as it was given.

    Attributes:
        colours: The picture upright, shape (height, width, 3), uint8.
        strength: How much ink is where, shape (height, width), float32 in [0, 1].
        inked: Where there may be ink, shape (height, width), bool.
        cleaned: The same without ruled lines and faint dirt.
        digits: In reading order.
        scale: See above.
    """

    colours: np.ndarray
    strength: np.ndarray
    inked: np.ndarray
    cleaned: np.ndarray
    digits: tuple[Digit, ...]
    scale: float


def digitize_file(content: bytes, likelihood: Likelihood | None = None) -> DigitizedImage:
    """Reads a picture file and redraws the digits in it as MNIST's digits were drawn.

    Args:
        content: The file: PNG, JPEG, GIF (its first frame), WebP, BMP, TIFF or PPM.
        likelihood: What a network says of pictures; with it, digits that touch are told
            apart, and the loose strokes of one digit joined.

    Raises:
        PictureError: If it cannot be read, is too large, or shows no digit.
    """
    colours, scale = read_colours(content)
    grey = to_grey(colours)
    background = uniform_background(grey)
    return _digitized(colours, ink_of(grey, background), scale, likelihood, photo=background is None)


def digitize_canvas(canvas: np.ndarray, likelihood: Likelihood | None = None) -> DigitizedImage:
    """Redraws what was drawn in white on a black canvas.

    Args:
        canvas: Shape (height, width, 4), uint8: red, green, blue and opacity.
        likelihood: As for `digitize_file`.

    Raises:
        PictureError: If nothing was drawn.
    """
    ink = cv2.cvtColor(np.ascontiguousarray(canvas[..., :3]), cv2.COLOR_RGB2GRAY).astype(np.float32) / 255
    ink[canvas[..., 3] == 0] = 0
    if not ink.any():
        raise PictureError("The canvas is empty. Draw a digit on it with the mouse, a pen or a finger.")
    return _digitized(np.ascontiguousarray(canvas[..., :3]), ink, 1.0, likelihood, photo=False)


def _digitized(
    colours: np.ndarray, strength: np.ndarray, scale: float, likelihood: Likelihood | None, *, photo: bool
) -> DigitizedImage:
    full = full_ink(strength)
    mask = likely_ink(strength, full)
    inside = without_frame(mask)
    if inside is not mask:  # what is inside may be much paler
        framed = mask & ~inside
        strength = np.where(cv2.dilate(framed.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0, 0, strength)
        full = full_ink(strength)
        mask = likely_ink(strength, full)
    cleaned = sure_ink(without_lines(mask), strength, full)
    shade = (strength / (2 * PART_OF_FULL * full)).clip(0, 1)

    judge = _judge(likelihood, shade, cleaned) if likelihood else None
    rows = find_digits(cleaned, photo=photo, judge=judge)
    if not rows:
        height, width = (round(side * scale) for side in mask.shape)
        raise PictureError(
            f"No digit found: the {width:,} × {height:,} pixels have too little contrast. "
            "Draw a digit, or take a photo with more contrast."
        )
    digits = tuple(_digit(part, number, shade, cleaned, scale) for number, row in enumerate(rows) for part in row)
    return DigitizedImage(colours, (strength / full).clip(0, 1), mask, cleaned, digits, scale)


def _judge(likelihood: Likelihood, shade: np.ndarray, cleaned: np.ndarray) -> Judge:
    """Returns a function that redraws parts and says how likely each is one digit.

    So that a hostile picture takes seconds at most, after many parts each further one passes for a digit.
    """
    asked = 0

    def judge(parts: Sequence[Part]) -> np.ndarray:
        nonlocal asked
        if asked > _MAX_JUDGED and len(parts) == 1:
            return np.ones(1)
        asked += len(parts)
        return likelihood(np.stack([to_mnist(_shade_of(part, shade, cleaned)) for part in parts]))

    return judge


def _digit(part: Part, row: int, shade: np.ndarray, cleaned: np.ndarray, scale: float) -> Digit:
    box = (round(value * scale) for value in (part.left, part.top, part.width, part.height))
    left, top, width, height = box
    return Digit(left, top, max(1, width), max(1, height), row, to_mnist(_shade_of(part, shade, cleaned)))


def _shade_of(part: Part, shade: np.ndarray, cleaned: np.ndarray) -> np.ndarray:
    """Cuts one digit out with the soft edge of its strokes, without its neighbours' ink."""
    framed = cv2.copyMakeBorder(part.mask.astype(np.uint8), _EDGE, _EDGE, _EDGE, _EDGE, cv2.BORDER_CONSTANT)
    top, left = part.top - _EDGE, part.left - _EDGE
    rows = slice(max(top, 0), min(part.bottom + _EDGE, shade.shape[0]))
    columns = slice(max(left, 0), min(part.right + _EDGE, shade.shape[1]))
    own = framed[rows.start - top : rows.stop - top, columns.start - left : columns.stop - left]
    near = cv2.dilate(own, np.ones((2 * _EDGE + 1, 2 * _EDGE + 1), np.uint8)) > 0
    others = cleaned[rows, columns] & (own == 0)
    return np.asarray(shade[rows, columns] * (near & ~others))
