"""The variants: each network of the tutorials, described as data."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from mnist_dash.errors import VariantError
from mnist_dash.networks.hyperparameters import (
    ADAM,
    BFLOAT16,
    COSINE,
    HOLDOUT,
    MOMENTUM,
    NO_VALIDATION,
    PIXELS_0_TO_255,
    RMSPROP,
    SGD,
    Setting,
    Value,
    Values,
    folds_of,
    settings_with,
)


@dataclass(frozen=True)
class Layer:
    """A Keras layer: the name of its class and the arguments that make it."""

    kind: str
    arguments: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Optimizer:
    """A Keras optimizer: the name of its class and its arguments besides the learning rate."""

    kind: str
    arguments: Mapping[str, float] = field(default_factory=dict)


OPTIMIZERS = {
    SGD: Optimizer("SGD"),
    MOMENTUM: Optimizer("SGD", {"momentum": 0.9}),
    RMSPROP: Optimizer("RMSprop"),
    ADAM: Optimizer("Adam"),
}


@dataclass(frozen=True)
class Claim:
    """What a tutorial says that its network reaches on the 10,000 test pictures."""

    words: str
    accuracy: float | None = None  # in [0, 1]


@dataclass(frozen=True)
class Variant:
    """A network of a tutorial or of ours, with everything that the project knows about it.

    Attributes:
        name: Its fixed name.
        title: How pages call it.
        tutorial: Where it comes from.
        summary: One sentence on its layers.
        claim: What the tutorial reports; None for a network that is ours.
        settings: What can be chosen before a run, in the order of the form.
        input_shape: How the tutorial hands the 28 × 28 pixels to the first layer.
        layers: From checked settings to the layers after the input.
        optimizer_arguments: What the tutorial gives its own optimizer besides the learning rate.
        compiled_by_xla: XLA makes dense nets up to four times as fast on a CPU, and
            convolutions dozens of times slower.
    """

    name: str
    title: str
    tutorial: str
    summary: str
    claim: Claim | None
    settings: tuple[Setting, ...]
    input_shape: tuple[int, ...]
    layers: Callable[[Values], tuple[Layer, ...]]
    compiled_by_xla: bool
    optimizer_arguments: Mapping[str, float] = field(default_factory=dict)

    def default(self, name: str) -> Value:
        """Returns the network's own value of a setting."""
        return next(setting.default for setting in self.settings if setting.name == name)

    def optimizer(self, values: Values) -> Optimizer:
        """Returns the optimizer of a run; the tutorial's own comes with the tutorial's arguments."""
        chosen = OPTIMIZERS[str(values["optimizer"])]
        own = values["optimizer"] == self.default("optimizer") and self.optimizer_arguments
        return Optimizer(chosen.kind, self.optimizer_arguments) if own else chosen

    def check(self, values: Mapping[str, object]) -> dict[str, Value]:
        """Returns all settings of a run: those given, checked, and defaults for the rest.

        Raises:
            VariantError: If one is unknown or out of range.
        """
        known = {setting.name: setting for setting in self.settings}
        unknown = sorted(set(values) - set(known))
        if unknown:
            raise VariantError(
                f"{self.name} has no setting {', '.join(unknown)}. It has {', '.join(known)}; remove the others."
            )
        checked = {name: setting.check(values.get(name, setting.default)) for name, setting in known.items()}
        folds = folds_of(checked)
        if folds and int(checked["fold"]) > folds:
            raise VariantError(
                f"fold is {checked['fold']}, but must be a whole number from 1 to {folds} for {folds} folds."
            )
        if checked["patience"] and checked["validation"] == NO_VALIDATION:
            raise VariantError(
                f"patience is {checked['patience']}, but without validation there is no loss to watch. "
                "Choose a validation, or 0 for no early stopping."
            )
        return checked


def _dropout(values: Values) -> tuple[Layer, ...]:
    return (Layer("Dropout", {"rate": values["dropout"]}),) if values["dropout"] else ()


def _hidden(values: Values) -> tuple[Layer, ...]:
    names = ["hidden", *(f"hidden_{number}" for number in range(2, int(values["hidden_layers"]) + 1))]
    arguments = {"units": values["hidden_units"], "activation": values["activation"]}
    return tuple(Layer("Dense", {**arguments, "name": name}) for name in names[: int(values["hidden_layers"])])


_PROBABILITIES = Layer("Dense", {"units": 10, "activation": "softmax", "name": "probabilities"})


def _dense(values: Values) -> tuple[Layer, ...]:
    hidden = [layer for dense in _hidden(values) for layer in (dense, *_dropout(values))]
    return (*hidden, _PROBABILITIES)


def _convolutions(values: Values) -> tuple[Layer, ...]:
    filters = int(values["filters"])

    def convolution(number: int, times: int, padding: str = "same") -> Layer:
        arguments = {"filters": times * filters, "kernel_size": 3, "activation": values["activation"]}
        return Layer("Conv2D", {**arguments, "padding": padding, "name": f"convolution_{number}"})

    def pooling(number: int) -> Layer:
        return Layer("MaxPooling2D", {"pool_size": 2, "name": f"pooling_{number}"})

    return (
        convolution(1, 1, "valid"),
        convolution(2, 2),
        pooling(1),
        *_dropout(values),
        convolution(3, 2),
        convolution(4, 4),
        pooling(2),
        *_dropout(values),
        convolution(5, 4),
        pooling(3),
        *_dropout(values),
        Layer("Flatten"),
        *_hidden(values),
        _PROBABILITIES,
    )


_NO_CONVOLUTIONS = ("filters",)

VARIANTS: dict[str, Variant] = {
    variant.name: variant
    for variant in (
        Variant(
            name="dense-32",
            title="Dense 32",
            tutorial="“Keras building classification neural network and MNIST” (Eastmount)",
            summary="32 hidden neurons, ReLU, pixels scaled to 0–1, RMSprop.",
            claim=Claim("94.69 % after 2 epochs", 0.9469),
            settings=settings_with(
                without=_NO_CONVOLUTIONS, epochs=2, batch_size=32, learning_rate=0.001, hidden_units=32
            ),
            input_shape=(784,),
            layers=_dense,
            compiled_by_xla=True,
            optimizer_arguments={"rho": 0.9, "epsilon": 1e-8},
        ),
        Variant(
            name="sigmoid-100",
            title="Sigmoid 100",
            tutorial="“Python Deep Learning”, using Keras to classify handwritten digits (Vasilev and others)",
            summary="100 hidden neurons, sigmoid, raw pixels 0–255, SGD.",
            claim=Claim("about 96 % after 100 epochs", 0.96),
            settings=settings_with(
                without=_NO_CONVOLUTIONS,
                epochs=100,
                batch_size=100,
                learning_rate=0.01,
                optimizer=SGD,
                hidden_units=100,
                activation="sigmoid",
                pixel_scaling=PIXELS_0_TO_255,
            ),
            input_shape=(784,),
            layers=_dense,
            compiled_by_xla=True,
        ),
        Variant(
            name="dense-512",
            title="Dense 512",
            tutorial="“Classify grayscale images into their 10 categories”",
            summary="512 hidden neurons, ReLU, pixels scaled to 0–1, RMSprop.",
            claim=Claim("97.85 % after 5 epochs", 0.9785),
            settings=settings_with(
                without=_NO_CONVOLUTIONS, epochs=5, batch_size=128, learning_rate=0.001, hidden_units=512
            ),
            input_shape=(784,),
            layers=_dense,
            compiled_by_xla=True,
        ),
        Variant(
            name="cnn",
            title="CNN",
            tutorial="“MNIST recognition with Keras”, with k-fold cross-validation (Hebei University)",
            summary="Five convolutions, three max-poolings and a hidden layer of 512, dropout, RMSprop.",
            claim=Claim("“very high” after 60 epochs, no number"),
            settings=settings_with(
                epochs=60,
                batch_size=512,
                learning_rate=0.001,
                hidden_units=512,
                dropout=0.5,
                validation=HOLDOUT,
            ),
            input_shape=(28, 28, 1),
            layers=_convolutions,
            compiled_by_xla=False,
        ),
        Variant(
            name="cnn-augmented",
            title="CNN augmented",
            tutorial="the CNN of “MNIST recognition with Keras”, trained for images from outside MNIST",
            summary="The CNN with less dropout, data augmentation and Adam.",
            claim=None,
            settings=settings_with(
                epochs=50,
                batch_size=128,
                learning_rate=0.001,
                schedule=COSINE,
                optimizer=ADAM,
                hidden_units=256,
                dropout=0.2,
                augmentation=1.0,
                handwriting_styles=0.25,
                precision=BFLOAT16,  # five seeds of cnn showed no cost, see docs/benchmarks.md
                validation=HOLDOUT,
            ),
            input_shape=(28, 28, 1),
            layers=_convolutions,
            compiled_by_xla=False,
        ),
    )
}


RECOMMENDED_FOR_PICTURES = "cnn-augmented"


def get_variant(name: str) -> Variant:
    """Returns the variant of this name.

    Raises:
        VariantError: If there is none.
    """
    if name not in VARIANTS:
        raise VariantError(f"There is no variant “{name}”. Choose one of {', '.join(VARIANTS)}.")
    return VARIANTS[name]


def changes_images(values: Values) -> bool:
    """Tells whether a run changes its training images at random before it learns from them."""
    return bool(values["augmentation"] or values["handwriting_styles"])


def has_convolutions(name: str) -> bool:
    """Tells whether a variant's network has convolutions; not of a variant that is not known."""
    return name in VARIANTS and len(VARIANTS[name].input_shape) > 1


def default_settings(name: str) -> dict[str, Value]:
    """Returns the variant's own value of every setting; none for a variant that is not known."""
    return {setting.name: setting.default for setting in VARIANTS[name].settings} if name in VARIANTS else {}
