"""Measurements: how robust finished runs are, asked for, measured once and kept."""

import time
from collections.abc import Collection, Mapping
from typing import Any

from sqlalchemy import Connection, and_, delete, insert, or_, select

from mnist_dash.corruptions.kinds import SUITE
from mnist_dash.errors import RunStateError
from mnist_dash.store.corruption_counts import CorruptionCounts, Measurement
from mnist_dash.store.database import lock, read, transaction
from mnist_dash.store.leases import LOST_AFTER_S, MAX_LOST, Leases, Silence
from mnist_dash.store.records import ACTIVE, DONE, FAILED, QUEUED
from mnist_dash.store.run_store import RunStore
from mnist_dash.store.schema import robustness_table, runs_table
from mnist_dash.store.visitors import OPERATOR, Visitor

_LEASES = Leases(
    robustness_table,
    robustness_table.c.run_id,
    "The measurement of run {}",
    f"Its worker died {MAX_LOST} times in the middle of the same kind. Measure it again.",
)
_OF_THIS_SUITE = robustness_table.c.suite == SUITE


class Measurements:
    """All measurements of one store, to ask for, to read and to make.

    Those of another suite of corruptions count as not made.

    Args:
        store: The open store. Closing it closes this too.
    """

    def __init__(self, store: RunStore):
        self._store = store
        self._silence = Silence(_LEASES, time.monotonic)

    # What a user may do

    def request(self, run_ids: Collection[int], *, by: Visitor = OPERATOR) -> int:
        """Asks for measurements of finished runs, all or none; what is there or under way stays as it is.

        Args:
            run_ids: The runs.
            by: The visitor who wants them, of their own runs or of those that come with MNIST Dash.

        Returns:
            How many are new.

        Raises:
            RunStateError: If a run has not finished, or the visitor wants too many.
            NotAllowedError: If one is somebody else's.
        """
        with transaction(self._store.engine) as connection:
            lock(connection, "robustness")  # two tabs may ask for the same run at once
            _check_finished(connection, run_ids, by)
            of_runs = robustness_table.c.run_id.in_(run_ids)
            outdated = or_(robustness_table.c.status == FAILED, robustness_table.c.suite != SUITE)
            connection.execute(delete(robustness_table).where(of_runs, outdated))
            known = set(connection.scalars(select(robustness_table.c.run_id).where(of_runs)))
            new = [run_id for run_id in dict.fromkeys(run_ids) if run_id not in known]
            by.check_unfinished(connection, robustness_table, len(new))
            shared = {"suite": SUITE, "status": QUEUED, "owner": by.name, "requested_at": self._store.clock()}
            if new:
                connection.execute(insert(robustness_table).values([{"run_id": run_id, **shared} for run_id in new]))
        return len(new)

    def withdraw(self, run_ids: Collection[int], *, by: Visitor = OPERATOR) -> None:
        """Takes back what this visitor asked for and is not done; its worker stops within a second."""
        unfinished = and_(robustness_table.c.run_id.in_(run_ids), robustness_table.c.status.in_(ACTIVE))
        unfinished = and_(unfinished, by.owns(robustness_table))
        with transaction(self._store.engine) as connection:
            connection.execute(delete(robustness_table).where(unfinished))

    def read(self, run_ids: Collection[int]) -> dict[int, Measurement]:
        """Returns those of these runs' measurements that were asked for, by run."""
        of_runs = and_(robustness_table.c.run_id.in_(run_ids), _OF_THIS_SUITE)
        rows = read(self._store.engine, select(robustness_table).where(of_runs))
        return {row.run_id: _measurement(row) for row in rows}

    # What the queue may do

    def waiting(self) -> list[tuple[int, int]]:
        """Returns run and attempt of each measurement that no worker has, the oldest first."""
        columns = (robustness_table.c.run_id, robustness_table.c.attempt)
        order = (robustness_table.c.requested_at, robustness_table.c.run_id)
        waiting = and_(robustness_table.c.status == QUEUED, _OF_THIS_SUITE)
        rows = read(self._store.engine, select(*columns).where(waiting).order_by(*order))
        return [(row.run_id, row.attempt) for row in rows]

    def any_unfinished(self) -> bool:
        """Says whether anything is left for a queue to do."""
        unfinished = and_(robustness_table.c.status.in_(ACTIVE), _OF_THIS_SUITE)
        return bool(read(self._store.engine, select(robustness_table.c.run_id).where(unfinished).limit(1)))

    def requeue_lost(self, *, lost_after_s: float = LOST_AFTER_S) -> None:
        """Queues again what was lost with its worker; it goes on after the last kind that was recorded."""
        silent = self._silence.of(self._store.engine, lost_after_s)
        if silent is not None:
            with transaction(self._store.engine) as connection:
                lost = _LEASES.requeue(connection, silent, {})
            _LEASES.log_lost(lost)

    # What a worker may do: every change names the lease

    def acquire(self, run_id: int) -> Measurement:
        """Moves a queued measurement to running, for exactly one caller.

        Raises:
            RunStateError: If it is not queued.
        """
        row = _LEASES.acquire(self._store.engine, run_id, self._store.clock(), only=_OF_THIS_SUITE)
        if row is None:
            raise RunStateError(
                f"The robustness of run {run_id} cannot be measured: it does not wait for a worker. "
                "It was measured, is being measured or was withdrawn."
            )
        return _measurement(row)

    def beat(self, run_id: int, lease: str, progress: object = None) -> None:
        """Says that the worker lives.

        Raises:
            RunStateError: If the lease is lost, or the measurement was withdrawn.
        """
        self._change(run_id, lease, {})

    def record(self, run_id: int, lease: str, counts: CorruptionCounts) -> None:
        """Keeps what was measured so far.

        Raises:
            RunStateError: As `beat`.
        """
        self._change(run_id, lease, {"progress": counts.as_json(), "lost": 0})

    def finish(self, run_id: int, lease: str, counts: CorruptionCounts) -> None:
        """Marks a measurement done, with all that was measured.

        Raises:
            RunStateError: As `beat`.
        """
        self._change(run_id, lease, {"progress": counts.as_json(), "status": DONE, "mean": counts.mean})

    def release(self, run_id: int, lease: str) -> None:
        """Queues a measurement again, so that something else goes first.

        Raises:
            RunStateError: As `beat`.
        """
        self._change(run_id, lease, {"status": QUEUED, "lease": None})

    def fail(self, run_id: int, lease: str, error: str) -> None:
        """Marks a measurement failed, with the reason in words; it may be asked for again.

        Raises:
            RunStateError: As `beat`.
        """
        self._change(run_id, lease, {"status": FAILED, "error": error})

    def _change(self, run_id: int, lease: str, values: Mapping[str, Any]) -> None:
        with transaction(self._store.engine) as connection:
            _LEASES.change(connection, run_id, lease, {"heartbeat_at": self._store.clock(), **values})


def _check_finished(connection: Connection, run_ids: Collection[int], by: Visitor) -> None:
    columns = (runs_table.c.id, runs_table.c.status, runs_table.c.owner, runs_table.c.reference)
    rows = connection.execute(select(*columns).where(runs_table.c.id.in_(run_ids))).all()
    for row in rows:
        if row.reference is None:
            by.check_owner(row.owner, f"Run {row.id}")
    status_of = {row.id: row.status for row in rows}
    for run_id in run_ids:
        if status_of.get(run_id) != DONE:
            raise RunStateError(
                f"The robustness of run {run_id} cannot be measured: it is {status_of.get(run_id, 'deleted')}, "
                "and only a run that is done can be. Choose others."
            )


def _measurement(row: Any) -> Measurement:
    known = {name: getattr(row, name) for name in ("run_id", "status", "owner", "attempt", "lease", "error")}
    return Measurement(**known, counts=CorruptionCounts.from_json(row.progress or {}))
