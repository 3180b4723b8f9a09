"""A run as a plain Keras script that anyone can read, run and change."""

from collections.abc import Iterator

from mnist_dash.data import KEPT_BACK
from mnist_dash.models import PIXELS_0_TO_1, Layer, Values, Variant


def keras_script(variant: Variant, values: Values) -> str:
    """Writes a stand-alone Keras script that trains this network with these settings.

    Args:
        variant: The network.
        values: All settings of the run, from `Variant.check`.

    Returns:
        Python source that needs only the packages keras and tensorflow.
    """
    return "\n".join((*_data(variant, values), "", *_network(variant, values), "", *_training(values))) + "\n"


def _data(variant: Variant, values: Values) -> Iterator[str]:
    shape = ", ".join(str(size) for size in (-1, *variant.input_shape))
    scaled = values["pixel_scaling"] == PIXELS_0_TO_1
    divided = " / 255" if scaled else ""
    yield f'"""{variant.title}: {variant.summary}"""'
    yield ""
    yield "import keras"
    if values["validation"] != "none":
        yield "import numpy as np"
    yield ""
    yield f"keras.utils.set_random_seed({values['seed']})"
    yield ""
    yield "# 60,000 pictures to learn from and 10,000 to test: 28 x 28 pixels from 0 (black) to 255 (white)."
    yield "(x_train, y_train), (x_test, y_test) = keras.datasets.mnist.load_data()"
    yield ""
    yield "# The shape that the first layer expects" + (
        "; pixels from 0 to 1." if scaled else "; pixels stay 0 to 255."
    )
    yield f'x_train = x_train.reshape({shape}).astype("float32"){divided}'
    yield f'x_test = x_test.reshape({shape}).astype("float32"){divided}'
    yield ""
    yield "# One-hot labels: 3 becomes [0, 0, 0, 1, 0, 0, 0, 0, 0, 0]."
    yield "y_train = keras.utils.to_categorical(y_train, 10)"
    yield "y_test = keras.utils.to_categorical(y_test, 10)"


def _network(variant: Variant, values: Values) -> Iterator[str]:
    yield "model = keras.Sequential("
    yield "    ["
    yield f"        keras.Input({variant.input_shape}),"
    for layer in variant.layers(values):
        yield f"        {_call('keras.layers', layer)},"
    yield "    ]"
    yield ")"
    optimizer = Layer(variant.optimizer.kind, {"learning_rate": values["learning_rate"], **variant.optimizer.arguments})
    yield "model.compile("
    yield f"    optimizer={_call('keras.optimizers', optimizer)},"
    yield '    loss="categorical_crossentropy",'
    yield '    metrics=["accuracy"],'
    yield ")"
    yield "model.summary()"


def _training(values: Values) -> Iterator[str]:
    kind, _, folds = str(values["validation"]).partition(":")
    if kind == "holdout":
        yield "# The last 5,000 training pictures are kept back to validate."
        yield f"kept = np.arange(len(x_train)) >= len(x_train) - len(x_train) // {KEPT_BACK}"
    elif kind == "kfold":
        yield f"# Part {values['fold']} of {folds} is kept back to validate."
        yield f"size = len(x_train) // {folds}"
        yield f"kept = np.arange(len(x_train)) // size == {int(values['fold']) - 1}"
    validated = kind != "none"
    yield "model.fit("
    yield f"    x_train{'[~kept]' if validated else ''},"
    yield f"    y_train{'[~kept]' if validated else ''},"
    yield f"    epochs={values['epochs']},"
    yield f"    batch_size={values['batch_size']},"
    if validated:
        yield "    validation_data=(x_train[kept], y_train[kept]),"
    yield ")"
    yield ""
    yield "# The test pictures are used once, at the end."
    yield "test_loss, test_accuracy = model.evaluate(x_test, y_test)"
    yield 'print(f"test loss {test_loss:.4f}, test accuracy {test_accuracy:.4f}")'


def _call(module: str, layer: Layer) -> str:
    shown = {name: value for name, value in layer.arguments.items() if name != "name"}
    arguments = ", ".join(f"{name}={value!r}" for name, value in shown.items())
    return f"{module}.{layer.kind}({arguments})".replace("'", '"')
