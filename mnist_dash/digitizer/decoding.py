"""A picture file → upright colours, no larger than needed. Whatever the file contains, it is bounded."""

import io
import math
import struct
import warnings

import numpy as np
from PIL import Image, ImageFile, ImageOps, UnidentifiedImageError
from PIL.TiffImagePlugin import STRIPOFFSETS, TILELENGTH, TILEOFFSETS, TILEWIDTH

from mnist_dash.errors import PictureError

MAX_FILE_BYTES = 25_000_000
MAX_PIXELS = 60_000_000  # more than any phone's camera saves by default
FORMATS = ("PNG", "JPEG", "GIF", "WEBP", "BMP", "TIFF", "PPM")
EXTENSIONS = ["png", "jpg", "jpeg", "gif", "webp", "bmp", "tif", "tiff", "ppm"]

_WORKING_SIZE = 1_000  # pixels; a digit on a page with twelve rows still has 50
_MAX_SIDE = 65_500  # pixels, as in a JPEG: rows of one pixel each cost more than the pixels
_MAX_READS = 500_000  # an honest file of 25 MB needs 30,000
_SLOW_CODECS = ("bmp_rle", "ppm", "ppm_plain")  # Pillow has these in Python: a microsecond and more a pixel
_MAX_SLOW = 4_000_000  # their pixels, and bytes
_MAX_COMMENTS = 1_000  # Pillow copies a megabyte for each
_MAX_SCANS = 15  # of a JPEG of `MAX_PIXELS`; more of a smaller one. Cameras and web sites need 1 to 10
_MAX_TILES = 100_000
_MAX_WEBP_PIXELS = 40_000_000  # its decoder keeps each four times


def read_colours(content: bytes) -> tuple[np.ndarray, float]:
    """Reads a picture file as colours, upright and not larger than needed.

    Transparent parts are laid on whatever the opaque parts stand out from.

    Args:
        content: The file: PNG, JPEG, GIF (its first frame), WebP, BMP, TIFF or PPM.

    Returns:
        The colours, shape (height, width, 3), uint8, the longer side at most 1,000
        pixels; and how many of the file's own pixels one of these is wide.

    Raises:
        PictureError: If it is no picture, damaged, or too large.
    """
    if len(content) > MAX_FILE_BYTES:
        raise PictureError(
            f"The file has {len(content) / 1e6:,.0f} MB, but {MAX_FILE_BYTES / 1e6:,.0f} MB is the maximum. "
            "Save a smaller image."
        )
    try:
        _check_tiles(content)
        with warnings.catch_warnings(action="ignore"), Image.open(_File(content), formats=FORMATS) as image:
            _check_size(image.size)
            _check_work(image, content)
            longer = max(image.size)
            image.draft("RGB", _reduced(image.size))  # a JPEG is decoded at an eighth of its size at best
            colours = _upright_colours(image)
            return colours, longer / max(colours.shape[:2])
    except (Image.DecompressionBombError, MemoryError) as error:
        raise PictureError(_too_large("The image")) from error
    except UnidentifiedImageError as error:
        raise PictureError(
            f"This is not an image that can be read ({len(content):,} bytes). "
            "Save it as PNG or JPEG; a HEIC photo has to be converted first."
        ) from error
    except (OSError, ValueError, SyntaxError, EOFError, struct.error, TypeError, IndexError, KeyError) as error:
        reason = " ".join(str(error).split())[:150]
        raise PictureError(f"The image is damaged ({reason}). Save it again as PNG or JPEG.") from error


class _File(io.BytesIO):
    """A file that may be read only so often: it may be millions of empty chunks."""

    def __init__(self, content: bytes):
        super().__init__(content)
        self._left = _MAX_READS

    def read(self, size: int | None = -1, /) -> bytes:
        self._left -= 1
        if self._left < 0:
            raise PictureError(_too_much_work(f"more than {_MAX_READS:,} pieces"))
        return super().read(size)


def _check_tiles(content: bytes) -> None:
    """Refuses a TIFF of millions of tiles; Pillow would list them all while opening it.

    Source:
        "TIFF, Revision 6.0", Adobe 1992, section 2.
    """
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(content[:4])
    if order is None:
        return
    (start,) = struct.unpack_from(f"{order}I", content, 4)
    (entries,) = struct.unpack_from(f"{order}H", content, start)
    for entry in range(entries):
        tag, _, count = struct.unpack_from(f"{order}HHI", content, start + 2 + 12 * entry)
        if tag in (STRIPOFFSETS, TILEOFFSETS) and count > _MAX_TILES:
            raise PictureError(_too_much_work(f"{count:,} tiles"))


def _reduced(size: tuple[int, int]) -> tuple[int, int]:
    scale = min(1.0, _WORKING_SIZE / max(size))
    return max(1, int(size[0] * scale)), max(1, int(size[1] * scale))


def _check_size(size: tuple[int, int]) -> None:
    width, height = size
    if width * height > MAX_PIXELS:
        raise PictureError(_too_large(f"The image with {width:,} × {height:,} pixels"))
    if max(size) > _MAX_SIDE:
        raise PictureError(
            f"The image is {max(size):,} pixels long, but {_MAX_SIDE:,} is the maximum. Crop it to the digits."
        )


def _check_work(image: ImageFile.ImageFile, content: bytes) -> None:
    """Refuses small files that would take long or much memory to unpack."""
    pixels = image.width * image.height
    codecs = {tile.codec_name for tile in image.tile[:1]}
    if image.format == "WEBP" and pixels > _MAX_WEBP_PIXELS:
        raise PictureError(_too_much_work(f"{pixels:,} pixels of WebP"))
    if codecs & set(_SLOW_CODECS) and (max(pixels, len(content)) > _MAX_SLOW or content.count(b"#") > _MAX_COMMENTS):
        raise PictureError(_too_much_work(f"{len(content):,} bytes for {pixels:,} pixels in a format rarely used"))
    jpeg = "jpeg" in codecs or image.info.get("compression") == "jpeg"
    if jpeg and (scans := content.count(b"\xff\xda")) * pixels > _MAX_SCANS * MAX_PIXELS:
        raise PictureError(_too_much_work(f"{scans:,} layers of {pixels:,} pixels"))
    tile = math.prod(getattr(image, "tag_v2", {}).get(tag, 1) for tag in (TILEWIDTH, TILELENGTH))
    if tile > MAX_PIXELS:
        raise PictureError(_too_much_work(f"tiles of {tile:,} pixels"))


def _too_much_work(what: str) -> str:
    return f"The image would take too long to decode: {what}. Save it again as PNG or JPEG."


def _too_large(what: str) -> str:
    return f"{what} is too large: {MAX_PIXELS // 1_000_000} million pixels is the maximum. Save a smaller image."


def _upright_colours(image: Image.Image) -> np.ndarray:
    ImageOps.exif_transpose(image, in_place=True)  # a copy would take as much memory again
    upright = image
    if image.mode[0] in "IF":
        upright = _in_eight_bits(image)
    elif image.mode in ("1", "P", "PA"):  # Pillow reduces these without smoothing
        upright = image.convert("RGBA" if image.has_transparency_data else "RGB")
    upright.thumbnail((_WORKING_SIZE, _WORKING_SIZE), Image.Resampling.HAMMING, reducing_gap=2)
    if upright.has_transparency_data:
        upright = _on_background(upright.convert("RGBA"))
    return np.asarray(upright.convert("RGB"))


def _in_eight_bits(image: Image.Image) -> Image.Image:
    """Scales 16 or 32 bits by what is in the picture, as no file says its range."""
    reduced = image if image.mode in ("I", "F") else image.convert("I")
    times = max(image.size) // (2 * _WORKING_SIZE)
    values = np.asarray(reduced.reduce(times) if times > 1 else reduced, np.float64)
    finite = np.isfinite(values)
    if not finite.any():
        return Image.new("L", image.size)
    values = np.where(finite, values, np.median(values[finite]))
    span = max(values.max() - values.min(), 1e-6)
    return Image.fromarray(((values - values.min()) * (255 / span)).astype(np.uint8))


def _on_background(image: Image.Image) -> Image.Image:
    grey, opacity = (np.asarray(band, np.float32) / 255 for band in image.convert("LA").split())
    light = (grey * opacity).sum() > opacity.sum() / 2
    background = Image.new("RGBA", image.size, "black" if light else "white")
    return Image.alpha_composite(background, image)
