"""The store: every run is a row from the moment it is queued. The only SQL of the project."""

from mnist_dash.runs.exchange import REFERENCE_FOLDER, ensure_reference_runs, export_run
from mnist_dash.runs.kept import MAX_KEPT, KeptDigits, KeptSet
from mnist_dash.runs.records import (
    CANCELLED,
    CHECKPOINT,
    DONE,
    FAILED,
    MODEL_KERAS,
    MODEL_TFLITE,
    QUEUED,
    RUNNING,
    TEST_LABELS,
    TEST_PROBABILITIES,
    UNFINISHED,
    Epoch,
    Progress,
    Result,
    Run,
    in_turn,
)
from mnist_dash.runs.store import LOST_AFTER_S, RunStore

__all__ = [
    "CANCELLED",
    "CHECKPOINT",
    "DONE",
    "FAILED",
    "LOST_AFTER_S",
    "MAX_KEPT",
    "MODEL_KERAS",
    "MODEL_TFLITE",
    "QUEUED",
    "REFERENCE_FOLDER",
    "RUNNING",
    "TEST_LABELS",
    "TEST_PROBABILITIES",
    "UNFINISHED",
    "Epoch",
    "KeptDigits",
    "KeptSet",
    "Progress",
    "Result",
    "Run",
    "RunStore",
    "ensure_reference_runs",
    "export_run",
    "in_turn",
]
