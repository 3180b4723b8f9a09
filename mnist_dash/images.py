"""Any drawing, picture or photo of a digit → 28 × 28 pixels, as MNIST's own digits were made."""

import io
import struct
import warnings
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from mnist_dash.errors import PictureError

MAX_FILE_BYTES = 25_000_000
MAX_PIXELS = 60_000_000  # more than any phone's camera saves by default
FORMATS = ("PNG", "JPEG", "GIF", "WEBP", "BMP", "TIFF", "PPM")

SIZE = 28  # pixels, the side of an MNIST picture
DIGIT_SIZE = 20  # pixels, the longer side of the digit in it
CENTRE = 14.0  # where MNIST's centres of mass are, counted from the first pixel's middle
INK_THRESHOLD = 0.15  # part of the darkest ink; less is paper

_WORKING_SIZE = 400  # pixels; larger pictures are reduced before anything is computed
_PAPER_SIZE = 64  # pixels, the small copy in which the paper's own brightness is estimated
_PAPER_ROUNDS = 15
_EVEN, _MOSTLY = 0.03, 0.8  # paper is of one brightness if most of the picture's edge is
_LEAST_DEVIATION = 0.01  # of the whole range from black to white; a clean picture has none
_LEAST_CONTRAST = 0.08  # between paper and ink, of the whole range from black to white
_RESAMPLING = Image.Resampling


@dataclass(frozen=True, eq=False)
class Redrawn:
    """A picture of a digit and what a network gets to see of it.

    Attributes:
        ink: The ink found, shape (height, width), float32 in [0, 1].
        pixels: The digit redrawn, shape (28, 28), uint8: 0 is paper, 255 ink.
    """

    ink: np.ndarray
    pixels: np.ndarray


def redraw_file(content: bytes) -> Redrawn:
    """Reads a picture file and redraws the digit in it as MNIST's digits were drawn.

    Args:
        content: The file: PNG, JPEG, GIF (its first frame), WebP, BMP, TIFF or PPM.

    Raises:
        PictureError: If it cannot be read, is too large, or shows no digit.
    """
    ink = find_ink(read_grey(content))
    return Redrawn(ink, to_mnist(ink))


def redraw_canvas(canvas: np.ndarray) -> Redrawn:
    """Redraws what was drawn in white on a black canvas.

    Args:
        canvas: Shape (height, width, 4), uint8: red, green, blue and opacity.

    Raises:
        PictureError: If nothing was drawn.
    """
    ink = canvas[..., :3].astype(np.float32).mean(2) / 255 * (canvas[..., 3] > 0)
    if not ink.any():
        raise PictureError("The canvas is empty. Draw one digit on it with the mouse, a pen or a finger.")
    return Redrawn(ink, to_mnist(ink))


def read_grey(content: bytes) -> np.ndarray:
    """Reads a picture file as grey values, upright and not larger than needed.

    Transparent parts are laid on whatever the opaque parts stand out from.

    Args:
        content: The file.

    Returns:
        Shape (height, width), float32 in [0, 1]: 0 is black, 1 white. The longer side
        is at most 400 pixels.

    Raises:
        PictureError: If it is no picture, damaged, or too large.
    """
    if len(content) > MAX_FILE_BYTES:
        raise PictureError(
            f"The file has {len(content) / 1e6:,.0f} MB, but {MAX_FILE_BYTES / 1e6:,.0f} MB is the most. "
            "Save the picture smaller."
        )
    try:
        with warnings.catch_warnings(action="ignore"), Image.open(io.BytesIO(content), formats=FORMATS) as image:
            _check_size(image.size)
            image.draft("RGB", (_WORKING_SIZE, _WORKING_SIZE))  # a JPEG is decoded at an eighth of its size at best
            return _upright_grey(image)
    except Image.DecompressionBombError as error:
        raise PictureError(_too_large("The picture")) from error
    except UnidentifiedImageError as error:
        raise PictureError(
            f"This is not a picture that can be read ({len(content):,} bytes). "
            "Save it as PNG or JPEG; a HEIC photo has to be converted first."
        ) from error
    except (OSError, ValueError, SyntaxError, EOFError, struct.error, TypeError, IndexError, KeyError) as error:
        raise PictureError(f"The picture is damaged ({error}). Save it again as PNG or JPEG.") from error
    except MemoryError as error:
        raise PictureError(_too_large("The picture")) from error


def _check_size(size: tuple[int, int]) -> None:
    width, height = size
    if width * height > MAX_PIXELS:
        raise PictureError(_too_large(f"The picture with {width:,} × {height:,} pixels"))


def _too_large(what: str) -> str:
    return f"{what} is too large: {MAX_PIXELS // 1_000_000} million pixels is the most. Save it smaller."


def _upright_grey(image: Image.Image) -> np.ndarray:
    upright = ImageOps.exif_transpose(image)
    if upright.mode[0] in "IF":  # 16 or 32 bits: scaled by what is in it, as no file says its range
        values = np.nan_to_num(np.asarray(upright, np.float32), posinf=0, neginf=0)
        span = max(float(values.max() - values.min()), 1e-6)
        upright = Image.fromarray(((values - values.min()) * (255 / span)).astype(np.uint8))
    if upright.mode in ("1", "P", "PA"):  # Pillow reduces these without smoothing
        upright = upright.convert("RGBA" if upright.has_transparency_data else "L")
    upright.thumbnail((_WORKING_SIZE, _WORKING_SIZE), reducing_gap=3)
    if upright.has_transparency_data:
        upright = _on_background(upright.convert("RGBA"))
    return np.asarray(upright.convert("L"), np.float32) / 255


def _on_background(image: Image.Image) -> Image.Image:
    grey, opacity = (np.asarray(band, np.float32) / 255 for band in image.convert("LA").split())
    light = (grey * opacity).sum() > opacity.sum() / 2
    background = Image.new("RGBA", image.size, "black" if light else "white")
    return Image.alpha_composite(background, image).convert("RGB")


def find_ink(grey: np.ndarray) -> np.ndarray:
    """Finds the ink in a picture, dark on light or light on dark, under uneven light.

    The paper's own brightness is estimated everywhere; ink is what differs from it on
    the side where more differs.

    Args:
        grey: Shape (height, width), float32 in [0, 1].

    Returns:
        Shape (height, width), float32 in [0, 1]: 0 is paper, 1 is full ink.

    Raises:
        PictureError: If the picture is blank.
    """
    difference = grey - _paper(grey)
    lightest, darkest = np.percentile(difference, 99.7), -np.percentile(difference, 0.3)
    contrast = max(lightest, darkest)
    if contrast < _LEAST_CONTRAST:
        height, width = grey.shape
        raise PictureError(
            f"No digit found: the {width} × {height} pixels are all about as bright as each other "
            f"(they differ by {contrast:.0%}). Take a picture with one dark digit on light paper, or the reverse."
        )
    ink = np.clip((difference if lightest > darkest else -difference) / contrast, 0, 1)
    level = _otsu(ink)
    # Below half of the level that best parts ink from paper there is only noise.
    stretched = (ink - level / 2) / max(1 - level, level / 2)
    return np.asarray(np.clip(stretched, 0, 1), np.float32)


def _paper(grey: np.ndarray) -> np.ndarray:
    """Estimates how bright the paper is everywhere, also under the ink.

    The light on a sheet changes slowly, so a surface of second degree follows it. Ink
    lies off that surface: each round trusts a pixel less the farther off it was.

    Source:
        Holland and Welsch 1977, "Robust regression using iteratively reweighted
        least-squares"; the weights are Cauchy's.
    """
    image = Image.fromarray(np.ascontiguousarray(grey, np.float32))
    small = image.copy()
    small.thumbnail((_PAPER_SIZE, _PAPER_SIZE), _RESAMPLING.BOX)
    values = np.asarray(small).ravel()
    edge = np.concatenate([grey[0], grey[-1], grey[:, 0], grey[:, -1]])
    usual = np.median(edge)
    if (np.abs(edge - usual) < _EVEN).mean() > _MOSTLY:
        return np.full_like(grey, usual)  # drawn on a screen: a fat digit may hide most of its paper
    down, right = (place.ravel() / max(place.max(), 1) - 0.5 for place in np.indices((small.height, small.width)))
    terms = np.stack([np.ones_like(down), down, right, down * down, down * right, right * right])
    surface = np.full_like(values, usual)
    for _ in range(_PAPER_ROUNDS):
        off = np.abs(values - surface)
        trust = terms / (1 + (off / max(2 * np.median(off), _LEAST_DEVIATION)) ** 2)
        surface = np.linalg.lstsq(trust @ terms.T, trust @ values, rcond=None)[0] @ terms
    paper = Image.fromarray(surface.reshape(small.height, small.width).astype(np.float32))
    return np.asarray(paper.resize(image.size, _RESAMPLING.BICUBIC))


def _otsu(ink: np.ndarray) -> float:
    """Returns the level in [0, 1] that best parts the values into two groups.

    Source:
        Otsu 1979, "A threshold selection method from gray-level histograms".
    """
    counts, edges = np.histogram(ink, bins=128, range=(0, 1))
    middles = (edges[:-1] + edges[1:]) / 2
    below, sums = np.cumsum(counts), np.cumsum(counts * middles)
    above = below[-1] - below
    with np.errstate(divide="ignore", invalid="ignore"):
        between = (sums[-1] * below / below[-1] - sums) ** 2 / (below * above)
    return float(middles[int(np.nanargmax(np.where(np.isfinite(between), between, -1)))])


def to_mnist(ink: np.ndarray) -> np.ndarray:
    """Redraws a picture of one digit the way MNIST's own digits were drawn.

    The ink is cropped, scaled until its longer side is 20 pixels, and placed on a
    black 28 × 28 square with its centre of mass in the middle. A model trained on
    MNIST has seen only pictures made this way.

    Args:
        ink: Shape (height, width), float in [0, 1]: 0 is paper, 1 is full ink.

    Returns:
        The redrawn picture, shape (28, 28), uint8, 0 is paper and 255 ink.

    Raises:
        ValueError: If `ink` is not two-dimensional.
        PictureError: If there is no ink in it.

    Source:
        "The MNIST database of handwritten digits", LeCun, Cortes and Burges.
    """
    if ink.ndim != 2:
        raise ValueError(f"ink has shape {ink.shape}, but must have two dimensions.")
    inked = ink > INK_THRESHOLD
    if not inked.any():
        raise PictureError(
            f"No digit found: all {ink.shape[1]} × {ink.shape[0]} pixels are paper. "
            "Draw one digit, or take a picture of one with more contrast."
        )
    rows, columns = np.flatnonzero(inked.any(1)), np.flatnonzero(inked.any(0))
    digit = _scaled(ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1])
    top, left = (_offset(digit, axis) for axis in (0, 1))
    square = np.zeros((SIZE, SIZE), np.uint8)
    square[top : top + digit.shape[0], left : left + digit.shape[1]] = np.rint(digit * 255)
    return square


def _scaled(digit: np.ndarray) -> np.ndarray:
    height, width = digit.shape
    scale = DIGIT_SIZE / max(height, width)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    resized = Image.fromarray(np.ascontiguousarray(digit, np.float32)).resize(size, _RESAMPLING.BICUBIC)
    return np.asarray(np.clip(np.asarray(resized), 0, 1))


def _offset(digit: np.ndarray, axis: int) -> int:
    """Returns where the digit starts along an axis, so that its centre of mass is in the middle."""
    mass = digit.sum(1 - axis)
    centre = float((mass * np.arange(len(mass))).sum() / mass.sum())
    return int(np.clip(round(CENTRE - centre), 0, SIZE - len(mass)))
