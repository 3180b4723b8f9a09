"""Learning curves: loss and accuracy by epoch."""

import streamlit as st

from mnist_dash.store.records import CANCELLED, DONE, FAILED, UNFINISHED
from mnist_dash.ui.curves import curves_panel
from mnist_dash.ui.shared import controls, resources, run_chooser

controls.header(
    "Learning curves",
    "How fast networks learn, and where overfitting starts.",
    "over_fitting",
    "smoothing",
    "band",
    "batch",
)
if not resources.run_store().list_runs(limit=1):
    st.info("No run has started yet.", icon=":material/show_chart:")
    st.page_link("pages/train.py", label="Train a model", icon=":material/model_training:")
    st.stop()

chosen = run_chooser.choose_runs(key="curves", statuses=[*UNFINISHED, DONE, FAILED, CANCELLED])
if not chosen:
    st.info("Choose one or more runs above.", icon=":material/show_chart:")
    st.stop()

curves_panel.curves_panel(chosen)
