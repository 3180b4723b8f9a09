"""MNIST and the bundled sample: what they are, where they may lie, and how to get them."""

import hashlib
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mnist_dash.config import ASSETS, Settings
from mnist_dash.datasets.arrays import MAX_FILE_BYTES, check_pictures, read_arrays
from mnist_dash.datasets.fetching import fetch
from mnist_dash.datasets.splits import split
from mnist_dash.errors import DataError, DownloadError

SAMPLE_FILE = ASSETS / "sample" / "mnist_sample.npz"
ARRAYS = ("x_train", "y_train", "x_test", "y_test")
CLASSES = 10


DIGITS = tuple(str(digit) for digit in range(CLASSES))


@dataclass(frozen=True)
class DatasetInfo:
    """What a data set is.

    Attributes:
        name: As runs and the command line call it.
        title: As pages call it.
        train: Number of training images.
        test: Number of test images.
        sha256: The checksum of each array of `ARRAYS`.
        classes: The names of the classes 0 to 9.
    """

    name: str
    title: str
    train: int
    test: int
    sha256: dict[str, str]
    classes: tuple[str, ...] = DIGITS

    @property
    def fingerprint(self) -> str:
        """A short checksum of the four arrays: equal only for equal data."""
        return hashlib.sha256("".join(self.sha256[name] for name in ARRAYS).encode()).hexdigest()[:16]


MNIST = DatasetInfo(
    "mnist",
    "MNIST",
    60_000,
    10_000,
    {
        "x_train": "741c988805d008ac6e4c904b69001ba184c24b2c540a4ef403f4c71b676cf757",
        "y_train": "1feba77c54802fa5339a11837ea4b2866434b83314ec45192930f1df69120c13",
        "x_test": "6d87418db22cc8025d05968bec9bd5c3932904b23485740db143a061a2c9d161",
        "y_test": "ddeff807876a9661a1110d45c266c86239a3a1b7d37da0c3716a7a683c852ff5",
    },
)
SAMPLE = DatasetInfo(
    "mnist-sample",
    "MNIST sample",
    4_000,
    1_000,
    {
        "x_train": "b26e5b940b223df37ed47b8b0120f8ccc5819e73e1741e65596d5bbaf41dc217",
        "y_train": "9bb44cb7472721a3839cb62e9c5a8b93253f6ea6736cf6f370c4eae006de5387",
        "x_test": "147abbc1bb430975ca90784e045db389f7433c6740a971a4fd06546e599f1f4e",
        "y_test": "18896cd17530f38ffb306bef11270afdbabeed2995aa46aa452ecb9dca9cf044",
    },
)
KNOWN = {known.name: known for known in (MNIST, SAMPLE)}


@dataclass(frozen=True, eq=False)
class Dataset:
    """A checked data set.

    Attributes:
        info: Which data set it is.
        source: The file that it came from.
        x_train: Pictures, shape (n, 28, 28), uint8, 0 is black paper and 255 white ink.
        y_train: Their digits, shape (n,), uint8 in 0–9.
        x_test: Test pictures, like `x_train`.
        y_test: Their digits, like `y_train`.
        problems: What was wrong with the sources that were tried before this one.
    """

    info: DatasetInfo
    source: Path
    x_train: np.ndarray
    y_train: np.ndarray
    x_test: np.ndarray
    y_test: np.ndarray
    problems: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        return self.info.name

    @property
    def fingerprint(self) -> str:
        return self.info.fingerprint


def select(dataset: Dataset, part: str, *, digit: int | None = None) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Returns the pictures of one part of the data, and where in it a digit stands.

    Args:
        dataset: The data.
        part: "training" or "validation" (the tutorials' 55,000 and 5,000), or "test".
        digit: Only the positions of this digit; None for all.

    Returns:
        Pictures, shape (n, 28, 28), uint8; their labels, shape (n,), uint8; and the
        positions of the digit among them, shape (m,), int64.

    Raises:
        ValueError: If there is no such part.
    """
    learned = len(split(dataset.y_train, "holdout").train)  # what is held out comes last: no copy is needed
    parts = {
        "training": (dataset.x_train[:learned], dataset.y_train[:learned]),
        "validation": (dataset.x_train[learned:], dataset.y_train[learned:]),
        "test": (dataset.x_test, dataset.y_test),
    }
    if part not in parts:
        raise ValueError(f"There is no part {part!r}; there are {', '.join(parts)}.")
    pictures, labels = parts[part]
    return pictures, labels, np.arange(len(labels)) if digit is None else np.flatnonzero(labels == digit)


def class_counts(labels: np.ndarray) -> np.ndarray:
    """Returns how often each digit occurs, shape (10,), int64."""
    return np.bincount(labels, minlength=CLASSES)


def sources(settings: Settings) -> list[tuple[DatasetInfo, Path]]:
    """Lists where data may come from, the first choice first."""
    keras_home = Path(os.environ.get("KERAS_HOME") or Path.home() / ".keras")
    named = [(MNIST, settings.data)] if settings.data else []
    found = [(MNIST, path) for path in (keras_home / "datasets" / "mnist.npz", downloaded_file(settings))]
    return [*named, *((known, path) for known, path in found if path.exists()), (SAMPLE, SAMPLE_FILE)]


def source_mtimes(settings: Settings) -> tuple[tuple[str, int], ...]:
    """Returns what changes when the data in use may have changed: each source and when it was written."""
    return tuple((str(path), path.stat().st_mtime_ns if path.exists() else 0) for _, path in sources(settings))


def load_dataset(settings: Settings) -> Dataset:
    """Returns the first data set that can be used.

    Args:
        settings: Names the files to try.

    Returns:
        The data set; its `problems` say why earlier sources were passed over.

    Raises:
        DataError: If not even the bundled sample can be read.
    """
    problems: list[str] = []
    for known, path in sources(settings):
        try:
            return read_dataset(path, known, problems=problems)
        except DataError as error:
            problems.append(str(error))
    raise DataError(f"No data could be read. {' '.join(problems)} Install the project again to restore its sample.")


def read_dataset(path: Path, known: DatasetInfo, *, problems: Sequence[str] = ()) -> Dataset:
    """Reads a data set and checks that it is what it should be.

    Raises:
        DataError: If the file is missing, damaged or holds other data.
    """
    arrays = read_arrays(path, ARRAYS)
    for part, count in (("train", known.train), ("test", known.test)):
        check_pictures(arrays[f"x_{part}"], arrays[f"y_{part}"], where=f"{path} ({part} part)", count=count)
    for name in ARRAYS:
        if hashlib.sha256(arrays[name].tobytes()).hexdigest() != known.sha256[name]:
            raise DataError(
                f"{path} is not {known.title}: the contents of {name} differ from the published ones. "
                "Remove the file and download MNIST again."
            )
    return Dataset(known, path, **arrays, problems=tuple(problems))


def downloaded_file(settings: Settings) -> Path:
    """Returns where the downloaded MNIST is kept."""
    return settings.cache / "mnist.npz"


def download(
    settings: Settings, *, known: DatasetInfo = MNIST, progress: Callable[[float], None] = lambda part: None
) -> Dataset:
    """Fetches MNIST, checks it and keeps it for the next time.

    A broken connection is taken up again where it broke, three times in all and again
    at the next call; nothing stands under the final name before it has been checked.

    Args:
        settings: Give the address and the folder.
        known: The data set that the address should hold.
        progress: Called with the part done, 0 to 1.

    Returns:
        The data set.

    Raises:
        DownloadError: If it cannot be fetched or is not what it should be.
    """
    target = downloaded_file(settings)
    part = target.with_suffix(".part")
    fetch(settings.download_url, part, max_bytes=MAX_FILE_BYTES, progress=progress)
    try:
        read_dataset(part, known)
    except DataError as error:
        part.unlink(missing_ok=True)
        raise DownloadError(
            f"{settings.download_url} did not give {known.title}: {error} Try again, or set "
            "MNIST_DASH_DOWNLOAD_URL to an address that has it."
        ) from error
    part.replace(target)
    return read_dataset(target, known)
