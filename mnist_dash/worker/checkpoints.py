"""Checkpoints: everything that training goes on from, as bytes; also in the middle of an epoch."""

import io
from collections.abc import Sequence
from dataclasses import astuple, dataclass

import numpy as np

from mnist_dash.worker.chunks import NOT_STARTED, EpochProgress

_PROGRESS_KEY = "begun"


@dataclass(frozen=True, eq=False)
class Checkpoint:
    """A moment of a training.

    Attributes:
        state: What `CompiledTraining.state` returned, or the weights alone.
        progress: How far the epoch was.
        seconds: How long it had taken so far.
    """

    state: Sequence[np.ndarray]
    progress: EpochProgress = NOT_STARTED
    seconds: float = 0.0

    def as_bytes(self) -> bytes:
        """Returns the checkpoint as the store keeps it."""
        file = io.BytesIO()
        progress = np.array([*astuple(self.progress), self.seconds], np.float64)
        np.savez(file, *self.state, **{_PROGRESS_KEY: progress})  # type: ignore[arg-type]
        return file.getvalue()

    @classmethod
    def from_bytes(cls, content: bytes) -> "Checkpoint":
        """Reads what `as_bytes` returned, now or before epochs could be interrupted."""
        with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
            state = [arrays[f"arr_{number}"] for number in range(len(set(arrays.files) - {_PROGRESS_KEY}))]
            if _PROGRESS_KEY not in arrays.files:
                return cls(state)
            step, steps, seen, loss, correct, seconds = arrays[_PROGRESS_KEY].tolist()
        return cls(state, EpochProgress(int(step), int(steps), int(seen), loss, correct), seconds)
