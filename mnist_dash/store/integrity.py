"""Whether everything in a store is as it was written: every blob against its checksum."""

import hashlib
from dataclasses import dataclass

from sqlalchemy import select

from mnist_dash.errors import MnistDashError
from mnist_dash.store.custom_datasets import CustomDatasets
from mnist_dash.store.database import read
from mnist_dash.store.run_store import RunStore
from mnist_dash.store.schema import artifacts_table


@dataclass(frozen=True)
class Integrity:
    """What a check found.

    Attributes:
        blobs: How many blobs were read.
        unknown: How many of them were written before checksums were kept.
        problems: What is wrong, in sentences; empty if nothing is.
    """

    blobs: int
    unknown: int
    problems: tuple[str, ...]


def check(store: RunStore) -> Integrity:
    """Reads every blob of a store and compares it with its checksum."""
    columns = artifacts_table.c
    keys = read(store.engine, select(columns.run_id, columns.name, columns.sha256))
    problems = _problems_of_database(store)
    for key in keys:
        content = store.find_artifact(key.run_id, key.name)  # one at a time: all together may not fit into memory
        if content is not None and key.sha256 and hashlib.sha256(content).hexdigest() != key.sha256:
            problems.append(f"{key.name} of run {key.run_id} is not what was written. Train the run again.")
    datasets = CustomDatasets(store)
    for custom in datasets.list():
        try:
            datasets.read(custom.fingerprint)
        except MnistDashError as error:
            problems.append(str(error))
    return Integrity(len(keys), sum(not key.sha256 for key in keys), tuple(problems))


def _problems_of_database(store: RunStore) -> list[str]:
    if store.engine.dialect.name != "sqlite":
        return []
    with store.engine.connect() as connection:
        found = [row[0] for row in connection.exec_driver_sql("PRAGMA integrity_check(20)")]
    return [f"SQLite: {words}. Restore a backup." for words in found if words != "ok"]
