"""Learning curves as numbers: which runs make one curve, where it stops, where overfitting begins."""

import itertools
import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np

from mnist_dash.datasets.mnist import CLASSES
from mnist_dash.datasets.splits import split
from mnist_dash.networks.experiments import group_replicates
from mnist_dash.store.records import DONE, Epoch, Run, best_epoch

LOSS, ACCURACY = "loss", "accuracy"
TRAINING, VALIDATION = "training", "validation"
EPOCHS, SECONDS, IMAGES = "epochs", "seconds", "pictures"
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

    @property
    def kept_epoch(self) -> Epoch | None:
        """The epoch whose weights the run has: with early stopping the best one, else the last."""
        return _kept_epoch(self.run, self.epochs)


def _kept_epoch(run: Run, epochs: Sequence[Epoch]) -> Epoch | None:
    if not epochs:
        return None
    return (best_epoch(epochs) if run.settings.get("patience") else None) or epochs[-1]


@dataclass(frozen=True)
class Curve:
    """One curve: a run, or the mean of runs that differ only in seed or fold.

    Attributes:
        histories: The runs, at least one.
        duplicates: How many further runs have the seed and fold of another, and so the same numbers: they
            would narrow the spread, and are left out.
    """

    histories: tuple[History, ...]
    duplicates: int = 0

    @property
    def run(self) -> Run:
        """A run with all settings that its replicates share."""
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
        return None if self.test(LOSS) is None else _kept_epoch(self.run, self.epochs)

    def test(self, quantity: str) -> float | None:
        """Returns the test result, the mean over the runs; None as long as there is none."""
        results = [getattr(history.run, f"test_{quantity}") for history in self.histories]
        return None if None in results else statistics.fmean(results)


def _mean(epochs: Sequence[Epoch]) -> Epoch:
    def mean(name: str) -> float | None:
        values = [getattr(epoch, name) for epoch in epochs]
        return None if None in values else statistics.fmean(values)

    names = ("loss", "accuracy", "val_loss", "val_accuracy", "seconds")
    return Epoch(epochs[0].number, **{name: mean(name) for name in names})  # type: ignore[arg-type]


def curves_of(histories: Iterable[History], *, together: bool = True) -> list[Curve]:
    """Returns the curves of runs.

    Args:
        histories: The runs.
        together: Average finished runs of one data set that differ only in seed or fold. An unfinished run
            is a curve of its own, as a mean ends where its shortest run does; so is a reference run.
    """
    of_run = {history.run.id: history for history in histories}

    def separate(run: Run) -> bool:
        return not together or run.is_reference or run.status != DONE or not of_run[run.id].epochs

    runs = [history.run for history in of_run.values()]
    groups = group_replicates(runs, separate=separate, within=lambda run: run.fingerprint)
    return [_curve([of_run[run.id] for run in group]) for group in groups]


def _curve(group: Sequence[History]) -> Curve:
    distinct: dict[object, History] = {}
    for history in group:
        settings = history.run.settings
        distinct.setdefault((settings.get("seed"), settings.get("fold")), history)
    return Curve(tuple(distinct.values()), len(group) - len(distinct))


def x_values(run: Run, epochs: Sequence[Epoch], axis: str) -> list[float]:
    """Returns where each epoch ends on the x axis.

    Args:
        run: Determines how many images an epoch has.
        epochs: Finished epochs.
        axis: `EPOCHS`, `SECONDS` of training since its start, or `IMAGES` seen since its start.
    """
    if axis == SECONDS:
        return list(itertools.accumulate(epoch.seconds for epoch in epochs))
    size = images_per_epoch(run) if axis == IMAGES else 1
    return [float(size * epoch.number) for epoch in epochs]


def images_per_epoch(run: Run) -> int:
    """Returns how many images a run trains on in an epoch.

    With stratified folds it may be wrong by as many as there are digits, as it is counted without
    the labels, as if all digits were equally frequent.
    """
    settings = run.settings
    return _images_per_epoch(
        run.train_images,
        str(settings.get("validation", "none")),
        int(settings.get("fold", 1)),
        float(settings.get("train_part", 1.0)),
    )


@lru_cache(maxsize=256)
def _images_per_epoch(images: int, validation: str, fold: int, train_part: float) -> int:
    return len(split(np.arange(images) % CLASSES, validation, fold=fold, train_part=train_part).train)


@dataclass(frozen=True)
class Overfitting:
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


def overfitting(epochs: Sequence[Epoch]) -> Overfitting | None:
    """Returns where overfitting may have begun; None without validation."""
    best = best_epoch(epochs)
    if best is None:
        return None
    reach = min(2, (epochs[-1].number - best.number) // 3)
    index = [epoch.number for epoch in epochs].index(best.number)
    around, at_end = epochs[max(0, index - reach) : index + reach + 1], epochs[-1 - 2 * reach :]

    def levels(name: str) -> tuple[float, float]:
        return _median(around, name), _median(at_end, name)

    return Overfitting(best, epochs[-1], 2 * reach + 1, levels("val_loss"), levels("loss"))


def _median(epochs: Sequence[Epoch], name: str) -> float:
    return float(statistics.median(value for epoch in epochs if (value := getattr(epoch, name)) is not None))


def tidy_rows(histories: Iterable[History], titles: Mapping[int, str]) -> list[dict[str, object]]:
    """Returns all measurements of runs in long form, one number a row.

    Args:
        histories: The runs.
        titles: Names of the runs, by number.

    Returns:
        Rows of run, title, variant, series (“validation loss”), epoch, seconds and images
        since the start, and value; accuracies in [0, 1].
    """
    return [row for history in histories for row in _rows_of(history, titles[history.run.id])]


def _rows_of(history: History, title: str) -> Iterable[dict[str, object]]:
    run, epochs = history.run, history.epochs
    positions = zip(epochs, x_values(run, epochs, SECONDS), x_values(run, epochs, IMAGES), strict=True)
    shared = {"run": run.id, "title": title, "variant": run.variant}
    tested = Curve((history,)).tested_epoch
    for epoch, seconds, images in positions:
        values = {
            f"{part} {quantity}": getattr(epoch, f"{prefix}{quantity}")
            for part, prefix in ((TRAINING, ""), (VALIDATION, "val_"))
            for quantity in (LOSS, ACCURACY)
        }
        if epoch == tested:
            values |= {"test loss": run.test_loss, "test accuracy": run.test_accuracy}
        position = {"epoch": epoch.number, "seconds": round(seconds, 3), "images": int(images)}
        for series, value in values.items():
            if value is not None:
                yield {**shared, "series": series, **position, "value": value}
