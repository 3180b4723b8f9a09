"""Choose a network and its settings, queue it, watch it learn."""

import streamlit as st

from mnist_dash import ui
from mnist_dash.models import VARIANTS

ui.header(
    "Train a network",
    "Choose a network of the tutorials, or ours for pictures, change what you like, and watch it learn. "
    "Training goes on when you close the page.",
    "batch",
    "softmax",
    "dropout",
    "k_fold",
    "augmentation",
)
queue = ui.job_queue()  # its workers load TensorFlow while the form is being filled in

name = ui.choice("Network", {variant.name: variant.title for variant in VARIANTS.values()}, key="train_variant")
variant = VARIANTS[name]
st.markdown(variant.summary + (f" The tutorial claims {variant.claim.words}." if variant.claim else ""))
whose = "the tutorial's own" if variant.claim else "ours"
st.caption(f"From {variant.tutorial}. The values below are {whose}.")

with st.form(f"train_form_{name}", border=False):
    entered = ui.settings_form(variant, main=("epochs", "batch_size", "learning_rate"))
    if st.form_submit_button("Start training", type="primary", icon=":material/play_arrow:", key=f"train_start_{name}"):
        ui.start_run(variant, entered)

st.subheader("Runs", anchor=False)
if queue.problem:
    ui.note(queue.problem)
ui.run_board()
