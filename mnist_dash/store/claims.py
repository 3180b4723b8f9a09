"""RunClaims: a worker's part of the store."""

import uuid
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from sqlalchemy import ColumnElement, Float, and_, case, cast, func, insert, update

from mnist_dash.errors import RunStateError
from mnist_dash.store.queries import RunReader
from mnist_dash.store.records import CANCELLED, DONE, FAILED, PAUSED, QUEUED, RUNNING, Epoch, Progress, Result, Run
from mnist_dash.store.rows import as_json, drop_checkpoints_of_cancelled, write_artifacts
from mnist_dash.store.schema import epochs_table, runs_table, transaction


class RunClaims(RunReader):
    """What a worker may change: every call names its claim, so a worker that was given up changes nothing."""

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

    def beat(self, run_id: int, claim: str, progress: Progress | None) -> str | None:
        """Says that the worker lives and how far it is.

        Returns:
            The state that the run is wanted in, `PAUSED` or `CANCELLED`; None to go on.

        Raises:
            RunStateError: If the run was given to another worker or has ended.
        """
        values = {"heartbeat_at": self.clock(), "progress": as_json(progress) if progress else None}
        wanted = self._change_claimed(run_id, claim, values, returning=runs_table.c.wanted)
        return str(wanted) if wanted else None

    def record_epoch(self, run_id: int, claim: str, epoch: Epoch, artifacts: Mapping[str, bytes]) -> None:
        """Adds a finished epoch together with what training goes on from."""
        with transaction(self.engine) as connection:
            self._change_claimed(run_id, claim, {"heartbeat_at": self.clock(), "lost": 0}, connection=connection)
            connection.execute(insert(epochs_table).values(run_id=run_id, **asdict(epoch)))
            write_artifacts(connection, run_id, artifacts)

    def finish_run(self, run_id: int, claim: str, result: Result, artifacts: Mapping[str, bytes]) -> None:
        """Marks a run done, with its result and artifacts, in one transaction."""
        values = {"status": DONE, "wanted": None, **asdict(result)}
        self._end(run_id, claim, values, artifacts)

    def fail_run(self, run_id: int, claim: str, error: str) -> None:
        """Marks a run failed, with the reason in words; it may be tried again from its last epoch."""
        self._end(run_id, claim, {"status": FAILED, "wanted": None, "error": error}, {})

    def stop_run(self, run_id: int, claim: str, status: str, artifacts: Mapping[str, bytes]) -> None:
        """Marks a running run paused or cancelled, once its worker has stopped.

        A run that was cancelled after its worker had heard of a pause is cancelled, and one
        whose pause was taken back in that time is queued again.

        Args:
            run_id: The run.
            claim: Its claim.
            status: `PAUSED` or `CANCELLED`.
            artifacts: What a paused run goes on from.
        """
        ended: dict[str, Any] = {"status": status}
        if status == PAUSED:
            ended["progress"] = runs_table.c.progress  # a paused run shows how far it is
            cancelled, taken_back = runs_table.c.wanted == CANCELLED, runs_table.c.wanted.is_(None)
            ended["status"] = case((cancelled, CANCELLED), (taken_back, QUEUED), else_=PAUSED)
            ended["finished_at"] = case((cancelled, self.clock()), else_=cast(None, Float))
        self._end(run_id, claim, {**ended, "wanted": None}, artifacts)

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
        with transaction(self.engine) as connection:
            ended = {"progress": None, "finished_at": self.clock(), **values}
            self._change_claimed(run_id, claim, ended, connection=connection)
            write_artifacts(connection, run_id, artifacts)
            drop_checkpoints_of_cancelled(connection)
