"""Settings in words: what a setting and its value are called in the interface."""

from collections.abc import Collection

from mnist_dash.networks.experiments import AnyRun
from mnist_dash.networks.hyperparameters import (
    ADAM,
    CONSTANT,
    COSINE,
    HOLDOUT,
    MOMENTUM,
    NO_VALIDATION,
    PIXELS_0_TO_1,
    PIXELS_0_TO_255,
    RMSPROP,
    SGD,
    STRATIFIED,
    Value,
    folds_of,
)
from mnist_dash.networks.variants import VARIANTS

_CHOICES = {
    NO_VALIDATION: "None",
    HOLDOUT: "Hold-out (last 1/12)",
    CONSTANT: "Constant",
    COSINE: "Cosine, falling to 0",
    SGD: "SGD",
    MOMENTUM: "SGD with momentum",
    RMSPROP: "RMSprop",
    ADAM: "Adam",
    "relu": "ReLU",
    "sigmoid": "Sigmoid",
    "tanh": "tanh",
    "linear": "Linear (none)",
    PIXELS_0_TO_1: "Divided by 255",
    PIXELS_0_TO_255: "Raw, 0 to 255",
}


def setting_label(name: str) -> str:
    """Returns the label of a setting, or of “variant”, the network itself."""
    labels = {setting.name: setting.label for variant in VARIANTS.values() for setting in variant.settings}
    return "Network" if name == "variant" else labels.get(name, name)


def value_words(value: Value | None) -> str:
    """Returns a setting's value in words; “–” for a setting that a network does not have."""
    if value is None:
        return "–"
    if not isinstance(value, str):
        return f"{value:g}" if isinstance(value, float) else str(value)
    if value in VARIANTS:
        return VARIANTS[value].title
    kind, _, folds = value.partition(":")
    return f"{folds} folds{', stratified' if kind == STRATIFIED else ''}" if folds else _CHOICES.get(value, value)


def setting_value(run: AnyRun, name: str) -> Value | None:
    """Returns a run's value of a setting, or its network for “variant”; None if its network has no such setting."""
    return run.variant if name == "variant" else run.settings.get(name)


def settings_words(run: AnyRun, names: Collection[str]) -> str:
    """Returns some of a run's settings as a phrase: “epochs 5, seed 3”; the fold only in cross-validation."""
    own = [setting.name for setting in VARIANTS[run.variant].settings] if run.variant in VARIANTS else []
    shown = [name for name in own if name in names and (name != "fold" or folds_of(run.settings))]
    words = [value_words(run.variant)] if "variant" in names else []
    return ", ".join([*words, *(f"{setting_label(name)} {value_words(run.settings[name])}".lower() for name in shown)])


def changed_settings(run: AnyRun) -> list[str]:
    """Returns the names of the settings in which a run differs from its network's own."""
    own = VARIANTS[run.variant].settings if run.variant in VARIANTS else ()
    return [setting.name for setting in own if run.settings.get(setting.name, setting.default) != setting.default]
