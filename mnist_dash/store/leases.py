"""Leases: rows of work that one worker at a time holds, and that are taken back when it falls silent."""

import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Column, ColumnElement, Connection, Engine, Table, and_, case, or_, select, true, update

from mnist_dash.errors import RunStateError
from mnist_dash.store.database import read, transaction
from mnist_dash.store.log import LOG
from mnist_dash.store.records import FAILED, QUEUED, RUNNING

LOST_AFTER_S = 12.0  # a worker beats several times a second; compiling a network holds it up for seconds
MAX_LOST = 5


def new_lease(now: float) -> dict[str, Any]:
    """Returns what a row becomes when a worker acquires it at a time, in Unix seconds."""
    return {"status": RUNNING, "lease": uuid.uuid4().hex, "heartbeat_at": now, "attempt": 1}


@dataclass(frozen=True)
class Leases:
    """The leases on the rows of one table.

    A queued row is acquired by exactly one worker. From then on each of its changes names
    the lease, so a worker that was given up changes nothing. A row whose worker is silent
    is queued again, and ends as failed when that happens again and again.

    Attributes:
        table: Has the columns status, lease, heartbeat_at, attempt, lost and error.
        key: The column by which its rows are known.
        subject: What a row is called in messages, with its key for `{}`.
        worker_died: Why a row failed whose workers died again and again.
    """

    table: Table
    key: Column[int]
    subject: str
    worker_died: str

    def acquire(
        self,
        engine: Engine,
        key: int,
        now: float,
        *,
        values: Mapping[str, Any] | None = None,
        only: ColumnElement[bool] | None = None,
    ) -> Any:
        """Moves a queued row to running, for exactly one caller.

        Two workers may be handed the same row after a scheduler restart. The status check
        and the update are one statement, so only one of them wins.

        Args:
            engine: The open database.
            key: Which row.
            now: Unix seconds.
            values: What else changes.
            only: A condition that the row must meet.

        Returns:
            The row with its lease; None if it is not queued.
        """
        queued = and_(self.key == key, self.table.c.status == QUEUED, true() if only is None else only)
        changed = {**new_lease(now), "attempt": self.table.c.attempt + 1, **(values or {})}
        with transaction(engine) as connection:
            return connection.execute(update(self.table).where(queued).values(changed).returning(self.table)).first()

    def change(self, connection: Connection, key: int, lease: str, values: Mapping[str, Any]) -> Any:
        """Changes a row in the name of its lease; returns the row.

        Raises:
            RunStateError: If the lease is lost.
        """
        held = and_(self.key == key, self.table.c.lease == lease, self.table.c.status == RUNNING)
        row = connection.execute(update(self.table).where(held).values(values).returning(self.table)).first()
        if row is None:
            raise RunStateError(
                f"{self.subject.format(key)}: lease lost. It was given to another worker, stopped or deleted."
            )
        return row

    @property
    def hopeless(self) -> ColumnElement[bool]:
        """The condition that the next loss is a row's last."""
        return self.table.c.lost >= MAX_LOST - 1

    def requeue(self, connection: Connection, silent: ColumnElement[bool], values: Mapping[str, Any]) -> list[int]:
        """Queues silent rows again, those that are hopeless as failed, with what else changes; returns their keys."""
        taken_back = {
            "status": case((self.hopeless, FAILED), else_=QUEUED),
            "error": case((self.hopeless, self.worker_died), else_=None),
            "lost": self.table.c.lost + 1,
            "lease": None,
        }
        statement = update(self.table).where(silent).values({**taken_back, **values})
        return list(connection.scalars(statement.returning(self.key)))

    def log_lost(self, keys: Sequence[int]) -> None:
        """Logs whose workers were lost; not within a transaction, as the log itself is kept in the store."""
        for key in keys:
            LOG.warning("%s: its worker was lost.", self.subject.format(key), extra={"run": key})


class Silence:
    """Which workers this process has not heard of, as it measures time itself.

    A beat is a time by the worker's clock: here it only counts whether it has changed. So no clock needs to
    be right or to agree with another, and one that is moved loses no run.

    Args:
        leases: The rows.
        steady_clock: Returns seconds, and is never moved.
    """

    def __init__(self, leases: Leases, steady_clock: Callable[[], float]):
        self._leases = leases
        self._clock = steady_clock
        self._heard: dict[tuple[str, float], float] = {}  # lease and its last beat: when it was first seen

    def of(self, engine: Engine, lost_after_s: float) -> ColumnElement[bool] | None:
        """Returns the condition for rows that were silent for so long; None if there are none.

        Silence counts from the first call that sees a beat.
        """
        columns = self._leases.table.c
        rows = read(engine, select(columns.lease, columns.heartbeat_at).where(columns.status == RUNNING))
        now, earlier = self._clock(), self._heard
        self._heard = {(row.lease, row.heartbeat_at): earlier.get((row.lease, row.heartbeat_at), now) for row in rows}
        lost = [beat for beat, since in self._heard.items() if now - since >= lost_after_s]
        if not lost:
            return None
        still = or_(*[and_(columns.lease == lease, columns.heartbeat_at == beat) for lease, beat in lost])
        return and_(columns.status == RUNNING, still)
