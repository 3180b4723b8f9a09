"""Trains the models that ship with the project: `python -m tools.make_reference [VARIANT …]`.

Each is one run on the full MNIST with the tutorial's settings. Stop it and call it
again, and it goes on where it was. With `--robustness` nothing is trained: only how well
the models that are there read corrupted pictures is measured anew; with `--novelty`,
only what tells digits from other drawings is fitted anew; with `--out-of-fold`, only the folds are
trained whose predictions for held-out training images Explore looks for label errors with.
"""

import json
import os
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np

from mnist_dash.config import ASSETS, PROJECT, load_settings
from mnist_dash.datasets.mnist import CLASSES, MNIST, Dataset, load_dataset
from mnist_dash.datasets.splits import split
from mnist_dash.errors import DataError, MnistDashError
from mnist_dash.inference import novelty
from mnist_dash.inference.predictor import Predictor
from mnist_dash.networks.hyperparameters import Values
from mnist_dash.networks.variants import RECOMMENDED_FOR_PICTURES, VARIANTS, get_variant
from mnist_dash.store.corruption_counts import CorruptionCounts
from mnist_dash.store.records import DONE, MODEL_TFLITE, QUEUED, Run
from mnist_dash.store.reference_runs import REFERENCE_FOLDER, ROBUSTNESS_JSON
from mnist_dash.store.run_export import SCRIPT_PY, export_run
from mnist_dash.store.run_leases import RunLeases
from mnist_dash.store.run_store import RunStore
from mnist_dash.worker.robustness import measure
from mnist_dash.worker.training import train_run

_FOLDER = REFERENCE_FOLDER
_ONLY_ROBUSTNESS, _ONLY_NOVELTY, _ONLY_FOLDS = "--robustness", "--novelty", "--out-of-fold"
_FOLDS = {"validation": "kfold:4", "epochs": 10}  # later, a network is sure of nearly every label that it is given
_LEARNED, _HELD_OUT = 10_000, 1_600  # images of each of three kinds, for the novelty detector
OUT_OF_FOLD_FILE = ASSETS / "label_errors" / "out_of_fold.npz"
_STORE = PROJECT / ".mnist_dash" / "reference.sqlite"


def main(names: list[str]) -> None:
    """Trains and exports the named variants, or all."""
    dataset = load_dataset(load_settings())
    if dataset.info is not MNIST:
        raise DataError("Reference models are trained on the full MNIST: `python -m mnist_dash data --download`.")
    if _ONLY_NOVELTY in names:
        _fit_novelty(dataset, _FOLDER / RECOMMENDED_FOR_PICTURES)
        return
    if _ONLY_FOLDS in names:
        _predict_out_of_fold(dataset)
        return
    chosen = [name for name in names if name != _ONLY_ROBUSTNESS] or list(VARIANTS)
    if _ONLY_ROBUSTNESS not in names:
        _train(chosen, dataset)
    for name in chosen:
        _measure_robustness(dataset, _FOLDER / name)


def _predict_out_of_fold(dataset: Dataset) -> None:
    store = _opened_store()
    found = np.zeros((len(dataset.y_train), CLASSES), np.float16)
    for fold in range(1, 5):
        run = _finished_run(store, "cnn", get_variant("cnn").check({**_FOLDS, "fold": fold}), dataset)
        predictor = Predictor(store.read_artifact(run.id, MODEL_TFLITE))
        for batch in np.array_split(split(dataset.y_train, str(_FOLDS["validation"]), fold=fold).validation, 30):
            found[batch] = predictor.probabilities(dataset.x_train[batch])
    OUT_OF_FOLD_FILE.parent.mkdir(exist_ok=True)
    np.savez_compressed(OUT_OF_FOLD_FILE, allow_pickle=False, probabilities=found)


def _opened_store() -> RunStore:
    store = RunStore(f"sqlite:///{_STORE}")
    RunLeases(store).requeue_lost()
    return store


def _finished_run(store: RunStore, name: str, settings: Values, dataset: Dataset) -> Run:
    """Returns a run with these settings that has finished, after training it if there is none."""
    same = [run for run in store.list_runs(statuses=[QUEUED, DONE]) if (run.variant, run.settings) == (name, settings)]
    run = same[0] if same else store.create_run(name, settings, dataset=dataset.name, fingerprint=dataset.fingerprint)
    train_run(run.id, replace(load_settings(), database_url=store.database_url))
    finished = store.get_run(run.id)
    if finished.status != DONE:
        raise MnistDashError(f"{name} did not finish: it is {finished.status}. {finished.error or ''}")
    return finished


def _train(names: list[str], dataset: Dataset) -> None:
    store = _opened_store()
    for name in names:
        finished = _finished_run(store, name, get_variant(name).check({}), dataset)
        export_run(store, finished, _FOLDER / name)
        (_FOLDER / name / SCRIPT_PY).unlink()  # follows from the settings; one copy less to keep true
        if name == RECOMMENDED_FOR_PICTURES:
            _fit_novelty(dataset, _FOLDER / name)
        print(f"{name}: test accuracy {finished.test_accuracy:.4f} after {finished.fit_seconds:.0f} s")


def _fit_novelty(dataset: Dataset, folder: Path) -> None:
    parts = split(dataset.y_train, "holdout")
    predictor = Predictor((folder / MODEL_TFLITE).read_bytes())
    learned, held_out = (
        _as_people_write(dataset.x_train[part], dataset.y_train[part], count)
        for part, count in ((parts.train, _LEARNED), (parts.validation, _HELD_OUT))
    )
    (folder / novelty.NOVELTY_NPZ).write_bytes(novelty.fit(predictor, learned, held_out))


def _as_people_write(images: np.ndarray, labels: np.ndarray, count: int) -> np.ndarray:
    """Returns images as they are, as many with handwriting styles, and as many that are also augmented a little."""
    from mnist_dash.networks.augmentation import augment
    from mnist_dash.networks.handwriting_styles import add_strokes

    thirds = np.random.default_rng(0).permutation(len(images))[: 3 * count].reshape(3, count)
    plain, *others = (images[third] for third in thirds)
    styled, changed = (
        add_strokes(part.astype(np.float32), labels[third], share, (0, number))
        for number, (part, third, share) in enumerate(zip(others, thirds[1:], (0.7, 0.5), strict=True))
    )
    parts = [styled.numpy(), augment(changed, 0.4, (1, 0)).numpy()]
    return np.concatenate([plain, *(np.rint(part).astype(np.uint8) for part in parts)])


def _measure_robustness(dataset: Dataset, folder: Path) -> None:
    predictor = Predictor((folder / MODEL_TFLITE).read_bytes(), num_threads=os.cpu_count() or 1)
    *_, counts = measure(predictor, dataset, CorruptionCounts())
    (folder / ROBUSTNESS_JSON).write_text(json.dumps(counts.as_json()) + "\n")
    print(f"{folder.name}: mean accuracy under corruption {counts.mean:.4f}")


if __name__ == "__main__":
    main(sys.argv[1:])
