"""Backup, restore and check, from and to both databases, while runs are written and after damage."""

from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import text

from mnist_dash.errors import StoreError
from mnist_dash.networks.variants import VARIANTS
from mnist_dash.store.backup import back_up, restore
from mnist_dash.store.custom_datasets import CustomDatasets
from mnist_dash.store.database import transaction
from mnist_dash.store.integrity import check
from mnist_dash.store.kept_digits import KeptDigits
from mnist_dash.store.keys import secret_key
from mnist_dash.store.records import CHECKPOINT, MODEL_KERAS, Epoch, Result
from mnist_dash.store.reference_runs import ensure_reference_runs
from mnist_dash.store.run_leases import RunLeases
from mnist_dash.store.run_store import RunStore
from mnist_dash.store.search import RunFinder
from mnist_dash.store.visitors import Limits, Visitor
from tests.store.test_version_0_4 import make_version_2
from tests.support.datasets import custom_dataset

DIGIT = np.full((1, 28, 28), 7, np.uint8)


def fill(store: RunStore) -> list[int]:
    """Two runs, one of them finished with everything that a run can have; a dataset, a digit, a key."""
    data = custom_dataset("Pets")
    CustomDatasets(store).add(data, Visitor("ann", Limits()))
    settings = VARIANTS["dense-32"].check({})
    known = {"dataset": "Pets", "fingerprint": data.fingerprint, "info": data.info}
    done = store.create_run("dense-32", settings, **known, by=Visitor("ann"), leased=True)
    leases = RunLeases(store)
    leases.record_epoch(done.id, done.lease, Epoch(1, 0.5, 0.9, None, None, 1.0), {CHECKPOINT: b"state"})
    leases.finish(done.id, done.lease, Result(0.1, 0.9, 1.0, 5, 0.1), {MODEL_KERAS: b"\x00model\xff" * 1_000})
    queued = store.create_run("cnn", VARIANTS["cnn"].check({}), dataset="mnist", fingerprint="0")
    RunFinder(store).set_tags(done.id, ["kept"])
    KeptDigits(store).keep("ann", DIGIT, np.array([7]))
    secret_key(store, "visitors")
    return [done.id, queued.id]


def contents(store: RunStore, run_ids: list[int]) -> list[object]:
    return [
        [store.get_run(run_id) for run_id in run_ids],
        store.epochs_of(run_ids),
        store.read_artifact(run_ids[0], MODEL_KERAS),
        RunFinder(store).tags_of(run_ids),
        CustomDatasets(store).list(),
        KeptDigits(store).read("ann").x.tobytes(),
        secret_key(store, "visitors"),
    ]


def test_everything_is_backed_up_and_restored_into_another_store(store: RunStore, tmp_path: Path):
    ensure_reference_runs(store)
    run_ids, file = fill(store), tmp_path / "folder" / "backup.sqlite"
    expected = contents(store, run_ids)
    second = RunStore(f"sqlite:///{tmp_path / 'second.sqlite'}")
    ensure_reference_runs(second)

    written = back_up(store, file)
    restored = restore(second, file)

    assert written == restored == len(store.list_runs())
    assert contents(second, run_ids) == expected
    assert check(second).problems == ()
    assert second.create_run("cnn", {}, dataset="mnist", fingerprint="0").id > max(run_ids)
    assert [path.name for path in file.parent.iterdir()] == ["backup.sqlite"]
    second.close()


def test_a_backup_is_restored_into_the_database_of_either_kind_with_numbers_that_go_on(store: RunStore, tmp_path: Path):
    first = RunStore(f"sqlite:///{tmp_path / 'first.sqlite'}")
    run_ids = fill(first)
    back_up(first, tmp_path / "backup.sqlite")

    restore(store, tmp_path / "backup.sqlite")

    assert contents(store, run_ids) == contents(first, run_ids)
    assert store.create_run("cnn", {}, dataset="mnist", fingerprint="0").id == max(run_ids) + 1
    first.close()


def test_a_store_with_runs_is_not_overwritten(store: RunStore, tmp_path: Path):
    run_ids = fill(store)
    back_up(store, tmp_path / "backup.sqlite")

    with pytest.raises(StoreError, match="The store has 2 runs already"):
        restore(store, tmp_path / "backup.sqlite")

    assert len(store.get_runs(run_ids)) == 2


def test_a_backup_of_an_earlier_version_is_restored_and_not_changed(tmp_path: Path):
    file = tmp_path / "old.sqlite"
    make_version_2(f"sqlite:///{file}")
    before = file.read_bytes()
    store = RunStore(f"sqlite:///{tmp_path / 'new.sqlite'}")

    restored = restore(store, file)

    assert restored == len(store.list_runs()) == 9
    assert file.read_bytes() == before
    store.close()


@pytest.mark.parametrize("content", [None, b"", b"no database at all" * 100])
def test_what_is_no_backup_is_refused_and_nothing_changes(store: RunStore, tmp_path: Path, content: bytes | None):
    file = tmp_path / "backup.sqlite"
    if content is not None:
        file.write_bytes(content)
    ensure_reference_runs(store)

    if content == b"":  # SQLite takes an empty file for an empty database
        assert restore(store, file) == 0
        return
    with pytest.raises(StoreError):
        restore(store, file)

    assert len(store.list_runs()) == len(VARIANTS)


def test_a_file_that_is_there_is_not_overwritten(store: RunStore, tmp_path: Path):
    file = tmp_path / "backup.sqlite"
    file.write_text("mine")

    with pytest.raises(StoreError, match="is there already"):
        back_up(store, file)

    assert file.read_text() == "mine"


def test_a_check_finds_a_blob_that_is_not_what_was_written(store: RunStore):
    done, _ = fill(store)
    assert check(store).problems == ()
    with transaction(store.engine) as connection:
        connection.execute(text("UPDATE artifacts SET content = :c WHERE name = :n"), {"c": b"other", "n": MODEL_KERAS})

    found = check(store)

    assert found.problems == (f"model.keras of run {done} is not what was written. Train the run again.",)
    assert (found.blobs, found.unknown) == (2, 0)


def test_blobs_of_an_earlier_version_are_counted_as_unknown(tmp_path: Path):
    url = f"sqlite:///{tmp_path / 'runs.sqlite'}"
    make_version_2(url)
    store = RunStore(url)

    found = check(store)

    assert found.problems == ()
    assert found.unknown == found.blobs > 0
    store.close()
