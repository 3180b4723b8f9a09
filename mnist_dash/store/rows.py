"""Between rows and records, and statements that several changes share."""

import hashlib
import math
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from sqlalchemy import and_, delete, insert, select

from mnist_dash.datasets.mnist import KNOWN, MNIST, DatasetInfo
from mnist_dash.networks.hyperparameters import FLOAT32, Values
from mnist_dash.networks.variants import default_settings
from mnist_dash.store.records import BEST_WEIGHTS, CANCELLED, CHECKPOINT, SNAPSHOTS, Progress, Run
from mnist_dash.store.schema import artifacts_table, experiments_table, runs_table

_BEFORE: Values = {"handwriting_styles": 0.0, "precision": FLOAT32}
_TRAINING = (CHECKPOINT, BEST_WEIGHTS, SNAPSHOTS)


def drop_checkpoints_of_cancelled(connection: Any) -> None:
    """Frees what runs that were cancelled would have gone on from."""
    cancelled = select(runs_table.c.id).where(runs_table.c.status == CANCELLED)
    unused = and_(artifacts_table.c.name.in_(_TRAINING), artifacts_table.c.run_id.in_(cancelled))
    connection.execute(delete(artifacts_table).where(unused))


def delete_empty_experiments(connection: Any) -> None:
    """Deletes experiments whose last run was deleted."""
    used = select(runs_table.c.experiment_id).where(runs_table.c.experiment_id.is_not(None))
    connection.execute(delete(experiments_table).where(experiments_table.c.id.not_in(used)))


def as_json(progress: Progress) -> dict[str, Any]:
    """Returns a record that every database takes: JSON knows no NaN and no infinity."""
    return {
        name: None if isinstance(value, float) and not math.isfinite(value) else value
        for name, value in asdict(progress).items()
    }


def write_artifacts(connection: Any, run_id: int, artifacts: Mapping[str, bytes]) -> None:
    """Stores artifacts of a run, in place of those of the same names."""
    replaced = and_(artifacts_table.c.run_id == run_id, artifacts_table.c.name.in_(list(artifacts)))
    connection.execute(delete(artifacts_table).where(replaced))
    for name, content in artifacts.items():
        row = {"run_id": run_id, "name": name, "content": content, "sha256": hashlib.sha256(content).hexdigest()}
        connection.execute(insert(artifacts_table).values(row))


def custom_data(info: DatasetInfo | None) -> dict[str, Any] | None:
    """Returns what a run keeps of its data, so that its results can be read without it; None for published data."""
    if info is None or info.name in KNOWN:
        return None
    return {"train": info.train, "test": info.test, "classes": list(info.classes)}


def as_run(row: Any) -> Run:
    """Returns a row of the runs, with all its columns, as a record."""
    fields = dict(zip(runs_table.columns.keys(), row, strict=True))
    progress, custom = fields.pop("progress"), fields.pop("custom_data")
    known = KNOWN.get(fields["dataset"], MNIST)
    data = custom or {"train": known.train, "test": known.test, "classes": known.classes}
    # A run from before a setting existed was trained with what is now its default, but for these.
    earlier = {name: _BEFORE.get(name, value) for name, value in default_settings(fields["variant"]).items()}
    fields["settings"] = {**earlier, **fields["settings"]}
    data = {"train_images": data["train"], "test_images": data["test"], "classes": tuple(data["classes"])}
    return Run(**fields, **data, progress=Progress(**progress) if progress else None)
