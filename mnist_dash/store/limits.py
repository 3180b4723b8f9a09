"""Limits on how much unfinished work one visitor may have."""

from dataclasses import dataclass

from sqlalchemy import Connection, Table, and_, func, select

from mnist_dash.errors import RunStateError
from mnist_dash.store.records import ACTIVE, UNFINISHED
from mnist_dash.store.schema import lock, robustness_table, runs_table


@dataclass(frozen=True)
class Limit:
    """A limit on one visitor's rows of a table.

    Attributes:
        table: Has the columns owner and status.
        statuses: Those that count.
        what: What such rows are called.
    """

    table: Table
    statuses: tuple[str, ...]
    what: str

    def check(self, connection: Connection, owner: str, new: int, allowed: int | None) -> None:
        """Makes sure that a visitor stays within the limit, if there is one, also against a second tab.

        Args:
            connection: In a transaction, which the visitor's others wait for from now on.
            owner: The visitor.
            new: Rows to be added.
            allowed: The most that the visitor may have; None for no limit.

        Raises:
            RunStateError: If there would be more.
        """
        if allowed is None or not new:
            return
        lock(connection, f"owner {owner}")
        counted = and_(self.table.c.owner == owner, self.table.c.status.in_(self.statuses))
        count = connection.scalar(select(func.count()).select_from(self.table).where(counted)) or 0
        if count + new > allowed:
            more = f" and want {new} more" if new > 1 else ""
            raise RunStateError(
                f"You have {count} {self.what}{more}, and {allowed} is the maximum here. "
                "Wait until one ends, or cancel one."
            )


UNFINISHED_RUNS = Limit(runs_table, UNFINISHED, "unfinished runs")
UNFINISHED_MEASUREMENTS = Limit(robustness_table, ACTIVE, "unfinished measurements")
