"""Finished runs side by side: what is really better, what it costs, where it fails."""

import streamlit as st

from mnist_dash.store.records import DONE
from mnist_dash.ui.compare import comparison as comparison_module
from mnist_dash.ui.compare import (
    errors_view,
    report_button,
    results_view,
    robustness_view,
    significance_view,
    sweep_view,
)
from mnist_dash.ui.shared import controls, run_chooser

VIEWS = {
    "results": ("Results", results_view.results_view),
    "real": ("Is it real?", significance_view.real_view),
    "where": ("Where?", errors_view.where_view),
    "robustness": ("How robust?", robustness_view.robustness_view),
    "settings": ("Settings", sweep_view.sweep_view),
}

controls.header(
    "Compare",
    "Which network reads best, whether that is more than chance, where each fails, and what it costs.",
    "interval",
    "test_set",
)
comparison = comparison_module.compare(run_chooser.choose_runs(key="compare", statuses=[DONE]))
if comparison is None:
    st.stop()
st.markdown(comparison_module.comparison_words(comparison))
with st.container(horizontal=True, vertical_alignment="bottom", horizontal_alignment="distribute"):
    view = controls.choice("Show", {name: title for name, (title, _) in VIEWS.items()}, key="compare_show")
    report_button.report_button(comparison)
VIEWS[view][1](comparison)
