"""The network, its loss and optimizer; each kind of layer is explained where it first appears."""

from collections.abc import Iterator

from mnist_dash.networks.hyperparameters import ADAM, BFLOAT16, FLOAT32, MOMENTUM, RMSPROP, SGD, Values
from mnist_dash.networks.scripts.step import Step, comment
from mnist_dash.networks.variants import Layer, Variant

_LAYERS = {
    "Conv2D": "Convolution: each filter is a small window of weights that slides over the image and responds to its "
    "pattern, such as an edge. Later layers combine patterns.",
    "MaxPooling2D": "Pooling: keeps the largest of 2 x 2 neighbors, which halves width and height and makes exact "
    "positions matter less.",
    "Dropout": "Dropout: in training, a random {rate:.4g} % of the values are set to 0 against overfitting. Nothing is "
    "dropped in evaluation.",
    "Flatten": "Flatten: all feature maps as one vector.",
    "Dense": "Dense: each of {units:,} neurons computes a weighted sum of all inputs.",
}
_ACTIVATIONS = {
    "relu": "Activation relu: negative sums become 0.",
    "sigmoid": "Activation sigmoid: maps sums to 0..1.",
    "tanh": "Activation tanh: maps sums to -1..1.",
    "linear": 'Activation "linear": none; layers stacked without an activation are equivalent to one.',
    "softmax": "Softmax turns the ten sums into probabilities.",
}
_OPTIMIZERS = {
    SGD: "SGD updates each weight by minus the learning rate times its gradient",
    MOMENTUM: "SGD with momentum adds 0.9 times the previous update to each update",
    RMSPROP: "RMSprop scales each weight's step by the usual size of its gradients",
    ADAM: "Adam combines momentum with a step size for each weight",
}


def network_steps(variant: Variant, values: Values) -> Iterator[Step]:
    """Yields the steps that build and compile the network."""
    if values["precision"] == BFLOAT16:
        yield Step(
            "Precision: layers calculate in bfloat16, which has 8 significant bits instead of 24 and which some "
            "processors multiply several times as fast; weights stay float32. MNIST Dash validates and tests in "
            "float32, so the last digits can differ.",
            'keras.config.set_dtype_policy("mixed_bfloat16")',
        )
    yield Step(
        "The network: a sequence of layers with random initial weights.",
        "\n".join(["model = keras.Sequential(", "    [", *_layers(variant, values), "    ]", ")", "model.summary()"]),
        title="Network",
    )
    yield _compiling(variant, values)


def _layers(variant: Variant, values: Values) -> Iterator[str]:
    *layers, output = variant.layers(values)
    yield f"        keras.Input({variant.input_shape}),"
    explained: set[str] = set()
    for layer in layers:
        yield from comment(_explanation(layer, explained), indent=8)
        yield f"        {_call('keras.layers', layer)},"
    yield from comment(f"Output: one neuron per digit. {_explanation(output, explained)}", indent=8)
    if values["precision"] == BFLOAT16:
        output = Layer(output.kind, {**output.arguments, "dtype": FLOAT32})  # or the loss would be rounded, too
    yield f"        {_call('keras.layers', output)},"


def _explanation(layer: Layer, explained: set[str]) -> str:
    """Explains what is new about a layer, and records it as explained."""
    activation = str(layer.arguments.get("activation", ""))
    new = [name for name in (layer.kind, activation) if name and name not in explained]
    explained.update(new)
    facts = {"rate": 100 * layer.arguments.get("rate", 0), "units": layer.arguments.get("units", 0)}
    return " ".join({**_LAYERS, **_ACTIVATIONS}[name].format(**facts) for name in new)


def _compiling(variant: Variant, values: Values) -> Step:
    chosen = variant.optimizer(values)
    optimizer = Layer(chosen.kind, {"learning_rate": values["learning_rate"], **chosen.arguments})
    lines = [
        "model.compile(",
        f"    optimizer={_call('keras.optimizers', optimizer)},",
        '    loss="categorical_crossentropy",',
        '    metrics=["accuracy"],',
        ")",
    ]
    return Step(
        "Loss: categorical cross-entropy, minus the logarithm of the probability predicted for the correct digit. "
        f"{_OPTIMIZERS[str(values['optimizer'])]}. Accuracy is only reported.",
        "\n".join(lines),
    )


def _call(module: str, layer: Layer) -> str:
    shown = {name: value for name, value in layer.arguments.items() if name != "name"}
    arguments = ", ".join(f"{name}={value!r}" for name, value in shown.items())
    return f"{module}.{layer.kind}({arguments})".replace("'", '"')
