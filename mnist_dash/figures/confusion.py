"""Confusion matrices, whose cells can be clicked, and the difference of two."""

from typing import Any

import numpy as np
import plotly.graph_objects as go

from mnist_dash.data import CLASSES
from mnist_dash.figures.style import ACCENT, DIVERGING, styled

_CELL_CLICKED = 24  # pixels of the markers that take the clicks: a cell of a matrix on a phone


def confusion(counts: np.ndarray) -> go.Figure:
    """Draws a confusion matrix: mistakes coloured by their number, the right ones left plain.

    Args:
        counts: Shape (10, 10): row is the true digit, column the digit read.
    """
    mistakes = counts.astype(float)
    np.fill_diagonal(mistakes, np.nan)  # thousands on the diagonal would drown every mistake
    most = max(float(np.nanmax(mistakes)), 1.0)
    figure = go.Figure(
        go.Heatmap(z=mistakes, colorscale=[[0, "rgba(59,91,219,0)"], [1, ACCENT]], zmin=0, zmax=most, **_CELLS)
    )
    _make_clickable(figure, counts, "%{customdata:,} pictures of %{y} read as %{x}<extra></extra>")
    # White on dark cells; else the theme's own colour, which suits a light and a dark page.
    white = mistakes > 0.5 * most
    return _matrix(figure, [[f"{count:,}" for count in row] for row in counts], faint=counts == 0, white=white)


def confusion_difference(counts: np.ndarray) -> go.Figure:
    """Draws how much more often one run read each digit as each other than another run did.

    Args:
        counts: Shape (10, 10), the first run's confusion matrix minus the second's.
    """
    changed = counts.astype(float)
    np.fill_diagonal(changed, np.nan)
    most = max(float(np.nanmax(np.abs(changed))), 1.0)
    figure = go.Figure(go.Heatmap(z=changed, colorscale=DIVERGING, zmin=-most, zmax=most, **_CELLS))
    _make_clickable(figure, counts, "%{customdata:+,} pictures of %{y} read as %{x}<extra></extra>")
    words = [[f"{count:+,}" if count else "0" for count in row] for row in counts]
    return _matrix(figure, words, faint=counts == 0, white=np.abs(changed) > 0.6 * most, black=~np.isnan(changed))


_CELLS: dict[str, Any] = {
    "x": list(range(CLASSES)),
    "y": list(range(CLASSES)),
    "showscale": False,
    "xgap": 2,
    "ygap": 2,
    "hoverinfo": "skip",
}


def _make_clickable(figure: go.Figure, counts: np.ndarray, hover: str) -> None:
    """Lays a marker over every cell: a click on a heatmap selects nothing in Streamlit."""
    true, read = np.divmod(np.arange(CLASSES**2), CLASSES)
    figure.add_scatter(
        x=read,
        y=true,
        mode="markers",
        marker={"size": _CELL_CLICKED, "symbol": "square", "color": ACCENT, "opacity": 0},
        selected={"marker": {"opacity": 0.25}},
        unselected={"marker": {"opacity": 0}},
        customdata=counts.ravel(),
        hovertemplate=hover,
        showlegend=False,
    )


def _matrix(
    figure: go.Figure, words: list[list[str]], *, faint: np.ndarray, white: np.ndarray, black: np.ndarray | None = None
) -> go.Figure:
    annotations = [
        {
            "x": read,
            "y": true,
            "text": words[true][read],
            "showarrow": False,
            "opacity": 0.5 if faint[true, read] else 1.0,
            **_font(bool(white[true, read]), black is not None and bool(black[true, read])),
        }
        for true in range(CLASSES)
        for read in range(CLASSES)
    ]
    styled(figure, height=460, x="Digit read", y="True digit", annotations=annotations, clickmode="event+select")
    figure.update_yaxes(range=[CLASSES - 0.5, -0.5], dtick=1, fixedrange=True, showgrid=False)
    figure.update_xaxes(range=[-0.5, CLASSES - 0.5], dtick=1, fixedrange=True, showgrid=False)
    return figure


def _font(white: bool, black: bool) -> dict[str, Any]:
    if white:
        return {"font": {"color": "white"}}
    return {"font": {"color": "#16181D"}} if black else {}
