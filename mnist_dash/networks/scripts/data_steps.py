"""From Keras' copy of MNIST to what the network is fed."""

from collections.abc import Iterator

from mnist_dash.datasets.splits import HOLDOUT_DENOMINATOR
from mnist_dash.networks.hyperparameters import HOLDOUT, KFOLD, NO_VALIDATION, PIXELS_0_TO_1, Values
from mnist_dash.networks.scripts.step import Step
from mnist_dash.networks.variants import Variant


def data_steps(variant: Variant, values: Values) -> Iterator[Step]:
    """Yields the steps that load, divide and reshape the pictures."""
    yield Step(
        "60,000 pictures to learn from and 10,000 to test: each x is 28 x 28 pixels from 0 (black) to 255 (white), and "
        "its y, the label, is the digit that it shows, from 0 to 9.",
        "(x_train, y_train), (x_test, y_test) = keras.datasets.mnist.load_data()",
        title="Data",
    )
    if values["validation"] != NO_VALIDATION:
        yield _validation(values)
    if values["train_part"] != 1:
        yield Step(
            f"Only the first {100 * float(values['train_part']):.4g} % of what is left is learned from, to see how "
            "much data it takes.",
            f"learned = max(1, round({values['train_part']} * len(x_train)))\n"
            "x_train, y_train = x_train[:learned], y_train[:learned]",
        )
    yield _preparation(variant, values)
    yield Step(
        "One-hot labels: ten numbers, 1 in the digit's place and 0 elsewhere, so that 3 becomes [0, 0, 0, 1, 0, 0, 0, "
        "0, 0, 0]. The network will answer in the same form, with a probability for each digit.",
        "\n".join(f"y_{part} = keras.utils.to_categorical(y_{part}, 10)" for part in _parts(values)),
    )


def _parts(values: Values) -> list[str]:
    return ["train", "val", "test"] if values["validation"] != NO_VALIDATION else ["train", "test"]


def _validation(values: Values) -> Step:
    which, lines = _held_out(values)
    lines += ["x_val, y_val = x_train[kept], y_train[kept]", "x_train, y_train = x_train[~kept], y_train[~kept]"]
    return Step(
        f"{which} The network never learns from these. How well it reads them after each epoch shows whether it "
        "learns what digits look like, or only learns its own pictures by heart (over-fitting).",
        "\n".join(lines),
    )


def _held_out(values: Values) -> tuple[str, list[str]]:
    """Returns in words and in code which training pictures validate, as `data.split` divides them."""
    if values["validation"] == HOLDOUT:
        which = f"One in {HOLDOUT_DENOMINATOR} training pictures, the last 5,000 of 60,000, is kept back to validate."
        return which, [f"kept = np.arange(len(x_train)) >= len(x_train) - len(x_train) // {HOLDOUT_DENOMINATOR}"]
    kind, _, folds = str(values["validation"]).partition(":")
    fold = int(values["fold"])
    part, empty = f"{fold - 1} * size : {fold} * size", "kept = np.zeros(len(x_train), bool)"
    turn = f"Cross-validation: each of {folds} parts is kept back in turn to validate, for a new network each time"
    if kind == KFOLD:
        which = f"{turn}; here it is part {fold}."
        return which, [f"size = len(x_train) // {folds}", empty, f"kept[{part}] = True"]
    return f"{turn}; here it is part {fold} of each digit's pictures, so that every part has all digits alike.", [
        empty,
        "for digit in range(10):",
        "    of_digit = np.flatnonzero(y_train == digit)",
        f"    size = len(of_digit) // {folds}",
        f"    kept[of_digit[{part}]] = True",
    ]


def _preparation(variant: Variant, values: Values) -> Step:
    """Gives pictures the shape and range that the network expects; those to augment are not ready for it yet."""
    scaled = " / 255" if values["pixel_scaling"] == PIXELS_0_TO_1 else ""
    words = f"{_shape_words(variant)} {_SCALING_WORDS[values['pixel_scaling'] == PIXELS_0_TO_1]}"
    shape = ", ".join(str(size) for size in (-1, *variant.input_shape))  # -1: as many pictures as there are
    if not values["augmentation"]:
        lines = [f'x_{part} = x_{part}.reshape({shape}).astype("float32"){scaled}' for part in _parts(values)]
        return Step(words, "\n".join(lines))
    lines = [
        "def prepare(pictures):",
        '    """Returns pictures in the form that the network takes."""',
        f"    return tf.reshape(tf.cast(pictures, tf.float32), ({shape})){scaled}",
        *("", ""),
        *(f"x_{part} = prepare(x_{part}).numpy()" for part in _parts(values)[1:]),
    ]
    return Step(f"{words} The pictures to learn from are changed first, see below.", "\n".join(lines))


def _shape_words(variant: Variant) -> str:
    if len(variant.input_shape) == 1:
        return "A dense layer takes a plain row of numbers, so the 28 rows of a picture are put end to end: 784 pixels."
    return "A convolution takes height, width and channels; a grey picture has one channel."


_SCALING_WORDS = {
    True: "Divided by 255 the pixels are numbers from 0 to 1, which are easier to learn from.",
    False: "The pixels stay as they are in the file, from 0 to 255.",
}
