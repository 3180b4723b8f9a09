"""What a network does with an image: each layer's activations, one convolution or neuron worked out, and softmax."""

import numpy as np
import streamlit as st

from mnist_dash.figures import diverging, weight_figures
from mnist_dash.inference.numpy_network import Trace
from mnist_dash.ui.inside import network_choice, weight_images
from mnist_dash.ui.inside.network_choice import Inside, Looked
from mnist_dash.ui.shared import controls, links
from mnist_dash.ui.shared.digit_html import show_template

_SUM = """<table class="md-sum" aria-label="From logits to probabilities">
<tr><th>Class</th><th>Logit z</th><th>e<sup>z − max</sup></th><th>Probability</th></tr>
{%- for name, logit, power, probability, best in rows -%}
<tr class="{{ "md-best" if best }}"><td>{{ name }}</td><td>{{ "%.2f"|format(logit) }}</td>
<td>{{ "%.4f"|format(power) }}</td><td>{{ probability|probability }}</td></tr>
{%- endfor %}</table>"""
_WINDOW = """<div class="md-window" style="--md-side: {{ side }}" role="img" aria-label="{{ label }}">
{%- for value in values -%}<span>{{ "%.2f"|format(value) }}</span>{%- endfor %}</div>"""


def image_view(inside: Inside, image: Looked) -> None:
    """Shows what a network does with an image, at the chosen layer and at the end."""
    trace = network_choice.trace_of(inside, image)
    if inside.is_output:
        _neuron(inside, trace, "class")
    elif inside.chosen.kind == "Dense":
        _dense(inside, trace)
    else:
        _maps(inside, trace)
    _softmax(inside, trace, image)


def _maps(inside: Inside, trace: Trace) -> None:
    """Shows a layer's feature maps, of which one is chosen and worked out at one position."""
    maps = trace.outputs[inside.layer][0].transpose(2, 0, 1)
    captions = [f"map {number + 1}, at most {each.max():.2f}" for number, each in enumerate(maps)]
    st.markdown(f"**{len(maps)} feature maps** of {maps.shape[1]} × {maps.shape[2]}; white is {maps.max():.2f}.")
    chosen = weight_images.tiles(
        weight_images.bright(maps),
        captions,
        columns=8,
        label="Feature maps",
        key=f"{inside.key}_maps_{inside.run.id}_{inside.layer}",
        chosen=0,
    )
    if inside.chosen.kind == "Conv2D":
        _window(inside, trace, chosen)


def _window(inside: Inside, trace: Trace, unit: int) -> None:
    """Works one value of a feature map out: window, kernel, products, sum."""
    weights = inside.chosen.weights
    assert weights is not None
    size, values = weights.kernel.shape[0], trace.inputs[inside.layer][0]
    before = (size - 1) // 2 if inside.chosen.padding == "same" else 0
    padded = np.pad(values, ((before, size - 1 - before if before else 0),) * 2 + ((0, 0),))
    output = trace.outputs[inside.layer][0][..., unit]
    brightest = np.unravel_index(int(output.argmax()), output.shape)
    row = _position("Row", output.shape[0], int(brightest[0]), f"{inside.key}_row")
    column = _position("Column", output.shape[1], int(brightest[1]), f"{inside.key}_column")
    window = padded[row : row + size, column : column + size]
    products = window * weights.kernel[..., unit]
    channels = products.sum((0, 1))
    channel = int(np.abs(channels).argmax())
    limit = diverging.limit_of(weights.kernel[..., channel, unit])
    marked = weight_images.bright(values[..., channel])[..., None].repeat(3, 2)
    top, left = max(row - before, 0), max(column - before, 0)
    marked[top : top + size, left : left + size, 2] = 255  # the window, in blue
    weight_images.row(
        {
            f"input, channel {channel + 1}": marked,
            "window": weight_images.bright(window[..., channel]),
            "kernel": weight_images.signed(weights.kernel[..., channel, unit], limit),
            "products": weight_images.signed(products[..., channel], diverging.limit_of(products[..., channel])),
        },
        size=104,
    )
    st.caption(f"The {size * size} products of window and kernel:")
    show_template(_WINDOW, side=size, values=products[..., channel].ravel().tolist(), label="Products")
    others = f" over all {len(channels)} channels" if len(channels) > 1 else ""
    total, bias = float(channels.sum()), float(weights.bias[unit])
    st.markdown(
        f"Sum of this channel {channels[channel]:.3f}; sum{others} {total:.3f}, with bias {bias:.3f}: "
        f"{total + bias:.3f}. After {inside.chosen.activation}: **{output[row, column]:.3f}**."
    )


def _position(label: str, size: int, first: int, key: str) -> int:
    links.restore(key, lambda linked: int(linked) if linked.isdecimal() and len(linked) <= 2 else first)
    st.session_state[key] = min(int(st.session_state[key]), size - 1)
    at = st.slider(label, 0, size - 1, key=key)
    links.write({key: str(at) if at != first else ""})
    return int(at)


def _dense(inside: Inside, trace: Trace) -> None:
    activations = trace.outputs[inside.layer][0]
    st.plotly_chart(
        weight_figures.activations(activations),
        key=f"{inside.key}_activations",
        config=controls.CHART,
        alt=f"Activation of each of {len(activations)} neurons",
    )
    _neuron(inside, trace, "neuron")


def _neuron(inside: Inside, trace: Trace, what: str) -> None:
    """Works one neuron out: the products of what it gets and its weights, summed."""
    weights = inside.chosen.weights
    assert weights is not None
    outputs, count = trace.outputs[inside.layer][0], weights.kernel.shape[1]
    key = f"{inside.key}_neuron_{inside.run.id}_{inside.layer}"
    st.session_state.setdefault(key, int(outputs.argmax()) + 1)
    if what == "class":
        classes = inside.run.classes
        unit = st.selectbox("Class", range(1, count + 1), format_func=lambda one: classes[one - 1], key=key) - 1
    else:
        unit = (
            int(st.number_input("Neuron", 1, count, key=key, help="At first the one with the largest activation.")) - 1
        )
    products = trace.inputs[inside.layer][0] * weights.kernel[:, unit]
    if len(products) == 784:
        limit = diverging.limit_of(products)
        own = weights.kernel[:, unit].reshape(28, 28)
        weight_images.row(
            {
                "what it gets": weight_images.bright(trace.inputs[inside.layer][0].reshape(28, 28)),
                "its weights": weight_images.signed(own, diverging.limit_of(own)),
                "their products": weight_images.signed(products.reshape(28, 28), limit),
            }
        )
    total, bias = float(products.sum()), float(weights.bias[unit])
    ends = (
        "This is its **logit**." if what == "class" else f"After {inside.chosen.activation}: **{outputs[unit]:.3f}**."
    )
    st.markdown(f"Sum of {len(products):,} products {total:.3f}, with bias {bias:.3f}: {total + bias:.3f}. {ends}")


def _softmax(inside: Inside, trace: Trace, image: Looked) -> None:
    """Shows the logits, softmax with its numbers, and the loss for the label."""
    logits, probabilities = trace.logits[0], trace.probabilities[0]
    powers, best = np.exp(logits - logits.max()), int(logits.argmax())
    names = inside.run.classes
    st.markdown("**Logits and softmax**")
    rows = zip(names, logits.tolist(), powers.tolist(), probabilities.tolist(), strict=True)
    show_template(_SUM, rows=[(*entry, at == best) for at, entry in enumerate(rows)])
    st.latex(
        rf"p_{{{_latex(names[best])}}} = \frac{{e^{{{logits[best]:.2f}}}}}{{\sum_j e^{{z_j}}}}"
        rf" = \frac{{1}}{{{powers.sum():.4f}}} = {probabilities[best]:.4f}"
    )
    if image.label is not None:
        loss = float(trace.cross_entropy(np.array([image.label]))[0])
        st.latex(rf"\text{{cross-entropy}} = -\ln p_{{{_latex(names[image.label])}}} = {loss:.4f}")
    controls.explain("softmax")


def _latex(name: str) -> str:
    """Returns a class's name as text in a formula; other characters than letters and digits are left out."""
    return r"\text{" + "".join(letter if letter.isalnum() or letter == " " else " " for letter in name) + "}"
