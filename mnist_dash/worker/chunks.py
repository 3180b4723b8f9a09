"""How an epoch is divided: into batches, and into chunks of them that run without a report."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

_CHUNK_S = 0.2  # how long the compiled program runs before it reports and may be stopped
_MEASURED_S = 0.1
_PADDING = -1  # fills up the last batch


@dataclass(frozen=True)
class EpochProgress:
    """How far an epoch is.

    Attributes:
        step: Batches done.
        steps: Batches of the whole epoch; 0 before it has started.
        seen: Images in the batches done.
        loss: Sum of their losses.
        correct: How many of them were classified correctly.
    """

    step: int = 0
    steps: int = 0
    seen: int = 0
    loss: float = 0.0
    correct: float = 0.0


NOT_STARTED = EpochProgress()
Report = Callable[[EpochProgress], None]


class AdaptiveChunks:
    """How many steps the compiled program makes between two reports: as many as take a fifth of a second."""

    def __init__(self) -> None:
        self._steps = 1

    def of(self, steps: int, first: int = 0) -> Iterator[tuple[int, int]]:
        """Divides the steps from `first` on; whoever asks for the next chunk has run the last one."""
        while first < steps:
            stop = min(first + self._steps, steps)
            started = time.perf_counter()
            yield first, stop
            # At most four times as many at once: the first chunk includes the compilation.
            fitting = int((stop - first) * _CHUNK_S / max(time.perf_counter() - started, 1e-9))
            self._steps = max(1, min(fitting, 4 * self._steps + 8))
            first = stop


def measured_step(run: Callable[[int], None], most: int) -> float:
    """Returns the seconds of a step, from as many as it takes to tell.

    Args:
        run: Runs that many steps; the first call compiles and is not counted.
        most: Steps that can be run at once.
    """
    run(1)
    steps, seconds = 1, 0.0
    while not seconds or (seconds < _MEASURED_S and steps < most):
        steps = min(4 * steps, most)
        started = time.perf_counter()
        run(steps)
        seconds = time.perf_counter() - started
    return seconds / steps


def in_batches(order: np.ndarray, batch_size: int) -> np.ndarray:
    """Divides images into batches, shape (steps, size), int32; the last is filled up with -1."""
    size = min(batch_size, len(order))
    steps = -(-len(order) // size)
    padded = np.full(steps * size, _PADDING, np.int32)
    padded[: len(order)] = order
    return padded.reshape(steps, size)
