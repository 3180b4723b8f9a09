"""The frame around all pages."""

import functools
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import streamlit as st
from streamlit.navigation.page import StreamlitPage

from mnist_dash.errors import MnistDashError
from mnist_dash.store.events import start_logging
from mnist_dash.store.log import LOG
from mnist_dash.store.owners import adopt
from mnist_dash.ui.shared import identity, links, page_process
from mnist_dash.ui.shared.account import account
from mnist_dash.ui.shared.controls import shows_errors
from mnist_dash.ui.shared.notices import notices
from mnist_dash.ui.shared.resources import ensure_queue, run_store, settings, visitors_key

_ICON = Path(__file__).with_name("icon.png")
_SHEETS = "".join(_ICON.with_name(f"{name}.css").read_text(encoding="utf-8") for name in ("frame", "digits"))
_COLOURS = ("primaryColor", "backgroundColor", "borderColor")
# The dark theme's accent is light; white text on it would have a contrast of 2.4, and the light theme's red 3.9.
_DARK_STYLE = """
[data-testid^="stBaseButton-primary"] *, [data-tag], [data-tag] * { color: #0F1116 !important; }
.md-wrong { color: #FF8787 !important; }"""


def run_pages(pages: Sequence[StreamlitPage]) -> None:
    """Shows the page that the visitor is on, in the common frame."""
    st.set_page_config(page_title="MNIST Dash", page_icon=str(_ICON), layout="wide")
    page = st.navigation(list(pages), position="top")
    links.enter(page.url_path)
    st.html(_style(st.context.theme.type or "light"))
    _tab_bar(pages)
    shows_errors(_run_logged)(page)
    shows_errors(account)()
    page_process.keep_light()
    # After the page is drawn: runs that an earlier process left unfinished go on.
    shows_errors(ensure_queue)()
    shows_errors(notices)()
    shows_errors(_remember_visitor)()


def _remember_visitor() -> None:
    if not st.user.get("is_logged_in"):
        identity.remember_visitor(visitors_key(), functools.partial(adopt, run_store()))


def _run_logged(page: StreamlitPage) -> None:
    """Runs a page; an error that nobody expected is logged, and Streamlit then shows it."""
    start_logging(settings().database_url)
    try:
        page.run()
    except MnistDashError:
        raise
    except Exception:
        LOG.exception("The page “%s” failed.", page.title)
        raise


@cache
def _style(theme: str) -> str:
    """Returns the style sheets, with the theme's colours as custom properties such as `--md-primaryColor`."""
    colours = "".join(f"--md-{name}: {st.get_option(f'theme.{theme}.{name}')}; " for name in _COLOURS)
    dark = _DARK_STYLE if theme == "dark" else ""
    # With an element beside the style it is part of the page; a style alone would share its place with notices.
    return f'<i class="md-frame"></i><style>:root {{ {colours}}}{_SHEETS}{dark}</style>'


def _tab_bar(pages: Sequence[StreamlitPage]) -> None:
    """Links to all pages in one row: frame.css shows it on phones, where Streamlit hides its navigation behind “»”."""
    with st.container(horizontal=True, wrap=False, gap=None, key="md_tabs"):
        for page in pages:
            if page.visibility == "visible":
                st.page_link(page)
