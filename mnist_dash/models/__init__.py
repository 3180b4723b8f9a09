"""The variants: each network of the tutorials, its settings with their limits, and how to build it.

A network is described as data (`Layer`s and an `Optimizer`), so that the Keras model, the
stand-alone script and the summary on a page can never say different things.
"""

from mnist_dash.models.augmentation import augment
from mnist_dash.models.building import build, build_optimizer, learning_rate
from mnist_dash.models.networks import (
    OPTIMIZERS,
    RECOMMENDED_FOR_PICTURES,
    VARIANTS,
    Claim,
    Layer,
    Optimizer,
    Variant,
    default_settings,
    get_variant,
)
from mnist_dash.models.presets import PRESETS, Preset
from mnist_dash.models.settings import (
    ACTIVATIONS,
    ADAM,
    CONSTANT,
    COSINE,
    HOLDOUT,
    KFOLD,
    MOMENTUM,
    NO_VALIDATION,
    PIXELS_0_TO_1,
    PIXELS_0_TO_255,
    RMSPROP,
    SGD,
    STRATIFIED,
    VALIDATIONS,
    Setting,
    Value,
    Values,
    folds_of,
)
from mnist_dash.models.summary import LayerSummary, summarise, training_flops, weights_in

__all__ = [
    "ACTIVATIONS",
    "ADAM",
    "CONSTANT",
    "COSINE",
    "HOLDOUT",
    "KFOLD",
    "MOMENTUM",
    "NO_VALIDATION",
    "OPTIMIZERS",
    "PIXELS_0_TO_1",
    "PIXELS_0_TO_255",
    "PRESETS",
    "RECOMMENDED_FOR_PICTURES",
    "RMSPROP",
    "SGD",
    "STRATIFIED",
    "VALIDATIONS",
    "VARIANTS",
    "Claim",
    "Layer",
    "LayerSummary",
    "Optimizer",
    "Preset",
    "Setting",
    "Value",
    "Values",
    "Variant",
    "augment",
    "build",
    "build_optimizer",
    "default_settings",
    "folds_of",
    "get_variant",
    "learning_rate",
    "summarise",
    "training_flops",
    "weights_in",
]
