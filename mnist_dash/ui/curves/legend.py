"""The legend of the Curves page, with a summary of each curve. Outside the chart it wraps, also on a phone."""

import base64
import html
from collections.abc import Sequence

import streamlit as st

from mnist_dash.figures.curve_figures import MARK_NAMES, DrawnCurve

_STYLE = """<style>
.md-key { margin: .25rem 0 0; font-size: .9rem; }
.md-key > div { display: grid; grid-template-columns: 2.4rem minmax(0, 1fr); gap: 0 .6rem; margin: 0 0 .6rem; }
.md-key img { width: 2.4rem; height: 1.35rem; }
.md-key b { font-weight: 600; }
.md-key p { margin: 0; opacity: .85; font-size: inherit; overflow-wrap: anywhere; }
.md-marks { display: flex; flex-wrap: wrap; gap: .1rem 1.1rem; font-size: .82rem; opacity: .85; margin-bottom: .7rem; }
.md-marks span { display: inline-flex; align-items: center; gap: .4rem; }
.md-marks img { width: 1.9rem; height: 1.1rem; }
</style>"""
# In a box of 40 × 20, as plotly draws the symbols of these names.
_SYMBOLS = {
    "circle": '<circle cx="20" cy="10" r="5"/>',
    "square": '<rect x="15" y="5" width="10" height="10"/>',
    "triangle-up": '<path d="M20 4l6 10h-12z"/>',
    "triangle-down": '<path d="M20 16l6-10h-12z"/>',
    "cross": '<path d="M18 4h4v4h4v4h-4v4h-4v-4h-4v-4h4z"/>',
    "hexagon": '<path d="M20 4l5 3v6l-5 3l-5-3v-6z"/>',
}
_MARKS = {
    "training": '<path d="M1 10h38" stroke="#808080" stroke-width="2.5" stroke-dasharray="3 4"/>',
    "validation": '<path d="M1 10h38" stroke="#808080" stroke-width="3"/>',
    "test": '<path d="M20 3l7 7l-7 7l-7-7z" fill="#808080"/>',
    "lowest validation loss": '<circle cx="20" cy="10" r="6.5" fill="none" stroke="#808080" stroke-width="2.5"/>',
    "early stopping": '<path d="M14 4l12 12m0-12l-12 12" stroke="#808080" stroke-width="2.5"/>',
}


def curves_legend(curves: Sequence[DrawnCurve], summaries: Sequence[str]) -> None:
    """Lists curves with their colours and summaries, and explains lines and marks.

    Args:
        curves: The curves, as drawn.
        summaries: One a curve.
    """
    occurring = {line.part for curve in curves for line in curve.lines}
    occurring |= {MARK_NAMES[mark.kind] for curve in curves for mark in curve.marks}
    kinds = "".join(
        f"<span>{_picture(shape)}{html.escape(name)}</span>" for name, shape in _MARKS.items() if name in occurring
    )
    rows = "".join(_row(curve, words) for curve, words in zip(curves, summaries, strict=True))
    st.html(f'{_STYLE}<div class="md-marks">{kinds}</div><div class="md-key" role="list">{rows}</div>')


def _row(curve: DrawnCurve, words: str) -> str:
    texts = f"<b>{html.escape(curve.title)}</b><p>{html.escape(words)}</p>"
    return f'<div role="listitem">{_swatch(curve)}<div>{texts}</div></div>'


def _swatch(curve: DrawnCurve) -> str:
    line = '<path d="M1 10h38" stroke-width="3"/>'
    return _picture(f'<g fill="{curve.colour}" stroke="{curve.colour}">{line}{_SYMBOLS[curve.symbol]}</g>')


def _picture(shape: str) -> str:
    # As a picture: Streamlit takes SVG out of HTML.
    drawing = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 40 20">{shape}</svg>'
    return f'<img alt="" src="data:image/svg+xml;base64,{base64.b64encode(drawing.encode()).decode()}">'
