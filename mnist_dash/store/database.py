"""How the database is opened, read and changed."""

import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, insert, make_url, select, text
from sqlalchemy.exc import DisconnectionError, SQLAlchemyError

from mnist_dash.errors import StoreError
from mnist_dash.store.schema import SCHEMA_VERSION, alembic_table, metadata, schema_table

_BUSY_TIMEOUT_S = 30
_WATCHED = "mnist_dash_file"
_DAMAGE = ("malformed", "not a database", "no such table", "disk I/O error")
_GONE = "was deleted or replaced"


def open_engine(database_url: str) -> Engine:
    """Opens the database, making its tables if it is new.

    Raises:
        StoreError: If it cannot be opened, or belongs to another version.
    """
    try:
        url = make_url(database_url)
        shown = url.render_as_string(hide_password=True)
        _make_folder(url.database if url.get_backend_name() == "sqlite" else None)
        arguments: dict[str, Any] = {"timeout": _BUSY_TIMEOUT_S} if url.get_backend_name() == "sqlite" else {}
        engine = create_engine(url, connect_args=arguments, pool_pre_ping=True)
        if engine.dialect.name == "sqlite":
            _prepare_sqlite(engine)
            _watch_file(engine, Path(url.database) if url.database and url.database != ":memory:" else None)
        with _disposed_on_failure(engine):
            _make_tables(engine, shown)
    except (SQLAlchemyError, ImportError, OSError, ValueError) as error:
        raise StoreError(
            f"The database {shown if 'shown' in locals() else 'that MNIST_DASH_DATABASE_URL names'} cannot be opened: "
            f"{first_line(error)}. Check MNIST_DASH_DATABASE_URL; sqlite:////folder/runs.sqlite "
            "and postgresql+psycopg://user:password@host/database are what it may look like."
        ) from error
    return engine


@contextmanager
def _disposed_on_failure(engine: Engine) -> Iterator[None]:
    try:
        yield
    except BaseException:
        engine.dispose()
        raise


def lock(connection: Connection, name: str) -> None:
    """Lets one transaction at a time pass, among those that lock the same name.

    SQLite needs no help: there a writing transaction is alone from its start.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(hashtext(:name))"), {"name": f"mnist-dash {name}"})


@contextmanager
def transaction(engine: Engine) -> Iterator[Connection]:
    """One transaction that may write; database errors leave it as `StoreError`.

    Raises:
        StoreError: If the database fails; nothing of the transaction is kept.
    """
    try:
        with engine.execution_options(mnist_dash_writes=True).begin() as connection:
            yield connection
    except SQLAlchemyError as error:
        raise StoreError(f"The database did not take a change: {first_line(error)}. {_advice(error)}") from error


def read(engine: Engine, statement: Any) -> list[Any]:
    """Returns all rows of a query.

    Raises:
        StoreError: If the database fails.
    """
    try:
        with engine.connect() as connection:
            return list(connection.execute(statement))
    except SQLAlchemyError as error:
        raise StoreError(f"The database could not be read: {first_line(error)}. {_advice(error)}") from error


def _advice(error: BaseException) -> str:
    """Returns what whoever runs the dashboard can do about an error of the database."""
    words = str(error)
    if any(damage in words for damage in _DAMAGE):
        return "Its file is damaged: bring a backup into a new one with `python -m mnist_dash restore FILE`."
    if _GONE in words:
        return "Put the file back, or restart the dashboard to begin with an empty one."
    if "is full" in words:
        return "Nothing was lost; make room on the disk, then try again."
    if "is locked" in words:
        return "Nothing was lost; another program holds the file, so try again when it is done."
    return "Nothing was lost; try again."


def first_line(error: BaseException) -> str:
    """Returns the first line of an error's own message, without SQL and links."""
    original = getattr(error, "orig", None) or error
    lines = str(original).strip().splitlines()
    return (lines[0] if lines else type(original).__name__).rstrip(".")


def _make_folder(database: str | None) -> None:
    if database and database != ":memory:":
        folder = Path(database).absolute().parent
        folder.mkdir(parents=True, exist_ok=True)
        if not os.access(folder, os.W_OK):
            raise OSError(f"the folder {folder} cannot be written")


def _prepare_sqlite(engine: Engine) -> None:
    """Makes SQLite fit for several processes: write-ahead log, and a writer asks first.

    Source:
        https://docs.sqlalchemy.org/en/21/dialects/sqlite.html, on transactions with pysqlite.
    """

    @event.listens_for(engine, "connect")
    def _(connection: Any, _: object) -> None:
        connection.isolation_level = None  # the driver's own BEGIN comes too late
        _write_ahead(connection)
        connection.execute("PRAGMA synchronous=NORMAL")
        connection.execute("PRAGMA foreign_keys=ON")

    @event.listens_for(engine, "begin")
    def _(connection: Connection) -> None:
        writes = connection.get_execution_options().get("mnist_dash_writes")
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _watch_file(engine: Engine, file: Path | None) -> None:
    """Notices that the file was deleted or replaced: an open connection would go on with what has no name any more."""
    if file is None:
        return
    opened = False

    @event.listens_for(engine, "do_connect")
    def _(*_: object) -> None:
        if opened and not file.exists():  # SQLite would make an empty one
            raise sqlite3.OperationalError(f"the file {file} {_GONE} while it was used")

    @event.listens_for(engine, "connect")
    def _(_: object, record: Any) -> None:
        nonlocal opened
        opened = True
        record.info[_WATCHED] = _identity(file)

    @event.listens_for(engine, "checkout")
    def _(_: object, record: Any, __: object) -> None:
        if record.info[_WATCHED] != _identity(file):
            raise DisconnectionError(f"{file} {_GONE}")  # the pool connects anew


def _identity(file: Path) -> tuple[int, int] | None:
    try:
        found = file.stat()
    except FileNotFoundError:
        return None
    return found.st_dev, found.st_ino


def _write_ahead(connection: Any) -> None:
    """Switches to the write-ahead log; here SQLite itself does not wait while another process does the same."""
    deadline = time.monotonic() + _BUSY_TIMEOUT_S
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
            return
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > deadline:
                raise
        time.sleep(0.02)


def _make_tables(engine: Engine, shown: str) -> None:
    with engine.execution_options(mnist_dash_writes=True).begin() as connection:
        lock(connection, "schema")
        schema_table.create(connection, checkfirst=True)
        version = connection.scalar(select(schema_table.c.version))
        if version is None:
            metadata.create_all(connection)
            connection.execute(insert(schema_table).values(version=SCHEMA_VERSION))
            connection.execute(insert(alembic_table).values(version_num=f"{SCHEMA_VERSION:04}"))
        elif version < SCHEMA_VERSION:
            from mnist_dash.store.upgrades import upgrade  # Alembic is loaded only where it is needed

            upgrade(connection, version)
        elif version > SCHEMA_VERSION:
            raise StoreError(
                f"A newer MNIST Dash made the database {shown}: it has schema version {version}, and this one knows "
                f"versions up to {SCHEMA_VERSION}. Get the newer one with `git pull` and start it with `./run app`, "
                "or set MNIST_DASH_DATABASE_URL to another database."
            )
