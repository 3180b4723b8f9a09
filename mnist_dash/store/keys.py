"""Secret keys of one store, which all dashboards on it share."""

import secrets

from sqlalchemy import insert, select

from mnist_dash.store.database import lock, read, transaction
from mnist_dash.store.run_store import RunStore
from mnist_dash.store.schema import keys_table

VISITORS = "visitors"  # signs the tokens by which browsers are known
_BYTES = 32


def secret_key(store: RunStore, name: str) -> bytes:
    """Returns a key of this store, made at the first call and the same ever after."""
    statement = select(keys_table.c.content).where(keys_table.c.name == name)
    if rows := read(store.engine, statement):
        return bytes(rows[0].content)
    with transaction(store.engine) as connection:
        lock(connection, "keys")
        found = connection.scalar(statement)
        if found is None:
            found = secrets.token_bytes(_BYTES)
            connection.execute(insert(keys_table).values(name=name, content=found))
        return bytes(found)
