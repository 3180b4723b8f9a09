"""RunStore: all runs of one database, to read, to create, and to change as a user may; each change one transaction."""

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sqlalchemy import and_, case, delete, func, insert, or_, select, update

from mnist_dash.datasets.mnist import DatasetInfo
from mnist_dash.errors import RunStateError
from mnist_dash.networks.experiments import PlannedRun, experiment_title
from mnist_dash.networks.hyperparameters import Value
from mnist_dash.store.database import lock, open_engine, transaction
from mnist_dash.store.leases import new_lease
from mnist_dash.store.records import CANCELLED, FAILED, PAUSED, QUEUED, RUNNING, UNFINISHED, Run
from mnist_dash.store.rows import custom_data, delete_empty_experiments, drop_checkpoints_of_cancelled
from mnist_dash.store.run_reader import RunReader
from mnist_dash.store.schema import experiments_table, runs_table
from mnist_dash.store.visitors import OPERATOR, Visitor


class RunStore(RunReader):
    """All runs of one database, to read, to create, and to change as a user may; workers change `RunLeases`.

    Args:
        database_url: SQLAlchemy URL of an SQLite or PostgreSQL database.
        clock: Returns the time, Unix seconds.

    Attributes:
        engine: The open database.

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

    def create_run(
        self,
        variant: str,
        settings: Mapping[str, Value],
        *,
        dataset: str,
        fingerprint: str,
        info: DatasetInfo | None = None,
        by: Visitor = OPERATOR,
        leased: bool = False,
    ) -> Run:
        """Adds one run; the arguments are those of `create_runs`."""
        options: dict[str, Any] = {"dataset": dataset, "fingerprint": fingerprint, "info": info, "leased": leased}
        planned = [PlannedRun(variant, settings)]
        return self.create_runs(planned, **options, by=by)[0]

    def create_runs(
        self,
        planned: Sequence[PlannedRun],
        *,
        dataset: str,
        fingerprint: str,
        info: DatasetInfo | None = None,
        by: Visitor = OPERATOR,
        leased: bool = False,
    ) -> list[Run]:
        """Adds queued runs, or such that the caller trains itself; several are an experiment.

        Args:
            planned: Their networks and checked settings.
            dataset: Name of the data set that they are to learn.
            fingerprint: The data set's checksum; the worker must find the same data.
            info: What else is known of it; may be left out for data that comes with the project.
            by: The visitor who wants them.
            leased: Start them as running, leased by the caller, so that no worker takes them.

        Returns:
            The runs in the order of `planned`.

        Raises:
            RunStateError: If the visitor would have too many runs; then none is added.
            VariantError: If one would have more epochs than the visitor's runs may have.
        """
        now = self.clock()
        shared: dict[str, Any] = {"dataset": dataset, "fingerprint": fingerprint, "custom_data": custom_data(info)}
        shared |= {"owner": by.name, "created_at": now, "status": QUEUED}
        with transaction(self.engine) as connection:
            longest = max((int(run.settings.get("epochs", 0)) for run in planned), default=0)
            by.check_runs(connection, len(planned), epochs=longest)
            if len(planned) > 1:
                experiment = {"title": experiment_title(planned), "owner": by.name, "created_at": now}
                added = insert(experiments_table).values(experiment).returning(experiments_table.c.id)
                shared["experiment_id"] = connection.scalar(added)
            ids = []
            for run in planned:
                lease = {**new_lease(now), "started_at": now} if leased else {}
                values = {**shared, "variant": run.variant, "settings": dict(run.settings), **lease}
                ids.append(connection.scalar(insert(runs_table).values(values).returning(runs_table.c.id)))
        return [self.get_run(int(run_id or 0)) for run_id in ids]

    def cancel_run(self, run_id: int, *, by: Visitor = OPERATOR) -> None:
        """Cancels a waiting or paused run at once and asks the worker of a running one to stop.

        Raises:
            RunStateError: If the run has ended.
            NotAllowedError: If it is somebody else's.
        """
        self._request(run_id, by, CANCELLED, of=UNFINISHED, otherwise="Nothing needs to be done")

    def pause_run(self, run_id: int, *, by: Visitor = OPERATOR) -> None:
        """Pauses a queued run at once and asks the worker of a running one to stop and keep everything.

        Raises:
            RunStateError: If the run is neither queued nor running.
            NotAllowedError: If it is somebody else's.
        """
        self._request(run_id, by, PAUSED, of=(QUEUED, RUNNING), otherwise="Only what is queued or running can")

    def _request(self, run_id: int, by: Visitor, status: str, *, of: Sequence[str], otherwise: str) -> None:
        running = runs_table.c.status == RUNNING
        values: dict[str, Any] = {
            "requested_status": case((running, status), else_=None),
            "status": case((running, RUNNING), else_=status),
        }
        asked = and_(runs_table.c.id == run_id, by.owns(runs_table), runs_table.c.status.in_(of))
        if status == CANCELLED:
            values["finished_at"] = case((running, None), else_=self.clock())
        else:
            asked = and_(asked, runs_table.c.requested_status.is_distinct_from(CANCELLED))
        with transaction(self.engine) as connection:
            changed = connection.scalar(update(runs_table).where(asked).values(values).returning(runs_table.c.id))
            drop_checkpoints_of_cancelled(connection)
        if changed is None:
            run = self._refused(run_id, by)
            now = "being cancelled" if run.requested_status == CANCELLED else run.status
            raise RunStateError(f"Run {run_id} cannot be {status}: it is {now}. {otherwise}.")

    def resume_run(self, run_id: int, *, by: Visitor = OPERATOR) -> None:
        """Queues a paused or failed run again, to go on from where it stopped; or takes a pause back.

        Args:
            run_id: The run.
            by: The visitor who wants it.

        Raises:
            RunStateError: If the run is neither paused nor failed, nor about to be paused, or
                the visitor has too many.
            NotAllowedError: If it is somebody else's.
        """
        running = runs_table.c.status == RUNNING
        stopped = or_(runs_table.c.status.in_((PAUSED, FAILED)), and_(running, runs_table.c.requested_status == PAUSED))
        status = case((running, RUNNING), else_=QUEUED)
        values: dict[str, Any] = dict.fromkeys(("requested_status", "error", "finished_at"))
        values |= {"status": status, "lost": 0, "attempt": runs_table.c.attempt + 1}  # each attempt is submitted once
        with transaction(self.engine) as connection:
            failed = and_(runs_table.c.id == run_id, runs_table.c.status == FAILED)
            new = connection.scalar(select(func.count()).where(failed)) or 0  # what is paused counts already
            by.check_unfinished(connection, runs_table, new)
            asked = and_(runs_table.c.id == run_id, by.owns(runs_table), stopped)
            statement = update(runs_table).where(asked).values(values)
            changed = connection.scalar(statement.returning(runs_table.c.id))
        if changed is None:
            now = self._refused(run_id, by).status
            raise RunStateError(f"Run {run_id} cannot be resumed: it is {now}. Only what is paused or failed can.")

    def delete_run(self, run_id: int, *, by: Visitor = OPERATOR) -> None:
        """Deletes an ended run with everything that belongs to it.

        Raises:
            RunStateError: If it has not ended or ships with the project.
            NotAllowedError: If it is somebody else's.
        """
        allowed = and_(runs_table.c.reference.is_(None), runs_table.c.status.not_in(UNFINISHED), by.owns(runs_table))
        with transaction(self.engine) as connection:
            lock(connection, "experiments")  # else of the last two runs, deleted at once, each would see the other
            statement = delete(runs_table).where(runs_table.c.id == run_id, allowed).returning(runs_table.c.id)
            deleted = connection.scalar(statement)
            delete_empty_experiments(connection)
        if deleted is None:
            run = self._refused(run_id, by)
            reason = "it ships with MNIST Dash" if run.is_reference else f"it is {run.status}; cancel it first"
            raise RunStateError(f"Run {run_id} cannot be deleted: {reason}.")

    def _refused(self, run_id: int, by: Visitor) -> Run:
        """Returns a run that could not be changed, if the visitor may change it at all."""
        run = self.get_run(run_id)
        by.check_owner(run.owner, f"Run {run_id}")
        return run
