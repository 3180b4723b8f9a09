"""Who owns what: everything of a visitor whose name has changed goes with them."""

from sqlalchemy import select, update

from mnist_dash.store.database import read, transaction
from mnist_dash.store.run_store import RunStore
from mnist_dash.store.schema import datasets_table, experiments_table, kept_digits_table, robustness_table, runs_table

_OWNED = (runs_table, experiments_table, kept_digits_table, robustness_table, datasets_table)


def adopt(store: RunStore, earlier: str, owner: str) -> None:
    """Gives everything of one owner to another, in one transaction; nothing happens if there is nothing."""
    if not any(read(store.engine, select(table.c.owner).where(table.c.owner == earlier).limit(1)) for table in _OWNED):
        return
    with transaction(store.engine) as connection:
        for table in _OWNED:
            connection.execute(update(table).where(table.c.owner == earlier).values(owner=owner))
