"""Pictures for the tests of images/, made with Pillow and by hand."""

import io
import struct
import zlib

import numpy as np
from PIL import Image, ImageDraw

from mnist_dash.inference.predictor import Predictor
from mnist_dash.networks.variants import RECOMMENDED_FOR_PICTURES
from mnist_dash.store.reference_runs import REFERENCE_FOLDER

BICUBIC, NEAREST = Image.Resampling.BICUBIC, Image.Resampling.NEAREST
PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"


def recommended_predictor() -> Predictor:
    return Predictor((REFERENCE_FOLDER / RECOMMENDED_FOR_PICTURES / "model.tflite").read_bytes())


def ten_of_each(sample) -> np.ndarray:
    """100 real digits, shape (100, 28, 28), uint8: ten zeros first, ten nines last."""
    return np.concatenate([sample.x_test[sample.y_test == digit][:10] for digit in range(10)])


def encoded(image, kind="PNG", **options) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def enlarged(picture, times, resampling=BICUBIC) -> Image.Image:
    return Image.fromarray(picture).resize((28 * times, 28 * times), resampling)


def shade_of(picture, *, times=8, margins=(8, 10, 8, 12)) -> np.ndarray:
    """A digit with room around it, float in [0, 1]: 1 is ink. Margins in pixels of MNIST: top, right, bottom, left."""
    top, right, bottom, left = margins
    framed = np.pad(picture, ((top, bottom), (left, right)))
    size = (framed.shape[1] * times, framed.shape[0] * times)
    return np.asarray(Image.fromarray(framed).resize(size, BICUBIC)) / 255


def in_colours(shade, *, paper=240, ink=20) -> Image.Image:
    """What the shade, float in [0, 1], looks like on paper: grey values, or triples of them."""
    paper, ink = np.asarray(paper, float), np.asarray(ink, float)
    mixed = shade.reshape(*shade.shape, *[1] * paper.ndim) * (ink - paper) + paper
    return Image.fromarray(np.rint(mixed).clip(0, 255).astype(np.uint8))


def on_paper(picture, *, times=8, paper=240, ink=20) -> Image.Image:
    """A digit as one would draw it on a sheet: dark on light, with room around it."""
    return in_colours(shade_of(picture, times=times), paper=paper, ink=ink)


def strokes(shape, *lines, width=8) -> np.ndarray:
    """A mask with strokes along lines of points (x, y), shape as given, bool."""
    image = Image.new("1", shape[::-1])
    pen = ImageDraw.Draw(image)
    for line in lines:
        pen.line(line, fill=1, width=width, joint="curve")
        for x, y in line:
            pen.ellipse([x - width / 2, y - width / 2, x + width / 2, y + width / 2], fill=1)
    return np.array(image)


def box_of(square) -> tuple[int, int, int, int]:
    """First and last row, first and last column with anything in them."""
    rows, columns = np.flatnonzero(square.any(1)), np.flatnonzero(square.any(0))
    return int(rows[0]), int(rows[-1]), int(columns[0]), int(columns[-1])


def centre_of_mass(square) -> tuple[float, ...]:
    """Row and column, counted from the middle of the first pixel."""
    places, mass = np.indices(square.shape), square.astype(float)
    return tuple(float((place * mass).sum() / mass.sum()) for place in places)


def mean_difference(one, other) -> float:
    """Of two pictures or two stacks of them, in grey values from 0 to 255."""
    return float(np.abs(np.asarray(one, float) - np.asarray(other, float)).mean())


def difference_but_for_a_step(one, other) -> float:
    """The same, when either may stand one pixel beside: a centre of mass between two pixels is rounded."""
    steps = [(down, right) for down in (-1, 0, 1) for right in (-1, 0, 1)]
    return min(mean_difference(np.roll(one, step, axis=(0, 1)), other) for step in steps)


def png_chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def png(width, height, *, bits, colour, rows: bytes, before=b"") -> bytes:
    """A PNG made by hand, so that its header may claim anything.

    Args:
        rows: What its pixels are, before they are compressed.
        before: Chunks before the pixels.

    Source:
        https://www.w3.org/TR/png-3/, sections 5 and 11.2.
    """
    header = png_chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, 0))
    return PNG_SIGNATURE + header + before + png_chunk(b"IDAT", zlib.compress(rows, 1)) + png_chunk(b"IEND", b"")


def tiff(pixels: bytes, tags: dict[int, bytes | int]) -> bytes:
    """A TIFF made by hand: values that are `bytes` are arrays of 32-bit numbers, the others one such number.

    Source:
        "TIFF, Revision 6.0", Adobe 1992, section 2.
    """
    start = 8 + len(pixels)
    far_away, behind = start + 2 + 12 * len(tags) + 4, b""
    entries = b""
    for tag, value in sorted(tags.items()):
        count = len(value) // 4 if isinstance(value, bytes) else 1
        place = far_away + len(behind) if isinstance(value, bytes) else value
        behind += value if isinstance(value, bytes) else b""
        entries += struct.pack("<HHII", tag, 4, count, place)
    head = b"II*\0" + struct.pack("<I", start)
    return head + pixels + struct.pack("<H", len(tags)) + entries + bytes(4) + behind
