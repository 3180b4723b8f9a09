"""Labelled digits as one file: export and import."""

import io
import re
import struct
import zipfile

import numpy as np
from PIL import Image

from mnist_dash.datasets.arrays import DAMAGED, check_pictures, read_arrays, read_member, shown
from mnist_dash.errors import DataError

MAX_DIGITS = 1_000  # of one file
MAX_COLLECTION_BYTES = 5_000_000  # of one file; 1,000 digits need less than 1.2 MB

_MAX_ARRAY_BYTES = 10_000_000  # enough to say of 1,000 digits in float64 that this is the wrong type
_MAX_PNG_BYTES = 20_000  # a digit needs less than 1,000; other programs add colour profiles and texts
_MAX_MEMBERS = 3 * MAX_DIGITS  # folders, and what macOS puts beside each file, included
_MEMBER = b"PK\x01\x02"  # begins the entry of each member in a zip archive's directory
_PNG_NAME = re.compile(r"(?:.*/)?([0-9]{1,9})_is_([0-9])\.png", re.IGNORECASE | re.DOTALL)
_NO_DIGIT = re.compile(r".*/|__MACOSX/.*|(?:.*/)?\.[^/]*", re.DOTALL)  # folders and hidden files
# All that Pillow was seen to raise on damaged pictures; the warning where warnings are errors.
_NO_PNG = (*DAMAGED, KeyError, struct.error, Image.DecompressionBombError, Image.DecompressionBombWarning)
_THE_FILE = "The file"
_INSTEAD = (
    "Choose an .npz file with the arrays x (n, 28, 28) and y (n,), or a .zip file of PNG images "
    "named like 0001_is_7.png."
)


def as_npz(x: np.ndarray, y: np.ndarray) -> bytes:
    """Returns digits as an .npz file with the arrays x and y.

    Args:
        x: Pictures, shape (n, 28, 28), uint8.
        y: Their digits, shape (n,), uint8 in 0–9.
    """
    file = io.BytesIO()
    np.savez_compressed(file, allow_pickle=False, x=np.ascontiguousarray(x), y=np.ascontiguousarray(y))
    return file.getvalue()


def as_pngs(x: np.ndarray, y: np.ndarray) -> bytes:
    """Returns digits as a zip archive of PNG pictures, the first of them 0001_is_7.png if it is a 7.

    Args:
        x: Pictures, shape (n, 28, 28), uint8.
        y: Their digits, shape (n,), uint8 in 0–9.
    """
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:  # stored, as a PNG is packed already
        for number, (picture, digit) in enumerate(zip(x, y, strict=True), start=1):
            png = io.BytesIO()
            Image.fromarray(picture).save(png, "PNG")
            archive.writestr(zipfile.ZipInfo(f"{number:04}_is_{digit}.png"), png.getvalue())
    return file.getvalue()


def read_collection(content: bytes) -> tuple[np.ndarray, np.ndarray]:
    """Reads a file that `as_npz` or `as_pngs` made, whoever may have changed it since.

    Args:
        content: The file, at most 5 MB.

    Returns:
        Pictures, shape (n, 28, 28), uint8; and their digits, shape (n,), uint8 in 0–9;
        n from 1 to 1,000.

    Raises:
        DataError: If the file holds anything else.
    """
    if len(content) > MAX_COLLECTION_BYTES:
        allowed = f"{MAX_COLLECTION_BYTES / 1e6:,.0f} MB"
        raise DataError(f"The file has {len(content) / 1e6:,.1f} MB, but {allowed} is the maximum. {_INSTEAD}")
    if (members := content.count(_MEMBER)) > _MAX_MEMBERS:  # listing a hundred thousand takes a second
        raise DataError(f"The archive has {members:,} files, but {MAX_DIGITS:,} digits are the most. {_INSTEAD}")
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            if any(info.filename.endswith(".npy") for info in archive.infolist()):
                return _from_arrays(content)
            return _from_pngs(archive)
    except DAMAGED as error:
        raise DataError(f"The file is damaged or no archive of digits ({shown(str(error))}). {_INSTEAD}") from error


def _from_arrays(content: bytes) -> tuple[np.ndarray, np.ndarray]:
    arrays = read_arrays(io.BytesIO(content), ("x", "y"), where=_THE_FILE, max_bytes=_MAX_ARRAY_BYTES)
    x, y = arrays["x"], arrays["y"]
    if x.shape[1:] == (28, 28):
        _check_number(len(x))
    check_pictures(x, y, where=_THE_FILE)
    return x, y.astype(np.uint8)


def _from_pngs(archive: zipfile.ZipFile) -> tuple[np.ndarray, np.ndarray]:
    members = [info for info in archive.infolist() if not _NO_DIGIT.fullmatch(info.filename)]
    _check_number(len(members))
    found = [(*_number_and_digit(info.filename), info) for info in members]
    found.sort(key=lambda member: member[0])  # other programs pack files in another order
    x = np.stack([_read_png(read_member(archive, info, max_bytes=_MAX_PNG_BYTES), info) for *_, info in found])
    return x, np.array([digit for _, digit, _ in found], np.uint8)


def _check_number(digits: int) -> None:
    if not 0 < digits <= MAX_DIGITS:
        raise DataError(f"The file holds {digits:,} digits, but it must be 1 to {MAX_DIGITS:,}. {_INSTEAD}")


def _number_and_digit(name: str) -> tuple[int, int]:
    match = _PNG_NAME.fullmatch(name)
    if match is None:
        raise DataError(f"The archive holds a file “{shown(name)}”, whose name does not give a digit. {_INSTEAD}")
    return int(match[1]), int(match[2])


def _read_png(content: bytes, info: zipfile.ZipInfo) -> np.ndarray:
    name = shown(info.filename)
    try:
        with Image.open(io.BytesIO(_without_extras(content)), formats=("PNG",)) as image:
            if (image.size, image.mode) != ((28, 28), "L"):
                raise DataError(
                    f"The image {name} has {image.width:,} × {image.height:,} pixels of type {image.mode}, "
                    "but must have 28 × 28 of type L, 8-bit shades of grey. Save it like that, or remove it."
                )
            return np.array(image)
    except _NO_PNG as error:
        raise DataError(f"The image {name} is damaged or no PNG. {_INSTEAD}") from error


def _without_extras(png: bytes) -> bytes:
    """Leaves out texts and colour profiles: Pillow would unpack a megabyte for each.

    Source:
        "Portable Network Graphics (PNG) Specification", section 5: a chunk is its size,
        its name, its contents and a checksum; the names of the critical ones begin with
        a capital.
    """
    chunks, offset = [png[:8]], 8
    while offset < len(png):
        (size,) = struct.unpack_from(">I", png, offset)
        if png[offset + 4 : offset + 5].isupper():
            chunks.append(png[offset : offset + 12 + size])
        offset += 12 + size
    return b"".join(chunks)
