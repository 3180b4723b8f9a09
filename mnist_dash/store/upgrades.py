"""Bringing a database that an earlier version made to the present schema, step by step, in one transaction."""

from sqlalchemy import Connection, text


def upgrade(connection: Connection, version: int) -> None:
    """Brings a database up from a version, in the caller's transaction; tables that are new are there already."""
    for step in _STEPS[version - 1 :]:
        step(connection)
    connection.execute(text("UPDATE schema_version SET version = :version"), {"version": len(_STEPS) + 1})


def _from_1(connection: Connection) -> None:
    """Brings a database from before experiments and pauses to version 2, in the caller's transaction."""
    for statement in (
        "ALTER TABLE runs ADD COLUMN wanted VARCHAR(16)",
        "ALTER TABLE runs ADD COLUMN lost INTEGER DEFAULT 0 NOT NULL",
        "ALTER TABLE runs ADD COLUMN experiment_id INTEGER REFERENCES experiments (id)",
        "ALTER TABLE runs ADD COLUMN continues INTEGER",
        "CREATE INDEX ix_runs_experiment_id ON runs (experiment_id)",
        "UPDATE runs SET wanted = 'cancelled' WHERE cancel_wanted AND status = 'running'",
        "ALTER TABLE runs DROP COLUMN cancel_wanted",
    ):
        connection.execute(text(statement))


def _from_2(connection: Connection) -> None:
    """Brings a database from before custom datasets and checksums to version 3, in the caller's transaction."""
    connection.execute(text("ALTER TABLE runs ADD COLUMN custom_data JSON"))
    connection.execute(text("ALTER TABLE artifacts ADD COLUMN sha256 VARCHAR(64)"))


_STEPS = (_from_1, _from_2)
