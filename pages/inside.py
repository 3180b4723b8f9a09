"""What a network has learned: its weights as images."""

import streamlit as st

from mnist_dash.figures import weight_figures
from mnist_dash.ui.shared import controls, resources, run_chooser

controls.header(
    "Inside a network",
    "What a model's first layers have learned: their weights as images.",
    "weights",
    "kernels",
)
runs = sorted(run_chooser.offered_runs(parameter="inside_run"), key=lambda run: (run.variant != "sigmoid-100", -run.id))
if not runs:
    st.info("No models yet.", icon=":material/visibility:")
    st.page_link("pages/train.py", label="Train a network", icon=":material/model_training:")
    st.stop()

with st.container(horizontal=True, vertical_alignment="bottom"):
    run = controls.one_run_picker(runs, key="inside_run", label="Model", label_visibility="visible")
    layers = [layer for layer in resources.weights_of(run.id) if layer.kernel.ndim == 4 or layer.kernel.shape[0] == 784]
    by_name = {layer.name: layer for layer in layers}
    titles = {name: name.replace("_", " ").capitalize() for name in by_name}
    name = controls.choice("Layer", titles, key=f"inside_layer_{run.variant}") if len(titles) > 1 else layers[0].name
kernel, dark = by_name[name].kernel, st.context.theme.type == "dark"

if kernel.ndim == 4:
    height, width, channels, filters = kernel.shape
    st.markdown(
        f"**{filters} kernels** of {height} × {width} weights"
        + ("." if channels == 1 else f" for each of {channels} channels: a column is a filter, a row a channel.")
    )
    figure = weight_figures.kernel_sheet(kernel, dark=dark)
else:
    neurons = kernel.shape[1]
    first, last = controls.neuron_range(neurons, key=f"inside_neurons_{run.id}")
    st.markdown(f"**Neurons {first} to {last}** of {neurons:,}: one weight per pixel.")
    figure = weight_figures.neuron_sheet(kernel[:, first - 1 : last], first=first, dark=dark)
st.plotly_chart(
    figure, key="inside_sheet", config=controls.CHART, alt=f"Weights of {run.title}, layer {name}, as images"
)
