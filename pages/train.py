"""Choose a network and its settings, queue runs of it, watch them learn."""

import streamlit as st

from mnist_dash.ui.shared import controls, resources
from mnist_dash.ui.train import run_board, start_panel, training_form

controls.header(
    "Train a network",
    "Choose a network of the tutorials, or ours for pictures, change what you like, and watch it learn. "
    "Training goes on when you close the page, and a link to this page keeps the form as it is.",
    "batch",
    "softmax",
)
queue = resources.job_queue()  # its workers load TensorFlow while the form is being filled in
start_panel.start_panel(training_form.training_form())

st.subheader("Runs", anchor=False)
if queue.problem:
    controls.note(queue.problem)
run_board.run_board()
