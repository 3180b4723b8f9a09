"""Bringing a database that an earlier version made to the present schema, by Alembic, in one transaction.

`alembic revision --autogenerate --rev-id 0005 -m "what changes"` in the project's folder adds a file to
migrations/versions/; a test compares what all of them lead to with the tables of schema.py.
"""

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, update

from mnist_dash.store.schema import SCHEMA_VERSION, schema_table


def upgrade(connection: Connection, version: int) -> None:
    """Brings a database up from a version, in the caller's transaction."""
    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(Path(__file__).with_name("migrations")).replace("%", "%%"))
    command.stamp(config, f"{version:04}")  # versions 1 and 2 knew nothing of Alembic
    command.upgrade(config, "head")
    connection.execute(update(schema_table).values(version=SCHEMA_VERSION))
