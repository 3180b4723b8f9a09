"""Other data of MNIST's shape, from files that a person chose: read, checked, split, named."""

import gzip
import hashlib
import io
import re
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mnist_dash.datasets.arrays import DAMAGED, check_pictures, read_arrays, shown
from mnist_dash.datasets.mnist import ARRAYS, CLASSES, DIGITS, KNOWN, MNIST, Dataset, DatasetInfo
from mnist_dash.errors import DataError

MAX_FILE_BYTES = 100_000_000  # of one file
MAX_FILES = 4
MAX_NAME = 40

# Where Debian's package dataset-fashion-mnist puts its files.
FASHION_MNIST_FOLDER = Path("/usr/share/datasets/fashion-mnist")
FASHION_MNIST = "Fashion-MNIST"
FASHION_CLASSES = (
    "T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot",
)  # fmt: skip

_MAX_ARRAY_BYTES = 250_000_000  # 280,000 images, as many as EMNIST's digits
_MAX_CLASS_NAME = 24
_MIN_IMAGES = 20
_TEST_SHARE = 6  # of data that is not split, one image in six tests
_NAME = re.compile(r"[^\W_](?:[^\W_]|[ .\-]){0,39}")
_IDX_SHAPES = {b"\0\0\x08\x03": 3, b"\0\0\x08\x01": 1}  # unsigned bytes in three dimensions, or in one
_CLASS_NAME = re.compile(r"[^\W_](?:[^\W_]|[ ./'&+\-]){0,23}")  # nothing that Markdown or HTML would take for its own
_OF_TEST = re.compile(r"test|t10k", re.IGNORECASE)
_INSTEAD = (
    "Choose an .npz file with the arrays x (n, 28, 28) and y (n,), one with x_train, y_train, x_test and "
    "y_test, or IDX files of images and labels."
)


@dataclass(frozen=True)
class DataFile:
    """A file that a person chose."""

    name: str
    content: bytes


def fashion_mnist_files(folder: Path = FASHION_MNIST_FOLDER) -> list[Path]:
    """Returns the files of Debian's package dataset-fashion-mnist; none where it is not installed."""
    return sorted(folder.glob("*-ubyte.gz"))


def read_custom(files: Sequence[DataFile], *, name: str, classes: Sequence[str] = ()) -> Dataset:
    """Reads data of MNIST's shape from files that nobody vouches for.

    Args:
        files: One .npz file with x and y, or with x_train, y_train, x_test and y_test; or a pair
            of images and labels, or two (the names of those that test contain “test” or “t10k”),
            each as IDX, packed by gzip or not, or as an .npz file with a single array.
        name: What the data is to be called.
        classes: The names of its classes, the first for label 0; empty for those in the
            .npz file's array `classes`, or for the digits.

    Returns:
        The data. If it came without a test part, a sixth of it, drawn at random, is that; of
        more images than MNIST has, as many as it has are drawn at random.

    Raises:
        DataError: If the files hold anything else, or the names cannot be used.
    """
    checked = check_name(name)
    if not 0 < len(files) <= MAX_FILES:
        raise DataError(f"There are {len(files)} files, but it must be 1 to {MAX_FILES}. {_INSTEAD}")
    found: dict[str, np.ndarray] = {}
    for file in files:
        for role, array in _arrays_of(file).items():
            if role in found:
                raise DataError(f"{_quoted(file)}: a second array that would be {role}. {_INSTEAD}")
            found[role] = array
    in_file = [str(text) for text in found.pop("classes", ())]
    arrays = _in_parts(found, files)
    highest = int(max(arrays["y_train"].max(), arrays["y_test"].max()))
    info = describe(checked, arrays, class_names(list(classes) or in_file, highest))
    x_train, y_train, x_test, y_test = (arrays[part] for part in ARRAYS)
    return Dataset(info, Path(files[0].name), x_train, y_train, x_test, y_test)


def as_npz(dataset: Dataset) -> bytes:
    """Returns the four arrays of a data set as an .npz file in Keras' layout."""
    file = io.BytesIO()
    np.savez_compressed(file, allow_pickle=False, **{name: getattr(dataset, name) for name in ARRAYS})
    return file.getvalue()


def describe(name: str, arrays: Mapping[str, np.ndarray], classes: tuple[str, ...]) -> DatasetInfo:
    """Returns the description of the four arrays of a data set."""
    sha256 = {part: hashlib.sha256(arrays[part].tobytes()).hexdigest() for part in ARRAYS}
    return DatasetInfo(name, name, len(arrays["x_train"]), len(arrays["x_test"]), sha256, classes)


def check_name(name: str) -> str:
    """Returns the name of a data set without spaces around it.

    Raises:
        DataError: If it cannot be one.
    """
    stripped = name.strip()
    if not _NAME.fullmatch(stripped):
        raise DataError(
            f"The name “{shown(stripped)}” cannot be used: it must be 1 to {MAX_NAME} letters, digits, spaces, "
            "dots and hyphens, and begin with a letter or digit."
        )
    if stripped.lower() in {known.lower() for info in KNOWN.values() for known in (info.name, info.title)}:
        raise DataError(f"The name “{stripped}” is taken by data that comes with the dashboard. Choose another.")
    return stripped


def class_names(names: Sequence[str], highest: int) -> tuple[str, ...]:
    """Returns the names of the ten classes; those not named keep their digit.

    Args:
        names: The first for label 0; empty for the digits.
        highest: The highest label that there is.

    Raises:
        DataError: If they are too many, too few, empty, too long, or not all different.
    """
    names = [" ".join("".join(filter(str.isprintable, name)).split()) for name in names]
    if not names:
        return DIGITS
    if not highest < len(names) <= CLASSES:
        raise DataError(
            f"There are {len(names)} class names, but the labels go from 0 to {highest}: give at least "
            f"{highest + 1} and at most {CLASSES}, separated by commas, the first for label 0."
        )
    for name in names:
        if not _CLASS_NAME.fullmatch(name) or names.count(name) > 1:
            raise DataError(
                f"The class name “{shown(name)}” cannot be used: each must have 1 to {_MAX_CLASS_NAME} letters, "
                "digits, spaces or . / ' & + -, begin with a letter or digit, and occur once. Use commas between them."
            )
    return (*names, *DIGITS[len(names) :])


def _arrays_of(file: DataFile) -> dict[str, np.ndarray]:
    """Returns a file's arrays by their role: x, y, x_train, y_train, x_test, y_test or classes."""
    if len(file.content) > MAX_FILE_BYTES:
        raise DataError(
            f"{_quoted(file)} has {len(file.content) / 1e6:,.0f} MB, but {MAX_FILE_BYTES / 1e6:,.0f} MB is the "
            "maximum. Use fewer images."
        )
    if file.content[:2] == b"PK":
        return _from_npz(file)
    array = _from_idx(file)
    return {_role(file, array): array}


def _from_npz(file: DataFile) -> dict[str, np.ndarray]:
    try:
        with zipfile.ZipFile(io.BytesIO(file.content)) as archive:
            names = [name.removesuffix(".npy") for name in archive.namelist() if name.endswith(".npy")]
    except DAMAGED as error:
        raise DataError(f"{_quoted(file)} is a damaged .npz file ({shown(str(error))}). {_INSTEAD}") from error
    wanted = ARRAYS if {"x_train", "x_test"} & set(names) else ("x", "y")
    if len(names) == 1 and names[0] not in wanted:
        array = read_arrays(io.BytesIO(file.content), names, where=_quoted(file), max_bytes=_MAX_ARRAY_BYTES)[names[0]]
        return {_role(file, array): array}
    wanted = (*wanted, "classes") if "classes" in names else wanted
    found = read_arrays(io.BytesIO(file.content), wanted, where=_quoted(file), max_bytes=_MAX_ARRAY_BYTES)
    if "classes" in found and (found["classes"].dtype.kind != "U" or found["classes"].ndim != 1):
        raise DataError(
            f"{_quoted(file)}: the array classes has type {found['classes'].dtype}, but must be a list of texts."
        )
    return found


def _role(file: DataFile, array: np.ndarray) -> str:
    """Returns what a file's only array is, from its dimensions and the file's name."""
    part = "test" if _OF_TEST.search(file.name) else "train"
    return f"{'y' if array.ndim == 1 else 'x'}_{part}"


def _from_idx(file: DataFile) -> np.ndarray:
    """Reads an IDX file.

    Source:
        The format's description beside MNIST itself, http://yann.lecun.com/exdb/mnist/: two zero
        bytes, 8 for unsigned bytes, the number of dimensions, and the sizes as big-endian integers.
    """
    content = file.content
    try:
        if content[:2] == b"\x1f\x8b":
            with gzip.GzipFile(fileobj=io.BytesIO(content)) as packed:
                content = packed.read(_MAX_ARRAY_BYTES + 1)
    except DAMAGED as error:
        raise DataError(f"{_quoted(file)} is damaged ({shown(str(error))}). {_INSTEAD}") from error
    dimensions = _IDX_SHAPES.get(content[:4], 0)
    shape = np.frombuffer(content[4 : 4 + 4 * dimensions], ">u4").astype(object)
    start = 4 + 4 * dimensions
    if not dimensions or len(shape) != dimensions or np.prod(shape) != len(content) - start:
        raise DataError(f"{_quoted(file)} is neither an .npz file nor a whole IDX file of bytes. {_INSTEAD}")
    return np.frombuffer(content, np.uint8, offset=start).reshape([int(size) for size in shape])


def _in_parts(found: Mapping[str, np.ndarray], files: Sequence[DataFile]) -> dict[str, np.ndarray]:
    """Returns the four arrays of a data set, checked."""
    where = " and ".join(map(_quoted, files))
    random = np.random.default_rng(0)
    if {"x", "y"} <= found.keys() or found.keys() == {"x_train", "y_train"}:
        x, y = found.get("x", found.get("x_train")), found.get("y", found.get("y_train"))
        assert x is not None
        assert y is not None
        check_pictures(x, y, where=where)
        order = random.permutation(len(x))
        test, train = np.sort(order[: len(x) // _TEST_SHARE]), np.sort(order[len(x) // _TEST_SHARE :])
        parts = {"x_train": x[train], "y_train": y[train], "x_test": x[test], "y_test": y[test]}
    elif found.keys() == set(ARRAYS):
        for part in ("train", "test"):
            check_pictures(found[f"x_{part}"], found[f"y_{part}"], where=f"{where} ({part} part)")
        parts = dict(found)
    else:
        names = ", ".join(sorted(found)) or "no arrays"
        raise DataError(f"{where}: found {names}, but images need labels. {_INSTEAD}")
    if (count := len(parts["x_train"]) + len(parts["x_test"])) < _MIN_IMAGES:
        raise DataError(
            f"{where}: found {count} images, but {_MIN_IMAGES} are the fewest to train and test on. Add more."
        )
    for part, most in (("train", MNIST.train), ("test", MNIST.test)):
        if (size := len(parts[f"x_{part}"])) > most:
            kept = np.sort(random.permutation(size)[:most])
            parts |= {name: parts[name][kept] for name in (f"x_{part}", f"y_{part}")}
    return {name: np.ascontiguousarray(parts[name], np.uint8) for name in ARRAYS}


def _quoted(file: DataFile) -> str:
    return f"“{shown(file.name)}”"
