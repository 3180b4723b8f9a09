"""What all visitors share: the store, the queue, the data, loaded models."""

import os
from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
import streamlit as st
from streamlit.errors import StreamlitSecretNotFoundError

from mnist_dash.analysis import test_predictions
from mnist_dash.analysis.test_predictions import TestPredictions
from mnist_dash.config import SETTINGS, Settings, load_settings
from mnist_dash.datasets import mnist
from mnist_dash.datasets.mnist import Dataset
from mnist_dash.errors import DataError
from mnist_dash.inference.novelty import NoveltyDetector
from mnist_dash.inference.predictor import Predictor
from mnist_dash.store import keys
from mnist_dash.store.custom_datasets import CustomDatasets
from mnist_dash.store.measurements import Measurements
from mnist_dash.store.records import ACTIVE, MODEL_TFLITE
from mnist_dash.store.reference_runs import ensure_reference_runs
from mnist_dash.store.run_store import RunStore
from mnist_dash.store.visitors import Limits, Visitor
from mnist_dash.ui.shared import identity

if TYPE_CHECKING:  # distributed takes 2.4 s to import, only where it is needed
    from mnist_dash.worker.job_queue import JobQueue


def settings() -> Settings:
    """Returns the settings from the environment and Streamlit's secrets."""
    return _settings(tuple(os.environ.get(info.name) for info in SETTINGS))


@lru_cache(maxsize=8)  # a page asks dozens of times
def _settings(environment: tuple[str | None, ...]) -> Settings:
    return load_settings(secrets=_secrets())


@lru_cache(maxsize=1)
def _secrets() -> Mapping[str, object]:
    try:
        return dict(st.secrets.get("mnist_dash", {}))
    except StreamlitSecretNotFoundError:
        return {}


def run_store() -> RunStore:
    """Returns the store, with the reference models in it."""
    return _run_store(settings().database_url)


@st.cache_resource(show_spinner=False)
def _run_store(database_url: str) -> RunStore:
    store = RunStore(database_url)
    ensure_reference_runs(store)
    return store


def job_queue() -> "JobQueue":
    """Returns the queue; its workers start at the first call."""
    return _job_queue(settings())


def running_queue() -> "JobQueue | None":
    """Returns the queue if it has started."""
    return _queues.get(settings())


_queues: dict[Settings, "JobQueue"] = {}


@st.cache_resource(show_spinner=False)
def _job_queue(settings: Settings) -> "JobQueue":
    from mnist_dash.worker.job_queue import JobQueue

    _queues[settings] = JobQueue(settings)
    return _queues[settings]


def close_queues() -> None:
    """Stops what was started; runs that workers of this machine are training are queued again."""
    for queue in _queues.values():
        queue.close()


def ensure_queue() -> None:
    """Starts the queue if there are runs or measurements for it."""
    if run_store().list_runs(statuses=ACTIVE, limit=1) or Measurements(run_store()).any_unfinished():
        job_queue()


def dataset() -> Dataset:
    """Returns MNIST, or the bundled sample; found anew when one of its sources changes."""
    found = settings()
    return _dataset(found, mnist.source_mtimes(found))


@st.cache_resource(show_spinner=False, max_entries=2)
def _dataset(settings: Settings, source_mtimes: tuple[tuple[str, int], ...]) -> Dataset:
    return mnist.load_dataset(settings)


def custom_datasets() -> CustomDatasets:
    """Returns the data that visitors added."""
    return CustomDatasets(run_store())


def dataset_of(fingerprint: str) -> Dataset | None:
    """Returns the data with this fingerprint, be it MNIST or custom; None if it is not here."""
    if dataset().fingerprint == fingerprint:
        return dataset()
    here = any(custom.fingerprint == fingerprint for custom in custom_datasets().list())
    return _custom_dataset(settings().database_url, fingerprint) if here else None


@st.cache_resource(show_spinner="Loading the dataset …", max_entries=2)
def _custom_dataset(database_url: str, fingerprint: str) -> Dataset | None:
    return CustomDatasets(_run_store(database_url)).read(fingerprint)


def images_of(fingerprint: str, part: str) -> tuple[np.ndarray, np.ndarray]:
    """Returns a split's images, shape (n, 28, 28), uint8, and labels, shape (n,), uint8, of data that is here.

    Raises:
        DataError: If it was removed meanwhile.
    """
    found = dataset_of(fingerprint)
    if found is None:
        raise DataError("This dataset was removed. Choose another one.")
    return mnist.select(found, part)[:2]


def predictor(run_id: int) -> Predictor:
    """Returns a finished run's network, ready to read digits."""
    return _predictor(settings().database_url, run_id)


@st.cache_resource(show_spinner=False, max_entries=32)
def _predictor(database_url: str, run_id: int) -> Predictor:
    return Predictor(_run_store(database_url).read_artifact(run_id, MODEL_TFLITE))


@st.cache_resource(show_spinner=False)
def novelty_detector() -> NoveltyDetector:
    """Returns what tells digits from other drawings."""
    return NoveltyDetector.shipped()


def predictions_of(run_id: int) -> TestPredictions:
    """Returns what a finished run said about the test pictures."""
    return _predictions_of(settings().database_url, run_id)


@st.cache_resource(show_spinner=False, max_entries=256)  # more than a page shows; 0.3 MB each with the full MNIST
def _predictions_of(database_url: str, run_id: int) -> TestPredictions:
    return test_predictions.read_test_predictions(_run_store(database_url), run_id)


def visitor() -> Visitor:
    """Returns who looks at this page: the signed-in user, else this browser, with their limits."""
    found = settings()
    limits = Limits(unfinished=found.max_queued, epochs=found.max_epochs, runs=found.max_runs) if found.shared else None
    if st.user.get("is_logged_in"):
        return Visitor(str(st.user.get("email")), limits)
    return Visitor(identity.owner_of(identity.visitor_token(visitors_key())), limits)


def poll_every(seconds: float) -> float:
    """Returns how often a page asks for news: half as often where many may look, as each time costs 40 ms of a core."""
    return 2 * seconds if settings().shared else seconds


def visitors_key() -> bytes:
    """Returns the key that signs the tokens by which browsers are known."""
    return _visitors_key(settings().database_url)


@st.cache_resource(show_spinner=False)
def _visitors_key(database_url: str) -> bytes:
    return keys.secret_key(_run_store(database_url), keys.VISITORS)
