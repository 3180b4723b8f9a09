"""Small datasets of random images."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from mnist_dash.datasets.custom_data import describe
from mnist_dash.datasets.mnist import DIGITS, Dataset


def custom_dataset(name: str, *, classes: Sequence[str] = DIGITS, seed: int = 0) -> Dataset:
    """Sixty random images, 50 to train and 10 to test, as a custom dataset."""
    random = np.random.default_rng(seed)
    x = random.integers(0, 256, (60, 28, 28), dtype=np.uint8)
    y = (np.arange(60) % 10).astype(np.uint8)
    parts = (x[:50], y[:50], x[50:], y[50:])
    arrays = dict(zip(("x_train", "y_train", "x_test", "y_test"), parts, strict=True))
    return Dataset(describe(name, arrays, tuple(classes)), Path(f"{name}.npz"), *parts)
