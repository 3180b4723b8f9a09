"""Arrays from files that nobody vouches for: never unpickled, bounded in size, checked."""

import lzma
import tokenize
import zipfile
import zlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from mnist_dash.errors import DataError

MAX_FILE_BYTES = 100_000_000
# All that zipfile and numpy were seen to raise on damaged files.
_DAMAGED = (
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    OSError,
    EOFError,
    ValueError,
    TypeError,
    NotImplementedError,
    RuntimeError,
    MemoryError,
    tokenize.TokenError,
)


def read_arrays(path: Path, names: Sequence[str]) -> dict[str, np.ndarray]:
    """Reads named arrays from an .npz file, never unpickling and never past 100 MB.

    Args:
        path: The file.
        names: The arrays that it must hold.

    Returns:
        The arrays by name.

    Raises:
        DataError: If the file cannot be read or lacks an array.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            return {name: _read_array(archive, name) for name in names}
    except FileNotFoundError as error:
        raise DataError(f"{path} does not exist. Name an existing .npz file with {_listed(names)}.") from error
    except KeyError as error:
        raise DataError(f"{path} has no array {error.args[0]}; it must hold {_listed(names)}.") from error
    except _DAMAGED as error:
        raise DataError(
            f"{path} is damaged or not an .npz file ({error}). Replace it with one that holds {_listed(names)}."
        ) from error


def _read_array(archive: zipfile.ZipFile, name: str) -> np.ndarray:
    try:
        info = archive.getinfo(f"{name}.npy")
    except KeyError:
        raise KeyError(name) from None
    if info.file_size > MAX_FILE_BYTES:
        raise ValueError(f"array {name} claims {info.file_size:,} bytes, more than {MAX_FILE_BYTES:,}")
    with archive.open(info) as member:
        read_header = (
            np.lib.format.read_array_header_1_0
            if np.lib.format.read_magic(member) == (1, 0)
            else np.lib.format.read_array_header_2_0
        )
        shape, fortran_order, dtype = read_header(member)
        # Checked before any memory is asked for: a header may claim any shape.
        if dtype.hasobject or fortran_order or int(np.prod(shape, dtype=object)) * dtype.itemsize > info.file_size:
            raise ValueError(f"array {name} has a header that does not fit its contents")
        return np.frombuffer(member.read(), dtype=dtype).reshape(shape)


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
        raise DataError(
            f"{where}: the pictures have shape {x.shape} and type {x.dtype}, "
            f"but must have shape ({count or 'n'}, 28, 28) and type uint8."
        )
    if y.shape != (len(x),) or y.dtype.kind not in "iu":
        raise DataError(
            f"{where}: the labels have shape {y.shape} and type {y.dtype}, "
            f"but must be whole numbers of shape ({len(x)},), one a picture."
        )
    if y.min() < 0 or y.max() > 9:
        raise DataError(f"{where}: the labels reach from {y.min()} to {y.max()}, but must be digits from 0 to 9.")


def _listed(names: Sequence[str]) -> str:
    return f"the arrays {', '.join(names[:-1])} and {names[-1]}"
