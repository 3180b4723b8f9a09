"""Choose a network and its settings, queue runs of it, watch them learn."""

import streamlit as st

from mnist_dash import ui

ui.header(
    "Train a network",
    "Choose a network of the tutorials, or ours for pictures, change what you like, and watch it learn. "
    "Training goes on when you close the page, and a link to this page keeps the form as it is.",
    "batch",
    "softmax",
)
queue = ui.job_queue()  # its workers load TensorFlow while the form is being filled in
ui.start_panel(ui.training_form())

st.subheader("Runs", anchor=False)
if queue.problem:
    ui.note(queue.problem)
ui.run_board()
