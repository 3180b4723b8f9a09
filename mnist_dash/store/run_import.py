"""A run that another store exported, brought into this one."""

import csv
import hashlib
import io
import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
from sqlalchemy import Connection, insert

from mnist_dash.errors import MnistDashError, StoreError
from mnist_dash.networks.variants import get_variant
from mnist_dash.store.database import transaction
from mnist_dash.store.records import (
    DONE,
    MODEL_KERAS,
    MODEL_TFLITE,
    TEST_LABELS,
    TEST_PROBABILITIES,
    Epoch,
    Result,
    Run,
)
from mnist_dash.store.rows import write_artifacts
from mnist_dash.store.run_export import BINARY_ARTIFACTS, HISTORY_CSV, RUN_JSON
from mnist_dash.store.run_store import RunStore
from mnist_dash.store.schema import epochs_table, runs_table
from mnist_dash.store.visitors import OPERATOR, Visitor

_MAX_BYTES = 200_000_000
_TIMES = ("created_at", "started_at", "finished_at")


@dataclass(frozen=True)
class ExportedRun:
    """What `export_run` wrote.

    Attributes:
        described: `run.json` as it is.
        values: Columns of the run, checked.
        epochs: Columns of each epoch.
        artifacts: Models and predictions, by name.
    """

    described: Mapping[str, Any]
    values: dict[str, Any]
    epochs: list[dict[str, float | None]]
    artifacts: dict[str, bytes]


def import_run(store: RunStore, folder: Path, *, by: Visitor = OPERATOR) -> Run:
    """Adds a finished run from the files that `export_run` wrote.

    Args:
        store: Where to.
        folder: Has `run.json`, `history.csv`, the models and the predictions of the test images.
        by: Who owns it from now on.

    Returns:
        The new run, with a number of this store's own.

    Raises:
        StoreError: If a file is missing or damaged, or the files contradict each other.
        RunStateError: If the visitor would have too many runs.
    """
    try:
        exported = read_exported(folder)
        _check(exported.described, exported.artifacts)
    except (KeyError, TypeError, ValueError, csv.Error, MnistDashError) as error:
        raise StoreError(f"{folder} holds no exported run: {error}. Export the run again.") from error
    with transaction(store.engine) as connection:
        by.check_runs(connection, 1)
        run_id = add_exported(connection, exported, owner=by.name)
    return store.get_run(run_id)


def read_exported(folder: Path) -> ExportedRun:
    """Reads what `export_run` wrote into a folder.

    Raises:
        KeyError, TypeError, ValueError, MnistDashError: If that is not what is there.
    """
    described = json.loads(_read(folder / RUN_JSON))
    artifacts = {name: _read(folder / name) for name in BINARY_ARTIFACTS}
    return ExportedRun(described, _row(described), _epochs(_read(folder / HISTORY_CSV).decode()), artifacts)


def add_exported(connection: Connection, exported: ExportedRun, **columns: object) -> int:
    """Adds an exported run as done, in the caller's transaction; returns its number here."""
    values = {**exported.values, **columns, "status": DONE}
    run_id = int(connection.scalar(insert(runs_table).values(values).returning(runs_table.c.id)) or 0)
    connection.execute(insert(epochs_table), [{"run_id": run_id, **epoch} for epoch in exported.epochs])
    write_artifacts(connection, run_id, exported.artifacts)
    return run_id


def _read(file: Path) -> bytes:
    try:
        if file.stat().st_size > _MAX_BYTES:
            raise StoreError(f"{file.name} has more than {_MAX_BYTES:,} bytes")
        return file.read_bytes()
    except OSError as error:
        raise StoreError(f"{file.name} cannot be read ({error.strerror})") from error


def _row(described: Mapping[str, Any]) -> dict[str, Any]:
    values: dict[str, Any] = {name: float(described[name]) for name in _TIMES}
    values |= {field.name: float(described[field.name]) for field in fields(Result)}
    values["weights"] = int(described["weights"])
    if described.get("device"):
        values["device"] = str(described["device"])[:256]
    for name in ("dataset", "fingerprint"):
        values[name] = str(described[name])[:64]
    values["variant"] = get_variant(str(described["variant"])).name
    given = dict(described["settings"])  # one that an earlier version did not know stays unsaid
    checked = get_variant(values["variant"]).check(given)
    values["settings"] = {name: checked[name] for name in given}
    if custom := described.get("custom_data"):
        classes = [str(name)[:64] for name in custom["classes"]]
        values["custom_data"] = {"train": int(custom["train"]), "test": int(custom["test"]), "classes": classes}
    return values


def _epochs(history: str) -> list[dict[str, float | None]]:
    rows = list(csv.DictReader(io.StringIO(history)))
    names = [field.name for field in fields(Epoch)]
    found = [{name: float(row[name]) if row[name] else None for name in names} for row in rows]
    if [row["number"] for row in found] != list(range(1, len(found) + 1)) or not found:
        raise ValueError(f"{HISTORY_CSV} does not count its epochs from 1")
    return found


def _check(described: Mapping[str, Any], artifacts: Mapping[str, bytes]) -> None:
    """Compares every file with its checksum, and the accuracy with the predictions."""
    for name, digest in described.get("sha256", {}).items():
        if hashlib.sha256(artifacts[name]).hexdigest() != digest:
            raise ValueError(f"{name} is not what was exported")
    labels = np.frombuffer(artifacts[TEST_LABELS], np.uint8)
    probabilities = np.frombuffer(artifacts[TEST_PROBABILITIES], np.float16).reshape(len(labels), -1)
    accuracy = float((probabilities.argmax(1) == labels).mean())
    if abs(accuracy - float(described["test_accuracy"])) > 0.002:  # half precision may make ties
        raise ValueError(f"the predictions have an accuracy of {accuracy:.4f}, not {described['test_accuracy']:.4f}")
    if not artifacts[MODEL_KERAS].startswith(b"PK") or artifacts[MODEL_TFLITE][4:8] != b"TFL3":
        raise ValueError("a model file is none")
