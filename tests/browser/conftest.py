"""Browser tests need Chromium and, like all tests, no network."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.browser.serving import CHROMIUM, Server, chromium, serving


@pytest.fixture(scope="session")
def started_browser() -> Iterator[Browser]:
    if not CHROMIUM:
        pytest.fail("no Chromium on this machine (Debian: apt install chromium)")
    with chromium() as started:
        yield started


@pytest.fixture
def browser(started_browser: Browser) -> Iterator[Browser]:
    """A browser whose pages are closed after the test: else they ask a server that is gone for ever."""
    yield started_browser
    for context in started_browser.contexts:
        context.close()


@pytest.fixture
def database(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'runs.sqlite'}"


@pytest.fixture
def server(browser: Browser, database: str) -> Iterator[Server]:
    """A dashboard that nobody has visited yet, with an empty database."""
    with serving({"MNIST_DASH_DATABASE_URL": database}) as started:
        yield started
