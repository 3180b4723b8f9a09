"""A whole store as one file, and back: consistent while runs are trained, from and to either database."""

import shutil
import tempfile
from pathlib import Path

from sqlalchemy import Connection, Engine, Table, delete, func, insert, select, text
from sqlalchemy.exc import SQLAlchemyError

from mnist_dash.errors import StoreError
from mnist_dash.store.database import first_line, open_engine, transaction
from mnist_dash.store.rows import as_run
from mnist_dash.store.run_store import RunStore
from mnist_dash.store.schema import VERSION_TABLES, metadata, runs_table

_ROWS = 50  # copied at a time: some have megabytes


def back_up(store: RunStore, file: Path) -> int:
    """Writes everything in a store into an SQLite file, as it is at one moment.

    Args:
        store: The store; others may go on writing to it.
        file: The file; it must not be there yet.

    Returns:
        How many runs are in it.

    Raises:
        StoreError: If the file is there, or cannot be written.
    """
    if file.exists():
        raise StoreError(f"{file} is there already. Name another file, or remove it first.")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=file.parent) as folder:
            part = Path(folder) / "part.sqlite"
            runs = _write(store.engine, part)
            part.replace(file)  # under its final name it is whole
    except OSError as error:
        raise StoreError(f"{file} cannot be written ({error.strerror}). Name another file.") from error
    return runs


def _write(source: Engine, part: Path) -> int:
    target = open_engine(f"sqlite:///{part}")
    try:
        return _copy(source, target)
    finally:
        target.dispose()  # the last connection that is closed leaves one file, without a log beside it


def restore(store: RunStore, file: Path) -> int:
    """Brings everything that `back_up` wrote into a store that has no runs of its own.

    Args:
        store: The store; the reference runs in it are replaced by those in the file.
        file: A backup, of this version or an earlier one; it is not changed.

    Returns:
        How many runs it brought.

    Raises:
        StoreError: If the file is no backup, or the store has runs.
    """
    if not file.is_file():
        raise StoreError(f"{file} does not exist. Name a file that `backup` wrote.")
    with tempfile.TemporaryDirectory() as folder:
        copied = shutil.copyfile(file, Path(folder) / "backup.sqlite")
        source = open_engine(f"sqlite:///{copied}")  # upgrades the copy, if it is of an earlier version
        try:
            return _copy(source, store.engine)
        finally:
            source.dispose()


def _copy(source: Engine, target: Engine) -> int:
    """Copies all tables in one transaction on either side; returns how many runs there were."""
    try:
        with source.connect() as reading, transaction(target) as writing:
            if source.dialect.name == "postgresql":
                reading = reading.execution_options(isolation_level="REPEATABLE READ")
            _make_room(writing)
            for table in metadata.sorted_tables:
                if table not in VERSION_TABLES:
                    _copy_table(reading, writing, table)
            return int(writing.scalar(select(func.count()).select_from(runs_table)) or 0)
    except SQLAlchemyError as error:
        raise StoreError(f"The store could not be copied: {first_line(error)}. Nothing was changed.") from error


def _make_room(writing: Connection) -> None:
    own = [run for run in map(as_run, writing.execute(select(runs_table))) if not run.is_reference]
    if own:
        raise StoreError(
            f"The store has {len(own)} runs already, and a backup can only be restored into an empty one. Set "
            "MNIST_DASH_DATABASE_URL to a new database."
        )
    for table in reversed(metadata.sorted_tables):
        if table not in VERSION_TABLES:
            writing.execute(delete(table))


def _copy_table(reading: Connection, writing: Connection, table: Table) -> None:
    for rows in reading.execution_options(yield_per=_ROWS).execute(select(table)).partitions():
        names = [column.key for column in table.columns]
        writing.execute(insert(table), [dict(zip(names, row, strict=True)) for row in rows])
    if writing.dialect.name == "postgresql" and "id" in table.columns:
        highest = writing.scalar(select(func.max(table.c.id))) or 0
        writing.execute(
            text("SELECT setval(pg_get_serial_sequence(:table, 'id'), :next, false)"),
            {"table": table.name, "next": highest + 1},
        )
