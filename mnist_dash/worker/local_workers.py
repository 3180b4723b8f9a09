"""Workers of this machine: Dask processes that are there while there is something to do, and for a while after."""

import contextlib
import logging
import os
import time
from pathlib import Path
from typing import Any

import psutil
from distributed import Client, LocalCluster, WorkerPlugin

from mnist_dash.config import Settings

IDLE_S = 600.0  # after that a worker's 0.7 GB are given back; the next run then waits five seconds for a new one
_CONNECT_TIMEOUT_S = 30
_LOCAL = "127.0.0.1:0"  # Dask's own status pages: any free port, for this machine only
_NICE = 10  # priority of workers on this machine, as `nice` counts it


class LocalWorkers:
    """A Dask scheduler in this process, and workers in processes of their own.

    Args:
        settings: Say how many workers there are, and whether pages of many visitors go before them.
        idle_s: How long workers stay when there is nothing to do.
    """

    def __init__(self, settings: Settings, *, idle_s: float = IDLE_S):
        self._settings, self._idle_s = settings, idle_s
        threads = max(1, (os.cpu_count() or 1) // settings.workers)
        self._cluster = LocalCluster(
            n_workers=settings.workers,
            threads_per_worker=1,
            processes=True,
            dashboard_address=_LOCAL,
            worker_dashboard_address=_LOCAL,
            memory_limit=0,  # TensorFlow alone takes what Dask would call too much
            silence_logs=logging.ERROR,
            # Workers that each took all cores would only get in each other's way.
            env={"TF_NUM_INTRAOP_THREADS": str(threads)},
        )
        self._count, self._needed_at = settings.workers, time.monotonic()

    def connect(self) -> Client:
        """Returns a client of these workers, which are set up by it."""
        client = Client(self._cluster, timeout=_CONNECT_TIMEOUT_S, set_as_default=False)
        if self._settings.shared:
            client.register_plugin(_LowPriority())
        return client

    def keep(self, *, needed: bool) -> None:
        """Starts the workers if they are needed now, and stops them if they were not for a while."""
        now = time.monotonic()
        if needed:
            self._needed_at = now
        count = self._settings.workers if now - self._needed_at < self._idle_s else 0
        # Dask gives up a worker that is restarting whenever an earlier restart of it was 15 s ago, and starts no other.
        if count != self._count or len(self._cluster.workers) < count:
            self._count = count
            self._cluster.scale(count)

    def close(self) -> None:
        """Stops the workers; runs that they were training are queued again."""
        self._cluster.close()


class _LowPriority(WorkerPlugin):
    """Lets pages of many visitors answer before a worker on the same machine trains."""

    name = "mnist-dash-low-priority"

    def setup(self, worker: Any) -> None:
        threads = Path("/proc/self/task")
        if not threads.is_dir():
            psutil.Process().nice(_NICE)
            return
        for thread in threads.iterdir():  # on Linux each has a priority of its own, which those it starts inherit
            with contextlib.suppress(ProcessLookupError):
                os.setpriority(os.PRIO_PROCESS, int(thread.name), _NICE)
