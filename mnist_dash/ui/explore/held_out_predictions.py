"""Predictions for images that their models were not trained on: what label errors are looked for with."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import streamlit as st

from mnist_dash.config import ASSETS
from mnist_dash.datasets import splits
from mnist_dash.datasets.arrays import read_arrays
from mnist_dash.datasets.mnist import MNIST, Dataset
from mnist_dash.networks.hyperparameters import folds_of
from mnist_dash.store.records import DONE, Run
from mnist_dash.ui.shared import resources

OUT_OF_FOLD_FILE = ASSETS / "label_errors" / "out_of_fold.npz"
_SHIPPED = "shipped"
_BATCH = 500


@dataclass(frozen=True)
class Source:
    """Where predictions come from.

    Attributes:
        title: In words.
        run_ids: One run for test images; one a fold for training images; empty for those that ship.
    """

    title: str
    run_ids: tuple[int, ...]


def sources(dataset: Dataset, part: str) -> dict[str, Source]:
    """Returns what can predict a split's images without having been trained on them, by ids for links."""
    store = resources.run_store()
    runs = [run for run in store.list_runs(statuses=[DONE]) if run.fingerprint == dataset.fingerprint]
    if part == "test":
        runs.sort(key=lambda run: (run.variant != "cnn", not run.is_reference))
        return {f"r{run.id}": Source(run.title, (run.id,)) for run in runs}
    found = {_SHIPPED: Source("CNN, 4 folds of 10 epochs", ())} if dataset.info is MNIST else {}
    return found | {f"r{folds[0].id}": _of_folds(folds) for folds in _complete_folds(runs)}


def _of_folds(folds: Sequence[Run]) -> Source:
    title = folds[0].title.partition(" · ")[0]
    numbers = ", ".join(str(run.id) for run in folds)
    return Source(f"{title}, {len(folds)} folds (runs {numbers})", tuple(run.id for run in folds))


def _complete_folds(runs: Sequence[Run]) -> list[list[Run]]:
    """Returns cross-validations of which every fold has finished."""
    groups: dict[object, dict[int, Run]] = {}
    for run in runs:
        if folds_of(run.settings):
            rest = tuple(sorted((name, str(value)) for name, value in run.settings.items() if name != "fold"))
            groups.setdefault((run.variant, rest), {})[int(run.settings["fold"])] = run
    complete = [group for group in groups.values() if len(group) == folds_of(next(iter(group.values())).settings)]
    return [[group[fold] for fold in sorted(group)] for group in complete]


def probabilities_of(dataset: Dataset, part: str, source: Source) -> tuple[np.ndarray, np.ndarray]:
    """Returns probabilities for images of a split, shape (m, 10), and which images these are, shape (m,)."""
    if part == "test":
        probabilities = resources.predictions_of(source.run_ids[0]).probabilities
        return probabilities, np.arange(len(probabilities))
    every = _out_of_fold(dataset.fingerprint, source.run_ids) if source.run_ids else _shipped()
    halves = splits.split(dataset.y_train, "holdout")
    positions = halves.train if part == "training" else halves.validation
    known = np.isfinite(every[positions, 0])  # with unequal folds a few images are in none
    return every[positions][known], np.flatnonzero(known)


@st.cache_resource(show_spinner=False, max_entries=1)
def _shipped() -> np.ndarray:
    return read_arrays(OUT_OF_FOLD_FILE, ("probabilities",))["probabilities"]


@st.cache_resource(show_spinner="Predicting every held-out image …", max_entries=4)
def _out_of_fold(fingerprint: str, run_ids: tuple[int, ...]) -> np.ndarray:
    """Returns each training image's probabilities by the run that held it out, shape (n, 10), NaN for none."""
    dataset = resources.dataset_of(fingerprint)
    assert dataset is not None
    found = np.full((len(dataset.y_train), 10), np.nan, np.float16)
    for run in resources.run_store().get_runs(run_ids):
        validation, fold = str(run.settings["validation"]), int(run.settings["fold"])
        held_out, predictor = (
            splits.split(dataset.y_train, validation, fold=fold).validation,
            resources.predictor(run.id),
        )
        for start in range(0, len(held_out), _BATCH):
            batch = held_out[start : start + _BATCH]
            found[batch] = predictor.probabilities(dataset.x_train[batch])
    return found
