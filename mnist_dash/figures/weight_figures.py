"""Weights as images, blue below zero and red above."""

import math

import numpy as np
import plotly.graph_objects as go

from mnist_dash.figures.style import DIVERGING, DIVERGING_DARK, styled

_GAP = 1  # pixels between tiles


def neuron_sheet(kernel: np.ndarray, *, first: int, dark: bool = False) -> go.Figure:
    """Draws the weights of hidden neurons as a sheet of 28 × 28 images.

    Args:
        kernel: Shape (784, n): one column a neuron.
        first: Number of the first of them, from 1.
        dark: Whether it is shown on dark paper.

    Source:
        Tutorial 001, which draws its 100 neurons as 10 × 10.
    """
    count = kernel.shape[1]
    columns = max(1, math.isqrt(count - 1) + 1)
    tiles = kernel.T.reshape(count, 28, 28)
    names = [f"neuron {first + number}" for number in range(count)]
    return _sheet(tiles, names, columns=columns, aspect=1.0, dark=dark)


def kernel_sheet(kernel: np.ndarray, *, dark: bool = False) -> go.Figure:
    """Draws the kernels of a convolution: a column a filter, a row an input channel.

    Args:
        kernel: Shape (height, width, channels, filters).
        dark: Whether it is shown on dark paper.
    """
    height, width, channels, filters = kernel.shape
    tiles = kernel.transpose(2, 3, 0, 1).reshape(channels * filters, height, width)
    names = [f"filter {number % filters + 1}, channel {number // filters + 1}" for number in range(len(tiles))]
    if channels == 1:
        return _sheet(tiles, names, columns=min(filters, 8), aspect=0.55, dark=dark)
    return _sheet(tiles, names, columns=filters, aspect=1.0, dark=dark)


def _sheet(tiles: np.ndarray, names: list[str], *, columns: int, aspect: float, dark: bool) -> go.Figure:
    count, height, width = tiles.shape
    rows = -(-count // columns)
    sheet = np.full((rows * (height + _GAP) - _GAP, columns * (width + _GAP) - _GAP), np.nan, np.float32)
    labels = np.full(sheet.shape, "", dtype=object)
    for number, tile in enumerate(tiles):
        top, left = (number // columns) * (height + _GAP), (number % columns) * (width + _GAP)
        sheet[top : top + height, left : left + width] = tile
        labels[top : top + height, left : left + width] = names[number]
    # Symmetric about zero; the few largest weights may saturate, or they would pale all others.
    limit = float(np.nanpercentile(np.abs(sheet), 99.5)) or 1.0
    figure = go.Figure(
        go.Heatmap(
            z=sheet,
            zmin=-limit,
            zmax=limit,
            colorscale=DIVERGING_DARK if dark else DIVERGING,
            customdata=labels if count <= 128 else None,
            hovertemplate=("%{customdata}: " if count <= 128 else "") + "%{z:.3f}<extra></extra>",
            hoverongaps=False,
            # On top, beside the sheet it would take half of a phone's width.
            colorbar={
                "title": {"text": "Weight", "side": "top"},
                "orientation": "h",
                "thickness": 10,
                "len": 0.6,
                "y": 1.01,
                "yanchor": "bottom",
            },
        )
    )
    figure.update_yaxes(autorange="reversed", scaleanchor="x", constrain="domain", constraintoward="top")
    figure.update_xaxes(constrain="domain")
    return styled(figure, height=int(640 * aspect) + 80, x=None, y=None)
