"""Arrays from files that nobody vouches for: never unpickled, bounded in size, checked."""

import io
import lzma
import math
import tokenize
import zipfile
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

import numpy as np

from mnist_dash.errors import DataError

MAX_FILE_BYTES = 100_000_000
# All that zipfile and numpy were seen to raise on damaged files.
DAMAGED = (
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    OSError,
    EOFError,
    ValueError,
    TypeError,
    IndexError,
    SyntaxError,
    NotImplementedError,
    RuntimeError,
    MemoryError,
    tokenize.TokenError,
)


def read_arrays(
    file: Path | BinaryIO, names: Sequence[str], *, where: str = "", max_bytes: int = MAX_FILE_BYTES
) -> dict[str, np.ndarray]:
    """Reads named arrays from an .npz file, never unpickling and never past a limit.

    Args:
        file: The file.
        names: The arrays that it must hold.
        where: Names the file in messages; empty for its path.
        max_bytes: How large each array may be.

    Returns:
        The arrays by name.

    Raises:
        DataError: If the file cannot be read or lacks an array.
    """
    where = where or str(file)
    try:
        with zipfile.ZipFile(file) as archive:
            return {name: _read_array(archive, name, where, max_bytes) for name in names}
    except FileNotFoundError as error:
        raise DataError(f"{where} does not exist. Name an existing .npz file with {_listed(names)}.") from error
    except KeyError as error:
        raise DataError(
            f"{where} has no array {error.args[0]}; it must hold {_listed(names)}. Correct it or use another file."
        ) from error
    except DAMAGED as error:
        raise DataError(
            f"{where} is damaged or not an .npz file ({shown(str(error))}). "
            f"Replace it with one that holds {_listed(names)}."
        ) from error


def read_member(archive: zipfile.ZipFile, info: zipfile.ZipInfo, *, max_bytes: int) -> bytes:
    """Returns a file out of an archive, taking no more memory than it claims to need.

    Raises:
        ValueError: If it claims more than `max_bytes`, or is packed in a way that hardly
            any program uses. For a damaged one, zipfile raises any of `DAMAGED`.
    """
    if info.file_size > max_bytes:
        raise ValueError(f"{info.filename} claims {info.file_size:,} bytes, more than {max_bytes:,}")
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise ValueError(f"{info.filename} is packed by method {info.compress_type}, neither stored nor deflated")
    with archive.open(info) as member:
        # Without a size, a member that claims little would be unpacked whole before it is cut off.
        return member.read(info.file_size)


def _read_array(archive: zipfile.ZipFile, name: str, where: str, max_bytes: int) -> np.ndarray:
    try:
        info = archive.getinfo(f"{name}.npy")
    except KeyError:
        raise KeyError(name) from None
    content = read_member(archive, info, max_bytes=max_bytes)
    stream = io.BytesIO(content)
    read_header = (
        np.lib.format.read_array_header_1_0
        if np.lib.format.read_magic(stream) == (1, 0)
        else np.lib.format.read_array_header_2_0
    )
    shape, fortran_order, dtype = read_header(stream)
    claimed = stream.tell() + math.prod(shape) * dtype.itemsize
    if dtype.hasobject:
        raise DataError(
            f"{where}: the array {name} holds Python objects, which are never unpickled; it must hold numbers. "
            "Save it with a number type."
        )
    if fortran_order or claimed != len(content):
        raise ValueError(f"array {name} has a header that does not fit its contents")
    return np.frombuffer(content, dtype, offset=stream.tell()).reshape(shape)


def check_pictures(x: np.ndarray, y: np.ndarray, *, where: str, count: int | None = None) -> None:
    """Checks that arrays are pictures of digits and their labels.

    Args:
        x: Should be pictures, shape (n, 28, 28), uint8.
        y: Should be digits, shape (n,), an integer type, 0–9.
        where: Names the arrays in the message.
        count: How many there should be; None for one or more.

    Raises:
        DataError: If they are anything else.
    """
    if x.ndim != 3 or x.shape[1:] != (28, 28) or x.dtype != np.uint8 or (count or len(x) or 1) != len(x):
        values = f", {x.min():.4g} to {x.max():.4g}" if x.dtype.kind == "f" and x.size else ""
        raise DataError(
            f"{where}: the images have shape {x.shape} and type {x.dtype}{values}, "
            f"but must have shape ({count or 'n'}, 28, 28) and type uint8, 0 to 255. Correct them or use another file."
        )
    if y.shape != (len(x),) or y.dtype.kind not in "iu":
        raise DataError(
            f"{where}: the labels have shape {y.shape} and type {y.dtype}, "
            f"but must be whole numbers of shape ({len(x)},), one per image. Correct them or use another file."
        )
    if y.min() < 0 or y.max() > 9:
        raise DataError(
            f"{where}: the labels range from {y.min()} to {y.max()}, but must be digits from 0 to 9. "
            "Correct them or use another file."
        )


def shown(text: str) -> str:
    """Returns words out of a stranger's file, or about it, short and on one line."""
    return "".join(letter if letter.isprintable() else " " for letter in text[:150]).rstrip(". ")


def _listed(names: Sequence[str]) -> str:
    return f"the arrays {', '.join(names[:-1])} and {names[-1]}" if len(names) > 1 else f"the array {names[0]}"
