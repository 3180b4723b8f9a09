"""Charts of runs in training: as wide as the whole way from the start, so that nothing jumps while they grow."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import plotly.graph_objects as go

from mnist_dash.analysis.learning_curves import ACCURACY, LOSS
from mnist_dash.figures.curve_colours import curve_colours
from mnist_dash.figures.style import DASHES, styled, variant_colour
from mnist_dash.store.records import Epoch, Progress

_TITLES = {LOSS: "Loss (nats)", ACCURACY: "Accuracy (%)"}
_FLOORS = (0, 50, 80, 90, 95, 98)  # %, where the axis of a live curve may start: it moves seldom
_STEPS, _TICKS = (1, 2, 5, 10, 20, 50, 100, 200), 8  # epochs between ticks, and how many ticks at most
_MANY = 9  # runs with which a legend would be larger than its chart


def live_curve(
    epochs: Sequence[Epoch], progress: Progress | None, *, variant: str, total: int, quantity: str = ACCURACY
) -> go.Figure:
    """Draws one quantity of a run in training, with the epoch under way as its last point.

    Args:
        epochs: Its finished epochs.
        progress: The epoch under way.
        variant: Decides the colour.
        total: Epochs that it is to have.
        quantity: `LOSS` or `ACCURACY`.
    """
    numbers: list[float] = [epoch.number for epoch in epochs]
    training = [_scaled(getattr(epoch, quantity), quantity) or 0.0 for epoch in epochs]
    now = _scaled(getattr(progress, quantity, None), quantity)
    if progress and now is not None and progress.steps and progress.epoch > len(epochs):
        numbers.append(len(epochs) + progress.step / progress.steps)
        training.append(now)
    validation = [_scaled(getattr(epoch, f"val_{quantity}"), quantity) for epoch in epochs]
    colour = variant_colour(variant)
    figure = go.Figure()
    lines: list[tuple[str, list[float], Sequence[float | None], dict[str, Any]]] = [
        ("Training", numbers, training, {"width": 1.8, "dash": "dot"})
    ]
    if any(value is not None for value in validation):
        lines.append(("Validation", numbers[: len(epochs)], validation, {"width": 2.2}))
    for name, x, y, line in lines:
        figure.add_scatter(
            x=x,
            y=y,
            name=name,
            mode="lines+markers",
            marker={"size": 5},
            line={"color": colour, **line},
            hovertemplate=_hover(quantity),
        )
    # The whole way from the start, so that nothing jumps while the curve grows.
    _frame_epochs(figure, total)
    figure.update_yaxes(range=_live_range([training, [value for value in validation if value is not None]], quantity))
    return styled(figure, height=230, x="Epoch", y=_TITLES[quantity], showlegend=True)


def _live_range(lines: Sequence[Sequence[float]], quantity: str) -> list[float]:
    """Frames lines without their first quarter, where the steep rise or fall is."""
    values = [value for line in lines for value in line[len(line) // 4 :]]
    if quantity == LOSS:
        return [0, 1.05 * max([*values, 0.1])]
    return [max(floor for floor in _FLOORS if floor <= min(values, default=0)), 100.5]


def _frame_epochs(figure: go.Figure, total: int) -> None:
    """Makes the axis as wide as the whole way from the start, with ticks at whole epochs."""
    step = next(step for step in _STEPS if total / step <= _TICKS)
    figure.layout.xaxis.range = [0, total + 0.3 + total / 50]
    figure.layout.xaxis.tickvals = list(range(step, total + 1, step))


@dataclass(frozen=True)
class RunSoFar:
    """What is drawn of one run of an experiment.

    Attributes:
        title: What sets it apart.
        variant: Decides the colour.
        epochs: Its finished epochs.
        progress: The epoch under way.
    """

    title: str
    variant: str
    epochs: Sequence[Epoch]
    progress: Progress | None


def runs_so_far(runs: Sequence[RunSoFar], *, total: int) -> go.Figure:
    """Draws the accuracies of an experiment's runs in one chart, of validation where there is one.

    Args:
        runs: The runs, each with at least one epoch.
        total: Most epochs that one of them is to have.
    """
    validated = any(epoch.val_accuracy is not None for run in runs for epoch in run.epochs)
    figure = go.Figure()
    lines = []
    colours = curve_colours([run.variant for run in runs])
    for index, run in enumerate(runs):
        values = [100 * ((epoch.val_accuracy if validated else epoch.accuracy) or 0.0) for epoch in run.epochs]
        lines.append(values)
        figure.add_scatter(
            x=[epoch.number for epoch in run.epochs],
            y=values,
            name=run.title,
            mode="lines+markers",
            marker={"size": 5},
            opacity=1 if len(runs) < _MANY else 0.6,
            line={"color": colours[index], "width": 1.8, "dash": DASHES[index % len(DASHES)]},
            hovertemplate=_hover(ACCURACY),
        )
    _frame_epochs(figure, total)
    figure.update_yaxes(range=_live_range(lines, ACCURACY))
    title = "Validation accuracy (%)" if validated else "Training accuracy (%)"
    return styled(figure, height=260, x="Epoch", y=title, showlegend=len(runs) < _MANY)


def _scaled(value: float | None, quantity: str) -> float | None:
    return 100 * value if value is not None and quantity == ACCURACY else value


def _hover(quantity: str) -> str:
    return "%{y:.2f} %" if quantity == ACCURACY else "%{y:.4f}"
