"""KeptDigits: pictures that visitors keep with the right answer, a test on their own handwriting."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from sqlalchemy import Connection, and_, delete, func, insert, select

from mnist_dash.datasets.arrays import check_pictures
from mnist_dash.datasets.digit_files import MAX_DIGITS
from mnist_dash.errors import KeptDigitsError
from mnist_dash.store.database import lock, read, transaction
from mnist_dash.store.run_store import RunStore
from mnist_dash.store.schema import kept_digits_table

MAX_KEPT = MAX_DIGITS  # so that a file with all that was kept can be loaded again
MAX_KEPT_BY_ALL = 100 * MAX_KEPT  # 80 MB: a browser that forgets its cookie is a new visitor each time
_MAX_ID = 2**31 - 1


@dataclass(frozen=True, eq=False)
class KeptSet:
    """The digits that one visitor keeps, in the order in which they were kept.

    Attributes:
        ids: The number of each, by which it can be removed.
        x: Pictures, shape (n, 28, 28), uint8, 0 is black paper and 255 white ink; not writable.
        y: Right answers, shape (n,), uint8 in 0–9; not writable.
    """

    ids: tuple[int, ...]
    x: np.ndarray
    y: np.ndarray


class KeptDigits:
    """All visitors' kept digits of one store; every call touches only the owner's own.

    Args:
        store: The open store. Closing it closes this too.
    """

    def __init__(self, store: RunStore):
        self._store = store

    def keep(self, owner: str, x: np.ndarray, y: np.ndarray) -> int:
        """Keeps digits, all or none; one kept already with the same answer is not kept twice.

        Args:
            owner: The visitor.
            x: Pictures, shape (n, 28, 28), uint8, n at least 1.
            y: Right answers, shape (n,), an integer type, 0–9.

        Returns:
            How many were new.

        Raises:
            DataError: If the arrays are anything else.
            KeptDigitsError: If the owner would keep more than `MAX_KEPT`, or all more than `MAX_KEPT_BY_ALL`.
        """
        check_pictures(x, y, where="Digits to keep")
        offered = [(int(label), picture.tobytes()) for picture, label in zip(x, y, strict=True)]
        with transaction(self._store.engine) as connection:
            # Two tabs may keep at once: the second waits here, then sees what the first has kept.
            lock(connection, f"digits of {owner}")
            kept = _kept_by(connection, owner)
            new = [digit for digit in dict.fromkeys(offered) if digit not in kept]
            _check_room(connection, len(kept), len(new))
            if new:
                shared = {"owner": owner, "created_at": self._store.clock()}
                rows = [{**shared, "label": label, "pixels": pixels} for label, pixels in new]
                connection.execute(insert(kept_digits_table), rows)
        return len(new)

    def read(self, owner: str) -> KeptSet:
        """Returns the digits that this owner keeps; none is a set of length 0."""
        columns = (kept_digits_table.c.id, kept_digits_table.c.label, kept_digits_table.c.pixels)
        statement = select(*columns).where(kept_digits_table.c.owner == owner).order_by(kept_digits_table.c.id)
        rows = read(self._store.engine, statement)
        x = np.frombuffer(b"".join(row.pixels for row in rows), np.uint8).reshape(-1, 28, 28)
        y = np.frombuffer(bytes(row.label for row in rows), np.uint8)
        return KeptSet(tuple(row.id for row in rows), x, y)

    def remove(self, owner: str, digit_id: int) -> None:
        """Removes one digit; nothing happens if this owner keeps none of that number."""
        if 0 < digit_id <= _MAX_ID:
            self._delete(and_(kept_digits_table.c.id == digit_id, kept_digits_table.c.owner == owner))

    def clear(self, owner: str) -> None:
        """Removes all digits of this owner."""
        self._delete(kept_digits_table.c.owner == owner)

    def _delete(self, which: Any) -> None:
        with transaction(self._store.engine) as connection:
            connection.execute(delete(kept_digits_table).where(which))


def _kept_by(connection: Connection, owner: str) -> set[tuple[int, bytes]]:
    columns = (kept_digits_table.c.label, kept_digits_table.c.pixels)
    rows = connection.execute(select(*columns).where(kept_digits_table.c.owner == owner))
    return {(row.label, bytes(row.pixels)) for row in rows}


def _check_room(connection: Connection, kept: int, new: int) -> None:
    by_all = connection.scalar(select(func.count()).select_from(kept_digits_table)) or 0
    if by_all + new > MAX_KEPT_BY_ALL:
        raise KeptDigitsError(
            f"All visitors together keep {by_all:,} digits, and {MAX_KEPT_BY_ALL:,} is the maximum here. "
            "Export yours to keep them, and ask whoever runs this dashboard to clean up."
        )
    if kept + new > MAX_KEPT:
        raise KeptDigitsError(
            f"You keep {kept:,} digits and want to keep {new:,} more, but {MAX_KEPT:,} is the maximum. "
            "Export them to keep a copy, then remove some."
        )
