"""Inside a network: what it learned, what it does with an image, and why it said that; one network or two."""

import streamlit as st

from mnist_dash.ui.inside import image_view, learned_view, network_choice, why_view
from mnist_dash.ui.shared import controls, run_chooser

VIEWS = {"learned": "What it learned", "image": "What it does with an image", "why": "Why"}

controls.header(
    "Inside a network",
    "Click a layer to open it.",
    "weights",
    "kernels",
    "softmax",
    "attribution",
)
runs = sorted(run_chooser.offered_runs(parameter="inside_run"), key=lambda run: (run.variant != "sigmoid-100", -run.id))
if not runs:
    st.info("No models yet.", icon=":material/visibility:")
    st.page_link("pages/train.py", label="Train a network", icon=":material/model_training:")
    st.stop()

view = controls.choice("View", VIEWS, key="inside_view", label_visibility="collapsed")
with st.container(horizontal=True, vertical_alignment="bottom"):
    run = controls.one_run_picker(runs, key="inside_run", label="Model", label_visibility="visible")
    chosen = network_choice.beside(runs, run)
    image = network_choice.choose_image(run) if view != "learned" else None
for number, (column, one) in enumerate(zip(st.columns(len(chosen), gap="large"), chosen, strict=True)):
    with column:
        if len(chosen) > 1:
            st.subheader(controls.title_of(one), anchor=False)
        inside = network_choice.choose_layer(one, number) if view != "why" else network_choice.whole(one, number)
        if image is None:
            learned_view.learned_view(inside)
        elif view == "image":
            image_view.image_view(inside, image)
        else:
            why_view.why_view(inside, image)
