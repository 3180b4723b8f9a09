"""Which networks, which of their layers, and which image the Inside page looks into."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import streamlit as st

from mnist_dash.datasets.mnist import Dataset
from mnist_dash.inference.numpy_network import NetworkLayer, NumpyNetwork, Trace
from mnist_dash.store.records import MODEL_KERAS, Run
from mnist_dash.ui.shared import links, resources
from mnist_dash.ui.shared.controls import select, title_of
from mnist_dash.ui.shared.digit_html import render
from mnist_dash.ui.shared.html_buttons import html_buttons
from mnist_dash.ui.shared.image_predictions import LAST_DIGIT

_NONE = "none"
_BATCH = 50
_EXAMPLES = 1_000
_FLOW = """<div class="md-flow" role="group" aria-label="Layers">
{%- for title, shape in layers -%}
<button type="button"><b>{{ title }}</b><small>{{ shape }}</small></button>
{%- endfor %}</div>"""
_TITLES = {"MaxPooling2D": "Pooling", "Conv2D": "Convolution", "Dense": "Dense"}


@dataclass(frozen=True, eq=False)
class Inside:
    """A network that is looked into.

    Attributes:
        run: The run.
        network: Its network.
        layer: Index of the chosen layer among the network's.
        key: Begins the keys of widgets; another one for the second network.
    """

    run: Run
    network: NumpyNetwork
    layer: int
    key: str

    @property
    def chosen(self) -> NetworkLayer:
        """The chosen layer."""
        return self.network.layers[self.layer]

    @property
    def is_output(self) -> bool:
        """Whether the chosen layer is the last one."""
        return self.layer == len(self.network.layers) - 1


@dataclass(frozen=True, eq=False)
class Looked:
    """The image that is looked at.

    Attributes:
        pixels: Shape (28, 28), uint8.
        label: Its label; None for one that was drawn.
        name: How it is called.
    """

    pixels: np.ndarray
    label: int | None
    name: str


def beside(runs: Sequence[Run], first: Run) -> list[Run]:
    """Lets the reader choose a second network; returns one or two."""
    by_id = {str(run.id): run for run in runs if run.id != first.id}
    options = {_NONE: "Nothing", **{number: title_of(run) for number, run in by_id.items()}}
    chosen = select("Beside it", options, key="inside_beside")
    return [first, by_id[chosen]] if chosen in by_id else [first]


def choose_layer(run: Run, number: int) -> Inside:
    """Shows a network as a row of its layers, of which a click opens one; the choice is in the URL."""
    network, parameter = network_of(run.id), f"inside_layer{number or ''}"
    offered = [at for at, layer in enumerate(network.layers) if layer.kind in _TITLES]
    names = {network.layers[at].name: position for position, at in enumerate(offered)}
    turn = f"{parameter}_turn"  # a link, or Back, chooses another layer than was clicked last
    st.session_state[turn] = st.session_state.get(turn, 0) + links.is_changed(parameter)
    links.restore(parameter, lambda linked: linked if linked in names else network.layers[offered[0]].name)
    before = names.get(st.session_state[parameter], 0)
    shapes = summary_of(run.id)
    layers = [(_title(network.layers[at]), shapes[at]) for at in offered]
    widget = f"{parameter}_flow_{run.id}_{st.session_state[turn]}"
    chosen = html_buttons(render(_FLOW, layers=layers), key=widget, count=len(offered), first=before)
    name = network.layers[offered[chosen]].name
    st.session_state[parameter] = name
    links.write({parameter: "" if chosen == 0 else name})
    return Inside(run, network, offered[chosen], f"inside_{number}")


def whole(run: Run, number: int) -> Inside:
    """Returns a network as a whole, with its output layer as the chosen one."""
    network = network_of(run.id)
    return Inside(run, network, len(network.layers) - 1, f"inside_{number}")


def _title(layer: NetworkLayer) -> str:
    side = layer.weights.kernel.shape[0] if layer.kind == "Conv2D" and layer.weights else layer.pool
    size = f" {side} × {side}" if layer.kind in ("Conv2D", "MaxPooling2D") else ""
    return f"{_TITLES[layer.kind]}{size}" + (f" · {layer.activation}" if layer.activation != "linear" else "")


@st.cache_resource(show_spinner=False, max_entries=12)
def _network(database_url: str, run_id: int) -> NumpyNetwork:
    return NumpyNetwork(resources.run_store().read_artifact(run_id, MODEL_KERAS))


def network_of(run_id: int) -> NumpyNetwork:
    """Returns a finished run's network in numpy."""
    return _network(resources.run_store().database_url, run_id)


@st.cache_resource(show_spinner=False, max_entries=32)
def _summary(database_url: str, run_id: int) -> list[str]:
    network = network_of(run_id)
    outputs = network.forward(np.zeros((1, 28, 28))).outputs
    return [
        " × ".join(map(str, output.shape[1:])) + _parameters(layer)
        for layer, output in zip(network.layers, outputs, strict=True)
    ]


def _parameters(layer: NetworkLayer) -> str:
    weights = layer.weights
    return f" · {weights.kernel.size + weights.bias.size:,} parameters" if weights else ""


def summary_of(run_id: int) -> list[str]:
    """Returns each layer's output shape and number of parameters in words."""
    return _summary(resources.run_store().database_url, run_id)


def data_of(run: Run) -> Dataset:
    """Returns the data that a run was trained on, or MNIST where that is not here."""
    return resources.dataset_of(run.fingerprint) or resources.dataset()


@dataclass(frozen=True, eq=False)
class Examples:
    """What each unit of each layer does with the first test images.

    Attributes:
        pixels: Shape (n, 28, 28), uint8.
        labels: Shape (n,), uint8.
        strongest: Of each layer, the largest activation of each unit or filter in each image,
            shape (n, units), float16.
    """

    pixels: np.ndarray
    labels: np.ndarray
    strongest: tuple[np.ndarray, ...]


def examples_of(run: Run) -> Examples:
    """Returns what a run's units do with the first 1,000 test images."""
    return _examples(resources.run_store().database_url, run.id, data_of(run).fingerprint)


@st.cache_resource(show_spinner="Showing test images to the network …", max_entries=6)
def _examples(database_url: str, run_id: int, fingerprint: str) -> Examples:
    images, labels = (each[:_EXAMPLES] for each in resources.images_of(fingerprint, "test"))
    network, found = network_of(run_id), []
    for start in range(0, len(images), _BATCH):
        outputs = network.forward(images[start : start + _BATCH]).outputs
        found.append([out.reshape(len(out), -1, out.shape[-1]).max(1).astype(np.float16) for out in outputs])
    return Examples(images, labels, tuple(np.concatenate(layer) for layer in zip(*found, strict=True)))


def choose_image(run: Run) -> Looked:
    """Lets the reader choose a test image or what was drawn last; the choice is in the URL."""
    images, labels = resources.images_of(data_of(run).fingerprint, "test")
    drawn = st.session_state.get(LAST_DIGIT)
    links.restore("inside_image", _image_number)
    index = st.number_input("Test image", 0, len(images) - 1, key="inside_image", width=150)
    links.write({"inside_image": str(index) if index else ""})
    if drawn is not None and st.toggle("What I drew last", key="inside_drawn"):
        return Looked(np.asarray(drawn, np.uint8), None, "drawn")
    return Looked(images[index], int(labels[index]), f"test image {index}")


def _image_number(linked: str) -> int:
    return int(linked) if linked.isdecimal() and len(linked) <= 4 else 0


def trace_of(inside: Inside, image: Looked) -> Trace:
    """Returns what a network does with an image."""
    return inside.network.forward(image.pixels[None])
