"""Figures as HTML that needs no server: plotly.js comes from the plotly package."""

import plotly.graph_objects as go
from plotly.offline import get_plotlyjs

from mnist_dash.figures.style import TEXT

_INK, _PAPER = "#16181D", "#FFFFFF"


def plotly_library() -> str:
    """Returns plotly.js as it comes with the plotly package (about 5 MB); it sets `window.Plotly`."""
    return str(get_plotlyjs())


def as_html(figure: go.Figure, *, title: str) -> str:
    """Returns a figure as an HTML page that needs nothing else: plotly.js is inside (about 5 MB).

    Args:
        figure: The figure; it is left as it is.
        title: Title of the page.
    """
    alone = go.Figure(figure)
    alone.update_layout((figure.layout.meta or {}).get("taken", {}))
    alone.update_layout(template="none", title={"text": title}, paper_bgcolor=_PAPER, plot_bgcolor=_PAPER)
    page = alone.to_html(include_plotlyjs=True, full_html=True, config={"responsive": True, "displaylogo": False})
    return str(page).replace(TEXT, _INK)


def as_fragment(figure: go.Figure, *, with_library: bool) -> str:
    """Returns a figure as a part of an HTML page.

    Args:
        figure: The figure; it is left as it is.
        with_library: Put plotly.js in, which the first figure of a page needs.
    """
    alone = go.Figure(figure).update_layout(template="none")
    part: str = alone.to_html(include_plotlyjs=with_library, full_html=False, config={"displaylogo": False})
    return part.replace(TEXT, _INK)
