"""RunStore: create, claim, follow, finish and read runs, each change one transaction."""

import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from sqlalchemy import ColumnElement, and_, case, delete, func, insert, select, update

from mnist_dash.errors import RunNotFoundError, RunStateError
from mnist_dash.models import VARIANTS, Value
from mnist_dash.runs.records import (
    CANCELLED,
    CHECKPOINT,
    DONE,
    FAILED,
    QUEUED,
    RUNNING,
    UNFINISHED,
    Epoch,
    Progress,
    Result,
    Run,
)
from mnist_dash.runs.rows import as_json, as_run, drop_checkpoints_of_cancelled, write_artifacts
from mnist_dash.runs.tables import artifacts_table, epochs_table, lock, open_engine, read, runs_table, transaction

LOST_AFTER_S = 12.0  # a worker beats several times a second; compiling a network holds it up for seconds
_MAX_ID = 2**31 - 1


class RunStore:
    """All runs of one database.

    Args:
        database_url: SQLAlchemy URL of an SQLite or PostgreSQL database.
        clock: Returns the time, Unix seconds.

    Attributes:
        engine: The open database, for what this package keeps beside runs.

    Raises:
        StoreError: If the database cannot be opened.
    """

    def __init__(self, database_url: str, *, clock: Callable[[], float] = time.time):
        self.database_url = database_url
        self.engine = open_engine(database_url)
        self.clock = clock

    def close(self) -> None:
        """Closes all connections."""
        self.engine.dispose()

    # Runs come into being

    def create_run(
        self,
        variant: str,
        settings: Mapping[str, Value],
        *,
        dataset: str,
        fingerprint: str,
        owner: str = "",
        max_unfinished: int | None = None,
        claim: bool = False,
    ) -> Run:
        """Adds a queued run, or one that the caller trains itself.

        Args:
            variant: Name of the network.
            settings: All its settings, checked.
            dataset: Name of the data set that it is to learn.
            fingerprint: The data set's checksum; the worker must find the same data.
            owner: The visitor who wants it.
            max_unfinished: Unfinished runs that this owner may have, this one included.
            claim: Start it as running, claimed by the caller, so that no worker takes it.

        Raises:
            RunStateError: If the owner has as many unfinished runs as allowed.
        """
        values = {
            "variant": variant,
            "settings": dict(settings),
            "dataset": dataset,
            "fingerprint": fingerprint,
            "owner": owner,
            "status": QUEUED,
            "created_at": self.clock(),
        }
        if claim:
            values |= self._claimed()
        with transaction(self.engine) as connection:
            if max_unfinished is not None:
                lock(connection, f"owner {owner}")
                unfinished = and_(runs_table.c.owner == owner, runs_table.c.status.in_(UNFINISHED))
                count = connection.scalar(select(func.count()).where(unfinished)) or 0
                if count >= max_unfinished:
                    raise RunStateError(
                        f"You have {count} unfinished runs, and {max_unfinished} is the most here. "
                        "Wait until one ends, or cancel one."
                    )
            run_id = connection.scalar(insert(runs_table).values(values).returning(runs_table.c.id))
        return self.get_run(int(run_id or 0))

    def add_finished_run(
        self,
        columns: Mapping[str, Any],
        *,
        epochs: Sequence[Epoch],
        artifacts: Mapping[str, bytes],
        reference: str,
    ) -> None:
        """Adds a run that was trained elsewhere and ships with the project.

        One transaction also takes away an older reference run of the same variant.
        """
        older = and_(runs_table.c.variant == columns["variant"], runs_table.c.reference.is_not(None))
        with transaction(self.engine) as connection:
            lock(connection, "reference runs")
            if connection.scalar(select(runs_table.c.id).where(runs_table.c.reference == reference)):
                return
            connection.execute(delete(runs_table).where(older))
            row = {**columns, "reference": reference, "status": DONE}
            run_id = connection.scalar(insert(runs_table).values(row).returning(runs_table.c.id))
            for epoch in epochs:
                connection.execute(insert(epochs_table).values(run_id=run_id, **asdict(epoch)))
            write_artifacts(connection, int(run_id or 0), artifacts)

    def references(self) -> set[str]:
        """Returns the reference marks of all runs that ship with the project."""
        rows = read(self.engine, select(runs_table.c.reference).where(runs_table.c.reference.is_not(None)))
        return {row.reference for row in rows}

    # A worker's part: every call names the claim, so a worker that was given up changes nothing

    def claim_run(self, run_id: int) -> Run:
        """Moves a queued run to running, for exactly one caller.

        Two workers may be handed the same run after a scheduler restart. The status
        check and the update are one statement, so only one of them wins.

        Returns:
            The run, with the `claim` that the other calls of a worker need.

        Raises:
            RunStateError: If the run is not queued.
        """
        with transaction(self.engine) as connection:
            claimed = connection.scalar(
                update(runs_table)
                .where(runs_table.c.id == run_id, runs_table.c.status == QUEUED)
                .values(
                    {
                        **self._claimed(),
                        "attempt": runs_table.c.attempt + 1,
                        "started_at": func.coalesce(runs_table.c.started_at, self.clock()),
                    }
                )
                .returning(runs_table.c.id)
            )
        run = self.get_run(run_id)
        if claimed is None:
            raise RunStateError(
                f"Run {run_id} cannot start: it is {run.status}, and only a queued run can start. "
                "Start a new run with the same settings instead."
            )
        return run

    def beat(self, run_id: int, claim: str, progress: Progress | None) -> bool:
        """Says that the worker lives and how far it is.

        Returns:
            Whether the run should be cancelled.

        Raises:
            RunStateError: If the run was given to another worker or has ended.
        """
        values = {"heartbeat_at": self.clock(), "progress": as_json(progress) if progress else None}
        return bool(self._change_claimed(run_id, claim, values, returning=runs_table.c.cancel_wanted))

    def record_epoch(self, run_id: int, claim: str, epoch: Epoch, checkpoint: bytes) -> None:
        """Adds a finished epoch together with the checkpoint to go on from."""
        with transaction(self.engine) as connection:
            self._change_claimed(run_id, claim, {"heartbeat_at": self.clock()}, connection=connection)
            connection.execute(insert(epochs_table).values(run_id=run_id, **asdict(epoch)))
            write_artifacts(connection, run_id, {CHECKPOINT: checkpoint})

    def finish_run(self, run_id: int, claim: str, result: Result, artifacts: Mapping[str, bytes]) -> None:
        """Marks a run done, with its result and artifacts, in one transaction."""
        values = {"status": DONE, "progress": None, "finished_at": self.clock(), **asdict(result)}
        self._end(run_id, claim, values, artifacts)

    def fail_run(self, run_id: int, claim: str, error: str) -> None:
        """Marks a run failed, with the reason in words."""
        values = {"status": FAILED, "progress": None, "finished_at": self.clock(), "error": error}
        self._end(run_id, claim, values, {})

    def stop_run(self, run_id: int, claim: str) -> None:
        """Marks a running run cancelled, once its worker has stopped."""
        self._end(run_id, claim, {"status": CANCELLED, "progress": None, "finished_at": self.clock()}, {})

    # What the user and the queue may do

    def cancel_run(self, run_id: int) -> None:
        """Cancels a queued run at once and asks the worker of a running one to stop.

        Raises:
            RunStateError: If the run has ended.
        """
        now, queued = self.clock(), runs_table.c.status == QUEUED
        with transaction(self.engine) as connection:
            changed = connection.scalar(
                update(runs_table)
                .where(runs_table.c.id == run_id, runs_table.c.status.in_(UNFINISHED))
                .values(
                    cancel_wanted=True,
                    finished_at=case((queued, now), else_=None),
                    status=case((queued, CANCELLED), else_=runs_table.c.status),
                )
                .returning(runs_table.c.id)
            )
            drop_checkpoints_of_cancelled(connection)
        if changed is None:
            run = self.get_run(run_id)
            raise RunStateError(f"Run {run_id} cannot be cancelled: it is {run.status}. Nothing needs to be done.")

    def delete_run(self, run_id: int) -> None:
        """Deletes an ended run with everything that belongs to it.

        Raises:
            RunStateError: If it has not ended or ships with the project.
        """
        allowed = and_(runs_table.c.reference.is_(None), runs_table.c.status.not_in(UNFINISHED))
        with transaction(self.engine) as connection:
            statement = delete(runs_table).where(runs_table.c.id == run_id, allowed).returning(runs_table.c.id)
            deleted = connection.scalar(statement)
        if deleted is None:
            run = self.get_run(run_id)
            reason = "it ships with MNIST Dash" if run.is_reference else f"it is {run.status}; cancel it first"
            raise RunStateError(f"Run {run_id} cannot be deleted: {reason}.")

    def requeue_lost_runs(self, *, lost_after_s: float = LOST_AFTER_S) -> None:
        """Queues runs again whose worker has not been heard of, or cancels them if that was wanted."""
        lost = and_(runs_table.c.status == RUNNING, runs_table.c.heartbeat_at < self.clock() - lost_after_s)
        wanted = runs_table.c.cancel_wanted
        if not read(self.engine, select(runs_table.c.id).where(lost)):
            return
        with transaction(self.engine) as connection:
            connection.execute(
                update(runs_table)
                .where(lost)
                .values(
                    status=case((wanted, CANCELLED), else_=QUEUED),
                    finished_at=case((wanted, self.clock()), else_=None),
                    claim=None,
                    progress=None,
                )
            )
            drop_checkpoints_of_cancelled(connection)

    # Reading

    def get_run(self, run_id: int) -> Run:
        """Returns one run.

        Raises:
            RunNotFoundError: If there is no such run.
        """
        rows = read(self.engine, select(runs_table).where(runs_table.c.id == run_id)) if 0 < run_id <= _MAX_ID else []
        if not rows:
            raise RunNotFoundError(
                f"There is no run {run_id}. The Train page and `python -m mnist_dash runs` list all that exist."
            )
        return as_run(rows[0])

    def list_runs(self, *, statuses: Sequence[str] = ()) -> list[Run]:
        """Returns all runs, or those in the given states, newest first."""
        wanted = runs_table.c.status.in_(statuses) if statuses else runs_table.c.id > 0
        newest_first = (runs_table.c.created_at.desc(), runs_table.c.id.desc())
        return [as_run(row) for row in read(self.engine, select(runs_table).where(wanted).order_by(*newest_first))]

    def find_run(self, name: str) -> Run:
        """Returns the run of this number, or the best finished run of this variant.

        Best is the highest test accuracy on the largest data set.

        Raises:
            RunNotFoundError: If there is none.
        """
        if name.isdecimal() and name.isascii():
            return self.get_run(int(name[:12]))
        runs = [run for run in self.list_runs(statuses=[DONE]) if run.variant == name]
        if not runs:
            known = f"“{name}” is neither a run's number nor one of {', '.join(VARIANTS)}"
            missing = f"No run of {name} has finished; train one with `python -m mnist_dash train {name}`"
            raise RunNotFoundError(f"{missing if name in VARIANTS else known}.")
        return max(runs, key=lambda run: (run.dataset == "mnist", run.test_accuracy or 0.0))

    def list_epochs(self, run_id: int) -> list[Epoch]:
        """Returns the finished epochs of a run in their order."""
        return self.epochs_of([run_id])[run_id]

    def epochs_of(self, run_ids: Sequence[int]) -> dict[int, list[Epoch]]:
        """Returns the finished epochs of several runs, by run, in one query."""
        statement = select(epochs_table).where(epochs_table.c.run_id.in_(run_ids)).order_by(epochs_table.c.number)
        found: dict[int, list[Epoch]] = {run_id: [] for run_id in run_ids}
        for row in read(self.engine, statement):
            fields = dict(row._mapping)
            found[fields.pop("run_id")].append(Epoch(**fields))
        return found

    def read_artifact(self, run_id: int, name: str) -> bytes:
        """Returns an artifact's bytes.

        Raises:
            RunNotFoundError: If the run has no such artifact.
        """
        content = self.find_artifact(run_id, name)
        if content is None:
            raise RunNotFoundError(f"Run {run_id} has no {name}: only a finished run has. Choose one that is done.")
        return content

    def find_artifact(self, run_id: int, name: str) -> bytes | None:
        """Returns an artifact's bytes, or None if the run has no such artifact."""
        of_run = and_(artifacts_table.c.run_id == run_id, artifacts_table.c.name == name)
        rows = read(self.engine, select(artifacts_table.c.content).where(of_run))
        return bytes(rows[0].content) if rows else None

    # Shared by the above

    def _claimed(self) -> dict[str, Any]:
        now = self.clock()
        return {"status": RUNNING, "claim": uuid.uuid4().hex, "attempt": 1, "started_at": now, "heartbeat_at": now}

    def _change_claimed(
        self,
        run_id: int,
        claim: str,
        values: Mapping[str, Any],
        *,
        connection: Any = None,
        returning: ColumnElement[Any] = runs_table.c.id,
    ) -> Any:
        if connection is None:
            with transaction(self.engine) as own:
                return self._change_claimed(run_id, claim, values, connection=own, returning=returning)
        ours = and_(runs_table.c.id == run_id, runs_table.c.claim == claim, runs_table.c.status == RUNNING)
        row = connection.execute(update(runs_table).where(ours).values(values).returning(returning)).first()
        if row is None:
            raise RunStateError(
                f"Run {run_id} no longer belongs to this worker: it was given to another one, ended or deleted."
            )
        return row[0]

    def _end(self, run_id: int, claim: str, values: Mapping[str, Any], artifacts: Mapping[str, bytes]) -> None:
        checkpoint = and_(artifacts_table.c.run_id == run_id, artifacts_table.c.name == CHECKPOINT)
        with transaction(self.engine) as connection:
            self._change_claimed(run_id, claim, values, connection=connection)
            write_artifacts(connection, run_id, artifacts)
            connection.execute(delete(artifacts_table).where(checkpoint))
