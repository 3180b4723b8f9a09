"""URL query parameters in step with widgets: a link opens the same view, and the browser's Back returns to it.

Streamlit adds a history entry for each change of the query parameters. On Back it runs the
page with the earlier URL but the widgets' later state, so a URL that differs from the one
written last was changed from outside and wins over the widgets.
"""

import time
from collections.abc import Callable, Mapping
from typing import Any

import streamlit as st

_STATE = "links"
_IN_FLIGHT_S = 2.0  # a run requested this soon after a change may still carry the URL from before it


class _Links:
    """The URL of a visitor's page as it was written last, and what a changed URL asks for."""

    def __init__(self, page: str, url: Mapping[str, str]):
        self.page = page
        self.pending = dict(url)  # values that no widget has taken yet
        self.url = dict(url)
        self.replaced: tuple[dict[str, str], float] = ({}, -_IN_FLIGHT_S)

    def follow(self, url: Mapping[str, str]) -> None:
        earlier, written_at = self.replaced
        if url == earlier and time.monotonic() - written_at < _IN_FLIGHT_S:
            return
        changed = {name for name in {*url, *self.url} if url.get(name) != self.url.get(name)}
        self.pending |= {name: url.get(name, "") for name in changed}
        self.url = dict(url)


def _links() -> _Links:
    if _STATE not in st.session_state:
        enter("")
    found: _Links = st.session_state[_STATE]
    return found


def enter(page: str) -> None:
    """Notes how the URL was changed from outside; to be called once at the start of each full run.

    Args:
        page: The page's path. Another page begins with what its own URL says.
    """
    links, url = st.session_state.get(_STATE), st.query_params.to_dict()
    if links is None or links.page != page:
        st.session_state[_STATE] = _Links(page, url)
    else:
        links.follow(url)


def is_changed(parameter: str) -> bool:
    """Returns whether the URL asks for another value of a parameter than the page shows."""
    return parameter in _links().pending


def restore(key: str, parse: Callable[[str], Any], *, parameter: str = "", initial: Any = None) -> None:
    """Sets a widget's value from the URL if that was changed from outside; to be called before the widget.

    Args:
        key: The widget's key.
        parse: From the parameter's value to the widget's; "" where the URL has none.
        parameter: The query parameter; empty if it has the widget's key as its name.
        initial: The value of a new widget without the parameter; None for `parse("")`.
    """
    parameter = parameter or key
    linked = _links().pending.pop(parameter, None)
    if linked is None and key in st.session_state:
        return
    linked = st.query_params.get(parameter, "") if linked is None else linked
    is_new = not linked and key not in st.session_state and initial is not None
    st.session_state[key] = initial if is_new else parse(linked)


def write(values: Mapping[str, str]) -> None:
    """Writes widgets' values to the URL.

    Args:
        values: By parameter; "" removes one.
    """
    links, before = _links(), st.query_params.to_dict()
    url = {name: value for name, value in {**before, **values}.items() if value}
    if url != before:
        links.replaced = before, time.monotonic()
    for name in before.keys() - url.keys():
        del st.query_params[name]
    if changed := {name: value for name, value in url.items() if before.get(name) != value}:
        st.query_params.update(changed)
    links.url = url
