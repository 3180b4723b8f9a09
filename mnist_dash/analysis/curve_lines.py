"""Lines of learning curves: means with bands, smoothed, over epochs, seconds or images."""

import itertools
import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from mnist_dash.analysis.accuracies import CONFIDENCE
from mnist_dash.analysis.learning_curves import TRAINING, Curve, History, x_values
from mnist_dash.analysis.significance import student_quantile
from mnist_dash.store.records import best_epoch

SD, SE, INTERVAL, MIN_MAX = "sd", "se", "interval", "minmax"
BEST, STOPPED, TESTED = "best", "stopped", "tested"


@dataclass(frozen=True)
class Line:
    """One quantity of a curve, of training or validation; as long as the curve has epochs.

    Attributes:
        part: `TRAINING` or `VALIDATION`.
        epochs: Numbers of the epochs.
        x: Where they end on the x axis.
        y: The values, smoothed if that was asked for; None where there is none.
        raw: The values as they were measured.
        low: Lower edge of the band; empty for a single run.
        high: Upper edge of the band.
    """

    part: str
    epochs: tuple[int, ...]
    x: tuple[float, ...]
    y: tuple[float | None, ...]
    raw: tuple[float | None, ...]
    low: tuple[float | None, ...] = ()
    high: tuple[float | None, ...] = ()


@dataclass(frozen=True)
class Mark:
    """A point of a curve that means something.

    Attributes:
        kind: `BEST` for the lowest validation loss, `STOPPED` where early stopping ended training,
            `TESTED` for the test result.
        epoch: The epoch's number.
        x: Where it ends on the x axis.
        y: The value as it was measured.
    """

    kind: str
    epoch: int
    x: float
    y: float


def line_of(
    curve: Curve, quantity: str, part: str, *, axis: str, smoothing: float = 0.0, band: str = SD
) -> Line | None:
    """Returns one line of a curve; None if it has no such values.

    Every run is smoothed by itself; the mean and the band are those of the smoothed runs.

    Args:
        curve: The curve.
        quantity: `LOSS` or `ACCURACY`.
        part: `TRAINING` or `VALIDATION`.
        axis: `EPOCHS`, `SECONDS` or `IMAGES`.
        smoothing: Strength in [0, 1); see `smoothed`.
        band: What is drawn around the mean of several runs; see `band_of`.
    """
    epochs = curve.epochs
    name = quantity if part == TRAINING else f"val_{quantity}"
    raw = tuple(_finite(getattr(epoch, name)) for epoch in epochs)
    if all(value is None for value in raw):
        return None
    x = tuple(x_values(curve.run, epochs, axis))
    numbers = tuple(epoch.number for epoch in epochs)
    if curve.n == 1:
        return Line(part, numbers, x, tuple(smoothed(x, raw, smoothing)), raw)
    of_runs = [_smoothed_run(history, name, axis, len(epochs), smoothing) for history in curve.histories]
    points = [_mean_and_band(values, band) for values in zip(*of_runs, strict=True)]
    mean, low, high = zip(*points, strict=True)
    return Line(part, numbers, x, mean, raw, low, high)


def _smoothed_run(history: History, name: str, axis: str, length: int, smoothing: float) -> list[float | None]:
    epochs = history.epochs[:length]
    return smoothed(x_values(history.run, epochs, axis), [getattr(epoch, name) for epoch in epochs], smoothing)


def _mean_and_band(values: Sequence[float | None], band: str) -> tuple[float | None, float | None, float | None]:
    known = [value for value in values if value is not None]
    return (statistics.fmean(known), *band_of(known, band)) if len(known) == len(values) else (None, None, None)


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None


def smoothed(x: Sequence[float], y: Sequence[float | None], strength: float) -> list[float | None]:
    """Smooths a line by an exponential average that is free of bias and weighted by distance.

    Each point becomes the mean of itself and all before it, each weighing `strength` to the power
    of its distance. With equal distances that is Adam's bias-corrected moving average.

    Args:
        x: Where the points are, rising. The median distance of neighbours is taken as one.
        y: Their values; what is missing or not finite stays missing and weighs nothing.
        strength: In [0, 1): 0 leaves the line as it is.

    Returns:
        The smoothed values.

    Source:
        Kingma and Ba 2015, "Adam", section 3, for the correction of the bias; Weights & Biases,
        "Smooth line plots", for weights that depend on the distance.
    """
    values = [_finite(value) for value in y]
    steps = [after - before for before, after in itertools.pairwise(x) if after > before]
    if not strength or not steps:
        return values
    unit = statistics.median(steps)
    total = weight = 0.0
    last: float | None = None
    result: list[float | None] = []
    for position, value in zip(x, values, strict=True):
        if value is None:
            result.append(None)
            continue
        kept = strength ** ((position - last) / unit) if last is not None else 0.0
        total, weight, last = total * kept + value, weight * kept + 1, position
        result.append(total / weight)
    return result


def band_of(values: Sequence[float], band: str) -> tuple[float, float]:
    """Returns the edges of a band around the mean of at least two values.

    Args:
        values: One number a run.
        band: `SD`, the standard deviation of the sample; `SE`, the standard error of the mean;
            `INTERVAL`, the 95 % interval of the mean by Student's t; or `MIN_MAX`.
    """
    if band == MIN_MAX:
        return min(values), max(values)
    mean, reach = statistics.fmean(values), statistics.stdev(values)
    if band != SD:
        reach /= math.sqrt(len(values))
    if band == INTERVAL:
        reach *= student_quantile((1 + CONFIDENCE) / 2, len(values) - 1)
    return mean - reach, mean + reach


def marks_of(curve: Curve, quantity: str, *, axis: str) -> list[Mark]:
    """Returns the points of a curve that mean something: best epoch, early stopping, test."""
    epochs = curve.epochs
    positions = dict(zip((epoch.number for epoch in epochs), x_values(curve.run, epochs, axis), strict=True))
    stopped = epochs[-1] if curve.n == 1 and curve.histories[0].stopped_early else None
    marks = []
    for kind, epoch in ((BEST, best_epoch(epochs)), (STOPPED, stopped), (TESTED, curve.tested_epoch)):
        if epoch is not None:
            value = curve.test(quantity) if kind == TESTED else getattr(epoch, f"val_{quantity}")
            if value is not None:
                marks.append(Mark(kind, epoch.number, positions[epoch.number], value))
    return marks
