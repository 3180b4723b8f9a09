"""What a network makes of the images of a split: its last hidden layer and its predictions, computed once."""

import os
from dataclasses import dataclass

import numpy as np
import streamlit as st

from mnist_dash.analysis.projection import Projection, project
from mnist_dash.inference.predictor import Predictor
from mnist_dash.store.records import DONE, MODEL_TFLITE, Run
from mnist_dash.store.search import RunFinder, RunQuery
from mnist_dash.ui.shared import controls, resources

_MAX_IMAGES = 10_000
_OFFERED = 20
_BATCH = 50  # all layers of so many images are 15 MB


@dataclass(frozen=True, eq=False)
class Features:
    """What a network makes of images.

    Attributes:
        hidden: Activations of the last hidden layer, shape (n, units), float16.
        predicted: The predicted classes, shape (n,), int64.
    """

    hidden: np.ndarray
    predicted: np.ndarray


def offered_networks(fingerprint: str) -> dict[str, Run]:
    """Returns finished runs by “r” and their number: those that ship, then the newest on this data."""
    finder = RunFinder(resources.run_store())
    newest = [run for run in finder.find(RunQuery(statuses=(DONE,)), limit=_OFFERED) if run.fingerprint == fingerprint]
    return {f"r{run.id}": run for run in [*controls.in_order(finder.references()), *newest]}


def placed(count: int) -> np.ndarray:
    """Returns which images of a split are on a map, in ascending order: all, or 10,000 drawn at random."""
    if count <= _MAX_IMAGES:
        return np.arange(count)
    return np.sort(np.random.default_rng(0).permutation(count)[:_MAX_IMAGES])


@st.cache_resource(show_spinner="Asking the network …", max_entries=4)
def features(fingerprint: str, part: str, run_id: int) -> Features:
    """Returns what a run's network makes of the images of a split that are on a map."""
    images, _ = resources.images_of(fingerprint, part)
    images = images[placed(len(images))]
    # A predictor of its own: with all processors, and its memory is given back.
    model = resources.run_store().read_artifact(run_id, MODEL_TFLITE)
    predictor = Predictor(model, num_threads=os.cpu_count() or 1)
    found = [predictor.activations(images[start : start + _BATCH])[-2:] for start in range(0, len(images), _BATCH)]
    hidden = np.concatenate([each.reshape(len(each), -1).astype(np.float16) for each, _ in found])
    return Features(hidden, np.concatenate([probabilities for _, probabilities in found]).argmax(1))


@st.cache_resource(show_spinner="Placing the images …", max_entries=18)
def projection(fingerprint: str, part: str, run_id: int | None) -> Projection:
    """Returns where a split's images lie: by their pixels, or by a network's last hidden layer."""
    if run_id is not None:
        return project(features(fingerprint, part, run_id).hidden)
    images, _ = resources.images_of(fingerprint, part)
    return project(images[placed(len(images))].reshape(-1, 784))


def nearest_for(fingerprint: str, part: str, index: int, run_id: int, *, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Finds the images on the map that a network sees as most alike to one image of the split.

    Returns:
        Their indices in the split, nearest first, and the Euclidean distances of their hidden activations.
    """
    images, _ = resources.images_of(fingerprint, part)
    own = resources.predictor(run_id).activations(images[index : index + 1])[-2].reshape(-1)
    distances = np.linalg.norm(features(fingerprint, part, run_id).hidden.astype(np.float32) - own, axis=1)
    on_map = placed(len(images))
    order = [position for position in np.argsort(distances, kind="stable")[: count + 1] if on_map[position] != index]
    return on_map[order[:count]], distances[order[:count]]
