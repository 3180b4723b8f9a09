"""RunStore: all runs of one database, to read, to create, and to change as a user may; each change one transaction."""

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import and_, case, delete, func, insert, or_, select, update

from mnist_dash.datasets.mnist import DatasetInfo
from mnist_dash.errors import RunNotFoundError, RunStateError
from mnist_dash.networks.experiments import PlannedRun, experiment_title
from mnist_dash.networks.hyperparameters import Value
from mnist_dash.networks.variants import VARIANTS
from mnist_dash.store.leases import new_lease
from mnist_dash.store.limits import UNFINISHED_RUNS
from mnist_dash.store.records import (
    CANCELLED,
    DONE,
    FAILED,
    PAUSED,
    QUEUED,
    RUNNING,
    UNFINISHED,
    Epoch,
    Experiment,
    Run,
)
from mnist_dash.store.rows import as_run, custom_data, delete_empty_experiments, drop_checkpoints_of_cancelled
from mnist_dash.store.schema import (
    artifacts_table,
    epochs_table,
    experiments_table,
    lock,
    open_engine,
    read,
    runs_table,
    transaction,
)

_MAX_ID = 2**31 - 1


class RunStore:
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

    def list_runs(
        self,
        *,
        statuses: Sequence[str] = (),
        experiment_id: int | None = None,
        owner: str | None = None,
        limit: int | None = None,
    ) -> list[Run]:
        """Returns all runs, or those in the given states, of an experiment or an owner, newest first."""
        conditions = [runs_table.c.id > 0]
        if statuses:
            conditions.append(runs_table.c.status.in_(statuses))
        if experiment_id is not None:
            conditions.append(runs_table.c.experiment_id == experiment_id)
        if owner is not None:
            conditions.append(runs_table.c.owner == owner)
        statement = select(runs_table).where(*conditions).limit(limit)
        newest_first = statement.order_by(runs_table.c.created_at.desc(), runs_table.c.id.desc())
        return [as_run(row) for row in read(self.engine, newest_first)]

    def get_runs(self, run_ids: Collection[int]) -> list[Run]:
        """Returns those of these runs that there are."""
        return [as_run(row) for row in read(self.engine, select(runs_table).where(runs_table.c.id.in_(run_ids)))]

    def experiments(self, ids: Collection[int]) -> dict[int, Experiment]:
        """Returns experiments by their number; unknown ones are left out."""
        rows = read(self.engine, select(experiments_table).where(experiments_table.c.id.in_(ids)))
        return {row.id: Experiment(**row._mapping) for row in rows}

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

    def has_artifact(self, run_id: int, name: str) -> bool:
        """Says whether a run has an artifact, without reading it."""
        columns = artifacts_table.c
        return bool(read(self.engine, select(columns.run_id).where(columns.run_id == run_id, columns.name == name)))

    def find_artifact(self, run_id: int, name: str) -> bytes | None:
        """Returns an artifact's bytes, or None if the run has no such artifact."""
        columns = artifacts_table.c
        found = read(self.engine, select(columns.content).where(columns.run_id == run_id, columns.name == name))
        return bytes(found[0].content) if found else None

    def create_run(
        self,
        variant: str,
        settings: Mapping[str, Value],
        *,
        dataset: str,
        fingerprint: str,
        info: DatasetInfo | None = None,
        owner: str = "",
        max_unfinished: int | None = None,
        leased: bool = False,
    ) -> Run:
        """Adds one run; the arguments are those of `create_runs`."""
        options: dict[str, Any] = {"dataset": dataset, "fingerprint": fingerprint, "info": info, "leased": leased}
        planned = [PlannedRun(variant, settings)]
        return self.create_runs(planned, **options, owner=owner, max_unfinished=max_unfinished)[0]

    def create_runs(
        self,
        planned: Sequence[PlannedRun],
        *,
        dataset: str,
        fingerprint: str,
        info: DatasetInfo | None = None,
        owner: str = "",
        max_unfinished: int | None = None,
        leased: bool = False,
    ) -> list[Run]:
        """Adds queued runs, or such that the caller trains itself; several are an experiment.

        Args:
            planned: Their networks and checked settings.
            dataset: Name of the data set that they are to learn.
            fingerprint: The data set's checksum; the worker must find the same data.
            info: What else is known of it; may be left out for data that comes with the project.
            owner: The visitor who wants them.
            max_unfinished: Unfinished runs that this owner may have, these included.
            leased: Start them as running, leased by the caller, so that no worker takes them.

        Returns:
            The runs in the order of `planned`.

        Raises:
            RunStateError: If the owner would have too many unfinished runs; then none is added.
        """
        now = self.clock()
        shared: dict[str, Any] = {"dataset": dataset, "fingerprint": fingerprint, "custom_data": custom_data(info)}
        shared |= {"owner": owner, "created_at": now, "status": QUEUED}
        with transaction(self.engine) as connection:
            UNFINISHED_RUNS.check(connection, owner, len(planned), max_unfinished)
            if len(planned) > 1:
                experiment = {"title": experiment_title(planned), "owner": owner, "created_at": now}
                added = insert(experiments_table).values(experiment).returning(experiments_table.c.id)
                shared["experiment_id"] = connection.scalar(added)
            ids = []
            for run in planned:
                lease = {**new_lease(now), "started_at": now} if leased else {}
                values = {**shared, "variant": run.variant, "settings": dict(run.settings), **lease}
                ids.append(connection.scalar(insert(runs_table).values(values).returning(runs_table.c.id)))
        return [self.get_run(int(run_id or 0)) for run_id in ids]

    def cancel_run(self, run_id: int) -> None:
        """Cancels a waiting or paused run at once and asks the worker of a running one to stop.

        Raises:
            RunStateError: If the run has ended.
        """
        self._request(run_id, CANCELLED, of=UNFINISHED, otherwise="Nothing needs to be done")

    def pause_run(self, run_id: int) -> None:
        """Pauses a queued run at once and asks the worker of a running one to stop and keep everything.

        Raises:
            RunStateError: If the run is neither queued nor running.
        """
        self._request(run_id, PAUSED, of=(QUEUED, RUNNING), otherwise="Only what is queued or running can")

    def _request(self, run_id: int, status: str, *, of: Sequence[str], otherwise: str) -> None:
        running = runs_table.c.status == RUNNING
        values: dict[str, Any] = {
            "requested_status": case((running, status), else_=None),
            "status": case((running, RUNNING), else_=status),
        }
        asked = and_(runs_table.c.id == run_id, runs_table.c.status.in_(of))
        if status == CANCELLED:
            values["finished_at"] = case((running, None), else_=self.clock())
        else:
            asked = and_(asked, runs_table.c.requested_status.is_distinct_from(CANCELLED))
        with transaction(self.engine) as connection:
            changed = connection.scalar(update(runs_table).where(asked).values(values).returning(runs_table.c.id))
            drop_checkpoints_of_cancelled(connection)
        if changed is None:
            run = self.get_run(run_id)
            now = "being cancelled" if run.requested_status == CANCELLED else run.status
            raise RunStateError(f"Run {run_id} cannot be {status}: it is {now}. {otherwise}.")

    def resume_run(self, run_id: int, *, max_unfinished: int | None = None) -> None:
        """Queues a paused or failed run again, to go on from where it stopped; or takes a pause back.

        Args:
            run_id: The run.
            max_unfinished: Unfinished runs that its owner may have, this one included.

        Raises:
            RunStateError: If the run is neither paused nor failed, nor about to be paused, or
                its owner has too many.
        """
        running = runs_table.c.status == RUNNING
        asked = or_(runs_table.c.status.in_((PAUSED, FAILED)), and_(running, runs_table.c.requested_status == PAUSED))
        status = case((running, RUNNING), else_=QUEUED)
        values: dict[str, Any] = dict.fromkeys(("requested_status", "error", "finished_at"))
        values |= {"status": status, "lost": 0, "attempt": runs_table.c.attempt + 1}  # each attempt is submitted once
        owner = self.get_run(run_id).owner
        with transaction(self.engine) as connection:
            failed = and_(runs_table.c.id == run_id, runs_table.c.status == FAILED)
            new = connection.scalar(select(func.count()).where(failed)) or 0  # what is paused counts already
            UNFINISHED_RUNS.check(connection, owner, new, max_unfinished)
            statement = update(runs_table).where(runs_table.c.id == run_id, asked).values(values)
            changed = connection.scalar(statement.returning(runs_table.c.id))
        if changed is None:
            now = self.get_run(run_id).status
            raise RunStateError(f"Run {run_id} cannot be resumed: it is {now}. Only what is paused or failed can.")

    def delete_run(self, run_id: int) -> None:
        """Deletes an ended run with everything that belongs to it.

        Raises:
            RunStateError: If it has not ended or ships with the project.
        """
        allowed = and_(runs_table.c.reference.is_(None), runs_table.c.status.not_in(UNFINISHED))
        with transaction(self.engine) as connection:
            lock(connection, "experiments")  # else of the last two runs, deleted at once, each would see the other
            statement = delete(runs_table).where(runs_table.c.id == run_id, allowed).returning(runs_table.c.id)
            deleted = connection.scalar(statement)
            delete_empty_experiments(connection)
        if deleted is None:
            run = self.get_run(run_id)
            reason = "it ships with MNIST Dash" if run.is_reference else f"it is {run.status}; cancel it first"
            raise RunStateError(f"Run {run_id} cannot be deleted: {reason}.")
