"""Importance: how much of the variance each setting of a sweep explains."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mnist_dash.networks.experiments import differing
from mnist_dash.networks.hyperparameters import Value
from mnist_dash.store.records import Run

_MAX_LEVELS = 8  # a setting with more values than this is binned into as many ranges


@dataclass(frozen=True)
class Effect:
    """The main effect of one setting.

    Attributes:
        name: The setting, or “variant”.
        share: Share of the accuracies' variance that its means explain, in [0, 1].
        best: The value (of several, the range's lowest) with the highest mean accuracy.
        mean: That mean.
    """

    name: str
    share: float
    best: Value
    mean: float


def effects_of(runs: Sequence[Run]) -> list[Effect]:
    """Returns what each setting in which runs differ did by itself, the strongest first.

    Args:
        runs: Finished runs of a sweep.

    Source:
        The main effects of a one-way analysis of variance, η² (Fisher 1925), as functional
        ANOVA has them for hyperparameters (Hutter and others 2014, "An efficient approach
        for assessing hyperparameter importance").
    """
    accuracies = np.array([run.test_accuracy or 0.0 for run in runs])
    if len(runs) < 3 or not accuracies.var():
        return []
    values = {name: [_value(run, name) for run in runs] for name in differing(runs)}
    # Where every run has a value of its own, its means explain everything and say nothing.
    effects = [
        _effect(name, of_runs, accuracies) for name, of_runs in values.items() if len(set(_levels(of_runs))) < len(runs)
    ]
    return sorted(effects, key=lambda effect: -effect.share)


def _value(run: Run, name: str) -> Value:
    return run.variant if name == "variant" else run.settings.get(name, "")


def _effect(name: str, values: Sequence[Value], accuracies: np.ndarray) -> Effect:
    levels = _levels(values)
    means = {level: accuracies[[each == level for each in levels]].mean() for level in set(levels)}
    explained = float(np.mean([(means[level] - accuracies.mean()) ** 2 for level in levels]) / accuracies.var())
    best = max(means, key=lambda level: means[level])
    return Effect(name, min(1.0, explained), best, float(means[best]))


def _levels(values: Sequence[Value]) -> list[Value]:
    """Returns the values, or the lowest of the range that each is in if there are many."""
    if len(set(values)) <= _MAX_LEVELS or any(isinstance(value, str) for value in values):
        return list(values)
    numbers = np.array(values, float)
    lowest = np.unique(np.quantile(numbers, np.arange(_MAX_LEVELS) / _MAX_LEVELS))
    return [float(lowest[index]) for index in np.searchsorted(lowest, numbers, side="right") - 1]
