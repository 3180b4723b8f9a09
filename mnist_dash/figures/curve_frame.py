"""What a chart of learning curves frames, and the labels at the ends of its lines."""

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mnist_dash.figures.curve_figures import DrawnCurve

_LABEL = 15  # pixels
_BEHIND = 0.3  # a curve whose accuracy ends so far behind the best one's has failed
_DIVERGED = 5  # a curve whose loss ends so many times as high as the best one's has failed
_PADDING = 0.06  # of the range
_MAX_LABELS = 12
_MAX_LETTERS = 22

_HEADING = {
    "xref": "paper",
    "yref": "paper",
    "x": 1,
    "y": 1,
    "xanchor": "right",
    "yanchor": "bottom",
    "showarrow": False,
    "font": {"size": 12},
}
End = tuple[str, str, str, float, float]  # label, colour, curve's title, x, y


def y_range(
    curves: Sequence["DrawnCurve"], value_of: Callable[[float | None], float | None], *, is_loss: bool
) -> list[float] | None:
    """Returns what a linear y axis shows: every line from its first quarter on, but of those that fail.

    Args:
        curves: The curves.
        value_of: What is drawn of a value.
        is_loss: Whether low values are good ones.

    Returns:
        The lowest and the highest value; None if there is nothing to frame.
    """
    lines = [
        [value for y in line.y if (value := value_of(y)) is not None and math.isfinite(value)]
        for curve in curves
        for line in curve.lines
    ]
    lines = [line for line in lines if line]
    if not lines:
        return None
    best = min(line[-1] for line in lines) if is_loss else max(line[-1] for line in lines)
    limit = _DIVERGED * max(best, 0.05) if is_loss else best - 100 * _BEHIND
    kept = [line for line in lines if (line[-1] <= limit if is_loss else line[-1] >= limit)]
    shown = [value for line in kept for value in line[len(line) // 4 if len(line) > 3 else 0 :]]
    low, high = min(shown), max(shown)
    padding = _PADDING * ((high - low) or 1.0)
    return [max(0.0, low - padding), high + padding if is_loss else min(100.0 + padding, high + padding)]


def end_labels(
    ends: Sequence[End],
    span: Sequence[float] | None,
    *,
    height: int,
    logarithmic: tuple[bool, bool],
    heading: str = "",
) -> list[dict[str, Any]]:
    """Returns annotations at the ends of lines, moved apart where they would cover each other.

    Args:
        ends: Label, colour, title and last point of each line.
        span: The range of the y axis; None for that of the ends.
        height: Of the chart, pixels.
        logarithmic: Whether the x axis is, and the y axis.
        heading: Above the labels: what they are values of.
    """
    if not ends or len(ends) > _MAX_LABELS:
        return []
    places = [math.log10(y) if logarithmic[1] and y > 0 else y for *_, y in ends]
    low, high = span or (min(places), max(places))
    pixels = 0.75 * height / ((high - low) or 1.0)
    inside = [index for index, place in enumerate(places) if span is None or low <= place <= high]
    moved = _apart([pixels * places[index] for index in inside])
    labels = [
        _label(ends[index], places[index], shift - pixels * places[index], logarithmic_x=logarithmic[0])
        for index, shift in zip(inside, moved, strict=True)
    ]
    return [*labels, {**_HEADING, "text": heading}] if heading else labels


def log_ticks(values: Sequence[float]) -> list[float]:
    """Returns places on a logarithmic axis: 1, 2, 5 and 10 where there is room for them, else 1 and 10."""
    if not values:
        return []
    low, high = math.floor(math.log10(min(values))), math.ceil(math.log10(max(values)))
    return [step * 10.0**power for power in range(low, high + 1) for step in ((1, 2, 5) if high - low < 3 else (1,))]


def _label(end: End, y: float, shift: float, *, logarithmic_x: bool) -> dict[str, Any]:
    label, colour, title, x, _ = end
    return {
        "name": title,  # of the curve that the page brings forward while one points at the label
        "x": math.log10(x) if logarithmic_x and x > 0 else x,
        "y": y,
        "text": label if len(label) <= _MAX_LETTERS else f"{label[: _MAX_LETTERS - 1]}…",
        "font": {"color": colour, "size": 12},
        "showarrow": False,
        "xanchor": "left",
        "xshift": 8,
        "yshift": shift,
        "captureevents": True,
    }


def _apart(places: Sequence[float]) -> list[float]:
    """Returns places in pixels at least a label's height apart, each as near to its own as that allows."""
    order = sorted(range(len(places)), key=lambda index: places[index])
    groups: list[list[int]] = []
    middles: list[float] = []
    for index in order:
        groups.append([index])
        middles.append(places[index])
        # Neighbours that touch become one block around the mean of their places.
        while len(groups) > 1 and middles[-1] - middles[-2] < _LABEL * (len(groups[-1]) + len(groups[-2])) / 2:
            upper = groups.pop()
            middles.pop()
            groups[-1] += upper
            middles[-1] = sum(places[member] for member in groups[-1]) / len(groups[-1])
    moved = [0.0] * len(places)
    for group, middle in zip(groups, middles, strict=True):
        for number, index in enumerate(group):
            moved[index] = middle + _LABEL * (number - (len(group) - 1) / 2)
    return moved
