"""Learning curves as numbers: which runs make one curve, where it stops, where over-fitting begins."""

import itertools
import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np

from mnist_dash.datasets.mnist import CLASSES, KNOWN
from mnist_dash.datasets.splits import split
from mnist_dash.networks.experiments import replicate_key
from mnist_dash.store.records import DONE, Epoch, Run, best_epoch

LOSS, ACCURACY = "loss", "accuracy"
TRAINING, VALIDATION = "training", "validation"
EPOCHS, SECONDS, PICTURES = "epochs", "seconds", "pictures"
CLEARLY_RISEN = 0.1  # a validation loss that is a tenth above its lowest is no longer noise


@dataclass(frozen=True)
class History:
    """A run with the epochs that it has finished."""

    run: Run
    epochs: tuple[Epoch, ...]

    @property
    def stopped_early(self) -> bool:
        """Whether early stopping ended it before it had all its epochs."""
        settings = self.run.settings
        return bool(self.run.status == DONE and settings.get("patience") and len(self.epochs) < int(settings["epochs"]))


@dataclass(frozen=True)
class Curve:
    """What is drawn as one: a run, or the mean of runs that differ only in seed or fold.

    Attributes:
        histories: The runs, at least one.
        left_out: Runs that have a seed and a fold that another one has too, and so the same numbers:
            they would make the spread smaller than it is.
    """

    histories: tuple[History, ...]
    left_out: int = 0

    @property
    def run(self) -> Run:
        """A run with all that its repeats share."""
        return self.histories[0].run

    @property
    def n(self) -> int:
        """How many runs it is the mean of."""
        return len(self.histories)

    @cached_property
    def epochs(self) -> tuple[Epoch, ...]:
        """Mean of each epoch, as far as all runs got.

        Where one has stopped the mean of the rest would jump, and be that of other runs than before:
        those that early stopping let go on are the better ones. So the curve ends there.
        """
        if self.n == 1:
            return self.histories[0].epochs
        return tuple(map(_mean, zip(*(history.epochs for history in self.histories), strict=False)))

    @property
    def tested_epoch(self) -> Epoch | None:
        """The epoch whose weights were tested: with early stopping the best one, else the last."""
        if not self.epochs or self.test(LOSS) is None:
            return None
        return (best_epoch(self.epochs) if self.run.settings.get("patience") else None) or self.epochs[-1]

    def test(self, quantity: str) -> float | None:
        """Returns the result on the test pictures, the mean over the runs; None as long as there is none."""
        found = [getattr(history.run, f"test_{quantity}") for history in self.histories]
        return None if None in found else statistics.fmean(found)


def _mean(epochs: Sequence[Epoch]) -> Epoch:
    def mean(name: str) -> float | None:
        values = [getattr(epoch, name) for epoch in epochs]
        return None if None in values else statistics.fmean(values)

    names = ("loss", "accuracy", "val_loss", "val_accuracy", "seconds")
    return Epoch(epochs[0].number, **{name: mean(name) for name in names})  # type: ignore[arg-type]


def curves_of(histories: Iterable[History], *, together: bool = True) -> list[Curve]:
    """Returns what is drawn as one curve each.

    Args:
        histories: The runs.
        together: Take finished runs together that differ only in seed or fold and learned from the same
            data set. One that has not finished stands alone, as its mean with the others would not
            get further than it has; so does one that ships with the project, known by its own name.
    """
    groups: dict[object, list[History]] = {}
    for history in histories:
        run = history.run
        alone = not together or run.is_reference or run.status != DONE or not history.epochs
        key = run.id if alone else (run.fingerprint, replicate_key(run))
        groups.setdefault(key, []).append(history)
    return [_curve(group) for group in groups.values()]


def _curve(group: Sequence[History]) -> Curve:
    distinct: dict[object, History] = {}
    for history in group:
        settings = history.run.settings
        distinct.setdefault((settings.get("seed"), settings.get("fold")), history)
    return Curve(tuple(distinct.values()), len(group) - len(distinct))


def along(run: Run, epochs: Sequence[Epoch], axis: str) -> list[float]:
    """Returns where each epoch ends on the x axis.

    Args:
        run: Says how many pictures an epoch has.
        epochs: Finished epochs.
        axis: `EPOCHS`, `SECONDS` of training since its start, or `PICTURES` seen since its start.
    """
    if axis == SECONDS:
        return list(itertools.accumulate(epoch.seconds for epoch in epochs))
    size = pictures_learned(run) if axis == PICTURES else 1
    return [float(size * epoch.number) for epoch in epochs]


def pictures_learned(run: Run) -> int:
    """Returns how many pictures a run sees in an epoch.

    With stratified folds it may be wrong by as many as there are digits, as it is counted without
    the labels, as if all digits were equally frequent.
    """
    settings = run.settings
    return _pictures_learned(
        KNOWN[run.dataset].train,
        str(settings.get("validation", "none")),
        int(settings.get("fold", 1)),
        float(settings.get("train_part", 1.0)),
    )


@lru_cache(maxsize=256)
def _pictures_learned(pictures: int, validation: str, fold: int, train_part: float) -> int:
    return len(split(np.arange(pictures) % CLASSES, validation, fold=fold, train_part=train_part).train)


@dataclass(frozen=True)
class OverFitting:
    """What happened after the epoch with the lowest validation loss.

    The lowest of many losses is low by luck too, and the last one is one of many. So levels are compared:
    medians of the epochs around the best one and of the last ones.

    Attributes:
        best: The epoch with the lowest validation loss.
        last: The last epoch.
        window: Of how many epochs each level is the median, 1, 3 or 5: more the more there are since the best.
        validation: Levels of the validation loss around the best epoch and at the end.
        training: Levels of the training loss there.
    """

    best: Epoch
    last: Epoch
    window: int
    validation: tuple[float, float]
    training: tuple[float, float]

    @property
    def risen(self) -> float:
        """By how much the validation loss has risen since the best epoch, as a part of what it was."""
        before, after = self.validation
        return after / before - 1 if before else 0.0

    @property
    def is_clear(self) -> bool:
        """Whether the validation loss has clearly risen while the training loss went on falling."""
        before, after = self.training
        return self.risen > CLEARLY_RISEN and after < before


def over_fitting(epochs: Sequence[Epoch]) -> OverFitting | None:
    """Returns where over-fitting may have begun; None without validation."""
    best = best_epoch(epochs)
    if best is None:
        return None
    reach = min(2, (epochs[-1].number - best.number) // 3)
    place = [epoch.number for epoch in epochs].index(best.number)
    around, at_end = epochs[max(0, place - reach) : place + reach + 1], epochs[-1 - 2 * reach :]

    def levels(name: str) -> tuple[float, float]:
        return _median(around, name), _median(at_end, name)

    return OverFitting(best, epochs[-1], 2 * reach + 1, levels("val_loss"), levels("loss"))


def _median(epochs: Sequence[Epoch], name: str) -> float:
    return float(statistics.median(value for epoch in epochs if (value := getattr(epoch, name)) is not None))


def tidy_rows(histories: Iterable[History], titles: Mapping[int, str]) -> list[dict[str, object]]:
    """Returns all that was measured of runs, one number a row, as a table program likes it.

    Args:
        histories: The runs.
        titles: What each run is called, by its number.

    Returns:
        Rows of run, title, variant, series (“validation loss”), epoch, seconds and pictures
        since the start, and value; accuracies in [0, 1].
    """
    return [row for history in histories for row in _rows_of(history, titles[history.run.id])]


def _rows_of(history: History, title: str) -> Iterable[dict[str, object]]:
    run, epochs = history.run, history.epochs
    places = zip(epochs, along(run, epochs, SECONDS), along(run, epochs, PICTURES), strict=True)
    shared = {"run": run.id, "title": title, "variant": run.variant}
    tested = Curve((history,)).tested_epoch
    for epoch, seconds, pictures in places:
        values = {
            f"{part} {quantity}": getattr(epoch, f"{prefix}{quantity}")
            for part, prefix in ((TRAINING, ""), (VALIDATION, "val_"))
            for quantity in (LOSS, ACCURACY)
        }
        if epoch == tested:
            values |= {"test loss": run.test_loss, "test accuracy": run.test_accuracy}
        place = {"epoch": epoch.number, "seconds": round(seconds, 3), "pictures": int(pictures)}
        for series, value in values.items():
            if value is not None:
                yield {**shared, "series": series, **place, "value": value}
