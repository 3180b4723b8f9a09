"""Measurements: how well finished runs read corrupted pictures, asked for, measured once and kept."""

import uuid
from collections.abc import Collection, Mapping
from typing import Any

from sqlalchemy import and_, case, delete, func, insert, or_, select, update

from mnist_dash.corruptions.kinds import SUITE
from mnist_dash.errors import RunStateError
from mnist_dash.store.corruption_counts import CorruptionCounts, Measurement
from mnist_dash.store.records import ACTIVE, DONE, FAILED, QUEUED, RUNNING
from mnist_dash.store.run_store import LOST_AFTER_S, MAX_LOST, RunStore
from mnist_dash.store.schema import lock, read, robustness_table, runs_table, transaction

_WORKER_DIED = f"Its worker died {MAX_LOST} times in the middle of the same kind. Measure it again."


class Measurements:
    """All measurements of one store, to ask for, to read and to make.

    Those of another suite of corruptions count as not made.

    Args:
        store: The open store. Closing it closes this too.
    """

    def __init__(self, store: RunStore):
        self._store = store

    # What the user may do

    def request(self, run_ids: Collection[int], *, owner: str = "", max_unfinished: int | None = None) -> int:
        """Asks for measurements of finished runs, all or none; what is there or under way stays as it is.

        Args:
            run_ids: The runs.
            owner: The visitor who wants them.
            max_unfinished: Unfinished measurements that this owner may have, these included.

        Returns:
            How many are new.

        Raises:
            RunStateError: If a run has not finished, or the owner wants too many.
        """
        with transaction(self._store.engine) as connection:
            lock(connection, "robustness")  # two tabs may ask for the same run at once
            self._check_finished(connection, run_ids)
            of_runs = robustness_table.c.run_id.in_(run_ids)
            outdated = or_(robustness_table.c.status == FAILED, robustness_table.c.suite != SUITE)
            connection.execute(delete(robustness_table).where(of_runs, outdated))
            known = set(connection.scalars(select(robustness_table.c.run_id).where(of_runs)))
            new = [run_id for run_id in dict.fromkeys(run_ids) if run_id not in known]
            if max_unfinished is not None and new:
                _check_room(connection, owner, len(new), max_unfinished)
            shared = {"suite": SUITE, "status": QUEUED, "owner": owner, "requested_at": self._store.clock()}
            if new:
                connection.execute(insert(robustness_table).values([{"run_id": run_id, **shared} for run_id in new]))
        return len(new)

    def withdraw(self, run_ids: Collection[int]) -> None:
        """Takes back what was asked for and is not done; its worker stops within a second."""
        unfinished = and_(robustness_table.c.run_id.in_(run_ids), robustness_table.c.status.in_(ACTIVE))
        with transaction(self._store.engine) as connection:
            connection.execute(delete(robustness_table).where(unfinished))

    def read(self, run_ids: Collection[int]) -> dict[int, Measurement]:
        """Returns those of these runs' measurements that were asked for, by run."""
        wanted = and_(robustness_table.c.run_id.in_(run_ids), robustness_table.c.suite == SUITE)
        return {
            row.run_id: _measurement(row) for row in read(self._store.engine, select(robustness_table).where(wanted))
        }

    # What the queue may do

    def waiting(self) -> list[tuple[int, int]]:
        """Returns run and attempt of each measurement that no worker has, the oldest first."""
        columns = (robustness_table.c.run_id, robustness_table.c.attempt)
        order = (robustness_table.c.requested_at, robustness_table.c.run_id)
        waits = and_(robustness_table.c.status == QUEUED, robustness_table.c.suite == SUITE)
        return [
            (row.run_id, row.attempt)
            for row in read(self._store.engine, select(*columns).where(waits).order_by(*order))
        ]

    def any_unfinished(self) -> bool:
        """Says whether anything is left for a queue to do."""
        unfinished = and_(robustness_table.c.status.in_(ACTIVE), robustness_table.c.suite == SUITE)
        return bool(read(self._store.engine, select(robustness_table.c.run_id).where(unfinished).limit(1)))

    def requeue_lost(self, *, lost_after_s: float = LOST_AFTER_S) -> None:
        """Queues again what was lost with its worker; it goes on after the last kind that was recorded."""
        silent = robustness_table.c.heartbeat_at < self._store.clock() - lost_after_s
        lost, hopeless = and_(robustness_table.c.status == RUNNING, silent), robustness_table.c.lost >= MAX_LOST - 1
        if not read(self._store.engine, select(robustness_table.c.run_id).where(lost)):
            return
        values = {
            "status": case((hopeless, FAILED), else_=QUEUED),
            "error": case((hopeless, _WORKER_DIED), else_=None),
            "lost": robustness_table.c.lost + 1,
            "claim": None,
        }
        with transaction(self._store.engine) as connection:
            connection.execute(update(robustness_table).where(lost).values(values))

    # What a worker may do: every call names its claim, so a worker that was given up changes nothing

    def claim(self, run_id: int) -> Measurement:
        """Moves a queued measurement to running, for exactly one caller.

        Raises:
            RunStateError: If it is not queued.
        """
        waits = and_(
            robustness_table.c.run_id == run_id,
            robustness_table.c.status == QUEUED,
            robustness_table.c.suite == SUITE,
        )
        values = {
            "status": RUNNING,
            "claim": uuid.uuid4().hex,
            "heartbeat_at": self._store.clock(),
            "attempt": robustness_table.c.attempt + 1,
        }
        with transaction(self._store.engine) as connection:
            row = connection.execute(
                update(robustness_table).where(waits).values(values).returning(robustness_table)
            ).first()
        if row is None:
            raise RunStateError(
                f"The robustness of run {run_id} cannot be measured: it does not wait for a worker. "
                "It was measured, is being measured or was withdrawn."
            )
        return _measurement(row)

    def beat(self, run_id: int, claim: str) -> None:
        """Says that the worker lives.

        Raises:
            RunStateError: If the measurement was withdrawn or given to another worker.
        """
        self._change(run_id, claim, {})

    def record(self, run_id: int, claim: str, readings: CorruptionCounts) -> None:
        """Keeps what was measured so far.

        Raises:
            RunStateError: As `beat`.
        """
        self._change(run_id, claim, {"progress": readings.as_json(), "lost": 0})

    def finish(self, run_id: int, claim: str, readings: CorruptionCounts) -> None:
        """Marks a measurement done, with all that was measured.

        Raises:
            RunStateError: As `beat`.
        """
        self._change(run_id, claim, {"progress": readings.as_json(), "status": DONE, "mean": readings.mean})

    def release(self, run_id: int, claim: str) -> None:
        """Queues a measurement again, so that something else goes first.

        Raises:
            RunStateError: As `beat`.
        """
        self._change(run_id, claim, {"status": QUEUED, "claim": None})

    def fail(self, run_id: int, claim: str, error: str) -> None:
        """Marks a measurement failed, with the reason in words; it may be asked for again.

        Raises:
            RunStateError: As `beat`.
        """
        self._change(run_id, claim, {"status": FAILED, "error": error})

    # Reference runs, measured before they were shipped

    def unmeasured_references(self) -> dict[str, int]:
        """Returns the reference runs that are not measured, from their marks to their numbers."""
        measured = and_(
            robustness_table.c.run_id == runs_table.c.id,
            robustness_table.c.suite == SUITE,
            robustness_table.c.status == DONE,
        )
        statement = select(runs_table.c.reference, runs_table.c.id).outerjoin(robustness_table, measured)
        missing = and_(runs_table.c.reference.is_not(None), robustness_table.c.run_id.is_(None))
        return {row.reference: row.id for row in read(self._store.engine, statement.where(missing))}

    def add_measured(self, run_id: int, readings: CorruptionCounts) -> None:
        """Adds what was measured elsewhere, in place of what is not done."""
        of_run = robustness_table.c.run_id == run_id
        outdated = or_(robustness_table.c.status != DONE, robustness_table.c.suite != SUITE)
        values = {"run_id": run_id, "suite": SUITE, "status": DONE, "requested_at": self._store.clock()}
        values |= {"progress": readings.as_json(), "mean": readings.mean}
        with transaction(self._store.engine) as connection:
            lock(connection, "robustness")
            connection.execute(delete(robustness_table).where(of_run, outdated))
            if not connection.scalar(select(robustness_table.c.run_id).where(of_run)):
                connection.execute(insert(robustness_table).values(values))

    def _check_finished(self, connection: Any, run_ids: Collection[int]) -> None:
        rows = connection.execute(select(runs_table.c.id, runs_table.c.status).where(runs_table.c.id.in_(run_ids)))
        status_of = {row.id: row.status for row in rows}
        for run_id in run_ids:
            if status_of.get(run_id) != DONE:
                raise RunStateError(
                    f"The robustness of run {run_id} cannot be measured: it is {status_of.get(run_id, 'deleted')}, "
                    "and only a run that is done can be. Choose others."
                )

    def _change(self, run_id: int, claim: str, values: Mapping[str, Any]) -> None:
        ours = and_(
            robustness_table.c.run_id == run_id,
            robustness_table.c.claim == claim,
            robustness_table.c.status == RUNNING,
        )
        changed = {"heartbeat_at": self._store.clock(), **values}
        statement = update(robustness_table).where(ours).values(changed).returning(robustness_table.c.run_id)
        with transaction(self._store.engine) as connection:
            if connection.scalar(statement) is None:
                raise RunStateError(
                    f"The measurement of run {run_id} no longer belongs to this worker: "
                    "it was withdrawn or given to another one."
                )


def _measurement(row: Any) -> Measurement:
    known = {name: getattr(row, name) for name in ("run_id", "status", "owner", "attempt", "claim", "error")}
    return Measurement(**known, readings=CorruptionCounts.from_json(row.progress or {}))


def _check_room(connection: Any, owner: str, wanted: int, allowed: int) -> None:
    unfinished = and_(robustness_table.c.owner == owner, robustness_table.c.status.in_(ACTIVE))
    count = connection.scalar(select(func.count()).where(unfinished)) or 0
    if count + wanted > allowed:
        raise RunStateError(
            f"You wait for {count} measurements and want {wanted} more, and {allowed} is the most here. "
            "Choose fewer runs, or wait until one is done."
        )
