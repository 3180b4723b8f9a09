"""Confusion matrices, whose cells can be clicked, and the difference of two."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go

from mnist_dash.datasets.mnist import CLASSES, DIGITS
from mnist_dash.figures.style import ACCENT, DIVERGING, TEXT, styled

_CLICK_TARGET = 24  # pixels of the markers that take the clicks: a cell of a matrix on a phone
_INK = "#16181D"
_TRUE, _PREDICTED = np.divmod(np.arange(CLASSES**2), CLASSES)
_CELLS: dict[str, Any] = {
    "x": list(range(CLASSES)),
    "y": list(range(CLASSES)),
    "showscale": False,
    "xgap": 2,
    "ygap": 2,
    "hoverinfo": "skip",
}


def confusion(
    counts: np.ndarray, *, chosen: tuple[int, int] | None = None, classes: Sequence[str] = DIGITS
) -> go.Figure:
    """Draws a confusion matrix: mistakes coloured by their number, the diagonal left plain.

    Args:
        counts: Shape (10, 10): row is the true digit, column the predicted one.
        chosen: True and predicted digit of a cell that is framed.
        classes: The names of the ten classes.
    """
    mistakes = counts.astype(float)
    np.fill_diagonal(mistakes, np.nan)  # thousands on the diagonal would drown every mistake
    most = max(float(np.nanmax(mistakes)), 1.0)
    squares = go.Heatmap(z=mistakes, colorscale=[[0, "rgba(59,91,219,0)"], [1, ACCENT]], zmin=0, zmax=most, **_CELLS)
    # White on dark cells; else the theme's own colour, which suits a light and a dark page.
    colours = np.where(mistakes > 0.5 * most, "white", TEXT)
    return _matrix(squares, counts, colours, chosen, classes, sign="")


def confusion_difference(
    counts: np.ndarray, *, chosen: tuple[int, int] | None = None, classes: Sequence[str] = DIGITS
) -> go.Figure:
    """Draws the difference of two confusion matrices.

    Args:
        counts: Shape (10, 10), the first run's confusion matrix minus the second's.
        chosen: True and predicted digit of a cell that is framed.
        classes: The names of the ten classes.
    """
    changed = counts.astype(float)
    np.fill_diagonal(changed, np.nan)
    most = max(float(np.nanmax(np.abs(changed))), 1.0)
    squares = go.Heatmap(z=changed, colorscale=DIVERGING, zmin=-most, zmax=most, **_CELLS)
    colours = np.where(np.isnan(changed), TEXT, np.where(np.abs(changed) > 0.6 * most, "white", _INK))
    return _matrix(squares, counts, colours, chosen, classes, sign="+")


def _matrix(
    squares: go.Heatmap,
    counts: np.ndarray,
    colours: np.ndarray,
    chosen: tuple[int, int] | None,
    classes: Sequence[str],
    *,
    sign: str,
) -> go.Figure:
    words = np.array([f"{count:{sign},}" if count else "0" for count in counts.ravel()])
    faint = counts.ravel() == 0
    texts = [
        _cell_texts(words, where, str(colour), 0.5 if pale else 1.0)
        for colour in np.unique(colours)
        for pale in (False, True)
        if (where := (colours.ravel() == colour) & (faint == pale)).any()
    ]
    figure = go.Figure([squares, *texts, _click_targets(counts, sign)])
    layout = {"clickmode": "event+select", "showlegend": False, "shapes": [_frame(*chosen)] if chosen else []}
    what = "digit" if tuple(classes) == DIGITS else "class"
    styled(figure, height=420, x=f"Predicted {what}", y=f"True {what}", **layout)
    for axis, ends in ((figure.layout.xaxis, [-0.5, CLASSES - 0.5]), (figure.layout.yaxis, [CLASSES - 0.5, -0.5])):
        axis.range, axis.fixedrange, axis.showgrid = ends, True, False
        axis.tickvals, axis.ticktext = list(range(CLASSES)), list(classes)
    return figure


def _cell_texts(words: np.ndarray, where: np.ndarray, colour: str, opacity: float) -> go.Scatter:
    """Writes some of the numbers: annotations, one a cell, would take ten times as long."""
    font = {"textfont": {"color": colour}}
    return go.Scatter(
        x=_PREDICTED[where].tolist(),
        y=_TRUE[where].tolist(),
        text=words[where].tolist(),
        mode="text",
        opacity=opacity,
        hoverinfo="skip",
        **font,
        selected=font,  # plotly would fade what was not clicked
        unselected=font,
    )


def _frame(true: int, predicted: int) -> dict[str, Any]:
    ends = {"x0": predicted - 0.5, "x1": predicted + 0.5, "y0": true - 0.5, "y1": true + 0.5}
    return {"type": "rect", **ends, "line": {"color": TEXT, "width": 2.5}}


def _click_targets(counts: np.ndarray, sign: str) -> go.Scatter:
    """Returns a marker over every cell: a click on a heatmap selects nothing in Streamlit."""
    return go.Scatter(
        x=_PREDICTED,
        y=_TRUE,
        mode="markers",
        marker={"size": _CLICK_TARGET, "symbol": "square", "color": ACCENT, "opacity": 0},
        selected={"marker": {"opacity": 0}},
        unselected={"marker": {"opacity": 0}},
        customdata=counts.ravel(),
        hovertemplate=f"%{{customdata:{sign},}} images of %{{y}} predicted %{{x}}<extra></extra>",
    )
