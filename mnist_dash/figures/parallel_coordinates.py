"""Parallel coordinates: every run of a sweep as a line through its settings to its results."""

import itertools
import math
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import plotly.graph_objects as go

from mnist_dash.figures.curve_colours import SCALE
from mnist_dash.figures.style import TEXT, styled
from mnist_dash.networks.hyperparameters import Value
from mnist_dash.networks.setting_words import value_words
from mnist_dash.store.records import Run

_PERCENT = "test_accuracy"
_MAX_TICKS = 6
_DECADE = 10


def axis_values(runs: Sequence[Run], name: str) -> list[Value | None]:
    """Returns each run's value on one axis: a setting or `variant`, names in words, or a result."""
    if name == _PERCENT:
        return [None if run.test_accuracy is None else 100 * run.test_accuracy for run in runs]
    values = [run.settings.get(name, getattr(run, name, None)) for run in runs]
    return [value_words(value) if isinstance(value, str) else value for value in values]


def is_numeric(values: Sequence[Value | None]) -> bool:
    """Says whether an axis of these values can be logarithmic: positive numbers, not all alike."""
    numbers = [value for value in values if value is not None]
    return len(set(numbers)) > 1 and all(not isinstance(value, str | bool) and value > 0 for value in numbers)


def spans_decades(values: Sequence[Value | None]) -> bool:
    """Says whether an axis of these values is better logarithmic: the largest is ten times the smallest or more."""
    numbers = [float(value) for value in values if isinstance(value, int | float)]
    return is_numeric(values) and max(numbers) >= _DECADE * min(numbers)


def parallel_coordinates(
    runs: Sequence[Run], axes: Mapping[str, str], *, logarithmic: Collection[str] = (), reverse: Collection[str] = ()
) -> go.Figure:
    """Draws every run as a line, coloured by its test accuracy.

    Args:
        runs: Finished runs.
        axes: From settings and results to their titles, in the order of the axes.
        logarithmic: Axes on a logarithmic scale; ignored where values are not positive numbers.
        reverse: Axes with their largest value at the bottom.
    """
    dimensions = [
        _dimension(axis_values(runs, name), title, name in logarithmic, name in reverse) for name, title in axes.items()
    ]
    figure = go.Figure(
        go.Parcoords(
            dimensions=dimensions,
            line={
                "color": [100 * (run.test_accuracy or 0.0) for run in runs],
                "colorscale": [[number / (len(SCALE) - 1), colour] for number, colour in enumerate(SCALE)],
                "showscale": _PERCENT not in axes,
                "colorbar": {"title": {"text": "%"}, "thickness": 10, "tickfont": {"color": TEXT}},
            },
            labelfont={"color": TEXT, "size": 13},
            tickfont={"color": TEXT, "size": 12},
            rangefont={"color": "rgba(0,0,0,0)", "size": 1},  # the ticks say the same
            labelside="top",
            labelangle=-20,  # side by side they would cover each other on a phone
        )
    )
    styled(figure, height=440, x=None, y=None)
    return figure.update_layout(margin={"l": 104, "r": 60, "t": 96, "b": 24})


def _dimension(values: Sequence[Value | None], title: str, logarithmic: bool, reverse: bool) -> dict[str, Any]:
    if any(isinstance(value, str) for value in values):
        return _named(values, title, reverse)
    scale = math.log10 if logarithmic and is_numeric(values) else float
    numbers = sorted({float(value) for value in values if value is not None}) or [0.0]
    ticks = numbers
    if len(ticks) > _MAX_TICKS or _crowded([scale(tick) for tick in ticks]):
        ticks = _ticks(ticks[0], ticks[-1], scale)
    places = {scale(tick): f"{tick:,.4g}" for tick in ticks}
    low, high = (end(scale(number) for number in (*numbers, *ticks)) for end in (min, max))
    if None in values:  # not every network has every setting
        low -= (high - low) / _MAX_TICKS or 0.5
        places = {low: "–"} | places
    return {
        "label": title,
        "values": [low if value is None else scale(float(value)) for value in values],
        "tickvals": list(places),
        "ticktext": list(places.values()),
        "range": _range([low, high], reverse),
    }


def _crowded(places: Sequence[float]) -> bool:
    """Says whether ticks at these places would lie upon each other."""
    return any(after - before < (places[-1] - places[0]) / 15 for before, after in itertools.pairwise(places))


def _named(values: Sequence[Value | None], title: str, reverse: bool) -> dict[str, Any]:
    known = ["–" if value is None else str(value) for value in values]
    names = list(dict.fromkeys(known))
    places = list(range(len(names)))
    return {
        "label": title,
        "values": [names.index(name) for name in known],
        "tickvals": places,
        "ticktext": names,
        "range": _range(places, reverse),
    }


def _ticks(low: float, high: float, scale: Any) -> list[float]:
    """Returns round numbers between two others, on a logarithmic scale in equal ratios."""
    if scale is not float:
        return [low * (high / low) ** (step / (_MAX_TICKS - 1)) for step in range(_MAX_TICKS)]
    rough = (high - low) / (_MAX_TICKS - 1)
    power = 10.0 ** math.floor(math.log10(rough))
    size = power * next(step for step in (1, 2, 5, 10) if step * power >= rough * 0.999)
    first, last = math.floor(low / size + 1e-9), math.ceil(high / size - 1e-9)  # the axis holds all lines
    return [round(step * size, 12) for step in range(first, last + 1)]


def _range(values: Sequence[float], reverse: bool) -> list[float]:
    low, high = min(values), max(values)
    if low == high:
        low, high = low - 0.5, high + 0.5
    return [high, low] if reverse else [low, high]
