"""The queue: hands runs to Dask workers and takes back those that were lost."""

import logging
import threading
from typing import Any

from distributed import Client, LocalCluster, WorkerPlugin, fire_and_forget

from mnist_dash.errors import QueueError, StoreError
from mnist_dash.runs import QUEUED, UNFINISHED, RunStore, in_turn
from mnist_dash.settings import Settings
from mnist_dash.training import load_tensorflow, train_run

_LOOK_EVERY_S = 2.0
_CONNECT_TIMEOUT_S = 30
_LOCAL = "127.0.0.1:0"  # Dask's own status pages: any free port, for this machine only


class JobQueue:
    """Trains the store's queued runs on workers of this machine or of a Dask scheduler.

    The store is the only truth: the queue submits whatever is queued in it, so a run
    survives the death of its worker, of the scheduler and of the whole dashboard.
    Workers start in the background, which takes seconds.

    Args:
        settings: Say where the store is and which workers to use.
    """

    def __init__(self, settings: Settings):
        self._settings = settings
        self._store = RunStore(settings.database_url)
        self._closed = threading.Event()
        self._look_now = threading.Event()
        self._cluster: LocalCluster | None = None
        self._client: Client | None = None
        self.problem: str | None = None
        self._thread = threading.Thread(target=self._serve, name="job queue", daemon=True)
        self._thread.start()

    @property
    def ready(self) -> bool:
        """Whether workers can be given runs."""
        return self._client is not None

    def look(self) -> None:
        """Submits newly queued runs at once instead of within two seconds."""
        self._look_now.set()

    def close(self) -> None:
        """Stops the queue; runs that its own workers were training are found again later."""
        self._closed.set()
        self._look_now.set()
        self._thread.join()
        if self._client:
            self._client.close()
        if self._cluster:
            self._cluster.close()
        self._store.close()

    def _serve(self) -> None:
        try:
            self._client = self._connect()
        except (OSError, RuntimeError, TimeoutError, ValueError) as error:
            where = self._settings.scheduler or "this machine"
            self.problem = str(QueueError(f"No workers on {where}: {error}. Check MNIST_DASH_SCHEDULER and restart."))
            return
        submitted: set[str] = set()
        while not self._closed.is_set():
            self._look_now.clear()
            try:
                self._submit_queued(self._client, submitted)
                self.problem = None
            except (StoreError, OSError, RuntimeError) as error:
                self.problem = f"Runs wait: {error}"
            self._look_now.wait(_LOOK_EVERY_S)

    def _connect(self) -> Client:
        if self._settings.scheduler:
            return Client(self._settings.scheduler, timeout=_CONNECT_TIMEOUT_S, set_as_default=False)
        self._cluster = LocalCluster(
            n_workers=self._settings.workers,
            threads_per_worker=1,
            processes=True,
            dashboard_address=_LOCAL,
            worker_dashboard_address=_LOCAL,
            memory_limit=0,  # TensorFlow alone takes what Dask would call too much
            silence_logs=logging.ERROR,
            env=self._settings.as_environment(),
        )
        client = Client(self._cluster, timeout=_CONNECT_TIMEOUT_S, set_as_default=False)
        client.register_plugin(_Preload())
        return client

    def _submit_queued(self, client: Client, submitted: set[str]) -> None:
        self._store.requeue_lost_runs()
        for place, run in enumerate(in_turn(self._store.list_runs(statuses=UNFINISHED))):
            if run.status != QUEUED:
                continue
            # The same key from two dashboards is one task for their common scheduler.
            key = f"mnist-dash-{run.id}-{run.attempt}"
            if key not in submitted:
                submitted.add(key)
                future = client.submit(
                    train_run, run.id, self._settings.database_url, key=key, pure=False, priority=-place
                )
                fire_and_forget(future)


class _Preload(WorkerPlugin):
    """Has every worker load TensorFlow before it is needed, also after a restart."""

    name = "mnist-dash-preload"

    def setup(self, worker: Any) -> None:
        # In a thread, so that the worker counts as started meanwhile.
        threading.Thread(target=load_tensorflow, name="preload TensorFlow", daemon=True).start()
