"""Finished runs side by side: what is really better, what it costs, where it fails."""

import streamlit as st

from mnist_dash import ui
from mnist_dash.runs import DONE

VIEWS = {
    "results": ("Results", ui.results_view),
    "real": ("Is it real?", ui.real_view),
    "where": ("Where?", ui.where_view),
    "robustness": ("How robust?", ui.robustness_view),
    "settings": ("Settings", ui.sweep_view),
}

ui.header(
    "Compare",
    "Which network reads best, whether that is more than chance, where each fails, and what it costs.",
    "interval",
    "test_set",
)
comparison = ui.compare(ui.choose_runs(key="compare", statuses=[DONE]))
if comparison is None:
    st.stop()
st.markdown(ui.comparison_words(comparison))
with st.container(horizontal=True, vertical_alignment="bottom", horizontal_alignment="distribute"):
    view = ui.choice("Show", {name: title for name, (title, _) in VIEWS.items()}, key="compare_show")
    ui.report_button(comparison)
VIEWS[view][1](comparison)
