"""Who asks for a change of the store, and what they may do: the store refuses the rest, whatever a page offers."""

from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, Table, func, select, true

from mnist_dash.errors import NotAllowedError, RunStateError, VariantError
from mnist_dash.store.database import lock
from mnist_dash.store.records import ACTIVE, UNFINISHED
from mnist_dash.store.schema import runs_table

_MOST_UNFINISHED = 1_000  # of all visitors: a browser that forgets its cookie is a new visitor each time


@dataclass(frozen=True)
class Limits:
    """What one visitor of a shared dashboard may have.

    Attributes:
        unfinished: Runs that have not ended, and as many measurements.
        epochs: Epochs of one run.
        runs: Runs in all, ended ones included.
        datasets: Custom datasets.
    """

    unfinished: int = 12
    epochs: int = 100
    runs: int = 500
    datasets: int = 2


@dataclass(frozen=True)
class Visitor:
    """Who asks.

    Attributes:
        name: Owns what they add.
        limits: What they may have; they may then change only what is theirs. None for those who may do
            everything: the command line, and every visitor of a dashboard that is not shared.
    """

    name: str = ""
    limits: Limits | None = None

    def may_change(self, owner: str) -> bool:
        """Says whether this visitor may change what somebody owns."""
        return self.limits is None or self.name == owner

    def owns(self, table: Table) -> ColumnElement[bool]:
        """Returns the condition for rows that this visitor may change."""
        return true() if self.limits is None else table.c.owner == self.name

    def check_owner(self, owner: str, what: str) -> None:
        """Makes sure that this visitor may change something.

        Raises:
            NotAllowedError: If it is somebody else's.
        """
        if not self.may_change(owner):
            raise NotAllowedError(f"{what} belongs to somebody else: only its owner can do that.")

    def check_runs(self, connection: Connection, new: int, *, epochs: int = 0) -> None:
        """Makes sure that this visitor may have some runs more, also against a second tab.

        Args:
            connection: In a transaction, which the visitor's others wait for from now on.
            new: Runs to be added.
            epochs: The most epochs of one of them.

        Raises:
            RunStateError: If there would be more than allowed.
            VariantError: If a run would have more epochs than allowed.
        """
        if self.limits is None or not new:
            return
        if epochs > self.limits.epochs:
            maximum = f"{self.limits.epochs} is the maximum on this shared dashboard"
            raise VariantError(f"epochs is {epochs}, but {maximum}. Choose fewer.")
        self.check_unfinished(connection, runs_table, new)
        everything = select(func.count()).select_from(runs_table).where(runs_table.c.owner == self.name)
        _check(connection.scalar(everything), new, self.limits.runs, "runs", "Delete some that have ended.")

    def check_unfinished(self, connection: Connection, table: Table, new: int) -> None:
        """Makes sure that this visitor may have some rows more that wait for workers, also against a second tab.

        Raises:
            RunStateError: If there would be more than allowed.
        """
        if self.limits is None or not new:
            return
        lock(connection, f"owner {self.name}")
        what, statuses = ("runs", UNFINISHED) if table is runs_table else ("measurements", ACTIVE)
        unfinished = select(func.count()).select_from(table).where(table.c.status.in_(statuses))
        mine = connection.scalar(unfinished.where(table.c.owner == self.name))
        _check(mine, new, self.limits.unfinished, f"unfinished {what}", "Wait until one ends, or cancel one.")
        if (connection.scalar(unfinished) or 0) + new > _MOST_UNFINISHED:
            raise RunStateError(
                f"All visitors together have {_MOST_UNFINISHED:,} unfinished {what}, the maximum here. Try again later."
            )


OPERATOR = Visitor()


def _check(count: int | None, new: int, allowed: int, what: str, advice: str) -> None:
    if (count or 0) + new > allowed:
        more = f" and want {new} more" if new > 1 else ""
        raise RunStateError(f"You have {count} {what}{more}, and {allowed} is the maximum here. {advice}")
