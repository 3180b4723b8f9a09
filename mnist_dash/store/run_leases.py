"""RunLeases: what the workers of runs may change, and what happens to runs whose worker was lost."""

import time
from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any

from sqlalchemy import Connection, Float, case, cast, func, insert, update

from mnist_dash.errors import RunStateError
from mnist_dash.store.cleaning import prune_checkpoints
from mnist_dash.store.database import transaction
from mnist_dash.store.leases import LOST_AFTER_S, MAX_LOST, Leases, Silence
from mnist_dash.store.records import CANCELLED, DONE, FAILED, PAUSED, QUEUED, Epoch, Progress, Result, Run
from mnist_dash.store.rows import as_json, as_run, drop_checkpoints_of_cancelled, write_artifacts
from mnist_dash.store.run_store import RunStore
from mnist_dash.store.schema import epochs_table, runs_table

_LEASES = Leases(
    runs_table,
    runs_table.c.id,
    "Run {}",
    f"Its worker died {MAX_LOST} times in the same epoch. It may need more memory than there is: "
    "choose smaller batches or a smaller network, or try again.",
)


class RunLeases:
    """The leases on the runs of one store; each change of a worker names its lease.

    Args:
        store: The open store. Closing it closes this too.
        steady_clock: Returns seconds, to measure how long workers are silent.
    """

    def __init__(self, store: RunStore, *, steady_clock: Callable[[], float] = time.monotonic):
        self._store = store
        self._silence = Silence(_LEASES, steady_clock)

    def acquire(self, run_id: int) -> Run:
        """Moves a queued run to running, for exactly one caller.

        Returns:
            The run, with the `lease` that the other calls need.

        Raises:
            RunNotFoundError: If there is no such run.
            RunStateError: If the run is not queued.
        """
        now = self._store.clock()
        values = {"started_at": func.coalesce(runs_table.c.started_at, now)}
        row = _LEASES.acquire(self._store.engine, run_id, now, values=values)
        if row is None:
            status = self._store.get_run(run_id).status
            raise RunStateError(
                f"Run {run_id} cannot start: it is {status}, and only a queued run can start. "
                "Start a new run with the same settings instead."
            )
        return as_run(row)

    def beat(self, run_id: int, lease: str, progress: Progress | None) -> str | None:
        """Says that the worker lives and how far it is.

        Returns:
            The status that was requested, `PAUSED` or `CANCELLED`; None to go on.

        Raises:
            RunStateError: If the lease is lost.
        """
        values = {"heartbeat_at": self._store.clock(), "progress": as_json(progress) if progress else None}
        with transaction(self._store.engine) as connection:
            requested = _LEASES.change(connection, run_id, lease, values).requested_status
        return str(requested) if requested else None

    def record_device(self, run_id: int, lease: str, device: str) -> None:
        """Says on which GPU or processor the run is trained from now on."""
        with transaction(self._store.engine) as connection:
            _LEASES.change(connection, run_id, lease, {"device": device})

    def record_epoch(self, run_id: int, lease: str, epoch: Epoch, artifacts: Mapping[str, bytes]) -> None:
        """Adds a finished epoch together with what training goes on from."""
        with transaction(self._store.engine) as connection:
            _LEASES.change(connection, run_id, lease, {"heartbeat_at": self._store.clock(), "lost": 0})
            connection.execute(insert(epochs_table).values(run_id=run_id, **asdict(epoch)))
            write_artifacts(connection, run_id, artifacts)

    def finish(
        self,
        run_id: int,
        lease: str,
        result: Result,
        artifacts: Mapping[str, bytes],
        *,
        kept_checkpoints: int | None = None,
    ) -> None:
        """Marks a run done, with its result and artifacts, in one transaction.

        Args:
            run_id: The run.
            lease: Its lease.
            result: What it reached.
            artifacts: Its models and predictions.
            kept_checkpoints: How many of its owner's finished runs keep what they could go on from; None for all.
        """
        ended = {"status": DONE, **asdict(result)}
        self._end(run_id, lease, ended, artifacts, kept_checkpoints=kept_checkpoints)

    def fail(self, run_id: int, lease: str, error: str) -> None:
        """Marks a run failed, with the reason in words; it may be tried again from its last epoch."""
        self._end(run_id, lease, {"status": FAILED, "error": error}, {})

    def stop(self, run_id: int, lease: str, status: str, artifacts: Mapping[str, bytes]) -> None:
        """Marks a running run paused, cancelled or queued again, once its worker has stopped.

        A run that was cancelled after its worker had heard of a pause is cancelled, and one
        whose pause was taken back in that time is queued again.

        Args:
            run_id: The run.
            lease: Its lease.
            status: `PAUSED`, `CANCELLED`, or `QUEUED` if the worker is to end.
            artifacts: What a run goes on from that is paused or queued again.
        """
        ended: dict[str, Any] = {"status": status}
        if status in (PAUSED, QUEUED):
            ended["progress"] = runs_table.c.progress  # it shows how far it is
            requested = runs_table.c.requested_status
            cancelled = requested == CANCELLED
            ended["status"] = case((cancelled, CANCELLED), (requested == PAUSED, PAUSED), else_=QUEUED)
            ended["finished_at"] = case((cancelled, self._store.clock()), else_=cast(None, Float))
        self._end(run_id, lease, ended, artifacts)

    def requeue_lost(self, *, lost_after_s: float = LOST_AFTER_S) -> None:
        """Queues runs again whose worker has not been heard of, or stops them if that was requested.

        A run whose worker dies again and again in the same epoch ends as failed. To be called again and
        again: how long a worker is silent counts from the first call that sees its last beat.
        """
        silent = self._silence.of(self._store.engine, lost_after_s)
        if silent is None:
            return
        now = self._store.clock()
        with transaction(self._store.engine) as connection:
            _stop_as_requested(connection, silent, now)
            values = {"progress": None, "finished_at": case((_LEASES.hopeless, now), else_=None)}
            lost = _LEASES.requeue(connection, silent, values)
            drop_checkpoints_of_cancelled(connection)
        _LEASES.log_lost(lost)

    def _end(
        self,
        run_id: int,
        lease: str,
        values: Mapping[str, Any],
        artifacts: Mapping[str, bytes],
        *,
        kept_checkpoints: int | None = None,
    ) -> None:
        ended = {"progress": None, "finished_at": self._store.clock(), "requested_status": None, **values}
        with transaction(self._store.engine) as connection:
            row = _LEASES.change(connection, run_id, lease, ended)
            write_artifacts(connection, run_id, artifacts)
            if kept_checkpoints is not None:
                prune_checkpoints(connection, row.owner, kept_checkpoints)
            drop_checkpoints_of_cancelled(connection)


def _stop_as_requested(connection: Connection, silent: Any, now: float) -> None:
    requested = runs_table.c.requested_status
    values = {
        "status": requested,
        "finished_at": case((requested == PAUSED, None), else_=now),
        "lost": runs_table.c.lost + 1,
        "requested_status": None,
        "lease": None,
        "progress": None,
    }
    connection.execute(update(runs_table).where(silent, requested.is_not(None)).values(values))
