"""Runs, epochs, artifacts and kept digits: versions 0.1 and 0.2 made them, and this is where upgrades begin."""

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Does nothing: a new database is made from schema.py."""
