"""What a network is made of, layer by layer: shapes, weights and work, worked out without Keras."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import prod

from mnist_dash.networks.hyperparameters import Values
from mnist_dash.networks.variants import Layer, Variant

Shape = tuple[int, ...]

INPUT = "Input"


@dataclass(frozen=True)
class LayerSummary:
    """One layer in numbers; the input counts as one.

    Attributes:
        kind: The name of its Keras class, or `INPUT`.
        title: What people call it, with what makes it: “Max pooling 2 × 2”.
        activation: Its activation as Keras names it; "linear" where there is none.
        output_shape: Of one picture: (height, width, channels), or (values,).
        weights: How many numbers it learns, biases among them.
        multiplications: To read one picture, each with an addition; a convolution
            multiplies the zeros around its picture, too.
    """

    kind: str
    title: str
    activation: str
    output_shape: Shape
    weights: int = 0
    multiplications: int = 0


def summarise(variant: Variant, values: Values) -> tuple[LayerSummary, ...]:
    """Describes the input and every layer of a run's network.

    Args:
        variant: The network.
        values: All its settings, from `Variant.check`.

    Returns:
        One entry for the input and one a layer, in their order.

    Raises:
        ValueError: If a layer is of a kind that is not described here yet.
    """
    summary = [LayerSummary(INPUT, "Input", "linear", variant.input_shape)]
    for layer in variant.layers(values):
        if layer.kind not in _KINDS:
            raise ValueError(f"A {layer.kind} layer has no summary yet. Add it to _KINDS: {', '.join(_KINDS)}.")
        summary.append(_KINDS[layer.kind](layer, summary[-1].output_shape))
    return tuple(summary)


def weights_in(summary: Sequence[LayerSummary]) -> int:
    """Returns how many numbers the whole network learns."""
    return sum(layer.weights for layer in summary)


def training_flops(summary: Sequence[LayerSummary]) -> int:
    """Returns the floating-point operations that it takes to learn from one picture once.

    Counted are the multiplications and additions of dense layers and convolutions: once
    forward, once for the gradient of the weights and once for that of the layer's inputs,
    which the first layer with weights does not need. Biases, activations, poolings and the
    optimizer's update come on top; they are a few percent.
    """
    learning = [2 * layer.multiplications for layer in summary if layer.weights]
    return 3 * sum(learning) - sum(learning[:1])


def _dense(layer: Layer, shape: Shape) -> LayerSummary:
    (inputs,), units = shape, int(layer.arguments["units"])
    activation = layer.arguments["activation"]
    return LayerSummary(layer.kind, "Dense", activation, (units,), (inputs + 1) * units, inputs * units)


def _convolution(layer: Layer, shape: Shape) -> LayerSummary:
    height, width, channels = shape
    filters, size = int(layer.arguments["filters"]), int(layer.arguments["kernel_size"])
    lost = 0 if layer.arguments["padding"] == "same" else size - 1  # pixels that have no whole window around them
    output = (height - lost, width - lost, filters)
    window = size * size * channels
    activation = layer.arguments["activation"]
    title = f"Convolution {size} × {size}"
    return LayerSummary(layer.kind, title, activation, output, (window + 1) * filters, window * prod(output))


def _pooling(layer: Layer, shape: Shape) -> LayerSummary:
    height, width, channels = shape
    size = int(layer.arguments["pool_size"])
    output = (height // size, width // size, channels)
    return LayerSummary(layer.kind, f"Max pooling {size} × {size}", "linear", output)


def _dropout(layer: Layer, shape: Shape) -> LayerSummary:
    return LayerSummary(layer.kind, f"Dropout {100 * layer.arguments['rate']:.3g} %", "linear", shape)


def _flatten(layer: Layer, shape: Shape) -> LayerSummary:
    return LayerSummary(layer.kind, "Flatten", "linear", (prod(shape),))


_KINDS: dict[str, Callable[[Layer, Shape], LayerSummary]] = {
    "Dense": _dense,
    "Conv2D": _convolution,
    "MaxPooling2D": _pooling,
    "Dropout": _dropout,
    "Flatten": _flatten,
}
