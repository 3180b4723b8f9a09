"""The variants: each network of the tutorials, described as data."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from mnist_dash.errors import VariantError
from mnist_dash.models.settings import COSINE, PIXELS_0_TO_255, Setting, Value, Values, settings_with


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
        optimizer: The tutorial's, or ours.
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
    optimizer: Optimizer
    compiled_by_xla: bool

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
        kind, _, folds = str(checked["validation"]).partition(":")
        if kind == "kfold" and int(checked["fold"]) > int(folds):
            raise VariantError(
                f"fold is {checked['fold']}, but must be a whole number from 1 to {folds} for {folds} folds."
            )
        return checked


def _dropout(values: Values) -> tuple[Layer, ...]:
    return (Layer("Dropout", {"rate": values["dropout"]}),) if values["dropout"] else ()


def _one_hidden_layer(activation: str) -> Callable[[Values], tuple[Layer, ...]]:
    def layers(values: Values) -> tuple[Layer, ...]:
        return (
            Layer("Dense", {"units": values["hidden_units"], "activation": activation, "name": "hidden"}),
            *_dropout(values),
            Layer("Dense", {"units": 10, "activation": "softmax", "name": "probabilities"}),
        )

    return layers


def _convolutions(values: Values) -> tuple[Layer, ...]:
    def convolution(number: int, filters: int, padding: str = "same") -> Layer:
        name = f"convolution_{number}"
        return Layer(
            "Conv2D", {"filters": filters, "kernel_size": 3, "activation": "relu", "padding": padding, "name": name}
        )

    def pooling(number: int) -> Layer:
        return Layer("MaxPooling2D", {"pool_size": 2, "name": f"pooling_{number}"})

    return (
        convolution(1, 16, "valid"),
        convolution(2, 32),
        pooling(1),
        *_dropout(values),
        convolution(3, 32),
        convolution(4, 64),
        pooling(2),
        *_dropout(values),
        convolution(5, 64),
        pooling(3),
        *_dropout(values),
        Layer("Flatten"),
        Layer("Dense", {"units": values["hidden_units"], "activation": "relu", "name": "hidden"}),
        Layer("Dense", {"units": 10, "activation": "softmax", "name": "probabilities"}),
    )


VARIANTS: dict[str, Variant] = {
    variant.name: variant
    for variant in (
        Variant(
            name="dense-32",
            title="Dense 32",
            tutorial="“Keras building classification neural network and MNIST” (Eastmount)",
            summary="32 hidden neurons with ReLU, pixels from 0 to 1, RMSprop; two epochs are enough for 95 %.",
            claim=Claim("94.69 % after 2 epochs", 0.9469),
            settings=settings_with(epochs=2, batch_size=32, learning_rate=0.001, hidden_units=32),
            input_shape=(784,),
            layers=_one_hidden_layer("relu"),
            optimizer=Optimizer("RMSprop", {"rho": 0.9, "epsilon": 1e-8}),
            compiled_by_xla=True,
        ),
        Variant(
            name="sigmoid-100",
            title="Sigmoid 100",
            tutorial="“Python Deep Learning”, using Keras to classify handwritten digits (Vasilev and others)",
            summary="100 hidden neurons with the sigmoid, raw pixels from 0 to 255, plain gradient descent.",
            claim=Claim("about 96 % after 100 epochs", 0.96),
            settings=settings_with(
                epochs=100, batch_size=100, learning_rate=0.01, hidden_units=100, pixel_scaling=PIXELS_0_TO_255
            ),
            input_shape=(784,),
            layers=_one_hidden_layer("sigmoid"),
            optimizer=Optimizer("SGD"),
            compiled_by_xla=True,
        ),
        Variant(
            name="dense-512",
            title="Dense 512",
            tutorial="“Classify grayscale images into their 10 categories”",
            summary="512 hidden neurons with ReLU, pixels from 0 to 1, RMSprop.",
            claim=Claim("97.85 % after 5 epochs", 0.9785),
            settings=settings_with(epochs=5, batch_size=128, learning_rate=0.001, hidden_units=512),
            input_shape=(784,),
            layers=_one_hidden_layer("relu"),
            optimizer=Optimizer("RMSprop"),
            compiled_by_xla=True,
        ),
        Variant(
            name="cnn",
            title="CNN",
            tutorial="“MNIST recognition with Keras”, with k-fold cross-validation (Hebei University)",
            summary="Five convolutions, three poolings and one hidden layer of 512, with dropout; RMSprop.",
            claim=Claim("“very high” after 60 epochs, no number"),
            settings=settings_with(
                epochs=60,
                batch_size=512,
                learning_rate=0.001,
                hidden_units=512,
                dropout=0.5,
                validation="holdout",
            ),
            input_shape=(28, 28, 1),
            layers=_convolutions,
            optimizer=Optimizer("RMSprop"),
            compiled_by_xla=False,
        ),
        Variant(
            name="cnn-augmented",
            title="CNN augmented",
            tutorial="the CNN of “MNIST recognition with Keras”, trained for pictures from outside MNIST",
            summary="The CNN's layers with less dropout; every picture changed at random each time it is shown; Adam.",
            claim=None,
            settings=settings_with(
                epochs=30,
                batch_size=128,
                learning_rate=0.001,
                schedule=COSINE,
                hidden_units=256,
                dropout=0.2,
                augmentation=1.0,
                validation="holdout",
            ),
            input_shape=(28, 28, 1),
            layers=_convolutions,
            optimizer=Optimizer("Adam"),
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


def default_settings(name: str) -> dict[str, Value]:
    """Returns the variant's own value of every setting; none for a variant that is not known."""
    return {setting.name: setting.default for setting in VARIANTS[name].settings} if name in VARIANTS else {}
