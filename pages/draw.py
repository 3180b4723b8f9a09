"""A drawing or an image → the models' input → their predictions."""

import streamlit as st

from mnist_dash.ui.draw import drawing_board
from mnist_dash.ui.shared import controls, run_chooser

controls.header(
    "Draw a digit",
    "Every network reads it as you draw; photos work, too.",
    "redrawing",
    "not_a_digit",
    "softmax",
)
runs = [run for run in run_chooser.offered_runs(parameter="runs") if run.reads_digits]
if not runs:
    st.info("No models yet.", icon=":material/draw:")
    st.page_link("pages/train.py", label="Train a network", icon=":material/model_training:")
    st.stop()

drawing_board.drawing_board(runs)
