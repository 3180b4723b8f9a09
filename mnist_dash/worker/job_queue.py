"""The queue: hands runs and measurements to Dask workers and takes back those that were lost."""

import threading
from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial

import psutil
from distributed import Client, Future, Worker, get_worker
from distributed.core import Status

from mnist_dash.config import Settings
from mnist_dash.errors import QueueError, StoreError
from mnist_dash.networks.experiments import PlannedRun
from mnist_dash.networks.hyperparameters import Values
from mnist_dash.store.measurements import Measurements
from mnist_dash.store.records import ACTIVE, QUEUED, in_turn
from mnist_dash.store.run_leases import RunLeases
from mnist_dash.store.run_store import RunStore
from mnist_dash.worker.groups import grouped_runs
from mnist_dash.worker.local_workers import LocalWorkers
from mnist_dash.worker.programs import precompile_and_time
from mnist_dash.worker.robustness import measure_run
from mnist_dash.worker.training import train_runs

_POLL_EVERY_S = 2.0
_CONNECT_TIMEOUT_S = 30
_AFTER_RUNS = -100_000  # priority of measurements
_LAST = -1_000_000  # priority of what may wait until nothing else is to be done
_PRECOMPILED_KEPT = 256
_Attempt = tuple[int, int]  # a run and how often it was started before


class JobQueue:
    """Trains the store's queued runs on workers of this machine or of a Dask scheduler, and measures its runs.

    The store is the only truth: the queue submits whatever is queued in it, so a run
    survives the death of its worker, of the scheduler and of the whole dashboard.
    Workers start in the background, which takes seconds.

    Args:
        settings: Say where the store is and which workers to use.
    """

    def __init__(self, settings: Settings):
        self._settings = settings
        self._store = RunStore(settings.database_url)
        self._leases, self._measurements = RunLeases(self._store), Measurements(self._store)
        self._closed = threading.Event()
        self._wake_up = threading.Event()
        self._workers: LocalWorkers | None = None
        self._client: Client | None = None
        self._training, self._measuring = _Tasks("mnist-dash"), _Tasks("mnist-dash-robustness")
        self._to_precompile: PlannedRun | None = None
        self._precompiled: dict[str, Future] = {}
        self.problem: str | None = None
        self._thread = threading.Thread(target=self._serve, name="job queue", daemon=True)
        self._thread.start()

    @property
    def ready(self) -> bool:
        """Whether workers can be given runs."""
        return self._is_connected()

    def wake(self) -> None:
        """Submits newly queued runs at once instead of within two seconds."""
        self._wake_up.set()

    def seconds_per_step(self, planned: PlannedRun) -> float | None:
        """Returns how long a worker takes for one training step of a network.

        If that has not been measured, an idle worker is asked to: it compiles the network
        and keeps it, so that a run of it then starts at once.

        Returns:
            Seconds; None as long as they are not known.
        """
        future = self._precompiled.get(_precompile_key(planned))
        if future is not None and future.done():
            return float(future.result()) if future.status == "finished" else None
        if future is None and self._to_precompile != planned:
            self._to_precompile = planned
            self.wake()
        return None

    def close(self) -> None:
        """Stops the queue; runs that its own workers were training are found again later."""
        self._closed.set()
        self._wake_up.set()
        self._thread.join()
        if self._client:
            self._client.close()
        if self._workers:
            self._workers.close()
        self._store.close()

    def _serve(self) -> None:
        while not self._closed.is_set():
            self._wake_up.clear()
            try:
                self._client = self._connected()
                self.problem = self._submit_runs(self._client)
                self._submit_measurements(self._client)
                self._submit_precompilation(self._client)
                self._keep_workers()
            except (StoreError, OSError, RuntimeError, ValueError) as error:
                self.problem = f"Runs wait: {error}" if self._is_connected() else self._no_workers(error)
            self._wake_up.wait(_POLL_EVERY_S)

    def _connected(self) -> Client:
        """Returns the client, a new one if a scheduler was away for so long that the old one gave up."""
        if self._client is not None and self._is_connected():
            return self._client
        if self._settings.scheduler:
            return Client(self._settings.scheduler, timeout=_CONNECT_TIMEOUT_S, set_as_default=False)
        self._workers = self._workers or LocalWorkers(self._settings)
        return self._workers.connect()

    def _is_connected(self) -> bool:
        return self._client is not None and self._client.status in ("running", "connecting")

    def _no_workers(self, error: Exception) -> str:
        where = self._settings.scheduler or "this machine"
        check = "Check that the scheduler runs, and MNIST_DASH_SCHEDULER" if self._settings.scheduler else "Restart"
        return str(QueueError(f"No workers on {where}: {error}. {check}; runs wait until then."))

    def _keep_workers(self) -> None:
        if self._workers:
            asked = self._to_precompile or any(not future.done() for future in self._precompiled.values())
            active = self._store.list_runs(statuses=ACTIVE, limit=1) or self._measurements.any_unfinished()
            self._workers.keep(needed=bool(asked or active))

    def _submit_runs(self, client: Client) -> str | None:
        """Submits what is queued and not submitted; returns what went wrong with earlier tasks."""
        self._leases.requeue_lost()
        queued = [run for run in in_turn(self._store.list_runs(statuses=ACTIVE)) if run.status == QUEUED]
        problem = self._training.forget_others([(run.id, run.attempt) for run in queued])
        waiting = [run for run in queued if not self._training.is_submitted((run.id, run.attempt))]
        for index, group in enumerate(grouped_runs(waiting, workers=self._number_of_workers(client))):
            attempts = [(run.id, run.attempt) for run in group]
            run_ids = [run.id for run in group]
            self._training.submit(client, attempts, _train, run_ids, self._settings, priority=-index)
        return f"Runs wait: {problem}" if problem else None

    def _submit_measurements(self, client: Client) -> None:
        """Submits what is to be measured, a task for each run, which makes room for training after any kind."""
        self._measurements.requeue_lost()
        waiting = self._measurements.waiting()
        self._measuring.forget_others(waiting)
        for index, attempt in enumerate(waiting):
            if not self._measuring.is_submitted(attempt):
                priority = _AFTER_RUNS - index
                self._measuring.submit(client, [attempt], _measure, attempt[0], self._settings, priority=priority)

    def _number_of_workers(self, client: Client) -> int:
        return max(1, len(client.scheduler_info(n_workers=-1)["workers"]))

    def _submit_precompilation(self, client: Client) -> None:
        planned, busy = self._to_precompile, any(not future.done() for future in self._precompiled.values())
        if planned is None or busy:
            return
        self._to_precompile = None
        key = _precompile_key(planned)
        if key in self._precompiled:
            return
        while len(self._precompiled) >= _PRECOMPILED_KEPT:
            del self._precompiled[next(iter(self._precompiled))]
        self._precompiled[key] = client.submit(
            precompile_and_time,
            planned.variant,
            dict(planned.settings),
            self._settings,
            key=key,
            pure=False,
            priority=_LAST,
        )


def _precompile_key(planned: PlannedRun) -> str:
    structure: Values = {name: value for name, value in planned.settings.items() if name not in ("seed", "epochs")}
    return f"mnist-dash-precompile-{planned.variant}-{sorted(structure.items())}"


def _train(run_ids: Sequence[int], settings: Settings) -> None:
    """Trains runs, and restarts the worker if its memory has grown too large."""
    worker = get_worker()
    train_runs(run_ids, settings, leaving=partial(_is_closing, worker))
    if psutil.Process().memory_info().rss > settings.max_memory_mb * 1e6 / 2:
        worker.loop.add_callback(worker.close_gracefully, restart=True, reason="memory has grown")


def _measure(run_id: int, settings: Settings) -> None:
    """Measures a run, and makes room for training after any kind."""
    measure_run(run_id, settings, yields=True, leaving=partial(_is_closing, get_worker()))


def _is_closing(worker: Worker) -> bool:
    """Says whether a worker was told to end, as a signal or its dashboard's end does."""
    return worker.status in (Status.closing, Status.closing_gracefully, Status.closed)


class _Tasks:
    """The tasks of one kind that were submitted, by the attempts at runs that they work on."""

    def __init__(self, name: str):
        self._name = name
        self._futures: dict[_Attempt, Future] = {}
        self._times_submitted: Counter[str] = Counter()

    def forget_others(self, waiting: Sequence[_Attempt]) -> str | None:
        """Keeps what still waits in the store; returns what went wrong with one of these tasks."""
        self._futures = {attempt: future for attempt, future in self._futures.items() if attempt in waiting}
        broken = [future for future in self._futures.values() if future.status == "error"]
        return repr(broken[0].exception()) if broken else None

    def is_submitted(self, attempt: _Attempt) -> bool:
        """Says whether a task that has not ended works on an attempt."""
        return attempt in self._futures and not self._futures[attempt].done()

    def submit(
        self,
        client: Client,
        attempts: Sequence[_Attempt],
        function: Callable[..., None],
        *arguments: object,
        priority: int,
    ) -> None:
        """Submits one task for some attempts."""
        # The same key from two dashboards is one task for their common scheduler. A task that ended
        # without starting its runs, for instance because the database was away, gets another key.
        key = "-".join([self._name, *(f"{run_id}.{attempt}" for run_id, attempt in attempts)])
        self._times_submitted[key] += 1
        key = f"{key}-{self._times_submitted[key]}"
        future = client.submit(function, *arguments, key=key, pure=False, priority=priority)
        self._futures |= dict.fromkeys(attempts, future)
