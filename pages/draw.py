"""A drawing or a picture → what the networks see → what they say."""

import streamlit as st

from mnist_dash.ui.draw import drawing_board
from mnist_dash.ui.shared import controls, run_chooser

controls.header(
    "Draw a digit",
    "Draw digits, upload pictures of them or take a photo, and see what every network reads.",
    "redrawing",
    "not_a_digit",
    "softmax",
)
runs = run_chooser.offered_runs()
if not runs:
    st.info("No network has been trained yet.", icon=":material/draw:")
    st.page_link("pages/train.py", label="Train the first one", icon=":material/model_training:")
    st.stop()

drawing_board.drawing_board(runs)
