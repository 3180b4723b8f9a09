"""How a store is doing: its runs, its size, what went wrong."""

import os
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import func, select, text

from mnist_dash.store.cleaning import DAY_S
from mnist_dash.store.database import read
from mnist_dash.store.events import Event, list_events
from mnist_dash.store.records import CHECKPOINT, DONE, FAILED, QUEUED
from mnist_dash.store.run_store import RunStore
from mnist_dash.store.schema import artifacts_table, datasets_table, kept_digits_table, runs_table


@dataclass(frozen=True)
class Status:
    """How a store is doing.

    Attributes:
        runs: How many runs are in each state, by state.
        oldest_queued_s: For how long the oldest queued run has waited, in seconds; None if none waits.
        done_today: Runs that were done in the last 24 hours.
        failed_today: Runs that failed in the last 24 hours.
        bytes: Size of the database.
        checkpoint_bytes: How many of these are checkpoints.
        free_bytes: Room on the disk of an SQLite file; None for other databases.
        kept_digits: Digits that visitors keep.
        datasets: Custom datasets.
        events: The newest of what went wrong in the last 24 hours.
        event_count: How many there are of them.
    """

    runs: dict[str, int]
    oldest_queued_s: float | None
    done_today: int
    failed_today: int
    bytes: int
    checkpoint_bytes: int
    free_bytes: int | None
    kept_digits: int
    datasets: int
    events: tuple[Event, ...]
    event_count: int


def read_status(store: RunStore) -> Status:
    """Returns how a store is doing now.

    Raises:
        StoreError: If it cannot be read.
    """
    runs, now = runs_table.c, store.clock()
    counts = read(store.engine, select(runs.status, func.count()).group_by(runs.status))
    [(oldest,)] = read(store.engine, select(func.min(runs.created_at)).where(runs.status == QUEUED))
    ended = select(runs.status, func.count()).where(runs.finished_at >= now - DAY_S).group_by(runs.status)
    today = {row[0]: row[1] for row in read(store.engine, ended)}
    checkpoints = select(func.sum(func.length(artifacts_table.c.content))).where(artifacts_table.c.name == CHECKPOINT)
    [(checkpoint_bytes,)] = read(store.engine, checkpoints)
    [(digits,)] = read(store.engine, select(func.count()).select_from(kept_digits_table))
    [(datasets,)] = read(store.engine, select(func.count()).select_from(datasets_table))
    events, event_count = list_events(store, since=now - DAY_S)
    size, free = _sizes(store)
    return Status(
        runs={row[0]: row[1] for row in counts},
        oldest_queued_s=None if oldest is None else max(0.0, now - oldest),
        done_today=today.get(DONE, 0),
        failed_today=today.get(FAILED, 0),
        bytes=size,
        checkpoint_bytes=int(checkpoint_bytes or 0),
        free_bytes=free,
        kept_digits=digits,
        datasets=datasets,
        events=tuple(events),
        event_count=event_count,
    )


def _sizes(store: RunStore) -> tuple[int, int | None]:
    """Returns the bytes of the database, and those that are free on its disk."""
    if store.engine.dialect.name == "postgresql":
        [(size,)] = read(store.engine, text("SELECT pg_database_size(current_database())"))
        return int(size), None
    file = Path(store.engine.url.database or "")
    parts = [file.with_name(file.name + ending) for ending in ("", "-wal", "-shm")]
    disk = os.statvfs(file.parent) if hasattr(os, "statvfs") else None
    return sum(part.stat().st_size for part in parts if part.exists()), disk and disk.f_bavail * disk.f_frsize
