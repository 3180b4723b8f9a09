"""Choose a network and its settings, queue runs, follow their progress."""

import streamlit as st

from mnist_dash.ui.shared import controls, resources
from mnist_dash.ui.train import run_board, start_panel, training_form

controls.header(
    "Train a network",
    "Runs go on when you close the page.",
    "batch",
    "softmax",
    "optimizers",
    "k_fold",
    "dropout",
    "augmentation",
)
queue = resources.job_queue()  # its workers load TensorFlow while the form is being filled in
form_column, runs_column = st.columns([5, 7], gap="medium")
with form_column:
    start_panel.start_panel(training_form.training_form())
with runs_column, st.container(key="md_runs"):
    if queue.problem:
        controls.note(queue.problem)
    run_board.run_board()
