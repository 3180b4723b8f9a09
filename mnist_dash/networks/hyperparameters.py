"""The hyperparameters of a run and their limits."""

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

from mnist_dash.errors import VariantError

Value = int | float | str
Values = Mapping[str, Value]

PIXELS_0_TO_1 = "0-1"
PIXELS_0_TO_255 = "0-255"
CONSTANT, COSINE = "constant", "cosine"
SGD, MOMENTUM, RMSPROP, ADAM = "sgd", "momentum", "rmsprop", "adam"
FLOAT32, BFLOAT16 = "float32", "bfloat16"
ACTIVATIONS = ("relu", "sigmoid", "tanh", "linear")
NO_VALIDATION, HOLDOUT, KFOLD, STRATIFIED = "none", "holdout", "kfold", "stratified"
_FOLDS = range(2, 11)
VALIDATIONS = (
    NO_VALIDATION,
    HOLDOUT,
    *(f"{KFOLD}:{folds}" for folds in _FOLDS),
    *(f"{STRATIFIED}:{folds}" for folds in _FOLDS),
)


@dataclass(frozen=True)
class Setting:
    """One hyperparameter of a run.

    A whole number if `default` is an int, any number if it is a float, else one of `choices`.
    """

    name: str
    label: str
    default: Value
    help: str
    minimum: float = 0
    maximum: float = 0
    choices: tuple[str, ...] = ()

    def check(self, value: object) -> Value:
        """Returns the value in the setting's own type.

        Raises:
            VariantError: If it is out of range; the message says the range.
        """
        if self.choices:
            if value in self.choices:
                return str(value)
            raise VariantError(f"{self.label} must be one of {', '.join(self.choices)}, but is “{value}”.")
        whole = isinstance(self.default, int)
        number = _number(value)
        if number is None or not self.minimum <= number <= self.maximum or (whole and number != int(number)):
            raise VariantError(
                f"{self.label} must be a {'whole ' if whole else ''}number from {plain(self.minimum)} to "
                f"{plain(self.maximum)}, but is {value}."
            )
        return int(number) if whole else number


def plain(number: float) -> str:
    """Writes a number without an exponent."""
    return f"{number:,.10f}".rstrip("0").rstrip(".")


def _point(value: float | str) -> float | str:
    """Takes a decimal comma for a point."""
    return value.replace(",", ".") if isinstance(value, str) else value


def _number(value: object) -> float | None:
    """Returns what a form, a file or the command line may give as a number; None for no finite number."""
    try:
        number = (
            float(_point(value)) if isinstance(value, int | float | str) and not isinstance(value, bool) else math.nan
        )
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


_SETTINGS = (
    Setting("epochs", "Epochs", 5, "Passes over the training images.", 1, 1_000),
    Setting("batch_size", "Batch size", 128, "Images per weight update.", 1, 4_096),
    Setting(
        "learning_rate",
        "Learning rate",
        0.001,
        "Step size of each weight update. If it is ten times too high, training does not converge.",
        0.000001,
        10,
    ),
    Setting(
        "schedule",
        "Learning-rate schedule",
        CONSTANT,
        "Keep the learning rate constant, or decay it to 0 along half a cosine.",
        choices=(CONSTANT, COSINE),
    ),
    Setting(
        "optimizer",
        "Optimizer",
        RMSPROP,
        "How gradients update the weights. RMSprop and Adam adapt the step size of each weight.",
        choices=(SGD, MOMENTUM, RMSPROP, ADAM),
    ),
    Setting(
        "validation",
        "Validation",
        NO_VALIDATION,
        "Training images held out to measure accuracy during training. With k folds, each fold is held out in a run of "
        "its own.",
        choices=VALIDATIONS,
    ),
    Setting("fold", "Fold", 1, "With k folds: the fold that is held out.", 1, 10),
    Setting(
        "patience",
        "Early stopping patience",
        0,
        "Epochs without improvement of the validation loss before training stops; the best weights are restored. "
        "0: no early stopping.",
        0,
        100,
    ),
    Setting(
        "train_part",
        "Training set fraction",
        1.0,
        "Train on this fraction of the training images: 1 is all, 0.01 one percent.",
        0.01,
        1,
    ),
    Setting(
        "hidden_layers",
        "Hidden layers",
        1,
        "Dense layers before the output layer. 0: a linear model.",
        0,
        5,
    ),
    Setting("hidden_units", "Hidden units", 512, "Neurons per hidden dense layer.", 1, 4_096),
    Setting(
        "activation",
        "Activation",
        "relu",
        "Activation function of each hidden layer and convolution. “linear” is none.",
        choices=ACTIVATIONS,
    ),
    Setting(
        "filters",
        "Filters",
        16,
        "Filters of the first convolution; the second and third have 2 ×, the last two 4 × as many.",
        1,
        64,
    ),
    Setting(
        "dropout",
        "Dropout",
        0.0,
        "Share of values set to zero at random in each training step, against overfitting.",
        0,
        0.9,
    ),
    Setting(
        "augmentation",
        "Augmentation",
        0.0,
        "Strength of random shifts, rotations, scaling, shear, distortion and stroke changes of training images. 0: "
        "none; 1: about the variation of handwriting.",
        0,
        2,
    ),
    Setting(
        "handwriting_styles",
        "Handwriting styles",
        0.0,
        "Share of training images of 1 and 7 that get strokes common in handwriting but rare in MNIST: an up-stroke or "
        "a foot on a 1, a bar or a hook on a 7.",
        0,
        1,
    ),
    Setting(
        "pixel_scaling",
        "Pixel scaling",
        PIXELS_0_TO_1,
        "Input range of the network: pixels divided by 255, or raw.",
        choices=(PIXELS_0_TO_1, PIXELS_0_TO_255),
    ),
    Setting(
        "precision",
        "Numeric precision",
        FLOAT32,
        "Number format of training. bfloat16 keeps 8 significant bits instead of 24 between the layers; weights, loss, "
        "output layer and the trained model stay float32.",
        choices=(FLOAT32, BFLOAT16),
    ),
    Setting("seed", "Seed", 0, "Seed of the initial weights and the order of images.", 0, 2**31 - 1),
)


def settings_with(*, without: Collection[str] = (), **defaults: Value) -> tuple[Setting, ...]:
    """Returns the settings of a network, with its own values as defaults.

    Args:
        without: Settings that mean nothing to this network.
        **defaults: Its own values; the other settings keep the common ones.

    Raises:
        ValueError: If there is no setting of a name.
    """
    if unknown := {*defaults, *without} - {setting.name for setting in _SETTINGS}:
        raise ValueError(f"There is no setting {', '.join(sorted(unknown))}.")
    return tuple(
        replace(setting, default=defaults.get(setting.name, setting.default))
        for setting in _SETTINGS
        if setting.name not in without
    )


def folds_of(values: Values) -> int:
    """Returns the number of folds that a run's validation has; 0 without cross-validation."""
    _, _, folds = str(values["validation"]).partition(":")
    return int(folds or 0)
