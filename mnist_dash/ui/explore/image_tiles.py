"""A grid of images in which a click chooses one."""

from collections.abc import Sequence

import numpy as np
import streamlit as st

from mnist_dash.ui.explore.image_choice import Chosen, look_at
from mnist_dash.ui.shared.digit_html import render
from mnist_dash.ui.shared.html_buttons import html_buttons

_TILES = """<div class="md-images" role="group" aria-label="Images" style="--md-columns: {{ columns }}">
{%- for image, caption in images -%}
<button type="button" aria-label="{{ caption }}">{{ image|image("") }}<small>{{ caption }}</small></button>
{%- endfor %}</div>"""


def image_tiles(
    chosen: Chosen, indices: Sequence[int] | np.ndarray, captions: Sequence[str], *, key: str, columns: int
) -> None:
    """Shows images of a split; a click makes one of them the image that is looked at.

    Args:
        chosen: The split.
        indices: Which images, in order.
        captions: One an image; shown as text.
        key: Begins the widget's key.
        columns: Images a row.
    """
    if not len(indices):
        st.caption("No image passes all filters. Lift one above.")
        return
    images = list(zip(chosen.images[list(indices)], captions, strict=True))
    widget = f"{key}_{chosen.part}_{'_'.join(map(str, indices[:3]))}_{len(indices)}"
    clicked = html_buttons(render(_TILES, images=images, columns=columns), key=widget, count=len(indices), first=-1)
    seen = f"{widget}_seen"
    if clicked >= 0 and st.session_state.get(seen) != clicked:
        st.session_state[seen] = clicked
        look_at(int(indices[clicked]))
        st.rerun()  # what shows the image may stand above
