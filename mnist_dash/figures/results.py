"""Figures of finished runs: accuracies with their intervals, and what was taken for what."""

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from mnist_dash.evaluation import Accuracy
from mnist_dash.figures.style import ACCENT, styled, variant_colour
from mnist_dash.wording import accuracy_words


def accuracy_intervals(
    titles: Sequence[str], variants: Sequence[str], accuracies: Sequence[Accuracy], claims: Sequence[float | None]
) -> go.Figure:
    """Draws test accuracies with their 95 % intervals, and tutorials' claims as open circles.

    Args:
        titles: Names of the runs.
        variants: Their variants.
        accuracies: Their accuracies.
        claims: What their tutorials claim, in [0, 1]; None for no number.
    """
    figure = go.Figure()
    figure.add_scatter(
        x=[100 * accuracy.value for accuracy in accuracies],
        y=list(titles),
        mode="markers",
        marker={"size": 12, "symbol": "diamond", "color": [variant_colour(variant) for variant in variants]},
        error_x={
            "type": "data",
            "symmetric": False,
            "array": [100 * (accuracy.high - accuracy.value) for accuracy in accuracies],
            "arrayminus": [100 * (accuracy.value - accuracy.low) for accuracy in accuracies],
            "thickness": 1.5,
            "color": "rgba(128,128,128,0.9)",
        },
        name="Measured, with its 95 % interval",
        customdata=[accuracy_words(accuracy) for accuracy in accuracies],
        hovertemplate="%{y}: %{customdata}<extra></extra>",
    )
    claimed = [(title, 100 * claim) for title, claim in zip(titles, claims, strict=True) if claim is not None]
    figure.add_scatter(
        x=[claim for _, claim in claimed],
        y=[title for title, _ in claimed],
        mode="markers",
        marker={"size": 13, "symbol": "circle-open", "line": {"width": 2}, "color": "#D55E00"},
        name="The tutorial's claim",
        hovertemplate="%{y}: the tutorial claims %{x:.2f} %<extra></extra>",
    )
    figure.update_yaxes(autorange="reversed", fixedrange=True)
    return styled(figure, height=136 + 34 * len(titles), x="Test accuracy (%)", y="Run")


def confusion(counts: np.ndarray) -> go.Figure:
    """Draws a confusion matrix: mistakes coloured by their number, the right ones left plain.

    Args:
        counts: Shape (10, 10): row is the true digit, column the digit read.
    """
    digits = range(10)
    mistakes = counts.astype(float)
    np.fill_diagonal(mistakes, np.nan)  # thousands on the diagonal would drown every mistake
    figure = go.Figure(
        go.Heatmap(
            x=list(digits),
            y=list(digits),
            z=mistakes,
            customdata=counts,
            colorscale=[[0, "rgba(59,91,219,0)"], [1, ACCENT]],
            zmin=0,
            zmax=max(float(np.nanmax(mistakes)), 1.0),
            showscale=False,
            xgap=2,
            ygap=2,
            hovertemplate="%{customdata:,} pictures of %{y} read as %{x}<extra></extra>",
        )
    )
    dark = 0.5 * np.nanmax(mistakes)
    annotations = [
        {
            "x": read,
            "y": true,
            "text": f"{counts[true, read]:,}",
            "showarrow": False,
            "opacity": 1.0 if counts[true, read] else 0.4,
            # Else the theme's own colour, which suits both a light and a dark page.
            **({"font": {"color": "white"}} if mistakes[true, read] > dark else {}),
        }
        for true in digits
        for read in digits
    ]
    styled(figure, height=480, x="Digit read", y="True digit", annotations=annotations)
    figure.update_yaxes(autorange="reversed", dtick=1, fixedrange=True, showgrid=False)
    figure.update_xaxes(dtick=1, fixedrange=True, showgrid=False)
    return figure
