"""Reference runs: trained and measured before they were shipped, and brought into every store."""

import hashlib
import json
from pathlib import Path

from sqlalchemy import and_, delete, insert, or_, select

from mnist_dash.config import ASSETS
from mnist_dash.corruptions.kinds import SUITE
from mnist_dash.store.corruption_counts import CorruptionCounts
from mnist_dash.store.database import lock, read, transaction
from mnist_dash.store.records import DONE
from mnist_dash.store.run_export import RUN_JSON
from mnist_dash.store.run_import import ExportedRun, add_exported, read_exported
from mnist_dash.store.run_store import RunStore
from mnist_dash.store.schema import robustness_table, runs_table

REFERENCE_FOLDER = ASSETS / "reference"
ROBUSTNESS_JSON = "robustness.json"


def ensure_reference_runs(store: RunStore, *, folder: Path = REFERENCE_FOLDER) -> None:
    """Brings the reference runs that ship with the project into the store, once, with their robustness."""
    rows = read(store.engine, select(runs_table.c.reference).where(runs_table.c.reference.is_not(None)))
    known = {row.reference for row in rows}
    shipped = {hashlib.sha256(path.read_bytes()).hexdigest(): path for path in sorted(folder.glob(f"*/{RUN_JSON}"))}
    for reference, description in shipped.items():
        if reference not in known:
            _add_run(store, read_exported(description.parent), reference)
    for reference, run_id in unmeasured_references(store).items():
        path = shipped[reference].with_name(ROBUSTNESS_JSON) if reference in shipped else None
        counts = CorruptionCounts.from_json(json.loads(path.read_bytes()) if path and path.exists() else {})
        if counts.mean is not None:
            add_measured(store, run_id, counts)


def _add_run(store: RunStore, exported: ExportedRun, reference: str) -> None:
    """Adds a reference run in place of an older one of the same variant, in one transaction."""
    older = and_(runs_table.c.variant == exported.values["variant"], runs_table.c.reference.is_not(None))
    with transaction(store.engine) as connection:
        lock(connection, "reference runs")
        if connection.scalar(select(runs_table.c.id).where(runs_table.c.reference == reference)):
            return
        connection.execute(delete(runs_table).where(older))
        add_exported(connection, exported, reference=reference)


def unmeasured_references(store: RunStore) -> dict[str, int]:
    """Returns the reference runs whose robustness is not measured, from their marks to their numbers."""
    measured = and_(
        robustness_table.c.run_id == runs_table.c.id,
        robustness_table.c.suite == SUITE,
        robustness_table.c.status == DONE,
    )
    statement = select(runs_table.c.reference, runs_table.c.id).outerjoin(robustness_table, measured)
    missing = and_(runs_table.c.reference.is_not(None), robustness_table.c.run_id.is_(None))
    return {row.reference: row.id for row in read(store.engine, statement.where(missing))}


def add_measured(store: RunStore, run_id: int, counts: CorruptionCounts) -> None:
    """Adds what was measured elsewhere, in place of what is not done."""
    of_run = robustness_table.c.run_id == run_id
    outdated = or_(robustness_table.c.status != DONE, robustness_table.c.suite != SUITE)
    values = {"run_id": run_id, "suite": SUITE, "status": DONE, "requested_at": store.clock()}
    values |= {"progress": counts.as_json(), "mean": counts.mean}
    with transaction(store.engine) as connection:
        lock(connection, "robustness")
        connection.execute(delete(robustness_table).where(of_run, outdated))
        if not connection.scalar(select(robustness_table.c.run_id).where(of_run)):
            connection.execute(insert(robustness_table).values(values))
