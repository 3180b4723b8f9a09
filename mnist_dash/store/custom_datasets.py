"""CustomDatasets: data that visitors added, by name; what runs are trained on beside MNIST."""

import io
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection, and_, delete, func, insert, or_, select

from mnist_dash.datasets.arrays import read_arrays
from mnist_dash.datasets.custom_data import as_npz, describe
from mnist_dash.datasets.mnist import ARRAYS, Dataset
from mnist_dash.errors import DataError, StoreError
from mnist_dash.store.database import lock, read, transaction
from mnist_dash.store.records import UNFINISHED
from mnist_dash.store.run_store import RunStore
from mnist_dash.store.schema import datasets_table, runs_table
from mnist_dash.store.visitors import OPERATOR, Visitor

MAX_DATASETS = 50  # of one store: at most about 1.5 GB


@dataclass(frozen=True)
class CustomDataset:
    """What the store knows of data without reading it."""

    name: str
    fingerprint: str
    owner: str
    train: int
    test: int
    classes: tuple[str, ...]


class CustomDatasets:
    """The custom datasets of one store.

    Args:
        store: The open store.
    """

    def __init__(self, store: RunStore):
        self._store = store

    def add(self, dataset: Dataset, by: Visitor) -> None:
        """Adds a dataset, as one that everyone can see and train on.

        Args:
            dataset: From `read_custom`.
            by: The visitor, who alone may remove it on a shared dashboard.

        Raises:
            StoreError: If its name or its contents are there already, or there are too many.
        """
        info, content = dataset.info, as_npz(dataset)
        row = {"name": info.name, "fingerprint": info.fingerprint, "owner": by.name, "created_at": self._store.clock()}
        row |= {"train": info.train, "test": info.test, "classes": list(info.classes), "content": content}
        with transaction(self._store.engine) as connection:
            lock(connection, "datasets")
            same = or_(
                func.lower(datasets_table.c.name) == info.name.lower(), datasets_table.c.fingerprint == info.fingerprint
            )
            if taken := connection.scalar(select(datasets_table.c.name).where(same)):
                raise StoreError(f"A dataset “{taken}” with this name or these contents is there already. Choose it.")
            self._check_room(connection, by)
            connection.execute(insert(datasets_table).values(row))

    def _check_room(self, connection: Connection, by: Visitor) -> None:
        counted = select(func.count()).select_from(datasets_table)
        mine = counted.where(datasets_table.c.owner == by.name)
        allowed_mine = None if by.limits is None else by.limits.datasets
        for counting, allowed, whose in ((counted, MAX_DATASETS, "There are"), (mine, allowed_mine, "You have")):
            count = connection.scalar(counting) or 0
            if allowed is not None and count >= allowed:
                raise StoreError(f"{whose} {count} datasets, and {allowed} is the maximum here. Remove one first.")

    def list(self) -> list[CustomDataset]:
        """Returns all, the oldest first."""
        columns = [datasets_table.c[name] for name in CustomDataset.__dataclass_fields__]
        rows = read(self._store.engine, select(*columns).order_by(datasets_table.c.created_at))
        return [CustomDataset(**{**row._mapping, "classes": tuple(row.classes)}) for row in rows]

    def read(self, fingerprint: str) -> Dataset | None:
        """Returns the dataset with this fingerprint, or None if there is none.

        Raises:
            DataError: If what is stored is damaged.
        """
        rows = read(self._store.engine, select(datasets_table).where(datasets_table.c.fingerprint == fingerprint))
        if not rows:
            return None
        arrays = read_arrays(io.BytesIO(rows[0].content), ARRAYS, where=f"The dataset “{rows[0].name}”")
        row = rows[0]
        info = describe(row.name, arrays, tuple(row.classes))
        if info.fingerprint != fingerprint:
            raise DataError(f"The dataset “{row.name}” was changed in the store. Remove it and add it again.")
        x_train, y_train, x_test, y_test = (arrays[part] for part in ARRAYS)
        return Dataset(info, Path(f"{row.name}.npz"), x_train, y_train, x_test, y_test)

    def find(self, name: str) -> Dataset:
        """Returns the dataset of this name.

        Raises:
            StoreError: If there is none.
        """
        named = {custom.name: custom for custom in self.list()}
        found = self.read(named[name].fingerprint) if name in named else None
        if found is None:
            known = f"There are {', '.join(named)}." if named else "None was added."
            raise StoreError(f"There is no dataset “{name}”. {known} Add one on Explore or by `data --add`.")
        return found

    def remove(self, name: str, *, by: Visitor = OPERATOR) -> None:
        """Removes a dataset; finished runs on it stay.

        Args:
            name: Its name.
            by: The visitor who wants it.

        Raises:
            StoreError: If there is none, or runs on it have not ended.
        """
        mine = and_(datasets_table.c.name == name, by.owns(datasets_table))
        waiting = and_(runs_table.c.dataset == name, runs_table.c.status.in_(UNFINISHED))
        with transaction(self._store.engine) as connection:
            if connection.scalar(select(func.count()).select_from(runs_table).where(waiting)):
                raise StoreError(f"Runs on the dataset “{name}” have not ended. Cancel them first.")
            if not connection.execute(delete(datasets_table).where(mine)).rowcount:
                raise StoreError(f"You have no dataset “{name}”. It may have been removed.")
