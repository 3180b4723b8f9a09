"""The worker's heartbeat, and changes of the store that outlive a lost database."""

import threading
import time
from collections.abc import Callable, Mapping
from typing import Protocol, TypeVar

from mnist_dash.errors import RunNotFoundError, RunStateError, StoreError
from mnist_dash.store.records import QUEUED, Progress

LOST = "lost"
_BEAT_S = 0.25
_PATIENCE_S = 90.0  # how long a database may be away before a run is given up
_WAIT_S = 0.5
Answer = TypeVar("Answer")


class Beats(Protocol):
    """Keeps leases alive: `RunLeases` or `Measurements`."""

    def beat(self, run_id: int, lease: str, progress: Progress | None) -> str | None:
        """Says that the worker lives; returns the requested status."""


class Heartbeat(threading.Thread):
    """Beats and reports from a thread of its own, so that work never waits for the store.

    Attributes:
        requested: What each run should become: `PAUSED`, `CANCELLED`, `QUEUED` if this worker is to end, or
            `LOST` if its lease is lost.
    """

    def __init__(self, leased: Beats, leases: Mapping[int, str], *, leaving: Callable[[], bool] = lambda: False):
        super().__init__(name="heartbeat", daemon=True)
        self._leased = leased
        self._leaving = leaving
        self._leases = dict(leases)
        self._progress: dict[int, Progress] = {}
        self._ended = threading.Event()
        self._beating = threading.Lock()
        self.requested: dict[int, str] = {}

    def report(self, run_id: int, progress: Progress) -> None:
        """Takes the newest progress of a run."""
        self._progress[run_id] = progress

    def forget(self, run_id: int) -> None:
        """Ends the beats of a run, before its last change."""
        with self._beating:
            self._leases.pop(run_id, None)

    def run(self) -> None:
        """Beats until all is over."""
        while not self._ended.wait(_BEAT_S):
            with self._beating:
                for run_id, lease in self._leases.items():
                    self._beat(run_id, lease)

    def _beat(self, run_id: int, lease: str) -> None:
        try:
            requested = self._leased.beat(run_id, lease, self._progress.get(run_id))
        except RunStateError:
            requested = LOST
        except StoreError:
            return  # the database may come back; the next result waits for it
        if requested := requested or (QUEUED if self._leaving() else None):
            self.requested[run_id] = requested
        else:
            self.requested.pop(run_id, None)

    def __enter__(self) -> "Heartbeat":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self.join()


def retry_transient(
    change: Callable[[], Answer], *, happened: Callable[[], bool] = lambda: False, patience_s: float = _PATIENCE_S
) -> Answer | None:
    """Makes a change of the store, and tries again for a while if the database is away or full.

    Args:
        change: The change; one transaction.
        happened: Says whether a change whose answer was lost was made after all.
        patience_s: For how long it is tried.

    Returns:
        What the change returned; None if it had been made but its answer was lost.

    Raises:
        RunNotFoundError: If there is no such run or artifact.
        RunStateError: If the lease is lost.
        StoreError: If the database stays away or full.
    """
    deadline = time.monotonic() + patience_s
    while True:
        try:
            return change()
        except (RunNotFoundError, RunStateError):
            raise
        except StoreError:
            if time.monotonic() > deadline:
                raise
        time.sleep(_WAIT_S)
        try:
            if happened():
                return None
        except StoreError:
            continue
