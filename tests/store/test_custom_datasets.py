"""Custom datasets in the store, on both databases: kept whole, one of a name, bounded, removed by their owner."""

import sqlite3
from dataclasses import replace

import numpy as np
import pytest
from sqlalchemy import make_url, update

from mnist_dash.datasets.mnist import DIGITS
from mnist_dash.errors import DataError, StoreError
from mnist_dash.networks.variants import VARIANTS
from mnist_dash.store import custom_datasets
from mnist_dash.store.continuation import continue_run
from mnist_dash.store.custom_datasets import CustomDatasets
from mnist_dash.store.database import transaction
from mnist_dash.store.records import CHECKPOINT, Result
from mnist_dash.store.run_leases import RunLeases
from mnist_dash.store.run_store import RunStore
from mnist_dash.store.schema import SCHEMA_VERSION, datasets_table
from mnist_dash.store.visitors import Limits, Visitor
from tests.store.test_version_0_4 import make_version_2
from tests.support.datasets import custom_dataset

CLASSES = ("cat", "dog", *DIGITS[2:])


@pytest.fixture
def datasets(store):
    return CustomDatasets(store)


def test_a_dataset_is_read_as_it_was_added(datasets):
    added = custom_dataset("Pets", classes=CLASSES)

    datasets.add(added, Visitor("ann", Limits()))

    [listed] = datasets.list()
    assert (listed.name, listed.owner, listed.train, listed.test, listed.classes) == ("Pets", "ann", 50, 10, CLASSES)
    for found in (datasets.read(added.fingerprint), datasets.find("Pets")):
        assert found.info == added.info
        for name in ("x_train", "y_train", "x_test", "y_test"):
            np.testing.assert_array_equal(getattr(found, name), getattr(added, name))


def test_a_name_or_the_same_contents_can_be_there_once(datasets):
    added = custom_dataset("Pets")
    datasets.add(added, Visitor("ann", Limits()))

    for second in (custom_dataset("pets", seed=1), replace(added, info=replace(added.info, name="Animals"))):
        with pytest.raises(StoreError, match="“Pets” with this name or these contents is there already"):
            datasets.add(second, Visitor("bob", Limits()))

    assert [listed.name for listed in datasets.list()] == ["Pets"]


def test_an_owner_and_all_together_may_have_only_so_many(datasets, monkeypatch):
    monkeypatch.setattr(custom_datasets, "MAX_DATASETS", 3)
    datasets.add(custom_dataset("A", seed=1), Visitor("ann", Limits(datasets=1)))

    with pytest.raises(StoreError, match="You have 1 datasets, and 1 is the maximum"):
        datasets.add(custom_dataset("B", seed=2), Visitor("ann", Limits(datasets=1)))
    datasets.add(custom_dataset("C", seed=3), Visitor("bob", Limits(datasets=1)))
    datasets.add(custom_dataset("D", seed=4), Visitor("eve", Limits(datasets=1)))
    with pytest.raises(StoreError, match="There are 3 datasets, and 3 is the maximum"):
        datasets.add(custom_dataset("E", seed=5), Visitor("dan", Limits(datasets=1)))

    assert [listed.name for listed in datasets.list()] == ["A", "C", "D"]


def test_only_the_owner_removes_a_dataset_and_nobody_while_a_run_needs_it(store, datasets):
    added = custom_dataset("Pets", classes=CLASSES)
    datasets.add(added, Visitor("ann", Limits()))
    run = store.create_run("dense-32", {}, dataset="Pets", fingerprint=added.fingerprint, info=added.info)

    with pytest.raises(StoreError, match="have not ended"):
        datasets.remove("Pets", by=Visitor("ann", Limits()))
    store.cancel_run(run.id)
    with pytest.raises(StoreError, match="You have no dataset"):
        datasets.remove("Pets", by=Visitor("eve", Limits()))
    datasets.remove("Pets", by=Visitor("ann", Limits()))

    assert datasets.list() == []
    assert datasets.read(added.fingerprint) is None
    with pytest.raises(StoreError, match="There is no dataset “Pets”"):
        datasets.find("Pets")
    kept = store.get_run(run.id)
    assert (kept.train_images, kept.test_images, kept.classes, kept.reads_digits) == (50, 10, CLASSES, False)


def test_contents_that_were_changed_in_the_store_are_refused(store, datasets):
    added, other = custom_dataset("Pets"), custom_dataset("Other", seed=1)
    datasets.add(added, Visitor("ann", Limits()))
    with transaction(store.engine) as connection:
        connection.execute(update(datasets_table).values(content=custom_datasets.as_npz(other)))

    with pytest.raises(DataError, match="was changed in the store"):
        datasets.read(added.fingerprint)


def test_a_continued_run_keeps_what_is_known_of_its_data(store):
    added, settings = custom_dataset("Pets", classes=CLASSES), VARIANTS["dense-32"].check({})
    data = {"dataset": "Pets", "fingerprint": added.fingerprint, "info": added.info}
    run = store.create_run("dense-32", settings, **data, leased=True)
    RunLeases(store).finish(run.id, run.lease, Result(0.1, 0.9, 1.0, 1, 0.1), {CHECKPOINT: b"state"})

    continued = continue_run(store, run.id, 9)

    assert (continued.dataset, continued.classes, continued.test_images) == ("Pets", CLASSES, 10)


def test_runs_of_version_0_4_know_their_data(tmp_path):
    url = f"sqlite:///{tmp_path / 'runs.sqlite'}"
    make_version_2(url)

    opened = RunStore(url)
    runs = opened.list_runs()
    opened.close()

    assert {(run.dataset, run.train_images, run.test_images, run.classes) for run in runs} <= {
        ("mnist", 60_000, 10_000, DIGITS),
        ("mnist-sample", 4_000, 1_000, DIGITS),
    }
    with sqlite3.connect(str(make_url(url).database)) as connection:
        assert connection.execute("SELECT version FROM schema_version").fetchall() == [(SCHEMA_VERSION,)]
    connection.close()
