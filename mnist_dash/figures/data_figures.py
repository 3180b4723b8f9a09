"""Figures of the data itself."""

import numpy as np
import plotly.graph_objects as go

from mnist_dash.figures.style import ACCENT, styled


def class_balance(counts: np.ndarray, *, part: str) -> go.Figure:
    """Draws how many images there are of each digit.

    Args:
        counts: Shape (10,).
        part: Which part of the data, for the axis title.
    """
    figure = go.Figure()
    figure.add_bar(
        x=list(range(10)),
        y=counts,
        marker={"color": ACCENT, "opacity": 0.85},
        text=[f"{count:,}" for count in counts],
        textposition="outside",
        cliponaxis=False,
        hovertemplate="digit %{x}: %{y:,} images<extra></extra>",
    )
    figure.update_xaxes(dtick=1, fixedrange=True)
    figure.update_yaxes(fixedrange=True)
    return styled(figure, height=300, x="Digit", y=f"Images ({part})", bargap=0.3)
