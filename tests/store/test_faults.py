"""Faults of a database, caused for real: what is said, and that no finished run is lost or altered."""

import os
import shutil
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from mnist_dash.errors import StoreError
from mnist_dash.store import database
from mnist_dash.store.backup import back_up, restore
from mnist_dash.store.integrity import check
from mnist_dash.store.records import CHECKPOINT, MODEL_KERAS, Epoch, Result
from mnist_dash.store.run_leases import RunLeases
from mnist_dash.store.run_store import RunStore

KNOWN = {"dataset": "mnist-sample", "fingerprint": "0"}
MODEL = os.urandom(300_000)


def finished(store: RunStore) -> int:
    run = store.create_run("dense-32", {"epochs": 1}, **KNOWN, leased=True)
    leases = RunLeases(store)
    leases.record_epoch(run.id, run.lease, Epoch(1, 0.5, 0.9, None, None, 1.0), {CHECKPOINT: b"state"})
    leases.finish(run.id, run.lease, Result(0.1, 0.9, 1.0, 5, 0.1), {MODEL_KERAS: MODEL})
    return run.id


def assert_whole(store: RunStore, *run_ids: int) -> None:
    assert {run.id for run in store.list_runs()} >= set(run_ids)
    assert all(store.read_artifact(run_id, MODEL_KERAS) == MODEL for run_id in run_ids)
    assert check(store).problems == ()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "runs.sqlite"


@pytest.fixture
def opened(file: Path) -> Iterator[RunStore]:
    store = RunStore(f"sqlite:///{file}")
    yield store
    store.close()


# A full disk


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 3 MB, in memory."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", str(folder)], capture_output=True)
    if mounted.returncode:
        pytest.skip("only root may mount a small disk")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


def test_a_full_disk_is_named_loses_nothing_and_takes_more_when_there_is_room(small_disk: Path):
    filler = small_disk / "something else"
    filler.write_bytes(bytes(700_000))
    store = RunStore(f"sqlite:///{small_disk / 'runs.sqlite'}")
    done: list[int] = []

    def fill() -> None:
        while True:
            done.append(finished(store))

    with pytest.raises(StoreError) as refused:
        fill()
    message = str(refused.value)
    assert_whole(store, *done)
    filler.unlink()
    again = finished(store)

    assert len(done) >= 1
    assert "database or disk is full" in message
    assert "Nothing was lost; make room on the disk, then try again" in message
    assert_whole(store, *done, again)
    store.close()


def test_a_database_on_a_full_disk_is_not_opened_half(small_disk: Path):
    (small_disk / "something else").write_bytes(bytes(3 * 2**20))

    with pytest.raises(StoreError, match=r"cannot be opened: .*(full|disk I/O error)"):
        RunStore(f"sqlite:///{small_disk / 'runs.sqlite'}")
    (small_disk / "something else").unlink()

    RunStore(f"sqlite:///{small_disk / 'runs.sqlite'}").close()


# The file


def test_a_deleted_file_is_missed_at_once_and_found_when_it_is_back(opened: RunStore, file: Path, tmp_path: Path):
    run = finished(opened)
    back_up(opened, tmp_path / "backup.sqlite")
    for each in tmp_path.glob("runs.sqlite*"):
        each.unlink()

    for action in (opened.list_runs, lambda: finished(opened)):
        with pytest.raises(StoreError, match=r"runs\.sqlite was deleted or replaced while it was used\. Put the file"):
            action()
    assert not file.exists()
    shutil.copyfile(tmp_path / "backup.sqlite", file)

    assert_whole(opened, run)


def test_a_file_that_was_replaced_is_the_one_that_is_used(opened: RunStore, file: Path, tmp_path: Path):
    run = finished(opened)
    back_up(opened, tmp_path / "backup.sqlite")
    later = finished(opened)
    opened.engine.dispose()  # so that its log is part of the file

    os.replace(tmp_path / "backup.sqlite", file)

    assert_whole(opened, run)
    with pytest.raises(StoreError, match=f"no run {later}"):
        opened.get_run(later)


@pytest.mark.parametrize("part", [0.0, 0.3, 0.9])
def test_a_truncated_file_is_said_to_be_damaged_and_a_backup_brings_all_back(file: Path, tmp_path: Path, part: float):
    store = RunStore(f"sqlite:///{file}")
    runs = [finished(store) for _ in range(3)]
    back_up(store, tmp_path / "backup.sqlite")
    store.engine.dispose()
    os.truncate(file, int(file.stat().st_size * part))

    with pytest.raises(StoreError) as damaged:
        _ = [store.list_runs(), *[store.read_artifact(run, MODEL_KERAS) for run in runs]]
    store.close()
    other = RunStore(f"sqlite:///{tmp_path / 'new.sqlite'}")
    restore(other, tmp_path / "backup.sqlite")

    assert "bring a backup into a new one with `python -m mnist_dash restore FILE`" in str(damaged.value)
    assert_whole(other, *runs)
    other.close()


def test_a_file_that_is_no_database_is_refused_with_what_to_do(file: Path):
    file.write_bytes(b"This is not a database, but a letter. " * 100)

    with pytest.raises(StoreError, match=r"cannot be opened: file is not a database"):
        RunStore(f"sqlite:///{file}")

    assert file.read_bytes().startswith(b"This is not")


def test_a_locked_file_can_be_read_and_is_written_when_it_is_free(opened: RunStore, file: Path, monkeypatch):
    run = finished(opened)
    monkeypatch.setattr(database, "_BUSY_TIMEOUT_S", 1)
    store = RunStore(f"sqlite:///{file}")

    with closing(sqlite3.connect(file, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        assert_whole(store, run)
        with pytest.raises(StoreError, match=r"database is locked\. Nothing was lost; another program holds the file"):
            store.create_run("dense-32", {}, **KNOWN)
        other.execute("ROLLBACK")

    assert_whole(store, run, finished(store))
    store.close()
