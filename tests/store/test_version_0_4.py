"""A database made by version 0.4.0 opens and shows everything that is in it.

`databases/version_2.sql` is what that version wrote: runs in every state, an experiment of two folds, tags, kept
digits, measurements of robustness; contents of artifacts are replaced by short ones.
"""

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import make_url

from mnist_dash.store.kept_digits import KeptDigits
from mnist_dash.store.measurements import Measurements
from mnist_dash.store.records import CANCELLED, CHECKPOINT, DONE, FAILED, MODEL_KERAS, PAUSED, QUEUED, RUNNING
from mnist_dash.store.run_leases import RunLeases
from mnist_dash.store.run_store import RunStore
from mnist_dash.store.search import RunFinder, RunQuery

VERSION_2 = Path(__file__).with_name("databases") / "version_2.sql"
STATES = {1: DONE, 2: DONE, 3: DONE, 4: QUEUED, 5: FAILED, 6: PAUSED, 7: RUNNING, 8: CANCELLED, 9: QUEUED}


def make_version_2(database_url: str) -> None:
    with contextlib.closing(sqlite3.connect(str(make_url(database_url).database))) as connection:
        connection.executescript(VERSION_2.read_text())


@pytest.fixture
def store(tmp_path: Path) -> Iterator[RunStore]:
    url = f"sqlite:///{tmp_path / 'runs.sqlite'}"
    make_version_2(url)
    opened = RunStore(url, clock=lambda: 2_000.0)
    yield opened
    opened.close()


def test_all_runs_are_there_in_their_states_with_their_epochs_and_results(store):
    runs = {run.id: run for run in store.list_runs()}

    assert {run_id: run.status for run_id, run in runs.items()} == STATES
    assert [len(epochs) for epochs in store.epochs_of(sorted(STATES)).values()] == [2, 2, 2, 0, 0, 1, 1, 0, 2]
    assert [runs[run_id].test_accuracy for run_id in (1, 2, 3)] == [0.91, 0.89, 0.9]
    assert (runs[6].progress.epoch, runs[6].progress.step) == (2, 3)
    assert runs[9].continues == 1
    assert store.read_artifact(1, MODEL_KERAS) == b"keras"
    assert store.find_artifact(6, CHECKPOINT) == b"in epoch 2"


def test_experiments_tags_and_kept_digits_are_found(store):
    finder = RunFinder(store)

    [found] = finder.experiments(RunQuery(words="folds"), limit=5)

    assert (found.experiment.title, found.runs, found.best) == ("Dense 32, 2 folds", 2, 0.9)
    assert finder.tags_of([1]) == {1: ["baseline", "for <b>class</b>"]}
    assert [run.id for run in finder.find(RunQuery(tag="baseline"), limit=5)] == [1]
    assert KeptDigits(store).read("ann").y.tolist() == [5, 9]


def test_measurements_of_robustness_are_read_as_far_as_they_are(store):
    found = Measurements(store).read([1, 2, 3])

    assert {run_id: measurement.status for run_id, measurement in found.items()} == {1: DONE, 2: RUNNING, 3: QUEUED}
    assert Measurements(store).waiting() == [(3, 0)]


def test_lost_runs_go_on_or_stop_as_was_asked_for(store):
    RunLeases(store).requeue_lost(lost_after_s=0)

    assert {run.id: run.status for run in store.list_runs()} == {**STATES, 7: CANCELLED}
