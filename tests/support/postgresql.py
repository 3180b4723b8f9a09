"""A PostgreSQL server for tests, and empty schemas in it."""

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

NEED_POSTGRESQL = "MNIST_DASH_TEST_POSTGRESQL"
_POSTGRESQL_START_S = 60


@contextmanager
def postgresql_server() -> Iterator["PostgresqlServer"]:
    """A server that has started; it and its folder are gone afterwards."""
    binaries = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda folder: float(folder.parent.name))
    if not binaries or not shutil.which("setpriv"):
        reason = "no PostgreSQL server in /usr/lib/postgresql (Debian: apt install postgresql)"
        pytest.fail(reason) if os.environ.get(NEED_POSTGRESQL) == "1" else pytest.skip(reason)
    folder = Path(tempfile.mkdtemp(prefix="mnist-dash-postgresql-"))
    server = PostgresqlServer(binaries[-1], folder)
    try:
        server.start()
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder)


class PostgresqlServer:
    """A PostgreSQL server in a folder of its own, that can be stopped and started again.

    Attributes:
        url: Its URL without a database.
    """

    def __init__(self, binaries: Path, folder: Path):
        self._binaries, self._folder = binaries, folder
        self._port = _free_port()
        self._process: subprocess.Popen[bytes] | None = None
        self.url = f"postgresql://postgres@127.0.0.1:{self._port}"
        # The server refuses to run as root, and should end with the tests even if they are killed.
        self._as_user = ["setpriv", "--pdeathsig", "INT"]
        if os.geteuid() == 0:
            self._as_user += ["--reuid", "postgres", "--regid", "postgres", "--clear-groups"]
            shutil.chown(folder, "postgres", "postgres")
        initdb = [f"{binaries}/initdb", "-D", "data", "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-sync"]
        subprocess.run([*self._as_user, *initdb, "--locale", "C"], cwd=folder, check=True, stdout=subprocess.DEVNULL)

    def start(self) -> None:
        """Starts the server and waits until it answers; tries again if remains of the last one are in the way.

        To be called by a thread that lives on: the server ends with it.
        """
        deadline = time.monotonic() + _POSTGRESQL_START_S
        while not self._answers():
            if self._process is None or self._process.poll() is not None:
                self._launch()
            assert time.monotonic() < deadline, (self._folder / "log").read_text(errors="replace")
            time.sleep(0.1)

    def _launch(self) -> None:
        options = {"listen_addresses": "127.0.0.1", "port": self._port, "unix_socket_directories": "", "fsync": "off"}
        set_options = [word for name, value in options.items() for word in ("-c", f"{name}={value}")]
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [*self._as_user, f"{self._binaries}/postgres", "-D", "data", *set_options],
                cwd=self._folder,
                stdout=log,
                stderr=log,
            )

    def _answers(self) -> bool:
        if self._process is None or self._process.poll() is not None:
            return False
        try:
            psycopg.connect(f"{self.url}/postgres", connect_timeout=5).close()
        except psycopg.OperationalError:
            return False
        return True

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """Ends the server: SIGINT cuts its connections, SIGQUIT does not even tell them, SIGKILL is a crash."""
        if self._process is None:
            return
        self._process.send_signal(how)
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = None


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def empty_schema(server: str) -> str:
    """URL for a store of an empty schema: made thirty times faster than a database, and gone with the server."""
    name = f"test_{uuid.uuid4().hex}"
    with psycopg.connect(f"{server}/postgres", autocommit=True) as connection:
        connection.execute(f"CREATE SCHEMA {name}")
    return f"{server.replace('postgresql', 'postgresql+psycopg', 1)}/postgres?options=-csearch_path%3D{name}"
