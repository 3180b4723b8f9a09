"""What Alembic runs: the migrations on the connection that it is given, or on the database of the settings."""

from contextlib import nullcontext

from alembic import context

from mnist_dash.config import load_settings
from mnist_dash.store.database import open_engine
from mnist_dash.store.schema import metadata


def run() -> None:
    """Runs what was asked for; a transaction of the caller's stays the caller's."""
    given = context.config.attributes.get("connection")
    with nullcontext(given) if given else open_engine(load_settings().database_url).begin() as connection:
        context.configure(connection=connection, target_metadata=metadata)
        context.run_migrations()


run()
