"""Compiled programs, kept for the next run that needs the same one."""

import contextlib
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Protocol

import numpy as np

from mnist_dash.config import Settings
from mnist_dash.datasets.mnist import Dataset, load_dataset, source_mtimes
from mnist_dash.datasets.splits import Split, split
from mnist_dash.errors import TrainingError
from mnist_dash.networks.hyperparameters import Value, Values
from mnist_dash.networks.variants import default_settings, get_variant
from mnist_dash.store.custom_datasets import CustomDatasets
from mnist_dash.store.records import Run
from mnist_dash.store.run_store import RunStore
from mnist_dash.worker.chunks import NOT_STARTED, EpochProgress
from mnist_dash.worker.compiled import CompiledTraining, load_tensorflow, uses_xla
from mnist_dash.worker.stacked import StackedProgram

_KEPT = 8  # programs: all shapes of most sweeps; they share the images, and each has little more than its weights
# Whatever else is set changes the network or its step, so it needs a program of its own.
_NOT_COMPILED = ("epochs", "learning_rate", "schedule", "validation", "fold", "patience", "train_part", "seed")


def program_for(variant: str, values: Values, dataset: Dataset) -> CompiledTraining:
    """Returns a program that trains this network, new or left by an earlier run.

    Its weights are those of the seed in `values`, and nothing is left of an earlier run.
    """
    compiled = tuple((name, value) for name, value in values.items() if name not in _NOT_COMPILED)
    rest = tuple((name, value) for name, value in values.items() if name in _NOT_COMPILED)
    program = _program(variant, compiled, dataset)
    program.restart({**dict(compiled), **dict(rest)})
    return program


@lru_cache(maxsize=_KEPT)
def _program(variant: str, compiled: tuple[tuple[str, Value], ...], dataset: Dataset) -> CompiledTraining:
    values = {**default_settings(variant), **dict(compiled)}
    return CompiledTraining(get_variant(variant), values, dataset.x_train, dataset.y_train)


def training_data(settings: Settings) -> Dataset:
    """Returns the data that the settings name, read anew only when its files change."""
    return _data(settings, source_mtimes(settings))


def dataset_of(run: Run, settings: Settings) -> Dataset:
    """Returns the data that a run learned or is to learn.

    Raises:
        TrainingError: If this process finds other data.
    """
    dataset = training_data(settings)
    if dataset.fingerprint == run.fingerprint:
        return dataset
    if custom := _custom_data(settings.database_url, run.fingerprint):
        return custom
    _custom_data.cache_clear()  # it may be added again
    raise TrainingError(
        f"Run {run.id} was queued for {run.dataset}, but this worker finds only {dataset.name}. "
        "Let MNIST_DASH_DATA of the dashboard name a file that the worker has too, or queue the run again."
    )


@lru_cache(maxsize=1)
def _custom_data(database_url: str, fingerprint: str) -> Dataset | None:
    with contextlib.closing(RunStore(database_url)) as store:
        return CustomDatasets(store).read(fingerprint)


@lru_cache(maxsize=1)
def _data(settings: Settings, _: tuple[tuple[str, int], ...]) -> Dataset:
    return load_dataset(settings)


def split_for(values: Values, dataset: Dataset) -> Split:
    """Returns which training images a run learns from and which validate."""
    fold, part = int(values["fold"]), float(values["train_part"])
    return split(dataset.y_train, str(values["validation"]), fold=fold, train_part=part)


class TrainingProgram(Protocol):
    """Networks that are trained in lockstep, each on its own images; often a single one."""

    def train_epoch(
        self,
        positions: Sequence[np.ndarray],
        number: int,
        *,
        progress: EpochProgress = NOT_STARTED,
        report: Callable[[Sequence[EpochProgress]], None] = lambda progress: None,
    ) -> list[tuple[float, float]]:
        """Trains every network for one epoch; like `CompiledTraining.train_epoch` for each."""

    def seconds_per_step(self, positions: Sequence[np.ndarray]) -> float:
        """Compiles for an epoch of these images and measures a few of its steps."""

    def select(self, index: int) -> CompiledTraining:
        """Returns a program that has the present state of one network, to be tested or saved."""

    def resume(self, index: int, state: Sequence[np.ndarray]) -> None:
        """Lets a network go on from what `CompiledTraining.state` returned."""


class SingleProgram:
    """Any network, as the only one."""

    def __init__(self, program: CompiledTraining):
        self._program = program

    def train_epoch(
        self,
        positions: Sequence[np.ndarray],
        number: int,
        *,
        progress: EpochProgress = NOT_STARTED,
        report: Callable[[Sequence[EpochProgress]], None] = lambda progress: None,
    ) -> list[tuple[float, float]]:
        """Trains for one epoch."""
        return [
            self._program.train_epoch(positions[0], number, progress=progress, report=lambda so_far: report([so_far]))
        ]

    def seconds_per_step(self, positions: Sequence[np.ndarray]) -> float:
        """Measures the program."""
        return self._program.seconds_per_step(positions[0])

    def select(self, index: int) -> CompiledTraining:
        """Returns the program itself."""
        return self._program

    def resume(self, index: int, state: Sequence[np.ndarray]) -> None:
        """Lets the program go on."""
        self._program.take_state(state)


def program_for_runs(variant: str, settings: Sequence[Values], dataset: Dataset) -> TrainingProgram:
    """Returns what trains these runs together, each with the weights of its own seed.

    Args:
        variant: The network of all of them.
        settings: All settings of each; several differ only in seed and fold.
        dataset: What they learn.
    """
    single = program_for(variant, settings[0], dataset)
    if not uses_xla(single.variant, single.values):
        return SingleProgram(single)
    stacked = _stacked_program(single, len(settings), dataset)
    stacked.restart(settings)
    return stacked


@lru_cache(maxsize=_KEPT)
def _stacked_program(single: CompiledTraining, networks: int, dataset: Dataset) -> StackedProgram:
    return StackedProgram(single, [single.values] * networks, dataset.x_train, dataset.y_train)


def precompile_and_time(variant: str, values: Values, settings: Settings) -> float:
    """Compiles a network before it is needed and returns the seconds of one training step."""
    load_tensorflow()
    dataset = training_data(settings)
    return program_for_runs(variant, [values], dataset).seconds_per_step([split_for(values, dataset).train])
