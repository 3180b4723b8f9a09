"""Pages run on real stores of their own."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import streamlit as st
from streamlit.runtime.pages_manager import PagesManager

from mnist_dash.config import load_settings
from mnist_dash.ui.shared import resources
from mnist_dash.worker.job_queue import JobQueue


@pytest.fixture(autouse=True)
def own_database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A new database for each test; what the server caches goes with it."""
    url = f"sqlite:///{tmp_path / 'runs.sqlite'}"
    monkeypatch.setenv("MNIST_DASH_DATABASE_URL", url)
    yield url
    st.cache_resource.clear()


@pytest.fixture(autouse=True)
def run_like_a_server(monkeypatch: pytest.MonkeyPatch) -> None:
    """Before each run the harness forgets what a server learns from its first visitor:
    that the pages are listed by app.py and not by the folder pages/."""
    make = PagesManager.__init__

    def make_and_remember(self: PagesManager, *arguments: object, **named: object) -> None:
        make(self, *arguments, **named)
        PagesManager.uses_pages_directory = False

    monkeypatch.setattr(PagesManager, "__init__", make_and_remember)


@pytest.fixture
def empty_database(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No reference models, as if the project came without them."""
    monkeypatch.setattr("mnist_dash.ui.shared.resources.ensure_reference_runs", lambda store: None)


@pytest.fixture
def queue() -> Iterator[None]:
    """Ends the workers that a page started."""
    yield
    resources.job_queue().close()


@pytest.fixture(scope="session")
def idle_queue(tmp_path_factory: pytest.TempPathFactory) -> Iterator[JobQueue]:
    """A queue with a worker, on a database of its own: nothing that a test queues is trained by it."""
    url = f"sqlite:///{tmp_path_factory.mktemp('idle') / 'runs.sqlite'}"
    started = JobQueue(load_settings({"MNIST_DASH_DATABASE_URL": url}))
    yield started
    started.close()


@pytest.fixture
def nothing_is_trained(idle_queue: JobQueue, monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs stay as they are queued, and no test waits for workers to start."""
    monkeypatch.setattr("mnist_dash.ui.shared.resources._job_queue", lambda settings: idle_queue)
