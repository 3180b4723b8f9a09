"""What all charts share: one colour a variant, one layout, readable in light and dark."""

from typing import Any

import plotly.graph_objects as go

ACCENT = "#3B5BDB"
# Okabe and Ito's colours, safe for colour-blind eyes.
VARIANT_COLOURS = {
    "dense-32": "#E69F00",
    "sigmoid-100": "#56B4E9",
    "dense-512": "#009E73",
    "cnn": "#0072B2",
    "cnn-augmented": "#CC79A7",
}
_OTHER_COLOUR = "#D55E00"
# Stands for the text colour of Streamlit's theme, light or dark: its pages put that in its place (GRAY_90 in
# streamlit_plotly_theme). Without it axes are grey on the page's paper, with a contrast of 3.6.
TEXT = "#000037"
_GRID = "rgba(128, 128, 128, 0.22)"
GREY = "rgba(128, 128, 128, 0.9)"
DASHES = ("solid", "dash", "dashdot", "longdash", "longdashdot", "dot")
# Blue, white and red, symmetric about zero (ColorBrewer's RdBu, reversed).
DIVERGING = [[0.0, "#2166AC"], [0.25, "#92C5DE"], [0.5, "#F7F7F7"], [0.75, "#F4A582"], [1.0, "#B2182B"]]
# On dark paper zero is dark, or a sheet of small weights would glare.
DIVERGING_DARK = [[0.0, "#74B9FF"], [0.25, "#2B6CA3"], [0.5, "#15181F"], [0.75, "#A8402F"], [1.0, "#FF9478"]]


def variant_colour(variant: str) -> str:
    """Returns the colour that a variant has in all charts."""
    return VARIANT_COLOURS.get(variant, _OTHER_COLOUR)


def styled(figure: go.Figure, *, height: int, x: str | None, y: str | None, **layout: Any) -> go.Figure:
    """Gives a figure the look that all our charts share.

    Args:
        figure: Changed and returned.
        height: Pixels.
        x: Title of the x axis with its unit; None hides the axis.
        y: Title of the y axis with its unit; None hides the axis.
        **layout: Further entries of plotly's layout.

    Returns:
        The figure.
    """
    shared: dict[str, Any] = {
        "height": height,
        "margin": {"l": 8, "r": 8, "t": 28, "b": 8},
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "font": {"size": 13, "color": TEXT},
        "legend": {"orientation": "h", "yanchor": "bottom", "y": 1.02, "x": 0},
        "hoverlabel": {"namelength": -1},
        "uirevision": "keep",  # zoom stays while a running run grows
    }
    _set(figure.layout, shared | layout)
    for axis, title in ((figure.layout.xaxis, x), (figure.layout.yaxis, y)):
        _set(axis, _HIDDEN if title is None else {"title": {"text": title, "font": {"color": TEXT}}, **_AXIS})
    return figure


_HIDDEN: dict[str, Any] = {"visible": False, "fixedrange": True}
_AXIS: dict[str, Any] = {"tickfont": {"color": TEXT}, "gridcolor": _GRID, "zeroline": False, "automargin": True}


def _set(part: Any, values: dict[str, Any]) -> None:
    """Sets parts of a figure one by one: five times as fast as plotly's `update_layout`, which looks at all others."""
    for name, value in values.items():
        part[name] = value
