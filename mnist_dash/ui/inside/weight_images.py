"""Images of weights, activations and contributions, as HTML: tiles of which one is chosen, or a row with a scale."""

from collections.abc import Sequence

import numpy as np
import streamlit as st

from mnist_dash.figures import diverging
from mnist_dash.ui.shared.digit_html import render, show_template
from mnist_dash.ui.shared.html_buttons import html_buttons

_TILES = """<div class="md-images md-weights" role="group" aria-label="{{ label }}" style="--md-columns: {{ columns }}">
{%- for image, caption in images -%}
<button type="button" aria-label="{{ caption }}" title="{{ caption }}">{{ image|image("") }}</button>
{%- endfor %}</div>"""
_ROW = """<div class="md-grid md-row" style="--md-size: {{ size }}px">
{%- for caption, image in images -%}
<figure>{{ image|image(caption) }}<figcaption>{{ caption }}</figcaption></figure>
{%- endfor %}</div>"""
_SCALE = """<div class="md-scale" aria-hidden="true"><small>−{{ limit }}</small>{{ ramp|image("", "md-ramp") -}}
<small>+{{ limit }}</small></div>"""


def is_dark() -> bool:
    """Returns whether the page is dark."""
    return st.context.theme.type == "dark"


def signed(values: np.ndarray, limit: float) -> np.ndarray:
    """Returns values as colours, blue below zero and red above, that suit the page."""
    return diverging.coloured(values, limit, dark=is_dark())


def bright(values: np.ndarray) -> np.ndarray:
    """Returns values from zero up as greys, the largest one white."""
    return np.asarray(255 * np.clip(values, 0, None) / max(float(values.max()), 1e-9), np.uint8)


def tiles(images: np.ndarray, captions: Sequence[str], *, columns: int, label: str, key: str, chosen: int) -> int:
    """Shows images of which a click chooses one; returns its index."""
    shown = list(zip(images, captions, strict=True))
    html = render(_TILES, images=shown, columns=columns, label=label)
    return html_buttons(html, key=key, count=len(images), first=chosen)


def row(images: dict[str, np.ndarray], *, size: int = 120) -> None:
    """Shows images beside each other, each with its caption."""
    show_template(_ROW, images=images.items(), size=size)


def scale(limit: float) -> None:
    """Shows which colours stand for which values."""
    ramp = signed(np.linspace(-1, 1, 101)[None].repeat(8, 0), 1.0)
    show_template(_SCALE, ramp=ramp, limit=f"{limit:.2g}")
