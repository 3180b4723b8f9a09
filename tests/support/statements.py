"""SQL beside the store, for tests that look at or spoil what is in a database."""

from sqlalchemy import create_engine, text


def execute(store_url: str, statement: str) -> list:
    """Runs one statement and returns the rows that it finds."""
    engine = create_engine(store_url)
    with engine.begin() as connection:
        rows = connection.execute(text(statement))
        found = rows.all() if rows.returns_rows else []
    engine.dispose()
    return found
