"""Our own HTML whose buttons choose something: tiles of digits, cells of a table."""

from pathlib import Path

import streamlit as st

_buttons = st.components.v2.component(
    "mnist_dash_buttons",
    html='<div class="md-buttons"></div>',
    js=Path(__file__).with_name("html_buttons.js").read_text(encoding="utf-8"),
    isolate_styles=False,
)


def html_buttons(html: str, *, key: str, count: int) -> int:
    """Shows HTML and lets the reader choose by its buttons.

    Args:
        html: Made by a template of ours, with `count` buttons.
        key: The widget's key; other contents need another one.
        count: How many buttons there are, at least one.

    Returns:
        The chosen button's index, at first 0.
    """
    chosen = min(int((st.session_state.get(key) or {}).get("index") or 0), count - 1)
    # With a callback the component's state is there before the page is drawn.
    _buttons(key=key, data={"html": html, "index": chosen}, on_index_change=lambda: None)
    return chosen
