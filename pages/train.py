"""Choose a network and its settings, queue runs, follow their progress."""

import streamlit as st

from mnist_dash.ui.shared import controls, resources
from mnist_dash.ui.train import run_board, start_panel, training_form

controls.header(
    "Train a network",
    "Choose a network, adjust its settings and follow the training. Runs continue when you close the page; the URL "
    "contains the form's settings.",
    "batch",
    "softmax",
)
queue = resources.job_queue()  # its workers load TensorFlow while the form is being filled in
start_panel.start_panel(training_form.training_form())

st.subheader("Runs", anchor=False)
if queue.problem:
    controls.note(queue.problem)
run_board.run_board()
