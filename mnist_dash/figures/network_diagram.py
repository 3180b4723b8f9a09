"""The network as a drawing: a row a layer, from the input down to the output."""

from collections.abc import Iterator, Sequence
from typing import Any

import plotly.graph_objects as go

from mnist_dash.figures.style import ACCENT, styled
from mnist_dash.networks.summary import LayerSummary, weights_in

# All in pixels, so that a wide page stretches only the bars.
_ROW = 56  # height
_PICTOGRAMS = 96  # width of the column on the left
_DOT, _BETWEEN_DOTS = 4.4, 6.8
_BETWEEN_MAPS = 4
_MAX_DOTS = 12
_LINE = "rgba(128, 128, 128, 0.75)"
_TRACK = "rgba(128, 128, 128, 0.18)"
_FAINT = "rgba(128, 128, 128, 0.4)"
# Between the accents of light and dark pages; maps lie on top of each other, dots do not.
_MAP = "rgba(91, 117, 232, 0.17)"
_NUMBER = "rgba(91, 117, 232, 0.85)"
_CHANGES_ONLY_TRAINING = "Dropout"


def network_drawing(summary: Sequence[LayerSummary]) -> go.Figure:
    """Draws a network: for each layer a pictogram of its output, its name, its shape and its weights.

    A feature map is a square, and a deeper stack stands for more of them; a row of dots is
    a row of numbers. A bar is the layer's share of all weights.

    Args:
        summary: From `summarise`.
    """
    height = _ROW * len(summary)
    figure = go.Figure([_track(summary), _bars(summary)])
    styled(figure, height=height, x=None, y=None, barmode="overlay", showlegend=False, dragmode=False)
    figure.update_layout(
        margin={"l": _PICTOGRAMS, "r": 4, "t": 0, "b": 0},
        shapes=list(_shapes(summary)),
        annotations=[_label(layer, row) for row, layer in enumerate(summary)],
    )
    figure.update_xaxes(range=[0, max(weights_in(summary), 1)])
    figure.update_yaxes(range=[len(summary) - 0.5, -0.5])
    return figure


def drawing_words(summary: Sequence[LayerSummary]) -> str:
    """Says in one sentence what the drawing shows, for those who do not see it."""
    layers = [f"{_title(layer)} with {_facts(layer)}" for layer in summary[1:]]
    return (
        f"A network with {weights_in(summary):,} weights. The input, {shape_words(summary[0].output_shape)}, goes "
        f"through {len(layers)} layer{'s' * (len(layers) != 1)}: {'; '.join(layers)}."
    )


def shape_words(shape: Sequence[int]) -> str:
    """Returns an output shape as, for instance, “26 × 26 × 16” or “512 values”."""
    if len(shape) == 1:
        return f"{shape[0]:,} value{'s' * (shape[0] != 1)}"
    return " × ".join(f"{size:,}" for size in shape)


def _title(layer: LayerSummary) -> str:
    return layer.title if layer.activation == "linear" else f"{layer.title}, {layer.activation}"


def _facts(layer: LayerSummary) -> str:
    weights = f" and {layer.weights:,} weights" if layer.weights else ""
    return f"output {shape_words(layer.output_shape)}{weights}"


def _label(layer: LayerSummary, row: int) -> dict[str, Any]:
    weights = f" · {layer.weights:,} weights" if layer.weights else ""
    return {
        "text": f"<b>{_title(layer)}</b><br>{shape_words(layer.output_shape)}{weights}",
        "xref": "paper",
        "x": 0,
        "y": row,
        "yshift": 5 if layer.weights else 0,
        "xanchor": "left",
        "yanchor": "middle",
        "align": "left",
        "showarrow": False,
    }


def _track(summary: Sequence[LayerSummary]) -> go.Bar:
    """Returns what stands for all weights of the network, behind the share of each layer."""
    return _bar(summary, [weights_in(summary)] * len(summary), _TRACK)


def _bars(summary: Sequence[LayerSummary]) -> go.Bar:
    return _bar(summary, [layer.weights for layer in summary], ACCENT)


def _bar(summary: Sequence[LayerSummary], lengths: Sequence[int], colour: str) -> go.Bar:
    total = weights_in(summary)
    rows = [row for row, layer in enumerate(summary) if layer.weights]
    return go.Bar(
        x=[lengths[row] for row in rows],
        y=rows,
        customdata=[[summary[row].title, _share(summary[row], total), summary[row].multiplications] for row in rows],
        hovertemplate="%{customdata[0]}: %{customdata[1]} of all weights<br>"
        "%{customdata[2]:,} multiplications an image<extra></extra>",
        orientation="h",
        width=5 / _ROW,
        offset=19 / _ROW,
        marker={"color": colour, "line": {"width": 0}},
    )


def _share(layer: LayerSummary, total: int) -> str:
    part = 100 * layer.weights / total
    return "< 0.1 %" if part < 0.1 else f"{part:.1f} %"


def _shapes(summary: Sequence[LayerSummary]) -> Iterator[dict[str, Any]]:
    for row, layer in enumerate(summary):
        drawn = _maps(layer) if len(layer.output_shape) == 3 else _dots(layer)
        yield from (_placed(shape, row) for shape in drawn)
        if row:
            above = _half_height(summary[row - 1])
            yield from (_placed(shape, row) for shape in _arrow(_ROW - above - 3, _half_height(layer) + 3))


def _placed(shape: dict[str, Any], row: int) -> dict[str, Any]:
    """Puts a shape in pixels from the middle of its pictogram into its row; up is positive."""
    position = {"xref": "paper", "yref": "y", "xsizemode": "pixel", "ysizemode": "pixel", "xanchor": 0, "yanchor": row}
    return {**position, **shape}


_MIDDLE = -_PICTOGRAMS / 2 - 6  # of the column, from the plot's left edge


def _side(layer: LayerSummary) -> float:
    return 8 + 0.9 * layer.output_shape[0]


def _depth(layer: LayerSummary) -> int:
    """Returns how many squares stand for the layer's maps: 1 for one, and one more for each doubling."""
    return layer.output_shape[2].bit_length()


def _half_height(layer: LayerSummary) -> float:
    if len(layer.output_shape) == 1:
        return _DOT / 2
    return (_side(layer) + (_depth(layer) - 1)) / 2


def _maps(layer: LayerSummary) -> Iterator[dict[str, Any]]:
    side, depth = _side(layer), _depth(layer)
    for number in range(depth):
        away = number - (depth - 1) / 2
        left, low = _MIDDLE - side / 2 + _BETWEEN_MAPS * away, -side / 2 - away
        yield {
            "type": "rect",
            "x0": left,
            "x1": left + side,
            "y0": low,
            "y1": low + side,
            **_marker_style(layer, _MAP),
        }


def _dots(layer: LayerSummary) -> Iterator[dict[str, Any]]:
    count = layer.output_shape[0]
    many = count > _MAX_DOTS
    shown = _MAX_DOTS - 1 if many else count  # an odd number has a middle
    for number in range(shown):
        away = number - (shown - 1) / 2
        # The three small dots in the middle stand for all that have no room.
        radius = _DOT / 4 if many and abs(away) <= 1 else _DOT / 2
        middle = _MIDDLE + _BETWEEN_DOTS * away
        yield {
            "type": "circle",
            "x0": middle - radius,
            "x1": middle + radius,
            "y0": -radius,
            "y1": radius,
            **_marker_style(layer, _NUMBER),
        }


def _marker_style(layer: LayerSummary, fill: str) -> dict[str, Any]:
    if layer.kind == _CHANGES_ONLY_TRAINING:
        return {"line": {"color": _FAINT, "width": 1}}
    return {"line": {"color": _LINE, "width": 1 if fill == _MAP else 0}, "fillcolor": fill}


def _arrow(start: float, end: float) -> Iterator[dict[str, Any]]:
    line = {"color": _LINE, "width": 1}
    yield {"type": "line", "x0": _MIDDLE, "x1": _MIDDLE, "y0": start, "y1": end, "line": line}
    head = f"M {_MIDDLE - 3} {end + 4} L {_MIDDLE} {end} L {_MIDDLE + 3} {end + 4}"
    yield {"type": "path", "path": head, "line": line}
