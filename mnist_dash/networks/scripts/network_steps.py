"""The network and how it learns, each kind of layer explained where it first appears."""

from collections.abc import Iterator

from mnist_dash.networks.hyperparameters import ADAM, MOMENTUM, RMSPROP, SGD, Values
from mnist_dash.networks.scripts.step import Step, comment
from mnist_dash.networks.variants import Layer, Variant

_LAYERS = {
    "Conv2D": "Convolution: every filter is a small window of weights that slides over the whole picture and answers "
    "where it finds its pattern, such as an edge. Later layers find patterns of patterns.",
    "MaxPooling2D": "Pooling: of 2 x 2 neighbours only the largest stays, so the maps become half as wide and high, "
    "and it no longer matters exactly where a pattern was.",
    "Dropout": "Dropout: in training a random {rate:.4g} % of the values become 0, another choice each time, so that "
    "the network cannot rely on single ones. When it reads, nothing is dropped.",
    "Flatten": "Flatten: all maps end to end, as one row of numbers.",
    "Dense": "Dense: each of {units:,} neurons has a weight for every number that comes in, and adds up the products.",
}
_ACTIVATIONS = {
    "relu": "The activation decides what a sum becomes; relu: what is below 0 becomes 0.",
    "sigmoid": "The activation decides what a sum becomes; sigmoid: a number from 0 to 1.",
    "tanh": "The activation decides what a sum becomes; tanh: a number from -1 to 1.",
    "linear": 'The activation "linear" leaves the sum as it is; then many layers can do no more than one.',
    "softmax": "Softmax makes their ten sums probabilities: none is below 0, and together they are 1.",
}
_OPTIMIZERS = {
    SGD: "SGD moves every weight against its gradient, by the learning rate times the gradient",
    MOMENTUM: "SGD moves every weight against its gradient, and momentum keeps 0.9 of the move before, as a ball rolls",
    RMSPROP: "RMSprop moves every weight against its gradient, in steps that suit the size of that weight's gradients",
    ADAM: "Adam moves every weight against its gradient, with momentum and in steps that suit that weight",
}


def network_steps(variant: Variant, values: Values) -> Iterator[Step]:
    """Yields the steps that build the network and say how it learns."""
    yield Step(
        "The network: layers, each of which takes what the one before it gives. In the beginning their weights are "
        "random.",
        "\n".join(["model = keras.Sequential(", "    [", *_layers(variant, values), "    ]", ")", "model.summary()"]),
        title="Network",
    )
    yield _compiling(variant, values)


def _layers(variant: Variant, values: Values) -> Iterator[str]:
    *layers, output = variant.layers(values)
    yield f"        keras.Input({variant.input_shape}),"
    told: set[str] = set()
    for layer in layers:
        yield from comment(_news(layer, told), indent=8)
        yield f"        {_call('keras.layers', layer)},"
    yield from comment(f"The output: a neuron for each digit. {_news(output, told)}", indent=8)
    yield f"        {_call('keras.layers', output)},"


def _news(layer: Layer, told: set[str]) -> str:
    """Returns what has not been told yet about a layer, and remembers it."""
    activation = str(layer.arguments.get("activation", ""))
    news = [name for name in (layer.kind, activation) if name and name not in told]
    told.update(news)
    facts = {"rate": 100 * layer.arguments.get("rate", 0), "units": layer.arguments.get("units", 0)}
    return " ".join({**_LAYERS, **_ACTIVATIONS}[name].format(**facts) for name in news)


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
        "How it learns. The loss says how wrong the answers are; categorical cross-entropy is the negative logarithm "
        "of the probability given to the true digit, 0 if that was certain. The gradient says how the loss changes "
        f"with each weight. {_OPTIMIZERS[str(values['optimizer'])]}. The accuracy, the share of pictures read right, "
        "is only reported.",
        "\n".join(lines),
    )


def _call(module: str, layer: Layer) -> str:
    shown = {name: value for name, value in layer.arguments.items() if name != "name"}
    arguments = ", ".join(f"{name}={value!r}" for name, value in shown.items())
    return f"{module}.{layer.kind}({arguments})".replace("'", '"')
