"""Learning curves: loss and accuracy of any runs in one chart."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import plotly.graph_objects as go

from mnist_dash.analysis.curve_lines import BEST, STOPPED, TESTED, Line, Mark
from mnist_dash.analysis.learning_curves import ACCURACY, EPOCHS, IMAGES, LOSS, SECONDS, TRAINING, VALIDATION
from mnist_dash.figures.curve_frame import end_labels, log_ticks, y_range
from mnist_dash.figures.style import styled

_GREY = "#808080"
_X_TITLES = {EPOCHS: "Epoch", SECONDS: "Training time (s)", IMAGES: "Training images seen"}
_HOVER_TITLES = {EPOCHS: "Epoch %{x}", SECONDS: "%{x:.1f} s", IMAGES: "%{x:,.0f} images"}
_ERROR = "error"
_Y_TITLES = {LOSS: "Loss (cross-entropy, nats)", ACCURACY: "Accuracy (%)", _ERROR: "Error rate (%)"}
_MAX_IN_HOVER = 10  # curves; a hover box with more would be larger than the chart
_WITH_POINTS = 12  # epochs up to which each is marked
_EXPORTED = {"showlegend": True}  # how an exported chart differs from that on the page
_LINE_STYLES = {
    TRAINING: {"dash": "dot", "width": 1.6, "opacity": 0.75, "band": 0.09},
    VALIDATION: {"dash": "solid", "width": 2.2, "opacity": 1.0, "band": 0.18},
}
_MARKS: dict[str, tuple[str, str, int]] = {
    BEST: ("lowest validation loss", "circle-open", 13),
    STOPPED: ("early stopping", "x-thin-open", 10),
    TESTED: ("test", "diamond", 11),
}
MARK_NAMES = {kind: name for kind, (name, _, _) in _MARKS.items()}


@dataclass(frozen=True)
class DrawnCurve:
    """One curve of a chart.

    Attributes:
        title: Its name.
        label: A short name, for the hover box and the end of its line.
        colour: Its colour, as #RRGGBB.
        symbol: Plotly's name of the symbol at its points.
        lines: Training, validation, or both.
        marks: Marked points.
    """

    title: str
    label: str
    colour: str
    symbol: str
    lines: Sequence[Line]
    marks: Sequence[Mark] = ()


def learning_curves(
    curves: Sequence[DrawnCurve],
    quantity: str,
    *,
    axis: str = EPOCHS,
    logarithmic: bool = False,
    logarithmic_x: bool = False,
    framed: bool = False,
    heading: str = "",
    height: int = 400,
) -> go.Figure:
    """Draws one quantity of several runs: training faint and dotted, validation solid, test a diamond.

    The page shows its own key, which wraps on a phone; the legend is for exports.

    Args:
        curves: The curves.
        quantity: `LOSS` or `ACCURACY`.
        axis: What the lines' x is: `EPOCHS`, `SECONDS` or `IMAGES`.
        logarithmic: Draw the quantity on a logarithmic axis; of accuracies the error rate, as on such
            an axis 99.0 % and 99.5 % would be the same, but 1 % and 0.5 % are not.
        logarithmic_x: Also the x axis.
        framed: Leave out the first steep part and curves that fail, if the y axis is linear.
        heading: What the curves' labels are values of; empty if they are names.
        height: Pixels.
    """
    shown = _ERROR if logarithmic and quantity == ACCURACY else quantity
    longest = max((line.epochs[-1] for curve in curves for line in curve.lines), default=0)
    chart = _Chart([], shown, axis, logarithmic, longest)
    for curve in curves:
        entry = {"color": curve.colour, "width": 3}  # one a curve in the legend
        chart.add(curve, x=[None], y=[None], name=curve.title, mode="lines", line=entry, showlegend=True)
        for line in curve.lines:
            _draw_line(chart, curve, line)
        for mark in curve.marks:
            _draw_mark(chart, curve, mark)
    _explain_lines(chart, curves)
    # Checking every property of every line would take three quarters of the time; a test checks them.
    figure = go.Figure(chart.traces, _validate=False)
    titles = {"x": _X_TITLES[axis], "y": _Y_TITLES[shown]}
    styled(figure, height=height, **titles, hovermode=_hover_mode(curves), showlegend=False)
    _set_axes(figure, chart, logarithmic_x=logarithmic_x)
    ends = [(curve, chart.end(curve)) for curve in curves]
    span = y_range(curves, chart.value, is_loss=quantity == LOSS) if framed and not logarithmic else None
    if span:
        figure.layout.yaxis.range = span
    figure.layout.annotations = end_labels(
        [(curve.label, curve.colour, curve.title, *end) for curve, end in ends if end],
        span,
        height=height,
        logarithmic=(logarithmic_x, logarithmic),
        heading=heading,
    )
    return figure


def _hover_mode(curves: Sequence[DrawnCurve]) -> str:
    return "x unified" if len(curves) <= _MAX_IN_HOVER else "closest"


@dataclass(frozen=True)
class _Chart:
    """A chart while it is drawn.

    Attributes:
        traces: What is drawn so far, as plotly's own dictionaries.
        shown: `LOSS`, `ACCURACY` or the error rate.
        axis: What its x axis is.
        logarithmic: Whether its y axis is logarithmic.
        longest: Epochs of the longest curve.
    """

    traces: list[dict[str, Any]]
    shown: str
    axis: str
    logarithmic: bool
    longest: int

    def add(self, curve: DrawnCurve, **trace: Any) -> None:
        self.traces.append({"type": "scatter", "legendgroup": curve.title, "showlegend": False, **trace})

    def value(self, value: float | None) -> float | None:
        if value is None or self.shown == LOSS:
            return value
        return 100 * (1 - value if self.shown == _ERROR else value)

    def end(self, curve: DrawnCurve) -> tuple[float, float] | None:
        """Returns the last point of its validation line, else of its training line."""
        points = [
            (x, value)
            for line in curve.lines[-1:]
            for x, y in zip(line.x, line.y, strict=True)
            if (value := self.value(y)) is not None
        ]
        return points[-1] if points else None

    @property
    def hover(self) -> str:
        return "%{y:.4g}" if self.shown == LOSS else "%{y:.2f} %"

    def words(self, value: float | None) -> str:
        shown = self.value(value)
        return "" if shown is None else f"{shown:.4g}" if self.shown == LOSS else f"{shown:.2f}"


def _set_axes(figure: go.Figure, chart: _Chart, *, logarithmic_x: bool) -> None:
    # A zoom stays as long as it is one of the same axis.
    figure.update_xaxes(
        type="log" if logarithmic_x else "linear",
        rangemode="normal" if logarithmic_x else "tozero",
        unifiedhovertitle={"text": _HOVER_TITLES[chart.axis]},
        spikethickness=1,
        spikedash="solid",
        spikecolor=_GREY,
        uirevision=f"{chart.axis} {logarithmic_x}",
    )
    kind = "log" if chart.logarithmic else "linear"
    figure.update_yaxes(type=kind, uirevision=f"{chart.shown} {kind}")
    if chart.logarithmic:
        values = [value for trace in chart.traces for value in trace["y"] if value]
        figure.update_yaxes(tickvals=log_ticks(values), tickformat="~g")
    meta = {"taken": _EXPORTED, "whole_numbers": chart.axis == EPOCHS}  # for the page's own chart
    figure.update_layout(margin={"t": 22}, meta=meta)


def _draw_line(chart: _Chart, curve: DrawnCurve, line: Line) -> None:
    style: dict[str, Any] = _LINE_STYLES[line.part]
    _draw_band(chart, curve, line, opacity=style["band"])
    if line.y != line.raw:
        faint = {"color": curve.colour, "width": 1, "dash": style["dash"]}
        raw = [chart.value(value) for value in line.raw]
        chart.add(curve, x=line.x, y=raw, mode="lines", line=faint, opacity=0.35, hoverinfo="skip")
    chart.add(
        curve,
        x=line.x,
        y=[chart.value(value) for value in line.y],
        customdata=_notes(chart, line),
        name=f"{curve.label}, {line.part}",
        mode="lines+markers" if chart.longest <= _WITH_POINTS or len(line.x) == 1 else "lines",
        marker={"size": 6, "symbol": curve.symbol},
        line={"color": curve.colour, "width": style["width"], "dash": style["dash"]},
        opacity=style["opacity"],
        hovertemplate=chart.hover + "%{customdata}",
    )


def _draw_band(chart: _Chart, curve: DrawnCurve, line: Line, *, opacity: float) -> None:
    floor = min((value for raw in line.raw if (value := chart.value(raw))), default=0.0) / 2
    edges = [
        (x, *sorted((_possible(chart, low, floor), _possible(chart, high, floor))))
        for x, low, high in zip(line.x, line.low, line.high, strict=False)
        if low is not None and high is not None
    ]
    if edges:
        chart.add(
            curve,
            x=[x for x, _, _ in edges] + [x for x, _, _ in reversed(edges)],
            y=[high for _, _, high in edges] + [low for _, low, _ in reversed(edges)],
            mode="lines",
            line={"width": 0},
            fill="toself",
            fillcolor=f"rgba({', '.join(str(int(curve.colour[at : at + 2], 16)) for at in (1, 3, 5))}, {opacity})",
            hoverinfo="skip",
        )


def _possible(chart: _Chart, edge: float, floor: float) -> float:
    """Returns the edge of a band, cut off where no value can be; a logarithmic axis has no 0."""
    value = max(chart.value(edge) or 0.0, floor if chart.logarithmic else 0.0)
    return value if chart.shown == LOSS else min(value, 100.0)


def _notes(chart: _Chart, line: Line) -> list[str]:
    """Returns what stands behind each value when one points at it."""
    bands = [
        f" ({' to '.join(sorted((chart.words(low), chart.words(high)), key=float))})" if low is not None else ""
        for low, high in zip(line.low, line.high, strict=True)
    ]
    numbers = [f" · epoch {number}" if chart.axis != EPOCHS else "" for number in line.epochs]
    return [band + number for band, number in zip(bands or [""] * len(numbers), numbers, strict=True)]


def _draw_mark(chart: _Chart, curve: DrawnCurve, mark: Mark) -> None:
    name, symbol, size = _MARKS[mark.kind]
    edge = {"width": 1, "color": "white"} if mark.kind == TESTED else {"width": 2, "color": curve.colour}
    chart.add(
        curve,
        x=[mark.x],
        y=[chart.value(mark.y)],
        name=f"{curve.label}, {name}",
        mode="markers",
        marker={"color": curve.colour, "size": size, "symbol": symbol, "line": edge},
        hoverinfo="skip",  # their values stand in the line's own entry and in words
    )


def _explain_lines(chart: _Chart, curves: Sequence[DrawnCurve]) -> None:
    """Adds to the legend what kinds of lines and marks there are."""
    nothing = {"type": "scatter", "x": [None], "y": [None]}
    for part in dict.fromkeys(line.part for curve in curves for line in curve.lines):
        line = {"color": _GREY, "dash": _LINE_STYLES[part]["dash"], "width": 2}
        chart.traces.append({**nothing, "name": part, "mode": "lines", "line": line})
    for kind in dict.fromkeys(mark.kind for curve in curves for mark in curve.marks):
        name, symbol, size = _MARKS[kind]
        marker = {"color": _GREY, "symbol": symbol, "size": size, "line": {"width": 2, "color": _GREY}}
        chart.traces.append({**nothing, "name": name, "mode": "markers", "marker": marker})
