"""A run as a plain Keras script that anyone can read, run and change."""

import inspect
from collections.abc import Iterator

from mnist_dash.data import KEPT_BACK
from mnist_dash.models import COSINE, PIXELS_0_TO_1, Layer, Values, Variant, augmentation


def keras_script(variant: Variant, values: Values) -> str:
    """Writes a stand-alone Keras script that trains this network with these settings.

    Args:
        variant: The network.
        values: All settings of the run, from `Variant.check`.

    Returns:
        Python source that needs only the packages keras and tensorflow.
    """
    parts = (
        _beginning(variant, values),
        _definitions(variant, values),
        _data(variant, values),
        _network(variant, values),
        _training(values),
    )
    return "\n\n".join(filter(None, map("\n".join, parts))) + "\n"


def _beginning(variant: Variant, values: Values) -> Iterator[str]:
    yield f'"""{variant.title}: {variant.summary}"""'
    yield ""
    if values["schedule"] == COSINE:
        yield "import math"
    if values["augmentation"]:
        yield "from typing import Any"
    if values["augmentation"] or values["schedule"] == COSINE:
        yield ""
    yield "import keras"
    if values["validation"] != "none":
        yield "import numpy as np"
    if values["augmentation"]:
        yield "import tensorflow as tf"
    yield ""
    yield f"keras.utils.set_random_seed({values['seed']})"


def _definitions(variant: Variant, values: Values) -> Iterator[str]:
    # Two empty lines around each function: one is yielded here, as parts are one line apart.
    if values["augmentation"]:
        yield from _augmentation(variant, values)
        yield ""
    if values["schedule"] == COSINE:
        yield from ("", *_falling_rate(values), "")


def _augmentation(variant: Variant, values: Values) -> Iterator[str]:
    # What follows the module's docstring; a script has all its imports at its top.
    _, _, text = inspect.getsource(augmentation).split('"""', 2)
    for imported in ("from typing import Any\n\n", "    import tensorflow as tf\n\n"):
        text = text.replace(imported, "")
    yield from text.strip().splitlines()
    yield from ("", "")
    yield "def prepare(pictures):"
    yield f'    """Gives pictures the shape that the first layer expects{_range_of_pixels(values)}"""'
    yield f"    return tf.reshape(tf.cast(pictures, tf.float32), ({_shape(variant)})){_divided(values)}"
    yield from ("", "")
    yield "def change_and_prepare(number, batch):"
    yield '    """Changes the pictures of a batch at random: another number, other changes."""'
    yield "    pictures, labels = batch"
    yield f"    seed = [{values['seed']}, tf.cast(number, tf.int32)]"
    yield f"    changed = augment(tf.cast(pictures, tf.float32), {values['augmentation']}, seed)"
    yield "    return prepare(changed), labels"


def _falling_rate(values: Values) -> Iterator[str]:
    rate, epochs = values["learning_rate"], values["epochs"]
    yield "def learning_rate(epoch, _):"
    yield f'    """Falls from {rate} along half a cosine, to end in small steps; Keras counts epochs from 0."""'
    yield f"    return {rate} * (1 + math.cos(math.pi * epoch / {epochs})) / 2"


def _data(variant: Variant, values: Values) -> Iterator[str]:
    yield "# 60,000 pictures to learn from and 10,000 to test: 28 x 28 pixels from 0 (black) to 255 (white)."
    yield "(x_train, y_train), (x_test, y_test) = keras.datasets.mnist.load_data()"
    yield ""
    if not values["augmentation"]:
        yield f"# The shape that the first layer expects{_range_of_pixels(values)}"
        for name in ("x_train", "x_test"):
            yield f'{name} = {name}.reshape({_shape(variant)}).astype("float32"){_divided(values)}'
        yield ""
    yield "# One-hot labels: 3 becomes [0, 0, 0, 1, 0, 0, 0, 0, 0, 0]."
    yield "y_train = keras.utils.to_categorical(y_train, 10)"
    yield "y_test = keras.utils.to_categorical(y_test, 10)"


def _shape(variant: Variant) -> str:
    return ", ".join(str(size) for size in (-1, *variant.input_shape))


def _range_of_pixels(values: Values) -> str:
    return "; pixels from 0 to 1." if values["pixel_scaling"] == PIXELS_0_TO_1 else "; pixels stay 0 to 255."


def _divided(values: Values) -> str:
    return " / 255" if values["pixel_scaling"] == PIXELS_0_TO_1 else ""


def _network(variant: Variant, values: Values) -> Iterator[str]:
    yield "model = keras.Sequential("
    yield "    ["
    yield f"        keras.Input({variant.input_shape}),"
    for layer in variant.layers(values):
        yield f"        {_call('keras.layers', layer)},"
    yield "    ]"
    yield ")"
    chosen = variant.optimizer(values)
    optimizer = Layer(chosen.kind, {"learning_rate": values["learning_rate"], **chosen.arguments})
    yield "model.compile("
    yield f"    optimizer={_call('keras.optimizers', optimizer)},"
    yield '    loss="categorical_crossentropy",'
    yield '    metrics=["accuracy"],'
    yield ")"
    yield "model.summary()"


def _training(values: Values) -> Iterator[str]:
    validated = values["validation"] != "none"
    if validated:
        yield from _kept_back(values)
    if values["augmentation"]:
        yield from _changed_batches(values)
    yield "model.fit("
    yield from (f"    {argument}," for argument in _fit_arguments(values))
    yield ")"
    yield ""
    yield "# The test pictures are used once, at the end."
    tested = "prepare(x_test)" if values["augmentation"] else "x_test"
    yield f"test_loss, test_accuracy = model.evaluate({tested}, y_test)"
    yield 'print(f"test loss {test_loss:.4f}, test accuracy {test_accuracy:.4f}")'


def _kept_back(values: Values) -> Iterator[str]:
    kind, _, folds = str(values["validation"]).partition(":")
    if kind == "holdout":
        yield "# The last 5,000 training pictures are kept back to validate."
        yield f"kept = np.arange(len(x_train)) >= len(x_train) - len(x_train) // {KEPT_BACK}"
    else:
        yield f"# Part {values['fold']} of {folds} is kept back to validate."
        yield f"size = len(x_train) // {folds}"
        yield f"kept = np.arange(len(x_train)) // size == {int(values['fold']) - 1}"


def _changed_batches(values: Values) -> Iterator[str]:
    validated = values["validation"] != "none"
    learned = "[~kept]" if validated else ""
    if validated:
        yield ""
    yield "# Each epoch shows the training pictures in another order, and every picture changed in another way."
    yield "# `repeat` goes on from epoch to epoch, so `enumerate` never gives two batches the same number; an epoch is"
    yield "# `steps` of them. The pictures to validate and to test are never changed."
    yield f"pictures = tf.data.Dataset.from_tensor_slices((x_train{learned}, y_train{learned}))"
    yield f"batches = pictures.shuffle(len(pictures)).batch({values['batch_size']})"
    yield "steps = len(batches)"
    yield "changed = batches.repeat().enumerate().map(change_and_prepare, num_parallel_calls=tf.data.AUTOTUNE)"
    yield ""


def _fit_arguments(values: Values) -> Iterator[str]:
    validated, changed = values["validation"] != "none", values["augmentation"]
    if changed:
        yield "changed.prefetch(tf.data.AUTOTUNE)"
        yield "steps_per_epoch=steps"
    else:
        yield from ("x_train[~kept]", "y_train[~kept]") if validated else ("x_train", "y_train")
    yield f"epochs={values['epochs']}"
    if not changed:
        yield f"batch_size={values['batch_size']}"
    if validated:
        yield f"validation_data=({'prepare(x_train[kept])' if changed else 'x_train[kept]'}, y_train[kept])"
    if values["schedule"] == COSINE:
        yield "callbacks=[keras.callbacks.LearningRateScheduler(learning_rate)]"


def _call(module: str, layer: Layer) -> str:
    shown = {name: value for name, value in layer.arguments.items() if name != "name"}
    arguments = ", ".join(f"{name}={value!r}" for name, value in shown.items())
    return f"{module}.{layer.kind}({arguments})".replace("'", '"')
