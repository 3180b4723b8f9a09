"""Charts that are changed in place: a zoom stays, and nothing flickers, while a running run grows."""

from functools import lru_cache
from pathlib import Path
from typing import Any

import streamlit as st

from mnist_dash.figures.standalone import plotly_library
from mnist_dash.figures.style import TEXT

_FOLDER = Path(__file__).parent
_BUNDLES = Path(st.__file__).parent / "static" / "static" / "js"
_chart = st.components.v2.component(
    "mnist_dash_chart",
    html='<div class="md-chart" role="figure"></div>',
    css=".md-chart { width: 100%; height: 100%; }",
    js=(_FOLDER / "live_chart.js").read_text(encoding="utf-8"),
    isolate_styles=False,
)


def chart(figure: Any, *, key: str, alt: str) -> None:
    """Shows a figure; drawn again under the same key, it is changed in place.

    `st.plotly_chart` takes a chart down whenever its content changes, and the reader's zoom with it.

    Args:
        figure: Made by this project's figures, with a height.
        key: The chart's name.
        alt: What it shows, for those who do not see it.
    """
    data = {"spec": figure.to_json(), "alt": alt, "text_colour": TEXT, "bundle": _bundle()}
    _load_plotly(key)
    _chart(key=key, data=data, height=int(figure.layout.height))


def load_charts_early() -> None:
    """Has the browser load plotly.js, which takes a second, before the first chart is there to be drawn."""
    _load_plotly("charts_early")
    _chart(key="charts_early", data={"spec": "", "alt": "", "bundle": _bundle()}, height=1)


def _load_plotly(key: str) -> None:
    """Sends the plotly package's own plotly.js to a browser that cannot load Streamlit's."""
    if not _bundle():
        _library()(key=f"{key}_library", height=1)


@lru_cache(maxsize=1)
def _library() -> Any:
    return st.components.v2.component(
        "mnist_dash_plotly", html="<i></i>", js=f"{plotly_library()}\nexport default function () {{}}"
    )


@lru_cache(maxsize=1)
def _bundle() -> str:
    """Returns the file in which Streamlit ships plotly.js to browsers, which have it cached; empty if there is none."""
    return next((file.name for file in _BUNDLES.glob("PlotlyChart.*.js")), "")
