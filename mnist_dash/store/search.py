"""RunFinder: some of very many runs, found by the database; and the tags by which people find them."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, and_, delete, exists, func, insert, or_, select

from mnist_dash.errors import RunStateError
from mnist_dash.store.database import read, transaction
from mnist_dash.store.records import MODEL_TFLITE, STATUSES, Experiment, Run
from mnist_dash.store.rows import as_run
from mnist_dash.store.run_store import RunStore
from mnist_dash.store.schema import artifacts_table, experiments_table, runs_table, tags_table
from mnist_dash.store.visitors import OPERATOR, Visitor

NEWEST = "newest"
# What runs can be sorted by: from names of columns to whether more is better.
SORTED_BY = {"test_accuracy": True, "test_loss": False, "weights": False, "fit_seconds": False, "prediction_ms": False}
MAX_TAGS = 8  # of one run
MAX_TAG_LENGTH = 32
_MOST_DIGITS = 10  # what has more is no number of a run


@dataclass(frozen=True)
class RunQuery:
    """Which runs to find.

    Attributes:
        words: Each must be the number of a run or of its experiment, or stand in its network, a tag or the title of
            its experiment.
        statuses: States; empty for all.
        variant: Name of the network; empty for all.
        tag: A tag; empty for all.
        sorted_by: `NEWEST` or a key of `SORTED_BY`; the best come first.
    """

    words: str = ""
    statuses: tuple[str, ...] = ()
    variant: str = ""
    tag: str = ""
    sorted_by: str = NEWEST


@dataclass(frozen=True)
class FoundExperiment:
    """An experiment with how many runs it has, and their highest test accuracy as soon as there is one."""

    experiment: Experiment
    runs: int
    best: float | None


class RunFinder:
    """Finds and tags the runs of one store.

    Args:
        store: The open store. Closing it closes this too.
    """

    def __init__(self, store: RunStore):
        self._engine = store.engine

    def find(self, query: RunQuery, *, limit: int) -> list[Run]:
        """Returns the first runs that match, at most `limit`."""
        statement = select(runs_table).outerjoin(experiments_table)
        statement = statement.where(*_conditions(query)).order_by(*_order(query)).limit(limit)
        return [as_run(row) for row in read(self._engine, statement)]

    def references(self) -> list[Run]:
        """Returns all runs that ship with the project."""
        marked = runs_table.c.reference > ""  # IS NOT NULL would read all rows; this reads the index
        return [as_run(row) for row in read(self._engine, select(runs_table).where(marked))]

    def count(self, query: RunQuery) -> int:
        """Returns how many runs match."""
        joined = runs_table.outerjoin(experiments_table)
        statement = select(func.count()).select_from(joined).where(*_conditions(query))
        return int(read(self._engine, statement)[0][0])

    def experiments(self, query: RunQuery, *, limit: int) -> list[FoundExperiment]:
        """Returns the newest experiments with at least one run that matches, at most `limit`."""
        fits = exists().where(runs_table.c.experiment_id == experiments_table.c.id, *_conditions(query))
        statement = select(experiments_table).where(fits).order_by(experiments_table.c.id.desc()).limit(limit)
        found = [Experiment(**row._mapping) for row in read(self._engine, statement)]
        best = func.max(runs_table.c.test_accuracy)
        of_these = runs_table.c.experiment_id.in_([experiment.id for experiment in found])
        grouped = select(runs_table.c.experiment_id, func.count(), best).where(of_these)
        rows = {row[0]: row[1:] for row in read(self._engine, grouped.group_by(runs_table.c.experiment_id))}
        return [FoundExperiment(experiment, *rows[experiment.id]) for experiment in found if experiment.id in rows]

    def model_bytes(self, run_ids: Collection[int]) -> dict[int, int]:
        """Returns the size of each run's LiteRT model file, in bytes; runs without one are left out."""
        of_these = and_(artifacts_table.c.run_id.in_(run_ids), artifacts_table.c.name == MODEL_TFLITE)
        statement = select(artifacts_table.c.run_id, func.length(artifacts_table.c.content)).where(of_these)
        return {row[0]: int(row[1]) for row in read(self._engine, statement)}

    def tags(self) -> list[str]:
        """Returns all tags that some run has, in the order of the alphabet."""
        statement = select(tags_table.c.name).distinct().order_by(tags_table.c.name)
        return [row.name for row in read(self._engine, statement)]

    def tags_of(self, run_ids: Collection[int]) -> dict[int, list[str]]:
        """Returns the tags of runs, by run, in the order of the alphabet."""
        statement = select(tags_table).where(tags_table.c.run_id.in_(run_ids)).order_by(tags_table.c.name)
        found: dict[int, list[str]] = {run_id: [] for run_id in run_ids}
        for row in read(self._engine, statement):
            found[row.run_id].append(row.name)
        return found

    def set_tags(self, run_id: int, names: Sequence[str], *, by: Visitor = OPERATOR) -> None:
        """Gives a run these tags in place of those that it has; a run that was deleted gets none.

        Raises:
            RunStateError: If there are too many, or one is too long.
            NotAllowedError: If it is somebody else's run.
        """
        tags = sorted({"".join(filter(str.isprintable, name)).strip() for name in names} - {""})
        if len(tags) > MAX_TAGS or any(len(tag) > MAX_TAG_LENGTH for tag in tags):
            raise RunStateError(
                f"A run can have {MAX_TAGS} tags of at most {MAX_TAG_LENGTH} characters. Use fewer or shorter ones."
            )
        with transaction(self._engine) as connection:
            owner = connection.scalar(select(runs_table.c.owner).where(runs_table.c.id == run_id).with_for_update())
            if owner is not None:
                by.check_owner(owner, f"Run {run_id}")
            connection.execute(delete(tags_table).where(tags_table.c.run_id == run_id))
            if owner is not None and tags:
                connection.execute(insert(tags_table), [{"run_id": run_id, "name": tag} for tag in tags])


def _conditions(query: RunQuery) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = [_has_word(word) for word in query.words.split()[:8]]
    if query.statuses:
        found.append(_has_status(query.statuses))
    if query.variant:
        found.append(runs_table.c.variant == query.variant)
    if query.tag:
        found.append(runs_table.c.id.in_(select(tags_table.c.run_id).where(tags_table.c.name == query.tag)))
    return found


def _has_status(statuses: Collection[str]) -> ColumnElement[bool]:
    if len(statuses) == 1:
        return runs_table.c.status.in_(statuses)
    # Said the other way round, or the database takes the index of the states and sorts all that it finds.
    return runs_table.c.status.not_in(set(STATUSES) - set(statuses))


def _numbers(words: str) -> list[int]:
    return [int(word) for word in words.split() if word.isdecimal() and word.isascii() and len(word) < _MOST_DIGITS]


def _has_word(word: str) -> ColumnElement[bool]:
    tagged = select(tags_table.c.run_id).where(tags_table.c.name.icontains(word, autoescape=True))
    return or_(
        runs_table.c.id.in_(_numbers(word)),
        experiments_table.c.id.in_(_numbers(word)),
        runs_table.c.variant.icontains(word, autoescape=True),
        experiments_table.c.title.icontains(word, autoescape=True),
        runs_table.c.id.in_(tagged),
    )


def _order(query: RunQuery) -> list[Any]:
    numbers = _numbers(query.words)
    order: list[Any] = [runs_table.c.id.in_(numbers).desc()] if numbers else []  # run 32 before all Dense 32
    if query.sorted_by in SORTED_BY:
        column = runs_table.c[query.sorted_by]
        order += [column.is_(None), column.desc() if SORTED_BY[query.sorted_by] else column]
    return [*order, runs_table.c.id.desc()]
