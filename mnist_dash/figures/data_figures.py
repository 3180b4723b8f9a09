"""Figures of the data itself."""

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from mnist_dash.analysis.projection import Projection
from mnist_dash.figures.style import ACCENT, GREY, TEXT, styled


def class_balance(counts: np.ndarray, *, names: Sequence[str], part: str) -> go.Figure:
    """Draws how many images there are of each class.

    Args:
        counts: Shape (10,).
        names: The classes' names.
        part: Which part of the data, for the axis title.
    """
    figure = go.Figure()
    figure.add_bar(
        x=list(names),
        y=counts,
        marker={"color": ACCENT, "opacity": 0.85},
        text=[f"{count:,}" for count in counts],
        textposition="outside",
        cliponaxis=False,
        hovertemplate="%{x}: %{y:,} images<extra></extra>",
    )
    figure.update_xaxes(type="category", fixedrange=True)
    figure.update_yaxes(fixedrange=True)
    return styled(figure, height=300, x="Class", y=f"Images ({part})", bargap=0.3)


# Ten colours that can be told apart on light and on dark paper.
_DIGIT_COLOURS = (
    "#E15759", "#6C7AE0", "#D4A72C", "#2E9F5B", "#4FA8D8", "#B5508F", "#17A398", "#9A9B33", "#C86BD2", "#8C8C8C",
)  # fmt: skip
_OUTCOMES = {"right": (GREY, 3, 0.5), "wrong": ("#D6336C", 6, 1.0)}  # colour, size in pixels, opacity


def trait_histogram(values: np.ndarray, *, label: str, chosen: tuple[float, float]) -> go.Figure:
    """Draws how many images have which value of a trait; what is outside of the chosen range is faint.

    Args:
        values: Shape (n,).
        label: The trait with its unit, for the axis title.
        chosen: Both ends of the range.
    """
    whole = bool(len(values)) and bool(np.all(values == np.rint(values))) and np.ptp(values) < 60
    edges = np.arange(values.min() - 0.5, values.max() + 1) if whole else np.histogram_bin_edges(values, 40)
    counts, edges = np.histogram(values, edges)
    middles = (edges[:-1] + edges[1:]) / 2
    inside = (middles >= chosen[0]) & (middles <= chosen[1])
    figure = go.Figure()
    figure.add_bar(
        x=middles,
        y=counts,
        width=np.diff(edges),
        marker={"color": ACCENT, "opacity": np.where(inside, 0.85, 0.2), "line": {"width": 0}},
        hovertemplate="%{x:.3g}: %{y:,} images<extra></extra>",
    )
    figure.update_xaxes(fixedrange=True)
    figure.update_yaxes(fixedrange=True)
    return styled(figure, height=220, x=label, y="Images", bargap=0)


def value_histogram(counts: np.ndarray) -> go.Figure:
    """Draws how many pixels have which value, in bins of 15 from 1 to 255.

    Args:
        counts: Of each value from 0, which is left out; shape (256,).
    """
    figure = go.Figure()
    figure.add_bar(
        x=np.arange(8, 256, 15),
        y=counts[1:].reshape(17, 15).sum(1),
        customdata=[f"{low} to {low + 14}" for low in range(1, 256, 15)],
        marker={"color": ACCENT, "opacity": 0.85, "line": {"width": 0}},
        hovertemplate="%{customdata}: %{y:,} pixels<extra></extra>",
    )
    figure.update_xaxes(fixedrange=True)
    figure.update_yaxes(fixedrange=True)
    return styled(figure, height=220, x="Value", y="Pixels", bargap=0.05)


def image_map(
    projection: Projection,
    indices: np.ndarray,
    names: np.ndarray,
    labels: np.ndarray,
    *,
    order: Sequence[str],
    shown: np.ndarray,
    framed: int = -1,
) -> go.Figure:
    """Draws images as points, one colour a name.

    Args:
        projection: Of n images.
        indices: Their indices in the split, shape (n,); each point's `customdata`.
        names: What each is coloured by: a class, or "right" and "wrong"; shape (n,), text.
        labels: Their classes, shape (n,), text, for the hover text.
        order: The names of all classes, at most ten; each has its colour by its place.
        shown: Which are drawn, shape (n,), bool.
        framed: The index of an image whose point is framed; -1 for none.
    """
    figure = go.Figure()
    present = set(names[shown].tolist())
    for name in [name for name in (*order, *_OUTCOMES) if name in present]:
        of_name = shown & (names == name)
        colour, size, opacity = _OUTCOMES.get(name) or (_DIGIT_COLOURS[order.index(name)], 4, 0.75)
        figure.add_scattergl(
            x=projection.points[of_name, 0],
            y=projection.points[of_name, 1],
            mode="markers",
            name=name,
            customdata=indices[of_name].tolist(),  # of an array, an event would bring an object with a key a column
            text=labels[of_name].tolist(),
            marker={"color": colour, "size": size, "opacity": opacity},
            hovertemplate="image %{customdata}, label %{text}<extra></extra>",
        )
    for position in np.flatnonzero(indices == framed):
        ring = {"symbol": "circle-open", "size": 15, "color": TEXT, "line": {"width": 3}}
        x, y = projection.points[[position]].T
        figure.add_scatter(x=x, y=y, mode="markers", marker=ring, showlegend=False, hoverinfo="skip")
    first, second = (
        f"Component {n + 1} ({100 * part:.0f} % of the variance)" for n, part in enumerate(projection.explained)
    )
    return styled(
        figure, height=560, x=first, y=second, dragmode="lasso", legend={"orientation": "h", "itemsizing": "constant"}
    )
