"""The Status page: open on one's own dashboard, behind a key on a shared one; and all pages without their database."""

import logging

import pytest

from mnist_dash.store.events import record_event
from mnist_dash.store.run_leases import RunLeases
from mnist_dash.store.run_store import RunStore
from mnist_dash.ui.shared import resources
from tests.pages.opening import PAGES, opened, texts
from tests.support.postgresql import PostgresqlServer, empty_schema


@pytest.fixture
def store(own_database: str):
    store = RunStore(own_database)
    yield store
    store.close()


def test_the_status_page_shows_what_there_is_and_what_went_wrong(store: RunStore):
    run = store.create_run("dense-32", {}, dataset="mnist", fingerprint="0", leased=True)
    RunLeases(store).fail(run.id, str(run.lease), "boom")
    record_event(store, logging.makeLogRecord({"levelname": "WARNING", "msg": "<b>Run failed</b>", "run": run.id}))

    app = opened("status")

    assert not app.exception
    assert "1 failed" in str(app.table[0].value)
    assert "What went wrong in the last 24 hours: 1" in texts(app)
    assert "<b>Run failed</b>" in str(app.dataframe[0].value)


@pytest.mark.parametrize(
    ("key", "link", "seen"), [("", "", False), ("s3cret", "wrong", False), ("s3cret", "s3cret", True)]
)
def test_on_a_shared_dashboard_the_status_opens_with_its_key_only(
    store: RunStore, monkeypatch: pytest.MonkeyPatch, key: str, link: str, seen: bool
):
    monkeypatch.setenv("MNIST_DASH_SHARED", "1")
    monkeypatch.setenv("MNIST_DASH_STATUS_KEY", key)

    app = opened("status", key=link)

    assert bool(app.table) == seen
    assert ("MNIST_DASH_STATUS_KEY" in app.info[0].value) if not seen else not app.info


def test_every_page_says_that_the_database_is_away_and_works_when_it_is_back(
    postgresql_to_stop: PostgresqlServer, monkeypatch: pytest.MonkeyPatch
):
    url = empty_schema(postgresql_to_stop.url)
    RunStore(url).close()
    monkeypatch.setenv("MNIST_DASH_DATABASE_URL", url)
    apps = {page: opened(page) for page in PAGES}
    assert not any(app.exception or app.error for app in apps.values())

    postgresql_to_stop.stop()
    for page, app in apps.items():
        app.run()
        assert not app.exception, page
        assert "could not be read" in " ".join(error.value for error in app.error), page
    postgresql_to_stop.start()

    for page, app in apps.items():
        app.run()
        assert not [*app.exception, *app.error], page
    resources.run_store().close()  # what a server keeps open as long as it runs
