"""Compare: results, significance, errors, robustness and settings of finished runs."""

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
    "real": ("Significance", significance_view.significance_view),
    "where": ("Errors", errors_view.errors_view),
    "robustness": ("Robustness", robustness_view.robustness_view),
    "settings": ("Settings", sweep_view.sweep_view),
}

controls.header(
    "Compare",
    "Which model is really better, and where do they err?",
    "interval",
    "test_set",
    "paired_test",
    "many_tests",
    "repeats",
    "precision",
    "calibration",
    "robustness",
)
comparison = comparison_module.compare(run_chooser.choose_runs(key="compare", statuses=[DONE]))
if comparison is None:
    st.stop()
st.markdown(comparison_module.verdict(comparison))
with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
    titles = {name: title for name, (title, _) in VIEWS.items()}
    view = controls.choice("View", titles, key="compare_show", label_visibility="collapsed")
    report_button.report_button(comparison)
VIEWS[view][1](comparison)
