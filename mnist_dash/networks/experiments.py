"""Experiments: from one form or one command to all the runs that it asks for."""

import itertools
import math
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

from mnist_dash.errors import VariantError
from mnist_dash.networks.hyperparameters import BFLOAT16, Value, Values, folds_of
from mnist_dash.networks.summary import summarise, training_flops
from mnist_dash.networks.variants import get_variant, has_convolutions

MAX_RUNS = 200
_PLURALS = {"fold": "folds", "seed": "seeds"}


class AnyRun(Protocol):
    """A run, planned or real: its network and its settings."""

    @property
    def variant(self) -> str:
        """Name of the network."""

    @property
    def settings(self) -> Mapping[str, Value]:
        """All its settings."""


_Run = TypeVar("_Run", bound=AnyRun)


@dataclass(frozen=True)
class PlannedRun:
    """A run that is to be queued: its network and all its settings, checked."""

    variant: str
    settings: Mapping[str, Value]


def plan_runs(
    variants: Sequence[str],
    settings: Mapping[str, object],
    *,
    vary: Mapping[str, Sequence[object]] | None = None,
    repeats: int = 1,
) -> list[PlannedRun]:
    """Lists the runs of an experiment: every combination of what is varied.

    With k folds each combination becomes k runs, one for each fold, unless the fold is
    given or varied itself.

    Args:
        variants: Names of the networks.
        settings: What differs from the networks' own settings.
        vary: Several values of some settings.
        repeats: How many seeds each combination is trained with: the chosen one and
            those that follow it.

    Returns:
        The runs, no two alike, networks first, then in the order of `vary`.

    Raises:
        VariantError: If a setting is unknown or out of range, or there are more runs
            than `MAX_RUNS`.
    """
    grid = dict(vary or {})
    _check_number(len(variants) * math.prod(map(len, grid.values())) * repeats)
    found = [
        planned
        for variant in variants
        for combination in itertools.product(*grid.values())
        for planned in _repeated(variant, {**settings, **dict(zip(grid, combination, strict=True))}, repeats)
    ]
    _check_number(len(found))
    return [planned for index, planned in enumerate(found) if planned not in found[:index]]


def _repeated(name: str, settings: Mapping[str, object], repeats: int) -> list[PlannedRun]:
    first = get_variant(name).check(settings)
    folds = range(1, folds_of(first) + 1) if "fold" not in settings and folds_of(first) else [first["fold"]]
    seeds = range(int(first["seed"]), int(first["seed"]) + repeats)
    return [
        PlannedRun(name, get_variant(name).check({**first, "seed": seed, "fold": fold}))
        for seed in seeds
        for fold in folds
    ]


def _check_number(runs: int) -> None:
    if runs > MAX_RUNS:
        raise VariantError(
            f"These settings make {runs:,} runs, but {MAX_RUNS} is the maximum per experiment. "
            "Remove some values, or queue several experiments."
        )


def experiment_title(runs: Sequence[PlannedRun]) -> str:
    """Says in a few words what runs have in common and what differs: “CNN, 4 folds”."""
    names = list(dict.fromkeys(run.variant for run in runs))
    networks = get_variant(names[0]).title if len(names) == 1 else f"{len(names)} networks"
    return ", ".join([networks, *(_count_words(name, runs) for name in differing(runs) if name != "variant")])


def _count_words(name: str, runs: Sequence[PlannedRun]) -> str:
    labels = {setting.name: setting.label for run in runs for setting in get_variant(run.variant).settings}
    values = {(run.variant, run.settings.get(name)) for run in runs}
    most = max(Counter(variant for variant, _ in values).values())
    return f"{most} {_PLURALS.get(name, f'values of {labels[name].lower()}')}"


def replicate_key(run: AnyRun) -> tuple[object, ...]:
    """Returns what runs share that differ only in seed or fold: their mean and spread make sense."""
    rest = {name: value for name, value in run.settings.items() if name not in ("seed", "fold")}
    return run.variant, tuple(sorted(rest.items()))


def group_replicates(
    runs: Iterable[_Run],
    *,
    separate: Callable[[_Run], bool] = lambda run: False,
    within: Callable[[_Run], object] = lambda run: None,
) -> list[list[_Run]]:
    """Groups runs that differ only in seed or fold.

    Args:
        runs: The runs.
        separate: Whether a run is a group of its own, whatever else there is.
        within: What runs of a group must also share, for instance their data.

    Returns:
        The groups, in the order of their first runs.
    """
    groups: dict[object, list[_Run]] = {}
    for number, run in enumerate(runs):
        key = number if separate(run) else (within(run), replicate_key(run))
        groups.setdefault(key, []).append(run)
    return list(groups.values())


# What a step costs beside its arithmetic, and how fast the arithmetic is: only the ratio of the two
# matters, as one step is measured and the others are set in proportion to it.
_STEP_S = 60e-6
_FLOPS_PER_S = 60e9
BFLOAT16_GAIN = 2  # of convolutions: 1.7 with AVX512-BF16, 2.3 with AMX, see docs/benchmarks.md


def expected_seconds(planned: AnyRun, pictures: int, *, like: AnyRun, seconds_per_step: float) -> float:
    """Estimates how long a run trains, from one measured step of a run of the same or another kind.

    Args:
        planned: The run.
        pictures: Training pictures of the data set.
        like: The run of which a step was measured.
        seconds_per_step: What that step took.

    Returns:
        Seconds for all its epochs, without early stopping.
    """
    return steps_of(planned, pictures) * seconds_per_step * _cost_of_step(planned) / _cost_of_step(like)


def steps_of(planned: AnyRun, pictures: int) -> int:
    """Returns how many steps a run makes in all its epochs, of so many training pictures."""
    folds = folds_of(planned.settings)
    learned = pictures * (1 - 1 / folds if folds else 1) * float(planned.settings["train_part"])
    return max(1, math.ceil(learned / int(planned.settings["batch_size"]))) * int(planned.settings["epochs"])


def _cost_of_step(planned: AnyRun) -> float:
    flops = training_flops(summarise(get_variant(planned.variant), planned.settings))
    gain = BFLOAT16_GAIN if _gains_by_bfloat16(planned.variant, planned.settings) else 1
    return _STEP_S + int(planned.settings["batch_size"]) * flops / _FLOPS_PER_S / gain


def _gains_by_bfloat16(variant: str, settings: Values) -> bool:
    """Says whether a run is faster because it is to be trained in bfloat16; dense networks are not."""
    return settings["precision"] == BFLOAT16 and has_convolutions(variant)


def differing(runs: Sequence[AnyRun]) -> list[str]:
    """Returns the names of settings in which runs differ; “variant” first, if they are of several networks."""
    names = dict.fromkeys(name for run in runs for name in run.settings)
    several = ["variant"] if len({run.variant for run in runs}) > 1 else []
    of_each = {run.variant: [other for other in runs if other.variant == run.variant] for run in runs}
    return [
        *several,
        *(
            name
            for name in names
            if any(len({run.settings.get(name) for run in alike}) > 1 for alike in of_each.values())
        ),
    ]
