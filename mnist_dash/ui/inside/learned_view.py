"""What a network learned: a layer's weights as images, one unit from all sides, and how the weights came to be."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import streamlit as st

from mnist_dash.analysis import units
from mnist_dash.figures import diverging, weight_figures
from mnist_dash.inference.snapshots import Snapshots, read_snapshots
from mnist_dash.store.records import SNAPSHOTS
from mnist_dash.ui.inside import network_choice, weight_images
from mnist_dash.ui.inside.network_choice import Inside
from mnist_dash.ui.shared import controls, digit_html, links, resources

_PAGE = 100
_EXTREMES = 10
_ORDERS = {"index": "As stored", "norm": "Strongest weights", "class": "Class it speaks for"}
_CELL = 6  # pixels of one weight in the animation


@dataclass(frozen=True, eq=False)
class Sheet:
    """The units of a layer, as one looks at them.

    Attributes:
        order: Their indices in the chosen order.
        outgoing: Their weights to the logits, shape (units, 10); None where another layer is between.
    """

    order: np.ndarray
    outgoing: np.ndarray | None


def learned_view(inside: Inside) -> None:
    """Shows what a layer learned."""
    weights = inside.chosen.weights
    if weights is None:
        st.info("A pooling layer has no weights: it keeps the largest of each window. Choose another layer above.")
        return
    kernel = weights.kernel
    sheet = _sheet(inside, kernel)
    count = len(sheet.order)
    first, last = controls.neuron_range(count, key=f"{inside.key}_range_{inside.run.id}_{inside.layer}")
    shown = sheet.order[first - 1 : last]
    with st.container(horizontal=True, gap="large", key=f"md_units_{inside.key}"):
        with st.container(key=f"md_sheet_{inside.key}"):
            unit = _tiles(inside, kernel, shown, sheet)
        with st.container(key=f"md_unit_{inside.key}"):
            _unit(inside, kernel, unit, sheet)
    st.plotly_chart(
        weight_figures.weight_histogram(kernel, weights.bias),
        key=f"{inside.key}_histogram",
        config=controls.CHART,
        alt=f"Number of weights by value in layer {inside.chosen.name}",
    )
    if inside.layer == _first_with_weights(inside):
        _while_training(inside, shown)


def _first_with_weights(inside: Inside) -> int:
    return next(at for at, layer in enumerate(inside.network.layers) if layer.weights is not None)


def _sheet(inside: Inside, kernel: np.ndarray) -> Sheet:
    """Lets the reader choose the order of the units."""
    following = inside.network.layers[inside.layer + 1 :]
    outgoing = following[0].weights.kernel if len(following) == 1 and following[0].weights else None
    orders = {name: title for name, title in _ORDERS.items() if name != "class" or outgoing is not None}
    chosen = controls.choice("Order", orders, key=f"{inside.key}_order")
    count = kernel.shape[-1]
    if chosen == "norm":
        return Sheet(np.argsort(-units.norms(kernel), kind="stable"), outgoing)
    if chosen == "class" and outgoing is not None:
        return Sheet(np.argsort(units.speaks_for(outgoing), kind="stable"), outgoing)
    return Sheet(np.arange(count), outgoing)


def _what(inside: Inside) -> str:
    return "filter" if inside.chosen.kind == "Conv2D" else "class" if inside.is_output else "neuron"


def _tiles(inside: Inside, kernel: np.ndarray, shown: np.ndarray, sheet: Sheet) -> int:
    """Shows units as images of their weights, of which one is chosen; returns its index in the layer."""
    images, columns = _images(kernel[..., shown])
    limit = diverging.limit_of(images)
    what, classes = _what(inside), inside.run.classes
    speaks = units.speaks_for(sheet.outgoing) if sheet.outgoing is not None else None
    captions = [classes[at] if what == "class" else f"{what} {at + 1}" for at in shown]
    if speaks is not None:
        captions = [f"{caption}, for {classes[speaks[at]]}" for caption, at in zip(captions, shown, strict=True)]
    parameter = f"{inside.key}_unit"
    links.restore(parameter, lambda linked: int(linked) - 1 if linked.isdecimal() and len(linked) <= 4 else 0)
    positions = {int(at): position for position, at in enumerate(shown)}
    before = positions.get(st.session_state[parameter], 0)
    key = f"{parameter}_{inside.run.id}_{inside.layer}_{shown[0]}_{len(shown)}_{_hash(shown)}"
    chosen = weight_images.tiles(
        weight_images.signed(images, limit),
        captions,
        columns=columns,
        label=f"Weights of each {what}",
        key=key,
        chosen=before,
    )
    st.session_state[parameter] = int(shown[chosen])
    links.write({parameter: str(int(shown[chosen]) + 1) if shown[chosen] else ""})
    weight_images.scale(limit)
    _about(inside, kernel)
    return int(shown[chosen])


def _hash(shown: np.ndarray) -> int:
    return hash(shown.tobytes()) % 10**6


def _images(kernel: np.ndarray) -> tuple[np.ndarray, int]:
    """Returns each unit's weights as an image, shape (units, height, width), and how many to show a row."""
    count = kernel.shape[-1]
    if kernel.ndim == 4:
        return kernel.mean(2).transpose(2, 0, 1), 8
    if kernel.shape[0] == 784:
        return kernel.T.reshape(count, 28, 28), 10
    width = next(width for width in (32, 24, 16, 10, 8, 4, 2, 1) if kernel.shape[0] % width == 0)
    return kernel.T.reshape(count, -1, width), 10


def _about(inside: Inside, kernel: np.ndarray) -> None:
    """Says what the images show, and how many units never respond."""
    what, count = _what(inside), kernel.shape[-1]
    if kernel.ndim == 4:
        channels = kernel.shape[2]
        words = f"{count} filters of {kernel.shape[0]} × {kernel.shape[1]} weights"
        words += "" if channels == 1 else f" for each of {channels} channels; the images are their means"
    elif kernel.shape[0] == 784:
        words = (
            f"{count:,} {what if what == 'class' else 'neuron'}{'es' if what == 'class' else 's'}, one weight per pixel"
        )
    else:
        words = f"{count:,} units with {kernel.shape[0]:,} weights each, in rows"
    if inside.chosen.activation == "relu":
        silent = int(units.dead(network_choice.examples_of(inside.run).strongest[inside.layer]).sum())
        words += f". {silent or 'None'} of them {'is' if silent == 1 else 'are'} dead: 0 for each of 1,000 test images"
    st.caption(f"{words}.")


def _unit(inside: Inside, kernel: np.ndarray, unit: int, sheet: Sheet) -> None:
    """Shows one unit: its weights, what it raises, and the images that it responds to most and least."""
    what = _what(inside)
    name = inside.run.classes[unit] if what == "class" else str(unit + 1)
    st.markdown(f"**{what.capitalize()} {name}**")
    examples = network_choice.examples_of(inside.run)
    activations = examples.strongest[inside.layer][:, unit].astype(np.float32)
    if kernel.ndim == 4 and kernel.shape[2] > 1:
        own = kernel[..., unit].transpose(2, 0, 1)
        limit = diverging.limit_of(own)
        names = [f"channel {number + 1}" for number in range(len(own))]
        weight_images.row(dict(zip(names, weight_images.signed(own, limit), strict=True)), size=52)
    if sheet.outgoing is not None:
        st.plotly_chart(
            weight_figures.outgoing_weights(sheet.outgoing[unit], inside.run.classes),
            key=f"{inside.key}_outgoing",
            config=controls.CHART,
            alt=f"Weights from this {what} to each class",
        )
    most, least = units.extremes(activations, count=_EXTREMES)
    for words, found in (("responds to most", most), ("responds to least", least)):
        st.caption(f"Of 1,000 test images it {words}, with {'logit' if what == 'class' else 'activation'}:")
        digit_html.digit_grid(
            examples.pixels[found], [f"{activations[index]:.3g}" for index in found], columns=_EXTREMES // 2
        )


def _while_training(inside: Inside, shown: np.ndarray) -> None:
    """Shows the first layer's weights as they were during training, by a slider and as an animation."""
    st.markdown("**While it was trained**")
    content = resources.run_store().find_artifact(inside.run.id, SNAPSHOTS)
    if content is None:
        st.caption("Weights are kept from the first epoch on for runs that are trained here; this model has none.")
        st.page_link("pages/train.py", label="Train one like it", icon=":material/model_training:")
        return
    snapshots = read_snapshots(content)
    epochs = [int(epoch) for epoch in snapshots.epochs]
    epoch = st.select_slider("Epoch", epochs, value=epochs[-1], key=f"{inside.key}_epoch_{inside.run.id}")
    kept = shown[:_PAGE]
    limit = diverging.limit_of(snapshots.kernels[-1].astype(np.float32))
    images, columns = _images(snapshots.kernels[epochs.index(epoch)].astype(np.float32)[..., kept])
    st.image(
        _mosaic(images, limit, columns), caption=f"After epoch {epoch}" if epoch else "Before training", width="stretch"
    )
    with st.popover("Play", icon=":material/play_arrow:", key=f"{inside.key}_play", on_change="rerun") as box:
        if box.open:
            st.image(_animation(snapshots, kept, limit), width=420)


def _mosaic(images: np.ndarray, limit: float, columns: int) -> np.ndarray:
    """Returns images side by side as one, a pixel apart, each weight several pixels wide."""
    rows = -(-len(images) // columns)
    height, width = images.shape[1] + 1, images.shape[2] + 1
    sheet = np.zeros((rows * height - 1, columns * width - 1), np.float32)
    for number, image in enumerate(images):
        top, left = number // columns * height, number % columns * width
        sheet[top : top + height - 1, left : left + width - 1] = image
    side = max(1, _CELL * 60 // sheet.shape[1])
    return weight_images.signed(sheet, limit).repeat(side, 0).repeat(side, 1)


def _animation(snapshots: Snapshots, kept: Sequence[int] | np.ndarray, limit: float) -> bytes:
    """Returns the weights over the epochs as an animated WebP image."""
    frames = []
    for kernel in snapshots.kernels:
        images, columns = _images(kernel.astype(np.float32)[..., kept])
        frames.append(_mosaic(images, limit, columns))
    return digit_html.animation(frames)
