"""RunFinder: some of very many runs, found by the database; and the tags by which people find them."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, and_, delete, func, insert, or_, select

from mnist_dash.errors import RunStateError
from mnist_dash.runs.records import MODEL_TFLITE, Experiment, Run
from mnist_dash.runs.rows import as_run
from mnist_dash.runs.store import RunStore
from mnist_dash.runs.tables import (
    artifacts_table,
    experiments_table,
    read,
    runs_table,
    tags_table,
    transaction,
)

NEWEST = "newest"
# What runs can be sorted by: from names of columns to whether more is better.
SORTED_BY = {"test_accuracy": True, "test_loss": False, "weights": False, "fit_seconds": False, "prediction_ms": False}
MAX_TAGS = 8  # of one run
MAX_TAG_LENGTH = 32
_MOST_DIGITS = 10  # what has more is no number of a run


@dataclass(frozen=True)
class Wanted:
    """Which runs are looked for.

    Attributes:
        words: Each must be the number of a run, or stand in its network, a tag or the title of its experiment.
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


class RunFinder:
    """Finds and tags the runs of one store.

    Args:
        store: The open store. Closing it closes this too.
    """

    def __init__(self, store: RunStore):
        self._engine = store.engine

    def find(self, wanted: Wanted, *, limit: int) -> list[Run]:
        """Returns the first runs that are looked for, at most `limit`."""
        statement = select(runs_table).outerjoin(experiments_table)
        statement = statement.where(*_conditions(wanted)).order_by(*_order(wanted)).limit(limit)
        return [as_run(row) for row in read(self._engine, statement)]

    def references(self) -> list[Run]:
        """Returns all runs that ship with the project."""
        return [
            as_run(row) for row in read(self._engine, select(runs_table).where(runs_table.c.reference.is_not(None)))
        ]

    def count(self, wanted: Wanted) -> int:
        """Returns how many runs are looked for."""
        joined = runs_table.outerjoin(experiments_table)
        statement = select(func.count()).select_from(joined).where(*_conditions(wanted))
        return int(read(self._engine, statement)[0][0])

    def experiments(self, *, statuses: Collection[str], limit: int) -> list[Experiment]:
        """Returns the newest experiments with at least one run in one of these states."""
        of_these = select(runs_table.c.experiment_id).where(runs_table.c.status.in_(statuses))
        statement = select(experiments_table).where(experiments_table.c.id.in_(of_these))
        rows = read(self._engine, statement.order_by(experiments_table.c.id.desc()).limit(limit))
        return [Experiment(**row._mapping) for row in rows]

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

    def set_tags(self, run_id: int, names: Sequence[str]) -> None:
        """Gives a run these tags in place of those that it has; a run that was deleted gets none.

        Raises:
            RunStateError: If there are too many, or one is too long.
        """
        tags = sorted({"".join(filter(str.isprintable, name)).strip() for name in names} - {""})
        if len(tags) > MAX_TAGS or any(len(tag) > MAX_TAG_LENGTH for tag in tags):
            raise RunStateError(
                f"A run can have {MAX_TAGS} tags of at most {MAX_TAG_LENGTH} characters. Use fewer or shorter ones."
            )
        with transaction(self._engine) as connection:
            exists = connection.scalar(select(runs_table.c.id).where(runs_table.c.id == run_id).with_for_update())
            connection.execute(delete(tags_table).where(tags_table.c.run_id == run_id))
            if exists and tags:
                connection.execute(insert(tags_table), [{"run_id": run_id, "name": tag} for tag in tags])


def _conditions(wanted: Wanted) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = [_has_word(word) for word in wanted.words.split()[:8]]
    if wanted.statuses:
        found.append(runs_table.c.status.in_(wanted.statuses))
    if wanted.variant:
        found.append(runs_table.c.variant == wanted.variant)
    if wanted.tag:
        found.append(runs_table.c.id.in_(select(tags_table.c.run_id).where(tags_table.c.name == wanted.tag)))
    return found


def _numbers(words: str) -> list[int]:
    return [int(word) for word in words.split() if word.isdecimal() and word.isascii() and len(word) < _MOST_DIGITS]


def _has_word(word: str) -> ColumnElement[bool]:
    tagged = select(tags_table.c.run_id).where(tags_table.c.name.icontains(word, autoescape=True))
    return or_(
        runs_table.c.id.in_(_numbers(word)),
        runs_table.c.variant.icontains(word, autoescape=True),
        experiments_table.c.title.icontains(word, autoescape=True),
        runs_table.c.id.in_(tagged),
    )


def _order(wanted: Wanted) -> list[Any]:
    numbers = _numbers(wanted.words)
    order: list[Any] = [runs_table.c.id.in_(numbers).desc()] if numbers else []  # run 32 before all Dense 32
    if wanted.sorted_by in SORTED_BY:
        column = runs_table.c[wanted.sorted_by]
        order += [column.is_(None), column.desc() if SORTED_BY[wanted.sorted_by] else column]
    return [*order, runs_table.c.id.desc()]
