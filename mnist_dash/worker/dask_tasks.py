"""What Dask workers are given to do, and what the queue remembers of it."""

import threading
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict
from functools import partial

import psutil
from distributed import Client, Future, Worker, WorkerPlugin, get_worker
from distributed.core import Status

from mnist_dash.config import Settings
from mnist_dash.store.events import start_logging
from mnist_dash.worker.compiled import load_tensorflow
from mnist_dash.worker.device import this_device
from mnist_dash.worker.robustness import measure_run
from mnist_dash.worker.training import train_runs

DEVICE = "mnist_dash_device"  # the metric of a Dask worker that says what it trains on
Attempt = tuple[int, int]  # a run and how often it was started before


def train_task(run_ids: Sequence[int], settings: Settings) -> None:
    """Trains runs, and restarts the worker if its memory has grown too large."""
    start_logging(settings.database_url)
    worker = get_worker()
    train_runs(run_ids, settings, leaving=partial(_is_closing, worker))
    if psutil.Process().memory_info().rss > settings.max_memory_mb * 1e6 / 2:
        worker.loop.add_callback(worker.close_gracefully, restart=True, reason="memory has grown")


def measure_task(run_id: int, settings: Settings) -> None:
    """Measures a run, and makes room for training after any kind."""
    start_logging(settings.database_url)
    measure_run(run_id, settings, yields=True, leaving=partial(_is_closing, get_worker()))


class Preload(WorkerPlugin):
    """Has every worker load TensorFlow before it is needed, and tell the scheduler what it trains on."""

    name = "mnist-dash-preload"

    def setup(self, worker: Worker) -> None:
        """Starts loading in a thread, so that the worker counts as started meanwhile."""
        threading.Thread(target=self._load, args=(worker,), name="preload TensorFlow", daemon=True).start()

    def _load(self, worker: Worker) -> None:
        load_tensorflow()
        device = asdict(this_device())
        worker.metrics[DEVICE] = lambda _: device


def _is_closing(worker: Worker) -> bool:
    """Says whether a worker was told to end, as a signal or its dashboard's end does."""
    return worker.status in (Status.closing, Status.closing_gracefully, Status.closed)


class Tasks:
    """The tasks of one kind that were submitted, by the attempts at runs that they work on.

    Args:
        name: How their keys begin.
        on_end: Called when one has ended.
    """

    def __init__(self, name: str, on_end: Callable[[], None]):
        self._name, self._on_end = name, on_end
        self._futures: dict[Attempt, Future] = {}
        self._times_submitted: Counter[str] = Counter()

    def forget_others(self, waiting: Sequence[Attempt]) -> str | None:
        """Keeps what still waits in the store; returns what went wrong with one of these tasks."""
        self._futures = {attempt: future for attempt, future in self._futures.items() if attempt in waiting}
        broken = [future for future in self._futures.values() if future.status == "error"]
        return repr(broken[0].exception()) if broken else None

    def is_submitted(self, attempt: Attempt) -> bool:
        """Says whether a task that has not ended works on an attempt."""
        return attempt in self._futures and not self._futures[attempt].done()

    def is_task(self, key: object) -> bool:
        """Says whether a key is that of a task of this kind, whoever submitted it."""
        return str(key).startswith(f"{self._name}-")

    def submit(
        self,
        client: Client,
        attempts: Sequence[Attempt],
        function: Callable[..., None],
        *arguments: object,
        worker: str | None = None,
    ) -> None:
        """Submits one task for some attempts, to a worker that may be chosen; if that one is lost, to any."""
        # The same key from two dashboards is one task for their common scheduler. A task that ended
        # without starting its runs, for instance because the database was away, gets another key.
        key = "-".join([self._name, *(f"{run_id}.{attempt}" for run_id, attempt in attempts)])
        self._times_submitted[key] += 1
        key = f"{key}-{self._times_submitted[key]}"
        chosen = {"workers": [worker], "allow_other_workers": True} if worker else {}
        future = client.submit(function, *arguments, key=key, pure=False, **chosen)
        future.add_done_callback(lambda _: self._on_end())
        self._futures |= dict.fromkeys(attempts, future)
