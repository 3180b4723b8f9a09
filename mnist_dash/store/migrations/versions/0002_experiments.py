"""Experiments, pauses, tags and measurements of robustness."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Adds tables, and asks for a cancellation as for a pause."""
    op.create_table(
        "experiments",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("owner", sa.String(128), nullable=False),
        sa.Column("created_at", sa.Float, nullable=False),
        sqlite_autoincrement=True,
    )
    for statement in (
        "ALTER TABLE runs ADD COLUMN wanted VARCHAR(16)",
        "ALTER TABLE runs ADD COLUMN lost INTEGER DEFAULT 0 NOT NULL",
        "ALTER TABLE runs ADD COLUMN experiment_id INTEGER REFERENCES experiments (id)",
        "ALTER TABLE runs ADD COLUMN continues INTEGER",
        "CREATE INDEX ix_runs_experiment_id ON runs (experiment_id)",
        "UPDATE runs SET wanted = 'cancelled' WHERE cancel_wanted AND status = 'running'",
        "ALTER TABLE runs DROP COLUMN cancel_wanted",
    ):
        op.execute(statement)
