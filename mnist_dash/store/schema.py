"""The tables of the store, and how a database is opened."""

import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import (
    JSON,
    Column,
    Connection,
    Engine,
    Float,
    ForeignKey,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    create_engine,
    event,
    insert,
    make_url,
    select,
    text,
)
from sqlalchemy.exc import SQLAlchemyError

from mnist_dash.errors import StoreError
from mnist_dash.store.upgrades import upgrade

SCHEMA_VERSION = 3
_BUSY_TIMEOUT_S = 30

metadata = MetaData()
schema_table = Table("schema_version", metadata, Column("version", Integer, primary_key=True))
experiments_table = Table(
    "experiments",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("title", Text, nullable=False),
    Column("owner", String(128), nullable=False, default=""),
    Column("created_at", Float, nullable=False),
    sqlite_autoincrement=True,
)
runs_table = Table(
    "runs",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("variant", String(64), nullable=False),
    Column("settings", JSON, nullable=False),
    Column("dataset", String(64), nullable=False),
    Column("fingerprint", String(64), nullable=False),
    Column("custom_data", JSON(none_as_null=True)),  # number of images and class names, unless the data is published
    Column("status", String(16), nullable=False, index=True),
    Column("owner", String(128), nullable=False, default=""),
    Column("created_at", Float, nullable=False),
    Column("started_at", Float),
    Column("finished_at", Float),
    Column("heartbeat_at", Float),
    Column("attempt", Integer, nullable=False, default=0),
    Column("claim", String(64), key="lease"),
    Column("wanted", String(16), key="requested_status"),
    Column("lost", Integer, nullable=False, default=0, server_default="0"),
    Column("experiment_id", ForeignKey("experiments.id"), index=True),
    Column("continues", Integer),
    Column("progress", JSON(none_as_null=True)),
    Column("error", Text),
    Column("reference", String(128), unique=True),
    Column("test_loss", Float),
    Column("test_accuracy", Float),
    Column("fit_seconds", Float),
    Column("weights", Integer),
    Column("prediction_ms", Float),
    sqlite_autoincrement=True,  # the number of a deleted run is never given to another
)
epochs_table = Table(
    "epochs",
    metadata,
    Column("run_id", ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("loss", Float, nullable=False),
    Column("accuracy", Float, nullable=False),
    Column("val_loss", Float),
    Column("val_accuracy", Float),
    Column("seconds", Float, nullable=False),
)
artifacts_table = Table(
    "artifacts",
    metadata,
    Column("run_id", ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True),
    Column("name", String(64), primary_key=True),
    Column("content", LargeBinary, nullable=False),
    Column("sha256", String(64)),  # in hexadecimal; what an earlier version wrote has none
)
kept_digits_table = Table(
    "kept_digits",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("owner", String(128), nullable=False, index=True),
    Column("label", Integer, nullable=False),
    Column("pixels", LargeBinary, nullable=False),  # 28 × 28 bytes, row by row
    Column("created_at", Float, nullable=False),
    sqlite_autoincrement=True,  # a page that is out of date never takes out another digit than it shows
)

tags_table = Table(
    "tags",
    metadata,
    Column("run_id", ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True),
    Column("name", String(64), primary_key=True),
)
robustness_table = Table(
    "robustness",
    metadata,
    Column("run_id", ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True),
    Column("suite", Integer, nullable=False),
    Column("status", String(16), nullable=False, index=True),
    Column("owner", String(128), nullable=False, default=""),
    Column("requested_at", Float, nullable=False),
    Column("heartbeat_at", Float),
    Column("attempt", Integer, nullable=False, default=0),
    Column("claim", String(64), key="lease"),
    Column("lost", Integer, nullable=False, default=0),
    Column("progress", JSON(none_as_null=True)),  # what was measured so far
    Column("error", Text),
    Column("mean", Float),
)
datasets_table = Table(
    "datasets",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("fingerprint", String(64), nullable=False, unique=True),
    Column("owner", String(128), nullable=False, index=True),
    Column("created_at", Float, nullable=False),
    Column("train", Integer, nullable=False),
    Column("test", Integer, nullable=False),
    Column("classes", JSON, nullable=False),
    Column("content", LargeBinary, nullable=False),  # an .npz file with the four arrays
)
keys_table = Table(
    "keys", metadata, Column("name", String(32), primary_key=True), Column("content", LargeBinary, nullable=False)
)


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
        raise StoreError(
            f"The database did not take a change: {first_line(error)}. Nothing was lost; try again."
        ) from error


def read(engine: Engine, statement: Any) -> list[Any]:
    """Returns all rows of a query.

    Raises:
        StoreError: If the database fails.
    """
    try:
        with engine.connect() as connection:
            return list(connection.execute(statement))
    except SQLAlchemyError as error:
        raise StoreError(f"The database could not be read: {first_line(error)}. Try again.") from error


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
        metadata.create_all(connection)
        version = connection.scalar(select(schema_table.c.version))
        if version is None:
            connection.execute(insert(schema_table).values(version=SCHEMA_VERSION))
        elif version < SCHEMA_VERSION:
            upgrade(connection, version)
        elif version != SCHEMA_VERSION:
            raise StoreError(
                f"The database {shown} has schema version {version}, but this MNIST Dash works with "
                f"{SCHEMA_VERSION}. Use the MNIST Dash that made it, or set MNIST_DASH_DATABASE_URL to a new one."
            )
