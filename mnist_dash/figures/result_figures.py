"""Figures of finished runs: accuracies with their intervals, and accuracy against cost."""

import math
import textwrap
from collections.abc import Sequence
from typing import Any

import plotly.graph_objects as go

from mnist_dash.analysis.replicates import ReplicateGroup
from mnist_dash.analysis.words.number_words import accuracy_words
from mnist_dash.figures.curve_frame import log_ticks
from mnist_dash.figures.style import GREY, styled, variant_colour

_COSTS = {
    "weights": "Parameters",
    "fit_seconds": "Training time (s)",
    "prediction_ms": "Prediction time per image (ms)",
}
_MAX_LABELS = 8  # more would cover each other
_LINE = 24  # letters
_MAX_LINES = 4
_NEAR_X, _NEAR_Y = 0.4, 0.15  # of the axes: so near labels may cover each other on a phone
_EDGE = 0.1  # of the x axis: labels there grow inwards


def accuracy_intervals(
    titles: Sequence[str], replicate_groups: Sequence[ReplicateGroup], claims: Sequence[float | None]
) -> go.Figure:
    """Draws test accuracies with their 95 % intervals, and tutorials' figures as open circles.

    Args:
        titles: Names of the groups.
        replicate_groups: Single runs, and replicates, of which each run is a small dot.
        claims: What their tutorials report, in [0, 1]; None for no number.
    """
    figure = go.Figure()
    _add_repeats(figure, titles, replicate_groups)
    figure.add_scatter(
        x=[100 * group.accuracy.value for group in replicate_groups],
        y=list(titles),
        mode="markers",
        marker={"size": 12, "symbol": "diamond", "color": _colours(replicate_groups)},
        error_x=_interval(replicate_groups),
        name="Measured, with 95 % interval",
        customdata=[accuracy_words(group.accuracy) for group in replicate_groups],
        hovertemplate="%{y}: %{customdata}<extra></extra>",
    )
    _add_claims(figure, titles, claims)
    # In this order, also where the first trace has only some of them.
    rows = figure.layout.yaxis
    rows.categoryorder, rows.categoryarray, rows.autorange, rows.fixedrange = "array", list(titles), "reversed", True
    wrapped = [textwrap.wrap(title, _LINE, max_lines=_MAX_LINES, placeholder="…") for title in titles]
    rows.tickvals, rows.ticktext = list(titles), ["<br>".join(lines) for lines in wrapped]
    row = max(34, 8 + 14 * max(map(len, wrapped), default=1))  # pixels
    return styled(figure, height=136 + row * len(titles), x="Test accuracy (%)", y="")


def _add_repeats(figure: go.Figure, titles: Sequence[str], replicate_groups: Sequence[ReplicateGroup]) -> None:
    repeats = [
        (title, 100 * value)
        for title, group in zip(titles, replicate_groups, strict=True)
        if len(group.runs) > 1
        for value in group.accuracies
    ]
    if repeats:
        figure.add_scatter(
            x=[value for _, value in repeats],
            y=[title for title, _ in repeats],
            mode="markers",
            marker={"size": 6, "color": GREY},
            name="Single run",
            hovertemplate="%{y}: %{x:.2f} %<extra></extra>",
        )


def _add_claims(figure: go.Figure, titles: Sequence[str], claims: Sequence[float | None]) -> None:
    claimed = [(title, 100 * claim) for title, claim in zip(titles, claims, strict=True) if claim is not None]
    if claimed:
        figure.add_scatter(
            x=[claim for _, claim in claimed],
            y=[title for title, _ in claimed],
            mode="markers",
            marker={"size": 13, "symbol": "circle-open", "line": {"width": 2}, "color": "#D55E00"},
            name="Reported in the tutorial",
            hovertemplate="%{y}: tutorial %{x:.2f} %<extra></extra>",
        )


def accuracy_against(titles: Sequence[str], replicate_groups: Sequence[ReplicateGroup], cost: str) -> go.Figure:
    """Draws test accuracies against what they cost: further up is better, further left cheaper.

    Args:
        titles: Names of the groups.
        replicate_groups: Single runs and replicates.
        cost: `weights`, `fit_seconds` or `prediction_ms`, drawn on a logarithmic axis.
    """
    figure = go.Figure(
        go.Scatter(
            x=[group.mean(cost) for group in replicate_groups],
            y=[100 * group.accuracy.value for group in replicate_groups],
            mode="markers",
            marker={"size": 12, "symbol": "diamond", "color": _colours(replicate_groups)},
            error_y=_interval(replicate_groups),
            customdata=list(zip(titles, [accuracy_words(group.accuracy) for group in replicate_groups], strict=True)),
            hovertemplate="%{customdata[0]}<br>%{customdata[1]}<br>%{x:,.4~g}<extra></extra>",
        )
    )
    known = [(title, x, each) for title, each in zip(titles, replicate_groups, strict=True) if (x := each.mean(cost))]
    costs = figure.layout.xaxis
    costs.type, costs.tickformat, costs.tickvals = "log", "~s", log_ticks([x for _, x, _ in known])
    labels = _labels(known)
    if len(labels) > _MAX_LABELS or len({label["text"] for label in labels}) < len(labels):
        labels = []  # they would cover each other, or say the same
    x_title = f"{_COSTS[cost]}, log scale"
    return styled(figure, height=380, x=x_title, y="Test accuracy (%)", showlegend=False, annotations=labels)


def _labels(known: Sequence[tuple[str, float, ReplicateGroup]]) -> list[dict[str, Any]]:
    """Writes names above the intervals, or below where a better group nearby has its own."""
    places = [(math.log10(x), 100 * group.accuracy.value) for _, x, group in known]
    spans = [max(values) - min(values) or 1.0 for values in zip(*places, strict=True)] if places else []
    labels = []
    for (title, _, group), (x, y) in zip(known, places, strict=True):
        below = any(
            y < other_y < y + _NEAR_Y * spans[1] and abs(other_x - x) < _NEAR_X * spans[0]
            for other_x, other_y in places
        )
        right = (x - min(place[0] for place in places)) / spans[0]
        labels.append(
            {
                "x": x,
                "y": 100 * (group.accuracy.low if below else group.accuracy.high),
                "text": title if len(title) <= _LINE else f"{title[: _LINE - 1]}…",
                "showarrow": False,
                "yshift": -10 if below else 10,
                "xanchor": "left" if right < _EDGE else "right" if right > 1 - _EDGE else "center",
            }
        )
    return labels


def _colours(replicate_groups: Sequence[ReplicateGroup]) -> list[str]:
    return [variant_colour(group.first.variant) for group in replicate_groups]


def _interval(replicate_groups: Sequence[ReplicateGroup]) -> dict[str, Any]:
    return {
        "type": "data",
        "symmetric": False,
        "array": [100 * (group.accuracy.high - group.accuracy.value) for group in replicate_groups],
        "arrayminus": [100 * (group.accuracy.value - group.accuracy.low) for group in replicate_groups],
        "thickness": 1.5,
        "color": GREY,
    }
