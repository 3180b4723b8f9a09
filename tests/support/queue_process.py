"""A dashboard's queue as a process of its own, for tests to kill; started with `dashboard`."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil

from mnist_dash.config import load_settings
from mnist_dash.store.run_leases import RunLeases
from mnist_dash.worker.job_queue import JobQueue
from mnist_dash.worker.local_workers import LocalWorkers

LOST_AFTER = "MNIST_DASH_TEST_LOST_AFTER_S"
IDLE = "MNIST_DASH_TEST_IDLE_S"
_ROOT = Path(__file__).resolve().parents[2]


class Dashboard:
    """A queue with its workers in processes of their own, as a page's server has them.

    Args:
        database: The store's URL.
        settings: More environment variables.
    """

    def __init__(self, database: str, **settings: str):
        self._environment = {
            **os.environ,
            "MNIST_DASH_DATABASE_URL": database,
            "PYTHONPATH": str(_ROOT),
            "TF_CPP_MIN_LOG_LEVEL": "2",
            **settings,
        }
        self._process: subprocess.Popen[bytes] | None = None
        self._left: list[psutil.Process] = []  # of page processes that were killed

    def start(self) -> None:
        """Starts the page process, which starts its workers."""
        self._process = subprocess.Popen([sys.executable, __file__], env=self._environment, start_new_session=True)

    def is_running(self) -> bool:
        """Says whether the page process is there."""
        return self._process is not None and self._process.poll() is None

    def workers(self) -> list[psutil.Process]:
        """Returns its worker processes, whatever they are doing."""
        return [child for child in self._children() if "spawn_main" in " ".join(_command(child))]

    def terminate(self) -> None:
        """Tells the page process to end, as a host does, and waits until it has."""
        assert self._process
        self._process.terminate()
        self._process.wait(timeout=30)

    def kill_page(self) -> None:
        """Kills the page process and nothing else."""
        assert self._process
        self._left += self._children()
        self._process.kill()
        self._process.wait()

    def kill_all(self) -> None:
        """Leaves nothing behind, not even of page processes that were killed before."""
        if self._process is None:
            return
        children = self._children()
        self._process.kill()
        self._process.wait()
        for process in [*children, *self._left]:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.send_signal(signal.SIGKILL)
        psutil.wait_procs([*children, *self._left], timeout=30)
        self._left.clear()

    def _children(self) -> list[psutil.Process]:
        try:
            return psutil.Process(self._process.pid).children(recursive=True) if self._process else []
        except psutil.NoSuchProcess:
            return []


def _command(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except psutil.Error:
        return []


@contextlib.contextmanager
def dashboard(database: str, **settings: str) -> Iterator[Dashboard]:
    """A running dashboard; nothing of it is left behind."""
    made = Dashboard(database, **settings)
    try:
        made.start()
        yield made
    finally:
        made.kill_all()


if __name__ == "__main__":
    lost_after = os.environ.get(LOST_AFTER)
    if lost_after and RunLeases.requeue_lost.__kwdefaults__:
        RunLeases.requeue_lost.__kwdefaults__["lost_after_s"] = float(lost_after)
    if (idle := os.environ.get(IDLE)) and LocalWorkers.__init__.__kwdefaults__:
        LocalWorkers.__init__.__kwdefaults__["idle_s"] = float(idle)
    signal.signal(
        signal.SIGTERM, lambda *_: sys.exit()
    )  # what is registered to be done at exit is done, as by Streamlit
    tests = os.getppid()
    queue = JobQueue(load_settings())
    while os.getppid() == tests:  # nothing is left behind when the tests themselves are killed
        time.sleep(1)
