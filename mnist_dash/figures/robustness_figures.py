"""Figures of robustness: accuracy against strength, and by kind."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go

from mnist_dash.figures.style import ACCENT, DASHES, TEXT, styled, variant_colour

_SPACE_FOR_LEGEND = 24  # pixels a line
_ROW = 26  # pixels


@dataclass(frozen=True)
class RobustnessLine:
    """One run's accuracy against strength.

    Attributes:
        title: Its name in the legend.
        variant: Decides the colour.
        at: Strengths, or amounts in the kind's unit, in order.
        accuracies: At each of them, in [0, 1].
        words: Hover text of each of them.
    """

    title: str
    variant: str
    at: Sequence[float]
    accuracies: Sequence[float]
    words: Sequence[str]


def robustness_lines(lines: Sequence[RobustnessLine], *, unit: str, height: int = 380) -> go.Figure:
    """Draws accuracy against strength; runs of the same variant share its colour and differ by dash.

    Args:
        lines: The runs.
        unit: Title of the x axis.
        height: Pixels.
    """
    figure = go.Figure()
    of_variant: dict[str, int] = {}
    for line in lines:
        number = of_variant[line.variant] = of_variant.get(line.variant, -1) + 1
        figure.add_scatter(
            x=list(line.at),
            y=[100 * value for value in line.accuracies],
            name=line.title,
            mode="lines+markers",
            marker={"size": 6},
            line={"color": variant_colour(line.variant), "width": 2.2, "dash": DASHES[number % len(DASHES)]},
            customdata=list(line.words),
            hovertemplate="%{customdata}",
        )
    figure.update_yaxes(range=[0, 102])
    at = list(lines[0].at) if lines else []
    figure.update_xaxes(tickvals=at, ticktext=[f"{value:g}" for value in at])
    styled(figure, height=height, x=unit, y="Accuracy (%)", hovermode="x unified", showlegend=True)
    figure.update_layout(margin={"t": 12 + _SPACE_FOR_LEGEND * -(-len(lines) // 2)})
    return figure


def robustness_sheet(titles: Sequence[str], kinds: Sequence[str], shares: np.ndarray) -> go.Figure:
    """Draws the mean accuracy of each run under each kind: the lower, the stronger the colour.

    Args:
        titles: Names of the runs, from left to right.
        kinds: Names of the kinds, from top to bottom.
        shares: Shape (kinds, runs), in [0, 1].
    """
    percent = 100 * shares
    heat = go.Heatmap(
        x=list(range(len(titles))),
        y=list(kinds),
        z=100 - percent,
        customdata=percent,
        text=[[f"{value:.0f}" for value in row] for row in percent],
        texttemplate="%{text}",  # of customdata a heatmap shows nothing
        textfont={"color": TEXT},
        colorscale=[[0, "rgba(59,91,219,0)"], [1, ACCENT]],
        zmin=0,
        zmax=130,  # never so dark that the text cannot be read
        showscale=False,
        xgap=2,
        ygap=2,
        hovertemplate="%{x}, %{y}: %{customdata:.1f} %<extra></extra>",
    )
    figure = go.Figure(heat)
    styled(figure, height=64 + _ROW * len(kinds), x="", y="")
    figure.update_yaxes(autorange="reversed", title=None, fixedrange=True, showgrid=False)
    figure.update_xaxes(
        side="top",
        title=None,
        fixedrange=True,
        showgrid=False,
        tickvals=list(range(len(titles))),
        ticktext=list(titles),
    )
    return figure
