"""A finished run as a folder of files: taken away by `export`, shipped as a reference model."""

import csv
import hashlib
import io
import json
from collections.abc import Sequence
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

from mnist_dash.config import ASSETS
from mnist_dash.errors import StoreError
from mnist_dash.networks.scripts.writing import keras_script
from mnist_dash.networks.variants import get_variant
from mnist_dash.store.corruption_counts import CorruptionCounts
from mnist_dash.store.measurements import Measurements
from mnist_dash.store.records import MODEL_KERAS, MODEL_TFLITE, TEST_LABELS, TEST_PROBABILITIES, Epoch, Result, Run
from mnist_dash.store.run_store import RunStore

REFERENCE_FOLDER = ASSETS / "reference"
RUN_JSON = "run.json"
HISTORY_CSV = "history.csv"
ROBUSTNESS_JSON = "robustness.json"
SCRIPT_PY = "script.py"
_BINARY = (MODEL_KERAS, MODEL_TFLITE, TEST_PROBABILITIES, TEST_LABELS)
_EPOCH_FIELDS = [field.name for field in fields(Epoch)]
_RUN_FIELDS = (
    "variant",
    "settings",
    "dataset",
    "fingerprint",
    "created_at",
    "started_at",
    "finished_at",
    *(field.name for field in fields(Result)),
)


def export_run(store: RunStore, run: Run, folder: Path) -> list[Path]:
    """Writes a finished run's models, history, description and script into a folder.

    Args:
        store: Where the run is.
        run: A run that is done.
        folder: Made if it is missing; files of the same names are replaced.

    Returns:
        The files written.

    Raises:
        RunNotFoundError: If the run has no models, because it has not finished.
        StoreError: If the folder cannot be written.
    """
    contents = {name: store.read_artifact(run.id, name) for name in _BINARY}
    described = {name: getattr(run, name) for name in _RUN_FIELDS}
    contents[RUN_JSON] = (json.dumps(described, indent=2) + "\n").encode()
    contents[SCRIPT_PY] = keras_script(get_variant(run.variant), run.settings).encode()
    contents[HISTORY_CSV] = _history(store.list_epochs(run.id))
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in contents.items():
            (folder / name).write_bytes(content)
    except OSError as error:
        raise StoreError(f"{folder} cannot be written ({error.strerror}). Name another folder.") from error
    return [folder / name for name in contents]


def ensure_reference_runs(store: RunStore, *, folder: Path = REFERENCE_FOLDER) -> None:
    """Brings the reference models that ship with the project into the store, once, with their robustness."""
    known = store.references()
    shipped = {hashlib.sha256(path.read_bytes()).hexdigest(): path for path in sorted(folder.glob(f"*/{RUN_JSON}"))}
    for reference, description in shipped.items():
        if reference not in known:
            store.add_finished_run(
                json.loads(description.read_bytes()),
                epochs=_read_history(description.with_name(HISTORY_CSV)),
                artifacts={name: description.with_name(name).read_bytes() for name in _BINARY},
                reference=reference,
            )
    measurements = Measurements(store)
    for reference, run_id in measurements.unmeasured_references().items():
        path = shipped[reference].with_name(ROBUSTNESS_JSON) if reference in shipped else None
        readings = CorruptionCounts.from_json(json.loads(path.read_bytes()) if path and path.exists() else {})
        if readings.mean is not None:
            measurements.add_measured(run_id, readings)


def _history(epochs: Sequence[Epoch]) -> bytes:
    text = io.StringIO()
    writer = csv.DictWriter(text, _EPOCH_FIELDS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(asdict(epoch) for epoch in epochs)
    return text.getvalue().encode()


def _read_history(path: Path) -> list[Epoch]:
    def epoch(row: dict[str, Any]) -> Epoch:
        numbers = {name: float(text) if text else None for name, text in row.items() if name != "number"}
        return Epoch(number=int(row["number"]), **numbers)  # type: ignore[arg-type]

    with path.open(newline="") as file:
        return [epoch(row) for row in csv.DictReader(file)]
