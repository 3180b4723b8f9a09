"""What all tests share: real databases, the bundled sample, and an environment of their own."""

import os
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest

from mnist_dash.config import load_settings
from mnist_dash.datasets.mnist import Dataset, load_dataset
from mnist_dash.store.run_store import RunStore
from tests.support.postgresql import PostgresqlServer, empty_schema, postgresql_server

# What is left out unless its variable is 1, as in .ci/run; the marker's name and the variable's.
OPT_IN = {
    "slow": "MNIST_DASH_SLOW_TESTS",
    "browser": "MNIST_DASH_TEST_BROWSER",
    "kill": "MNIST_DASH_TEST_KILLS",
}

# No test measures time: on a busy machine an example may take longer than Hypothesis' 200 ms.
hypothesis.settings.register_profile("untimed", deadline=None)
hypothesis.settings.load_profile("untimed")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).with_name("browser") in item.path.parents:
            item.add_marker("browser")
        for marker, variable in OPT_IN.items():
            if item.get_closest_marker(marker) and os.environ.get(variable) != "1":
                item.add_marker(pytest.mark.skip(reason=f"{marker}; set {variable}=1 to run it"))


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
    with postgresql_server() as server:
        yield server.url


@pytest.fixture
def postgresql_to_stop() -> Iterator[PostgresqlServer]:
    """A PostgreSQL server that a test may stop, kill and start again."""
    with postgresql_server() as server:
        yield server


@pytest.fixture(params=["sqlite", "postgresql"])
def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """URL of an empty database, once of each kind."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'runs.sqlite'}"
        return
    yield empty_schema(request.getfixturevalue("postgresql"))


@pytest.fixture
def store(store_url: str) -> Iterator[RunStore]:
    """A store on an empty database, once of each kind."""
    opened = RunStore(store_url)
    yield opened
    opened.close()
