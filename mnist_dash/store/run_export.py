"""A finished run as a folder of files."""

import csv
import hashlib
import io
import json
from collections.abc import Sequence
from dataclasses import asdict, fields
from pathlib import Path

from mnist_dash.datasets.mnist import KNOWN
from mnist_dash.errors import StoreError
from mnist_dash.networks.scripts.writing import keras_script
from mnist_dash.networks.variants import get_variant
from mnist_dash.store.records import MODEL_KERAS, MODEL_TFLITE, TEST_LABELS, TEST_PROBABILITIES, Epoch, Result, Run
from mnist_dash.store.run_store import RunStore

RUN_JSON = "run.json"
HISTORY_CSV = "history.csv"
SCRIPT_PY = "script.py"
BINARY_ARTIFACTS = (MODEL_KERAS, MODEL_TFLITE, TEST_PROBABILITIES, TEST_LABELS)
_EPOCH_FIELDS = [field.name for field in fields(Epoch)]
_RUN_FIELDS = (
    "variant",
    "settings",
    "dataset",
    "fingerprint",
    "created_at",
    "started_at",
    "finished_at",
    "device",
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
    contents = {name: store.read_artifact(run.id, name) for name in BINARY_ARTIFACTS}
    described = {name: getattr(run, name) for name in _RUN_FIELDS}
    described["sha256"] = {name: hashlib.sha256(content).hexdigest() for name, content in contents.items()}
    if run.dataset not in KNOWN:
        data = {"train": run.train_images, "test": run.test_images, "classes": list(run.classes)}
        described["custom_data"] = data
    contents[RUN_JSON] = (json.dumps(described, indent=2) + "\n").encode()
    contents[SCRIPT_PY] = keras_script(get_variant(run.variant), run.settings, data=run.dataset).encode()
    contents[HISTORY_CSV] = _history(store.list_epochs(run.id))
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in contents.items():
            (folder / name).write_bytes(content)
    except OSError as error:
        raise StoreError(f"{folder} cannot be written ({error.strerror}). Name another folder.") from error
    return [folder / name for name in contents]


def _history(epochs: Sequence[Epoch]) -> bytes:
    text = io.StringIO()
    writer = csv.DictWriter(text, _EPOCH_FIELDS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(asdict(epoch) for epoch in epochs)
    return text.getvalue().encode()
