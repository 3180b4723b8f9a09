"""Our own HTML whose buttons choose something: tiles of digits, cells of a table."""

from pathlib import Path

import streamlit as st

_buttons = st.components.v2.component(
    "mnist_dash_buttons",
    html='<div class="md-buttons"></div>',
    js=Path(__file__).with_name("html_buttons.js").read_text(encoding="utf-8"),
    isolate_styles=False,
)


def html_buttons(html: str, *, key: str, count: int, first: int = 0) -> int:
    """Shows HTML and lets the reader choose by its buttons.

    Args:
        html: Made by a template of ours, with `count` buttons.
        key: The widget's key; other contents need another one.
        count: How many buttons there are, at least one.
        first: The button that is chosen before any was clicked; -1 for none.

    Returns:
        The chosen button's index, at first `first`.
    """
    clicked = (st.session_state.get(key) or {}).get("index")
    chosen = min(int(first if clicked is None else clicked), count - 1)
    # With a callback the component's state is there before the page is drawn.
    _buttons(key=key, data={"html": html, "index": chosen}, on_index_change=lambda: None)
    return chosen
