"""The variants: each network of the tutorials, its settings with their limits, and how to build it.

A network is described as data (`Layer`s and an `Optimizer`), so that the Keras model, the
stand-alone script and the summary on a page can never say different things.
"""

from mnist_dash.models.building import build, build_optimizer
from mnist_dash.models.networks import VARIANTS, Claim, Layer, Optimizer, Variant, get_variant
from mnist_dash.models.settings import PIXELS_0_TO_1, PIXELS_0_TO_255, VALIDATIONS, Setting, Value, Values

__all__ = [
    "PIXELS_0_TO_1",
    "PIXELS_0_TO_255",
    "VALIDATIONS",
    "VARIANTS",
    "Claim",
    "Layer",
    "Optimizer",
    "Setting",
    "Value",
    "Values",
    "Variant",
    "build",
    "build_optimizer",
    "get_variant",
]
