"""Charts of weights: how they are distributed, and where a unit's go."""

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from mnist_dash.figures.style import ACCENT, GREY, styled

_POSITIVE, _NEGATIVE = "#C4473A", "#3B7DB8"  # as on the scale of weights, readable on light and dark paper


def weight_histogram(kernel: np.ndarray, bias: np.ndarray) -> go.Figure:
    """Draws how many weights and biases of a layer have which value.

    Args:
        kernel: Any shape.
        bias: Shape (units,).
    """
    ends = np.histogram_bin_edges(kernel, 60)
    middles = (ends[:-1] + ends[1:]) / 2
    figure = go.Figure()
    for values, name, colour in ((kernel, "weights", ACCENT), (bias, "biases", GREY)):
        counts, _ = np.histogram(values, ends)
        figure.add_bar(
            x=middles,
            y=counts,
            name=name,
            marker={"color": colour, "opacity": 0.85, "line": {"width": 0}},
            hovertemplate="%{x:.3f}: %{y:,} " + name + "<extra></extra>",
        )
    figure.update_xaxes(fixedrange=True)
    figure.update_yaxes(fixedrange=True)
    return styled(figure, height=220, x="Value", y="Weights", bargap=0, barmode="overlay")


def outgoing_weights(weights: np.ndarray, classes: Sequence[str]) -> go.Figure:
    """Draws a unit's weights to the classes: what its activation raises, and what it lowers.

    Args:
        weights: Shape (10,).
        classes: The names of the classes.
    """
    return _signed_bars(weights, classes, y="Outgoing weight")


def activations(values: np.ndarray) -> go.Figure:
    """Draws the activation of each neuron of a layer.

    Args:
        values: Shape (units,).
    """
    figure = go.Figure()
    figure.add_bar(
        x=np.arange(1, len(values) + 1),
        y=values,
        marker={"color": ACCENT, "line": {"width": 0}},
        hovertemplate="neuron %{x}: %{y:.3f}<extra></extra>",
    )
    figure.update_xaxes(fixedrange=True)
    figure.update_yaxes(fixedrange=True)
    return styled(figure, height=220, x="Neuron", y="Activation", bargap=0.15)


def _signed_bars(values: np.ndarray, names: Sequence[str], *, y: str) -> go.Figure:
    figure = go.Figure()
    figure.add_bar(
        x=list(names),
        y=values,
        marker={"color": np.where(values < 0, _NEGATIVE, _POSITIVE), "line": {"width": 0}},
        hovertemplate="%{x}: %{y:.3g}<extra></extra>",
    )
    figure.update_xaxes(type="category", fixedrange=True)
    figure.update_yaxes(fixedrange=True)
    return styled(figure, height=200, x="Class", y=y, bargap=0.3)
