"""RunStore: create, claim, follow, finish and take back runs, each change one transaction."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from sqlalchemy import and_, case, delete, func, insert, or_, select, update

from mnist_dash.errors import RunStateError
from mnist_dash.networks.experiments import PlannedRun, experiment_title
from mnist_dash.networks.hyperparameters import Value
from mnist_dash.networks.variants import get_variant
from mnist_dash.store.claims import RunClaims
from mnist_dash.store.records import (
    CANCELLED,
    CHECKPOINT,
    DONE,
    FAILED,
    PAUSED,
    QUEUED,
    RUNNING,
    UNFINISHED,
    Epoch,
    Run,
)
from mnist_dash.store.rows import (
    copy_training,
    delete_empty_experiments,
    drop_checkpoints_of_cancelled,
    write_artifacts,
)
from mnist_dash.store.schema import (
    artifacts_table,
    epochs_table,
    experiments_table,
    lock,
    read,
    runs_table,
    transaction,
)

LOST_AFTER_S = 12.0  # a worker beats several times a second; compiling a network holds it up for seconds
MAX_LOST = 5
_WORKER_DIED = (
    f"Its worker died {MAX_LOST} times in the same epoch. It may need more memory than there is: "
    "choose smaller batches or a smaller network, or try again."
)


class RunStore(RunClaims):
    """All runs of one database, to read and to change."""

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
        """Adds one run; the arguments are those of `create_runs`."""
        planned = [PlannedRun(variant, settings)]
        data = {"dataset": dataset, "fingerprint": fingerprint}
        return self.create_runs(planned, **data, owner=owner, max_unfinished=max_unfinished, claim=claim)[0]

    def create_runs(
        self,
        planned: Sequence[PlannedRun],
        *,
        dataset: str,
        fingerprint: str,
        owner: str = "",
        max_unfinished: int | None = None,
        claim: bool = False,
    ) -> list[Run]:
        """Adds queued runs, or such that the caller trains itself; several are an experiment.

        Args:
            planned: Their networks and checked settings.
            dataset: Name of the data set that they are to learn.
            fingerprint: The data set's checksum; the worker must find the same data.
            owner: The visitor who wants them.
            max_unfinished: Unfinished runs that this owner may have, these included.
            claim: Start them as running, claimed by the caller, so that no worker takes them.

        Returns:
            The runs in the order of `planned`.

        Raises:
            RunStateError: If the owner would have more unfinished runs than allowed;
                then none is added.
        """
        now = self.clock()
        shared = {"dataset": dataset, "fingerprint": fingerprint, "owner": owner, "created_at": now}
        with transaction(self.engine) as connection:
            if max_unfinished is not None:
                lock(connection, f"owner {owner}")
                _check_room(connection, owner, len(planned), max_unfinished)
            if len(planned) > 1:
                experiment = {"title": experiment_title(planned), "owner": owner, "created_at": now}
                added = insert(experiments_table).values(experiment).returning(experiments_table.c.id)
                shared["experiment_id"] = connection.scalar(added)
            ids = [
                connection.scalar(insert(runs_table).values(values).returning(runs_table.c.id))
                for run in planned
                for values in [{**shared, "variant": run.variant, "settings": dict(run.settings), "status": QUEUED}]
                for values in [{**values, **(self._claimed() if claim else {})}]
            ]
        return [self.get_run(int(run_id or 0)) for run_id in ids]

    def continue_run(self, run_id: int, epochs: int, *, owner: str = "", max_unfinished: int | None = None) -> Run:
        """Adds a queued run that goes on where an ended one stopped; the ended one stays as it is.

        Args:
            run_id: A run that is done and has a checkpoint.
            epochs: How many epochs it is to have in all.
            owner: The visitor who wants it.
            max_unfinished: Unfinished runs that this owner may have, this one included.

        Raises:
            RunStateError: If the run cannot be continued, or the owner has too many.
            VariantError: If there cannot be so many epochs.
        """
        run = self.get_run(run_id)
        settings = get_variant(run.variant).check({**run.settings, "epochs": epochs})
        values = {name: getattr(run, name) for name in ("variant", "dataset", "fingerprint")}
        values |= {"settings": settings, "owner": owner, "created_at": self.clock(), "status": QUEUED}
        with transaction(self.engine) as connection:
            if max_unfinished is not None:
                lock(connection, f"owner {owner}")
                _check_room(connection, owner, 1, max_unfinished)
            _check_continued(connection, run, epochs)
            new = insert(runs_table).values({**values, "continues": run_id}).returning(runs_table.c.id)
            new_id = int(connection.scalar(new) or 0)
            copy_training(connection, run_id, new_id)
        return self.get_run(new_id)

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

    # What the user and the queue may do

    def cancel_run(self, run_id: int) -> None:
        """Cancels a waiting or paused run at once and asks the worker of a running one to stop.

        Raises:
            RunStateError: If the run has ended.
        """
        self._ask(run_id, CANCELLED, of=UNFINISHED, otherwise="Nothing needs to be done")

    def pause_run(self, run_id: int) -> None:
        """Pauses a queued run at once and asks the worker of a running one to stop and keep everything.

        Raises:
            RunStateError: If the run is neither queued nor running.
        """
        self._ask(run_id, PAUSED, of=(QUEUED, RUNNING), otherwise="Only what is queued or running can")

    def _ask(self, run_id: int, wanted: str, *, of: Sequence[str], otherwise: str) -> None:
        running = runs_table.c.status == RUNNING
        values: dict[str, Any] = {
            "wanted": case((running, wanted), else_=None),
            "status": case((running, RUNNING), else_=wanted),
        }
        asked = and_(runs_table.c.id == run_id, runs_table.c.status.in_(of))
        if wanted == CANCELLED:
            values["finished_at"] = case((running, None), else_=self.clock())
        else:
            asked = and_(asked, runs_table.c.wanted.is_distinct_from(CANCELLED))
        with transaction(self.engine) as connection:
            changed = connection.scalar(update(runs_table).where(asked).values(values).returning(runs_table.c.id))
            drop_checkpoints_of_cancelled(connection)
        if changed is None:
            run = self.get_run(run_id)
            status = "being cancelled" if run.wanted == CANCELLED else run.status
            raise RunStateError(f"Run {run_id} cannot be {wanted}: it is {status}. {otherwise}.")

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
        asked = or_(runs_table.c.status.in_((PAUSED, FAILED)), and_(running, runs_table.c.wanted == PAUSED))
        status = case((running, RUNNING), else_=QUEUED)
        values: dict[str, Any] = {"status": status, "wanted": None, "error": None, "finished_at": None, "lost": 0}
        values |= {"attempt": runs_table.c.attempt + 1}  # the queue submits each attempt once
        owner = self.get_run(run_id).owner
        with transaction(self.engine) as connection:
            if max_unfinished is not None:
                lock(connection, f"owner {owner}")
                failed = and_(runs_table.c.id == run_id, runs_table.c.status == FAILED)
                new = connection.scalar(select(func.count()).where(failed)) or 0
                _check_room(connection, owner, new, max_unfinished)
            statement = update(runs_table).where(runs_table.c.id == run_id, asked).values(values)
            changed = connection.scalar(statement.returning(runs_table.c.id))
        if changed is None:
            status_now = self.get_run(run_id).status
            raise RunStateError(
                f"Run {run_id} cannot be resumed: it is {status_now}. Only what is paused or failed can."
            )

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

    def requeue_lost_runs(self, *, lost_after_s: float = LOST_AFTER_S) -> None:
        """Queues runs again whose worker has not been heard of, or stops them if that was wanted.

        A run whose worker dies again and again in the same epoch ends as failed.
        """
        lost = and_(runs_table.c.status == RUNNING, runs_table.c.heartbeat_at < self.clock() - lost_after_s)
        if not read(self.engine, select(runs_table.c.id).where(lost)):
            return
        stopped, hopeless = runs_table.c.wanted.is_not(None), runs_table.c.lost >= MAX_LOST - 1
        values = {
            "status": case((stopped, runs_table.c.wanted), (hopeless, FAILED), else_=QUEUED),
            "finished_at": case(
                (runs_table.c.wanted == PAUSED, None), (or_(stopped, hopeless), self.clock()), else_=None
            ),
            "error": case((stopped, None), (hopeless, _WORKER_DIED), else_=None),
            "lost": runs_table.c.lost + 1,
            "wanted": None,
            "claim": None,
            "progress": None,
        }
        with transaction(self.engine) as connection:
            connection.execute(update(runs_table).where(lost).values(values))
            drop_checkpoints_of_cancelled(connection)


def _check_continued(connection: Any, run: Run, epochs: int) -> None:
    """Makes sure, and that it stays so until the transaction ends, that a run can be continued."""
    locked = select(runs_table.c.status).where(runs_table.c.id == run.id).with_for_update(read=True)
    trained = connection.scalar(select(func.count()).where(epochs_table.c.run_id == run.id)) or 0
    kept = and_(artifacts_table.c.run_id == run.id, artifacts_table.c.name == CHECKPOINT)
    reason = None
    if (status := connection.scalar(locked)) != DONE:
        reason = f"it is {status or 'deleted'}, not done"
    elif not connection.scalar(select(func.count()).where(kept)):
        reason = "it keeps no optimizer state"
    elif epochs <= trained:
        reason = f"it has {trained} epochs, and {epochs} are not more"
    if reason:
        raise RunStateError(f"Run {run.id} cannot be continued: {reason}. Start a new run instead.")


def _check_room(connection: Any, owner: str, wanted: int, allowed: int) -> None:
    unfinished = and_(runs_table.c.owner == owner, runs_table.c.status.in_(UNFINISHED))
    count = connection.scalar(select(func.count()).where(unfinished)) or 0
    if wanted and count + wanted > allowed:
        more = f" and want {wanted} more" if wanted > 1 else ""
        raise RunStateError(
            f"You have {count} unfinished runs{more}, and {allowed} is the most here. "
            "Wait until one ends, or cancel one."
        )
