"""What all tests share: real databases, the bundled sample, and an environment of their own."""

import os
import shutil
import socket
import subprocess
import tempfile
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from mnist_dash.data import Dataset, load_dataset
from mnist_dash.runs import RunStore
from mnist_dash.settings import load_settings

SLOW_TESTS = "MNIST_DASH_SLOW_TESTS"
NEED_POSTGRESQL = "MNIST_DASH_TEST_POSTGRESQL"
_POSTGRESQL_START_S = 60


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if os.environ.get(SLOW_TESTS) != "1":
        skipped = pytest.mark.skip(reason=f"slow; set {SLOW_TESTS}=1 to run it")
        for item in items:
            if item.get_closest_marker("slow"):
                item.add_marker(skipped)


@pytest.fixture(scope="session", autouse=True)
def environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Hides the settings, data and runs of whoever starts the tests."""
    home = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("MNIST_DASH_")]:
            if not name.startswith("MNIST_DASH_TEST_"):
                patch.delenv(name)
        patch.setenv("KERAS_HOME", str(home / "keras"))
        patch.setenv("MNIST_DASH_CACHE", str(home / "cache"))
        patch.setenv("MNIST_DASH_DATABASE_URL", f"sqlite:///{home / 'runs.sqlite'}")
        patch.setenv("NO_PROXY", "127.0.0.1")
        yield


@pytest.fixture(scope="session")
def sample(environment: None) -> Dataset:
    """The bundled sample."""
    return load_dataset(load_settings())


@pytest.fixture(scope="session")
def postgresql() -> Iterator[str]:
    """Starts a PostgreSQL server for this session; gives its URL without a database."""
    binaries = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda folder: float(folder.parent.name))
    if not binaries or not shutil.which("setpriv"):
        reason = "no PostgreSQL server in /usr/lib/postgresql (Debian: apt install postgresql)"
        pytest.fail(reason) if os.environ.get(NEED_POSTGRESQL) == "1" else pytest.skip(reason)
    # The server refuses to run as root, and should end with the tests even if they are killed.
    as_user = ["setpriv", "--pdeathsig", "INT"]
    folder = Path(tempfile.mkdtemp(prefix="mnist-dash-postgresql-"))
    if os.geteuid() == 0:
        as_user += ["--reuid", "postgres", "--regid", "postgres", "--clear-groups"]
        shutil.chown(folder, "postgres", "postgres")
    try:
        with _server([*as_user, str(binaries[-1])], folder) as url:
            yield url
    finally:
        shutil.rmtree(folder)


class _server:  # noqa: N801 - used like a function
    """A running server in `folder`; the last item of `command` is where its programs are."""

    def __init__(self, command: list[str], folder: Path):
        *self._as_user, self._binaries = command
        self._folder = folder

    def __enter__(self) -> str:
        initdb = [f"{self._binaries}/initdb", "-D", "data", "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-sync"]
        subprocess.run(
            [*self._as_user, *initdb, "--locale", "C"], cwd=self._folder, check=True, stdout=subprocess.DEVNULL
        )
        port = _free_port()
        options = {"listen_addresses": "127.0.0.1", "port": port, "unix_socket_directories": "", "fsync": "off"}
        set_options = [word for name, value in options.items() for word in ("-c", f"{name}={value}")]
        with (self._folder / "log").open("wb") as log:
            self._process = subprocess.Popen(
                [*self._as_user, f"{self._binaries}/postgres", "-D", "data", *set_options],
                cwd=self._folder,
                stdout=log,
                stderr=log,
            )
        url = f"postgresql://postgres@127.0.0.1:{port}"
        self._wait_for(url)
        return url

    def _wait_for(self, url: str) -> None:
        deadline = time.monotonic() + _POSTGRESQL_START_S
        while True:
            try:
                psycopg.connect(f"{url}/postgres").close()
                return
            except psycopg.OperationalError:
                if time.monotonic() > deadline or self._process.poll() is not None:
                    self.__exit__()
                    raise
                time.sleep(0.1)

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@pytest.fixture(params=["sqlite", "postgresql"])
def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """URL of an empty database, once of each kind."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'runs.sqlite'}"
        return
    server = request.getfixturevalue("postgresql")
    database = f"test_{uuid.uuid4().hex}"
    with psycopg.connect(f"{server}/postgres", autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {database}")
        yield f"{server.replace('postgresql', 'postgresql+psycopg')}/{database}"
        connection.execute(f"DROP DATABASE {database} WITH (FORCE)")


@pytest.fixture
def store(store_url: str) -> Iterator[RunStore]:
    """A store on an empty database, once of each kind."""
    opened = RunStore(store_url)
    yield opened
    opened.close()
