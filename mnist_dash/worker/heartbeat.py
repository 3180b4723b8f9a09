"""The worker's line to the store: beats, progress, and changes that outlive a lost database."""

import threading
import time
from collections.abc import Callable
from typing import TypeVar

from mnist_dash.errors import RunNotFoundError, RunStateError, StoreError
from mnist_dash.store.records import Progress, Run
from mnist_dash.store.run_store import RunStore

LOST = "lost"
_BEAT_S = 0.25
_PATIENCE_S = 90.0  # how long a database may be away before a run is given up
_WAIT_S = 0.5
Answer = TypeVar("Answer")


class Heartbeat(threading.Thread):
    """Beats and reports from a thread of its own, so that training never waits for the store.

    Attributes:
        wanted: What each run should become: `PAUSED`, `CANCELLED`, or `LOST` if it
            is in other hands.
    """

    def __init__(self, store: RunStore, runs: list[Run]):
        super().__init__(name="run reporter", daemon=True)
        self._store = store
        self._claims = {run.id: str(run.claim) for run in runs}
        self._progress: dict[int, Progress] = {}
        self._ended = threading.Event()
        self._beating = threading.Lock()
        self.wanted: dict[int, str] = {}

    def report(self, run_id: int, progress: Progress) -> None:
        """Takes the newest progress of a run."""
        self._progress[run_id] = progress

    def forget(self, run_id: int) -> None:
        """Ends the beats of a run, before its last change."""
        with self._beating:
            self._claims.pop(run_id, None)

    def run(self) -> None:
        """Beats until all is over."""
        while not self._ended.wait(_BEAT_S):
            with self._beating:
                for run_id, claim in self._claims.items():
                    self._beat(run_id, claim)

    def _beat(self, run_id: int, claim: str) -> None:
        try:
            wanted = self._store.beat(run_id, claim, self._progress.get(run_id))
        except RunStateError:
            wanted = LOST
        except StoreError:
            return  # the database may come back; the next epoch insists on it
        if wanted:
            self.wanted[run_id] = wanted
        else:
            self.wanted.pop(run_id, None)

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
        What the change returned; None if it had happened unheard.

    Raises:
        RunNotFoundError: If there is no such run or artifact.
        RunStateError: If the run is in other hands.
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
