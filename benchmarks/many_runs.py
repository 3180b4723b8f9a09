"""A store with very many runs, made up: experiments, repeats, folds, sweeps, tags, and some that did not finish."""

import itertools
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
from sqlalchemy import insert

from mnist_dash.datasets.mnist import CLASSES, Dataset
from mnist_dash.networks.experiments import PlannedRun, experiment_title, plan_runs
from mnist_dash.store.database import transaction
from mnist_dash.store.records import CANCELLED, DONE, FAILED, PAUSED, QUEUED, RUNNING, Result
from mnist_dash.store.reference_runs import ensure_reference_runs
from mnist_dash.store.run_store import RunStore
from mnist_dash.store.schema import artifacts_table, epochs_table, experiments_table, runs_table, tags_table

_A_YEAR_S = 365 * 86_400.0
_AT_ONCE = 500  # runs in one transaction
_OTHERS = {FAILED: 12, CANCELLED: 6, PAUSED: 3, QUEUED: 4, RUNNING: 2}
_TAGS = ("good", "for the talk", "baseline", "check again", "homework", "too slow")
# (test accuracy on the sample, weights, seconds of training), about what they are
_REACHED = {
    "dense-32": (0.89, 25_450, 0.4),
    "sigmoid-100": (0.87, 79_510, 0.6),
    "dense-512": (0.94, 407_050, 1.3),
    "cnn": (0.97, 370_026, 9.0),
}


def fill(store: RunStore, dataset: Dataset, runs: int) -> None:
    """Adds the reference runs, so many finished runs, and some that have not finished.

    Args:
        store: An empty store.
        dataset: What the runs are said to have been tested on.
        runs: How many are finished.
    """
    ensure_reference_runs(store)
    random, groups = np.random.default_rng(runs), _planned()
    missing, first = runs, len(store.list_runs()) + 1
    while missing:
        chosen: list[Sequence[PlannedRun]] = []
        while sum(map(len, chosen)) < min(missing, _AT_ONCE):
            chosen.append(next(groups)[:missing])
        added = _add(store, dataset, chosen, random, first)
        missing, first = max(0, missing - added), first + added
    _add_others(store, dataset)


def _planned() -> Iterator[Sequence[PlannedRun]]:
    """Plans experiments and single runs in turn, no run twice."""
    for number in itertools.count(1):
        for variant in _REACHED:
            own = {"epochs": 3 + number % 5, "seed": 10 * number}
            rates, sizes = [1e-3, 3e-3, 1e-2 / number], [32, 64, 128]
            yield plan_runs([variant], own, repeats=5)
            yield plan_runs([variant], {**own, "validation": "kfold:4"})
            yield plan_runs([variant], own, vary={"learning_rate": rates, "batch_size": sizes})
            yield plan_runs([variant], {**own, "dropout": 0.1})


def _add(
    store: RunStore,
    dataset: Dataset,
    groups: Sequence[Sequence[PlannedRun]],
    random: np.random.Generator,
    first: int,
) -> int:
    """Adds finished runs in one transaction, numbered from `first`; returns how many."""
    planned = [run for group in groups for run in group]
    numbers = itertools.count(first)
    with transaction(store.engine) as connection:
        for group in groups:
            experiment = None
            if len(group) > 1:
                values = {"title": experiment_title(group), "created_at": time.time()}
                added = insert(experiments_table).values(values).returning(experiments_table.c.id)
                experiment = connection.scalar(added)
            rows = [_finished(next(numbers), run, experiment, dataset, random) for run in group]
            for table in (runs_table, epochs_table, artifacts_table, tags_table):
                found = [row for own in rows for row in own[table.name]]
                if found:
                    connection.execute(insert(table), found)
    return len(planned)


def _finished(
    number: int, run: PlannedRun, experiment: int | None, dataset: Dataset, random: np.random.Generator
) -> dict[str, list[dict[str, Any]]]:
    """Returns the rows of one finished run, by table."""
    level, weights, seconds = _REACHED[run.variant]
    probabilities = _probabilities(dataset.y_test, level + random.normal(0, 0.01), random)
    accuracy = float((probabilities.argmax(1) == dataset.y_test).mean())
    result = Result(float(-np.log(level)), accuracy, seconds * random.uniform(0.8, 1.3), weights, 0.1)
    row = _row(run, dataset, DONE) | {"id": number, "experiment_id": experiment, "finished_at": time.time()}
    artifacts = {"test_probabilities": probabilities.tobytes(), "test_labels": dataset.y_test.tobytes()}
    return {
        "runs": [row | asdict(result)],
        "epochs": _epochs(number, int(run.settings["epochs"]), accuracy, random),
        "artifacts": [{"run_id": number, "name": name, "content": content} for name, content in artifacts.items()],
        "tags": [{"run_id": number, "name": _TAGS[number % len(_TAGS)]}] if number % 7 == 0 else [],
    }


def _row(run: PlannedRun, dataset: Dataset, status: str) -> dict[str, Any]:
    return {
        "variant": run.variant,
        "settings": dict(run.settings),
        "dataset": dataset.name,
        "fingerprint": dataset.fingerprint,
        "status": status,
        "owner": "benchmark",
        "created_at": time.time(),
    }


def _probabilities(labels: np.ndarray, level: float, random: np.random.Generator) -> np.ndarray:
    """Returns what a network might say that reads about this share right, shape (n, 10), float16."""
    logits = random.normal(0, 1, (len(labels), CLASSES))
    read = np.where(random.random(len(labels)) < level, labels, random.integers(0, CLASSES, len(labels)))
    logits[np.arange(len(labels)), read] += random.uniform(4, 9, len(labels))
    powers = np.exp(logits)
    return np.asarray(powers / powers.sum(1, keepdims=True), np.float16)


def _epochs(number: int, epochs: int, accuracy: float, random: np.random.Generator) -> list[dict[str, Any]]:
    return [
        {
            "run_id": number,
            "number": epoch,
            "loss": 0.8 / epoch,
            "accuracy": accuracy - 0.1 / epoch,
            "val_loss": 0.9 / epoch + random.uniform(0, 0.05),
            "val_accuracy": accuracy - 0.12 / epoch,
            "seconds": 0.2,
        }
        for epoch in range(1, epochs + 1)
    ]


def _add_others(store: RunStore, dataset: Dataset) -> None:
    """Adds runs that have not finished; those in training are heard of for a year, so that they stay as they are."""
    beat = time.time() + _A_YEAR_S
    with transaction(store.engine) as connection:
        for status, count in _OTHERS.items():
            for run in plan_runs(["dense-32"], {"seed": 10**6}, repeats=count):
                row = _row(run, dataset, status) | {"error": "Made up to fail." if status == FAILED else None}
                connection.execute(insert(runs_table).values({**row, "heartbeat_at": beat}))
