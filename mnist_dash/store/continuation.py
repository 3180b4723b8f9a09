"""Training a finished run further, as a new run that begins with its epochs and its checkpoint."""

from sqlalchemy import Connection, and_, func, insert, literal, select, true

from mnist_dash.errors import RunStateError
from mnist_dash.networks.variants import get_variant
from mnist_dash.store.database import transaction
from mnist_dash.store.records import BEST_WEIGHTS, CHECKPOINT, DONE, QUEUED, SNAPSHOTS, Run
from mnist_dash.store.run_store import RunStore
from mnist_dash.store.schema import artifacts_table, epochs_table, runs_table
from mnist_dash.store.visitors import OPERATOR, Visitor


def continue_run(store: RunStore, run_id: int, epochs: int, *, by: Visitor = OPERATOR) -> Run:
    """Adds a queued run that goes on where an ended one stopped; the ended one stays as it is.

    Args:
        store: Where the run is.
        run_id: A run that is done and has a checkpoint.
        epochs: How many epochs it is to have in all.
        by: The visitor who wants it; the ended run may be anyone's.

    Raises:
        RunStateError: If the run cannot be continued, or the visitor has too many.
        VariantError: If there cannot be so many epochs, or the visitor may not have as many.
    """
    run = store.get_run(run_id)
    settings = get_variant(run.variant).check({**run.settings, "epochs": epochs})
    values = {name: getattr(run, name) for name in ("variant", "dataset", "fingerprint")}
    data = select(runs_table.c.custom_data).where(runs_table.c.id == run_id).scalar_subquery()
    values |= {"custom_data": data, "settings": settings, "created_at": store.clock(), "status": QUEUED}
    values["owner"] = by.name
    with transaction(store.engine) as connection:
        by.check_runs(connection, 1, epochs=epochs)
        _check_continued(connection, run, epochs)
        new = insert(runs_table).values({**values, "continues": run_id}).returning(runs_table.c.id)
        new_id = int(connection.scalar(new) or 0)
        _copy_training(connection, run_id, new_id)
    return store.get_run(new_id)


def _check_continued(connection: Connection, run: Run, epochs: int) -> None:
    """Makes sure, and that it stays so until the transaction ends, that a run can be continued."""
    locked = select(runs_table.c.status).where(runs_table.c.id == run.id).with_for_update(read=True)
    trained = connection.scalar(select(func.count()).where(epochs_table.c.run_id == run.id)) or 0
    kept = and_(artifacts_table.c.run_id == run.id, artifacts_table.c.name == CHECKPOINT)
    reason = None
    if (status := connection.scalar(locked)) != DONE:
        reason = f"it is {status or 'deleted'}, not done"
    elif not connection.scalar(select(func.count()).where(kept)):
        reason = "it keeps no optimizer state"
    elif epochs <= trained:
        reason = f"it has {trained} epochs, and {epochs} are not more"
    if reason:
        raise RunStateError(f"Run {run.id} cannot be continued: {reason}. Start a new run instead.")


def _copy_training(connection: Connection, from_id: int, to_id: int) -> None:
    """Gives a run the epochs of another one and what training goes on from."""
    training = artifacts_table.c.name.in_((CHECKPOINT, BEST_WEIGHTS, SNAPSHOTS))
    for table, which in ((epochs_table, true()), (artifacts_table, training)):
        columns = [column for column in table.columns if column.name != "run_id"]
        rows = select(literal(to_id), *columns).where(table.c.run_id == from_id, which)
        connection.execute(insert(table).from_select(["run_id", *(column.name for column in columns)], rows))
