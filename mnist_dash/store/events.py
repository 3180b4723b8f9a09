"""Events: what went wrong, in the log as JSON lines and in the store for whoever runs the dashboard."""

import contextlib
import json
import logging
import sys
from dataclasses import dataclass

from sqlalchemy import delete, func, insert, select

from mnist_dash.errors import StoreError
from mnist_dash.store.database import read, transaction
from mnist_dash.store.log import LOG
from mnist_dash.store.run_store import RunStore
from mnist_dash.store.schema import events_table

MAX_EVENTS = 1_000
_MAX_CHARACTERS = 2_000


@dataclass(frozen=True)
class Event:
    """Something that went wrong.

    Attributes:
        created_at: Unix seconds.
        level: WARNING or ERROR.
        source: The module that said so.
        run_id: The run that it was about, which may be deleted by now; None if about none.
        message: What happened.
    """

    created_at: float
    level: str
    source: str
    run_id: int | None
    message: str


class JsonLines(logging.Formatter):
    """One JSON object a line: time, level, source, run, message."""

    def format(self, record: logging.LogRecord) -> str:
        line = {"time": record.created, "level": record.levelname, "source": record.module}
        line |= {"run": getattr(record, "run", None), "message": _message(record)}
        return json.dumps(line, ensure_ascii=False)


class _KeptEvents(logging.Handler):
    """Keeps warnings and errors in the store at a URL, as long as that can be reached."""

    def __init__(self, database_url: str):
        super().__init__(logging.WARNING)
        self.database_url = database_url

    def emit(self, record: logging.LogRecord) -> None:
        with contextlib.suppress(StoreError), contextlib.closing(RunStore(self.database_url)) as store:
            record_event(store, record)  # where it fails, the line in the log remains


def start_logging(database_url: str) -> None:
    """Writes what happens to standard error as JSON lines, and what goes wrong into a store, too."""
    if any(isinstance(handler, _KeptEvents) and handler.database_url == database_url for handler in LOG.handlers):
        return
    LOG.handlers.clear()
    lines = logging.StreamHandler(sys.stderr)
    lines.setFormatter(JsonLines())
    LOG.addHandler(lines)
    LOG.addHandler(_KeptEvents(database_url))
    LOG.setLevel(logging.INFO)
    LOG.propagate = False


def record_event(store: RunStore, record: logging.LogRecord) -> None:
    """Keeps one event, and the newest `MAX_EVENTS` of all.

    Raises:
        StoreError: If the store does not take it.
    """
    row = {"created_at": record.created, "level": record.levelname, "source": record.module}
    row |= {"run_id": getattr(record, "run", None), "message": _message(record)[:_MAX_CHARACTERS]}
    with transaction(store.engine) as connection:
        newest = connection.scalar(insert(events_table).values(row).returning(events_table.c.id)) or 0
        connection.execute(delete(events_table).where(events_table.c.id <= newest - MAX_EVENTS))


def list_events(store: RunStore, *, since: float, limit: int = 50) -> tuple[list[Event], int]:
    """Returns the newest events since a time, in Unix seconds, and how many there are."""
    newer = events_table.c.created_at >= since
    columns = [events_table.c[name] for name in Event.__dataclass_fields__]
    rows = read(store.engine, select(*columns).where(newer).order_by(events_table.c.id.desc()).limit(limit))
    [count] = read(store.engine, select(func.count()).select_from(events_table).where(newer))
    return [Event(**row._mapping) for row in rows], int(count[0])


def _message(record: logging.LogRecord) -> str:
    words = record.getMessage()
    if record.exc_info and record.exc_info[1]:
        words += f" {type(record.exc_info[1]).__name__}: {record.exc_info[1]}"
    return words
