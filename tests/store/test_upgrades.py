"""Databases of every schema that there was, kept as they were written, open in this version and lose nothing."""

import contextlib
import sqlite3
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import make_url

from mnist_dash.store import upgrades
from mnist_dash.store.custom_datasets import CustomDatasets
from mnist_dash.store.integrity import check
from mnist_dash.store.run_store import RunStore
from mnist_dash.store.schema import SCHEMA_VERSION, alembic_table, metadata
from mnist_dash.store.search import RunFinder

DATABASES = Path(__file__).with_name("databases")
NEW = "a new one"


@pytest.fixture(params=[*range(1, SCHEMA_VERSION), NEW])
def opened(request: pytest.FixtureRequest, tmp_path: Path):
    """A store on a database that was made by this schema version."""
    url = f"sqlite:///{tmp_path / 'runs.sqlite'}"
    if request.param != NEW:
        with contextlib.closing(sqlite3.connect(str(make_url(url).database))) as connection:
            connection.executescript((DATABASES / f"version_{request.param}.sql").read_text())
    store = RunStore(url)
    yield store
    store.close()


def test_each_database_gets_the_tables_of_this_version_as_alembic_sees_them(opened: RunStore):
    def ours(_: object, name: str | None, kind: str, *__: object) -> bool:
        return not (kind == "table" and name == alembic_table.name)

    with opened.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"include_object": ours, "compare_type": True})
        assert compare_metadata(context, metadata) == []
        assert context.get_current_heads() == (f"{SCHEMA_VERSION:04}",)


def test_the_newest_migration_has_the_number_of_the_schema():
    config = Config()
    config.set_main_option("script_location", str(Path(upgrades.__file__).with_name("migrations")))

    assert ScriptDirectory.from_config(config).get_heads() == [f"{SCHEMA_VERSION:04}"]


def test_everything_in_a_database_of_version_3_is_found(tmp_path: Path):
    file = tmp_path / "runs.sqlite"
    with contextlib.closing(sqlite3.connect(file)) as connection:
        connection.executescript((DATABASES / "version_3.sql").read_text())
    store = RunStore(f"sqlite:///{file}")

    [pets] = CustomDatasets(store).list()
    assert (pets.name, pets.owner) == ("Pets", "ann")
    assert RunFinder(store).tags_of([1]) == {1: ["kept"]}
    assert [(run.id, run.owner) for run in store.list_runs()] == [(2, ""), (1, "ann")]
    assert check(store).problems == ()
    store.close()


def test_a_run_from_before_a_choice_of_precision_was_trained_in_float32_on_a_device_that_nobody_knows(tmp_path: Path):
    file = tmp_path / "runs.sqlite"
    with contextlib.closing(sqlite3.connect(file)) as connection:
        connection.executescript((DATABASES / "version_4.sql").read_text())
        connection.execute("UPDATE runs SET variant = 'cnn-augmented' WHERE id = 2")
        connection.commit()
    store = RunStore(f"sqlite:///{file}")

    run = store.get_run(2)

    assert (run.settings["precision"], run.device) == ("float32", None)
    store.close()
