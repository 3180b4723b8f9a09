"""RunReader: all runs of one database, to read."""

from collections.abc import Collection, Sequence

from sqlalchemy import Engine, select

from mnist_dash.errors import RunNotFoundError
from mnist_dash.networks.variants import VARIANTS
from mnist_dash.store.database import read
from mnist_dash.store.records import DONE, Epoch, Experiment, Run
from mnist_dash.store.rows import as_run
from mnist_dash.store.schema import artifacts_table, epochs_table, experiments_table, runs_table

_MAX_ID = 2**31 - 1


class RunReader:
    """What can be read of all runs of one database.

    Attributes:
        engine: The open database.
    """

    engine: Engine

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
