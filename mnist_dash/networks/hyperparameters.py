"""What can be chosen before a run, and within which limits."""

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
    """One thing that can be chosen before a run.

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
            raise VariantError(f"{self.name} is “{value}”, but must be one of {', '.join(self.choices)}.")
        whole = isinstance(self.default, int)
        number = _number(value)
        if number is None or not self.minimum <= number <= self.maximum or (whole and number != int(number)):
            raise VariantError(
                f"{self.name} is {value}, but must be a {'whole ' if whole else ''}number "
                f"from {self.minimum:,.10g} to {self.maximum:,.10g}."
            )
        return int(number) if whole else number


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
    Setting("epochs", "Epochs", 5, "How many times the network sees every training picture.", 1, 1_000),
    Setting("batch_size", "Batch size", 128, "Pictures per update of the weights.", 1, 4_096),
    Setting(
        "learning_rate",
        "Learning rate",
        0.001,
        "How far each update moves the weights. Ten times too high and the network never settles.",
        0.000001,
        10,
    ),
    Setting(
        "schedule",
        "Learning-rate schedule",
        CONSTANT,
        "Whether the learning rate stays as it is, or falls epoch by epoch along half a cosine, to end in small steps.",
        choices=(CONSTANT, COSINE),
    ),
    Setting(
        "optimizer",
        "Optimizer",
        RMSPROP,
        "How gradients become updates: SGD follows them as they are, with momentum it keeps its direction, RMSprop "
        "and Adam give every weight a step size of its own.",
        choices=(SGD, MOMENTUM, RMSPROP, ADAM),
    ),
    Setting(
        "validation",
        "Validation",
        NO_VALIDATION,
        "Training pictures kept back to see how the network does on pictures that it does not learn from. With k folds "
        "each of the k parts is kept back in turn, in a run of its own.",
        choices=VALIDATIONS,
    ),
    Setting("fold", "Fold", 1, "With k folds: which of the k parts is kept back.", 1, 10),
    Setting(
        "patience",
        "Early stopping after",
        0,
        "Stop when the validation loss has not fallen for this many epochs, and keep the weights of the best one. "
        "0 is no early stopping.",
        0,
        100,
    ),
    Setting(
        "train_part",
        "Part of the training pictures",
        1.0,
        "Learn from the first part of the training pictures only, to see how much data it takes: 1 is all, "
        "0.01 one in a hundred.",
        0.01,
        1,
    ),
    Setting(
        "hidden_layers",
        "Hidden layers",
        1,
        "Hidden dense layers before the output; without any, a dense network only weighs pixels.",
        0,
        5,
    ),
    Setting("hidden_units", "Hidden units", 512, "Neurons of each hidden dense layer.", 1, 4_096),
    Setting(
        "activation",
        "Activation",
        "relu",
        "The non-linearity after each hidden layer and convolution. “linear” is none: then many layers can do no more "
        "than one.",
        choices=ACTIVATIONS,
    ),
    Setting(
        "filters",
        "Filters",
        16,
        "Filters of the first convolution; the second and third have twice, the last two four times as many.",
        1,
        64,
    ),
    Setting(
        "dropout",
        "Dropout",
        0.0,
        "Share of the values that are set to zero at random in each training step, against over-fitting.",
        0,
        0.9,
    ),
    Setting(
        "augmentation",
        "Augmentation",
        0.0,
        "How much each training picture is shifted, turned, scaled, sheared, bent, thickened or thinned at random "
        "each time it is shown: 0 is not at all, 1 as much as handwriting on paper differs.",
        0,
        2,
    ),
    Setting(
        "pixel_scaling",
        "Pixel values",
        PIXELS_0_TO_1,
        "What the network is fed: pixels divided by 255, or as they are in the file.",
        choices=(PIXELS_0_TO_1, PIXELS_0_TO_255),
    ),
    Setting("seed", "Seed", 0, "Same seed, same starting weights and order of pictures.", 0, 2**31 - 1),
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
