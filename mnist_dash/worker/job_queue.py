"""The queue: hands runs and measurements to Dask workers and takes back those that were lost."""

import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from distributed import Client, Future

from mnist_dash.config import Settings
from mnist_dash.errors import QueueError
from mnist_dash.networks.experiments import PlannedRun
from mnist_dash.networks.hyperparameters import Values
from mnist_dash.networks.variants import has_convolutions
from mnist_dash.store.log import LOG
from mnist_dash.store.measurements import Measurements
from mnist_dash.store.records import ACTIVE, QUEUED, Run, in_turn
from mnist_dash.store.run_leases import RunLeases
from mnist_dash.store.run_store import RunStore
from mnist_dash.worker.dask_tasks import DEVICE, Attempt, Preload, Tasks, measure_task, train_task
from mnist_dash.worker.device import Device, processor
from mnist_dash.worker.groups import grouped_runs
from mnist_dash.worker.local_workers import LocalWorkers
from mnist_dash.worker.programs import precompile_and_time

_POLL_EVERY_S = 2.0
_CONNECT_TIMEOUT_S = 30
_CLOSE_TIMEOUT_S = 2
_PRECOMPILED_KEPT = 256


@dataclass(frozen=True)
class WorkerStatus:
    """A worker that has joined.

    Attributes:
        address: Its address.
        memory: What it takes, in bytes.
        tasks: The keys of its tasks.
        device: What it trains on; None until it has loaded TensorFlow.
        for_large: Whether it was started with `--resources GPU=1`: it is kept for networks with convolutions.
    """

    address: str
    memory: int
    tasks: list[str]
    device: Device | None = None
    for_large: bool = False


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
        self._training, self._measuring = (
            Tasks("mnist-dash-run", self.wake),
            Tasks("mnist-dash-robustness", self.wake),
        )
        self._to_precompile: PlannedRun | None = None
        self._precompiled: dict[str, Future] = {}
        self.problem: str | None = None
        self._multiplies_bfloat16 = self._find_bfloat16()
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

    def workers(self) -> list[WorkerStatus]:
        """Returns the workers that have joined; none while there is no connection to a scheduler."""
        if self._client is None or not self._is_connected():
            return []
        found = self._client.scheduler_info(n_workers=-1)["workers"]
        on_workers = self._client.processing()
        return [
            WorkerStatus(
                address,
                each["metrics"]["memory"],
                sorted(map(str, on_workers.get(address, ()))),
                Device(**each["metrics"][DEVICE]) if DEVICE in each["metrics"] else None,
                each["resources"].get("GPU", 0) > 0,
            )
            for address, each in found.items()
        ]

    def multiplies_bfloat16(self) -> bool:
        """Says whether a worker does, or will as far as one can tell before the first has joined."""
        return self._multiplies_bfloat16

    def _find_bfloat16(self) -> bool:
        devices = [worker.device for worker in self.workers() if worker.device]
        if devices:
            return any(device.bfloat16 for device in devices)
        return bool(self._settings.scheduler) or processor().bfloat16

    def close(self) -> None:
        """Stops the queue; runs that its own workers were training are queued again."""
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
                self._set_problem(self._submit(self._client))
                self._keep_workers()
                self._multiplies_bfloat16 = self._find_bfloat16()
            except Exception as error:  # whatever it is, runs must not wait for ever because this thread has ended
                self._set_problem(f"Runs wait: {error}" if self._is_connected() else self._no_workers(error))
            self._wake_up.wait(_POLL_EVERY_S)

    def _set_problem(self, problem: str | None) -> None:
        if problem and problem != self.problem:
            LOG.warning("%s", problem)
        self.problem = problem

    def _connected(self) -> Client:
        """Returns the client; a new one if the scheduler was lost, as all that the old one knew is then void."""
        if self._client is not None:
            if self._is_connected():
                return self._client
            self._client.close(timeout=_CLOSE_TIMEOUT_S)
            self._client = None
            for tasks in (self._training, self._measuring):
                tasks.forget_others([])
            self._precompiled.clear()
        if self._settings.scheduler:
            client = Client(self._settings.scheduler, timeout=_CONNECT_TIMEOUT_S, set_as_default=False)
        else:
            self._workers = self._workers or LocalWorkers(self._settings)
            client = self._workers.connect()
        client.register_plugin(Preload())
        return client

    def _is_connected(self) -> bool:
        return self._client is not None and self._client.status == "running"

    def _no_workers(self, error: Exception) -> str:
        where = self._settings.scheduler or "this machine"
        check = "Check that the scheduler runs, and MNIST_DASH_SCHEDULER" if self._settings.scheduler else "Restart"
        return str(QueueError(f"No workers on {where}: {error}. {check}; runs wait until then."))

    def _keep_workers(self) -> None:
        if self._workers:
            asked = self._to_precompile or any(not future.done() for future in self._precompiled.values())
            active = self._store.list_runs(statuses=ACTIVE, limit=1) or self._measurements.any_unfinished()
            self._workers.keep(needed=bool(asked or active))

    def _submit(self, client: Client) -> str | None:
        """Gives idle workers something to do, runs before all else; returns what runs wait for, if not for a worker.

        No more is submitted than starts at once: Dask would give each task to one worker for good, though another
        joins or is done first.
        """
        problem, runs = self._waiting_runs()
        measurements = self._waiting_measurements()
        if not (runs or measurements or self._to_precompile):
            return problem
        workers = self.workers()
        groups = grouped_runs(runs, workers=max(1, len(workers)))
        for group, worker in placed(groups, workers, lambda each: not any(map(self._training.is_task, each.tasks))):
            attempts = [(run.id, run.attempt) for run in group]
            self._training.submit(
                client, attempts, train_task, [run.id for run in group], self._settings, worker=worker.address
            )
        if not workers and self._settings.scheduler:
            problem = problem or "Runs wait: no worker has joined the scheduler."
        idle = sum(not worker.tasks for worker in workers) - len(groups)
        for attempt in measurements[: max(0, idle)]:
            self._measuring.submit(client, [attempt], measure_task, attempt[0], self._settings)
        if idle > len(measurements):
            self._submit_precompilation(client)
        return problem

    def _waiting_runs(self) -> tuple[str | None, list[Run]]:
        """Returns what went wrong with earlier tasks, and the queued runs that are not submitted, in their turn."""
        self._leases.requeue_lost()
        queued = [run for run in in_turn(self._store.list_runs(statuses=ACTIVE)) if run.status == QUEUED]
        problem = self._training.forget_others([(run.id, run.attempt) for run in queued])
        waiting = [run for run in queued if not self._training.is_submitted((run.id, run.attempt))]
        return f"Runs wait: {problem}" if problem else None, waiting

    def _waiting_measurements(self) -> list[Attempt]:
        self._measurements.requeue_lost()
        waiting = self._measurements.waiting()
        self._measuring.forget_others(waiting)
        return [attempt for attempt in waiting if not self._measuring.is_submitted(attempt)]

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
        )


def placed(
    groups: Sequence[Sequence[Run]], workers: Sequence[WorkerStatus], is_free: Callable[[WorkerStatus], bool]
) -> Iterator[tuple[Sequence[Run], WorkerStatus]]:
    """Yields the groups that can start now, each with a free worker, in their turn.

    Networks with convolutions go to workers that are kept for them first; the others to those only
    if there are no others at all.
    """
    free = sorted(filter(is_free, workers), key=lambda worker: not worker.for_large)
    all_alike = all(worker.for_large for worker in workers)
    for group in groups:
        large = all_alike or has_convolutions(group[0].variant)
        suitable = [worker for worker in free if large or not worker.for_large]
        if suitable:
            free.remove(suitable[0])
            yield group, suitable[0]


def _precompile_key(planned: PlannedRun) -> str:
    structure: Values = {name: value for name, value in planned.settings.items() if name not in ("seed", "epochs")}
    return f"mnist-dash-precompile-{planned.variant}-{sorted(structure.items())}"
