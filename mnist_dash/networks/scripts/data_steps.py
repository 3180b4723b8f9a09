"""From Keras' copy of MNIST to the network's input."""

from collections.abc import Iterator

from mnist_dash.datasets.mnist import KNOWN
from mnist_dash.datasets.splits import HOLDOUT_DENOMINATOR
from mnist_dash.networks.hyperparameters import HOLDOUT, KFOLD, NO_VALIDATION, PIXELS_0_TO_1, Values
from mnist_dash.networks.scripts.step import Step
from mnist_dash.networks.variants import Variant, changes_images


def data_steps(variant: Variant, values: Values, data: str) -> Iterator[Step]:
    """Yields the steps that load, split and reshape the images."""
    yield _loading(data)
    if values["validation"] != NO_VALIDATION:
        yield _validation(values)
    if values["train_part"] != 1:
        yield Step(
            f"Train on the first {100 * float(values['train_part']):.4g} % of the training images only.",
            f"size = max(1, round({values['train_part']} * len(x_train)))\n"
            "x_train, y_train = x_train[:size], y_train[:size]",
        )
    yield _preparation(variant, values)
    yield Step(
        "One-hot labels: ten numbers, 1 at the digit's index and 0 elsewhere; 3 becomes [0, 0, 0, 1, 0, 0, 0, 0, 0, "
        "0]. The network outputs ten probabilities in the same form.",
        "\n".join(f"y_{part} = keras.utils.to_categorical(y_{part}, 10)" for part in _parts(values)),
    )


def _loading(data: str) -> Step:
    if data in KNOWN:
        return Step(
            "60,000 training and 10,000 test images: each x is 28 x 28 pixels from 0 (black) to 255 (white), each y is "
            "its label, a digit from 0 to 9.",
            "(x_train, y_train), (x_test, y_test) = keras.datasets.mnist.load_data()",
            title="Data",
        )
    return Step(
        f"{data}, as Explore exports it: each x is 28 x 28 pixels from 0 (black) to 255 (white), each y is its class, "
        "from 0 to 9.",
        f'with np.load("{data}.npz") as file:\n'
        '    x_train, y_train, x_test, y_test = (file[name] for name in ("x_train", "y_train", "x_test", "y_test"))',
        title="Data",
    )


def _parts(values: Values) -> list[str]:
    return ["train", "val", "test"] if values["validation"] != NO_VALIDATION else ["train", "test"]


def _validation(values: Values) -> Step:
    which, lines = _held_out(values)
    lines += [
        "x_val, y_val = x_train[held_out], y_train[held_out]",
        "x_train, y_train = x_train[~held_out], y_train[~held_out]",
    ]
    return Step(
        f"{which} The network is not trained on them. Their accuracy after each epoch shows whether it generalizes or "
        "overfits.",
        "\n".join(lines),
    )


def _held_out(values: Values) -> tuple[str, list[str]]:
    """Returns in words and in code which training images are held out, as `splits.split` does."""
    if values["validation"] == HOLDOUT:
        which = f"One in {HOLDOUT_DENOMINATOR} training images, the last 5,000 of 60,000, is held out for validation."
        return which, [f"held_out = np.arange(len(x_train)) >= len(x_train) - len(x_train) // {HOLDOUT_DENOMINATOR}"]
    kind, _, folds = str(values["validation"]).partition(":")
    fold = int(values["fold"])
    part, empty = f"{fold - 1} * size : {fold} * size", "held_out = np.zeros(len(x_train), bool)"
    turn = f"Cross-validation: each of {folds} folds is held out for validation in turn"
    if kind == KFOLD:
        which = f"{turn}; this is fold {fold}."
        return which, [f"size = len(x_train) // {folds}", empty, f"held_out[{part}] = True"]
    return f"{turn}; this is fold {fold}, stratified by digit.", [
        empty,
        "for digit in range(10):",
        "    indices = np.flatnonzero(y_train == digit)",
        f"    size = len(indices) // {folds}",
        f"    held_out[indices[{part}]] = True",
    ]


def _preparation(variant: Variant, values: Values) -> Step:
    """Gives images the shape and range that the network expects; those to augment are prepared later."""
    scaled = " / 255" if values["pixel_scaling"] == PIXELS_0_TO_1 else ""
    words = f"{_shape_words(variant)} {_SCALING_WORDS[values['pixel_scaling'] == PIXELS_0_TO_1]}"
    shape = ", ".join(str(size) for size in (-1, *variant.input_shape))  # -1: as many images as there are
    if not changes_images(values):
        lines = [f'x_{part} = x_{part}.reshape({shape}).astype("float32"){scaled}' for part in _parts(values)]
        return Step(words, "\n".join(lines))
    lines = [
        "def prepare(images):",
        '    """Returns images as network input."""',
        f"    return tf.reshape(tf.cast(images, tf.float32), ({shape})){scaled}",
        *("", ""),
        *(f"x_{part} = prepare(x_{part}).numpy()" for part in _parts(values)[1:]),
    ]
    return Step(f"{words} Training images are augmented first, see below.", "\n".join(lines))


def _shape_words(variant: Variant) -> str:
    if len(variant.input_shape) == 1:
        return "A dense layer takes a vector, so each image is flattened to 784 pixels."
    return "A convolution takes height, width and channels; a grayscale image has one channel."


_SCALING_WORDS = {
    True: "Pixels are scaled to 0..1, which makes training easier.",
    False: "Pixels stay unscaled, from 0 to 255.",
}
