"""Cleaning a store up: what is old goes, and finished runs that nobody continues lose what they could go on from."""

from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, Table, and_, delete, func, select

from mnist_dash.store.database import transaction
from mnist_dash.store.records import BEST_WEIGHTS, CHECKPOINT, DONE, UNFINISHED
from mnist_dash.store.rows import delete_empty_experiments
from mnist_dash.store.run_store import RunStore
from mnist_dash.store.schema import artifacts_table, datasets_table, kept_digits_table, runs_table

DAY_S = 86_400


@dataclass(frozen=True)
class Cleaned:
    """How much of each was removed, or would be."""

    runs: int
    digits: int
    datasets: int


def clean(store: RunStore, *, older_than_days: float, remove: bool) -> Cleaned:
    """Removes what is old, in one transaction: ended runs, digits of visitors who kept none since, unused datasets.

    Models that come with the project stay, and so does everything that waits, is paused or in training.

    Args:
        store: The store; others may go on using it.
        older_than_days: How old, in days since a run ended, or since a visitor last kept a digit.
        remove: Remove it; otherwise it is only counted.

    Raises:
        StoreError: If the store does not take the change; then nothing is removed.
    """
    before = store.clock() - DAY_S * older_than_days
    runs, digits, datasets = runs_table.c, kept_digits_table.c, datasets_table.c
    old_runs = and_(runs.reference.is_(None), runs.status.not_in(UNFINISHED), runs.finished_at < before)
    since = select(digits.owner).group_by(digits.owner).having(func.max(digits.created_at) >= before)
    old_digits = digits.owner.not_in(since)
    used = select(runs.dataset).where(runs.status.in_(UNFINISHED))
    old_datasets = and_(datasets.created_at < before, datasets.name.not_in(used))
    with transaction(store.engine) as connection:
        cleaned = Cleaned(
            *[
                _count_or_remove(connection, table, condition, remove=remove)
                for table, condition in (
                    (runs_table, old_runs),
                    (kept_digits_table, old_digits),
                    (datasets_table, old_datasets),
                )
            ]
        )
        if remove:
            delete_empty_experiments(connection)
    return cleaned


def _count_or_remove(connection: Connection, table: Table, condition: ColumnElement[bool], *, remove: bool) -> int:
    count = connection.scalar(select(func.count()).select_from(table).where(condition)) or 0
    if remove:
        connection.execute(delete(table).where(condition))
    return int(count)


def prune_checkpoints(connection: Connection, owner: str, kept: int) -> None:
    """Drops what an owner's finished runs could go on from, but for the newest; their models stay.

    Args:
        connection: In the transaction in which one of them finished.
        owner: Whose.
        kept: For how many runs it is kept.
    """
    runs = runs_table.c
    done = select(runs.id).where(runs.owner == owner, runs.status == DONE, runs.reference.is_(None))
    outdated = done.order_by(runs.finished_at.desc(), runs.id.desc()).offset(kept)
    if connection.dialect.name == "sqlite":
        outdated = outdated.limit(-1)
    training = artifacts_table.c.name.in_((CHECKPOINT, BEST_WEIGHTS))
    # In two steps, so that the database looks up artifacts by their run instead of going through all.
    ids = list(connection.scalars(outdated))
    connection.execute(delete(artifacts_table).where(artifacts_table.c.run_id.in_(ids), training))
