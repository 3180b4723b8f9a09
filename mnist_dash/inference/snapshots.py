"""The first layer's weights as they were during training, so that one can see how they came to be."""

import io
from dataclasses import dataclass

import numpy as np

from mnist_dash.datasets.arrays import read_arrays
from mnist_dash.errors import DataError, StoreError

_MAX_BYTES = 4_000_000  # of one run
_MAX_COUNT = 60
_ALL = 16  # epochs of which each is taken; of as many more every second, of twice as many more every fourth, and so on


@dataclass(frozen=True, eq=False)
class Snapshots:
    """Kernels of the first layer that has one.

    Attributes:
        epochs: After which epoch each was taken, ascending; 0 is before training; shape (k,), int32.
        kernels: Shape (k, 784, units) or (k, height, width, channels, filters), float16.
    """

    epochs: np.ndarray
    kernels: np.ndarray

    def with_epoch(self, epoch: int, kernel: np.ndarray) -> "Snapshots":
        """Returns these and one more; of too many, every second of the earlier ones is left out."""
        kept = self.epochs < epoch
        epochs = np.append(self.epochs[kept], np.int32(epoch))
        kernels = np.concatenate([self.kernels[kept], _small(kernel)])
        most = max(2, min(_MAX_COUNT, _MAX_BYTES // kernels[0].nbytes))
        if len(epochs) > most:
            chosen = np.append(np.arange(0, len(epochs) - 1, 2), len(epochs) - 1)
            epochs, kernels = epochs[chosen], kernels[chosen]
        return Snapshots(epochs, kernels)

    def as_bytes(self) -> bytes:
        """Returns what is stored: an .npz file."""
        file = io.BytesIO()
        np.savez(file, allow_pickle=False, epochs=self.epochs, kernels=self.kernels)
        return file.getvalue()


def is_due(epoch: int) -> bool:
    """Says whether a snapshot is taken after this epoch: weights change most in the first ones."""
    return epoch % (1 << max(0, (epoch - 1).bit_length() - _ALL.bit_length() + 1)) == 0


def first_snapshot(epoch: int, kernel: np.ndarray) -> Snapshots:
    """Returns a single kernel as snapshots."""
    return Snapshots(np.array([epoch], np.int32), _small(kernel))


def read_snapshots(content: bytes) -> Snapshots:
    """Reads what `Snapshots.as_bytes` returned.

    Raises:
        StoreError: If it is damaged.
    """
    try:
        arrays = read_arrays(io.BytesIO(content), ("epochs", "kernels"), where="The weights during training")
    except DataError as error:
        raise StoreError(str(error)) from error
    return Snapshots(arrays["epochs"], arrays["kernels"])


def _small(kernel: np.ndarray) -> np.ndarray:
    """Returns a kernel as one snapshot in float16; weights that run away stop at its ends."""
    most = np.finfo(np.float16).max
    return np.asarray(np.clip(np.nan_to_num(kernel), -most, most), np.float16)[None]
