"""From a description to a Keras model; the only place that makes one."""

import contextlib
import math
import random
from collections.abc import Iterator
from typing import Any

from mnist_dash.networks.hyperparameters import BFLOAT16, COSINE, PIXELS_0_TO_1, Values
from mnist_dash.networks.variants import Layer, Variant


def build(variant: Variant, values: Values) -> Any:
    """Builds the Keras model of a run, its starting weights drawn from the run's seed.

    The model takes pixels as they are in MNIST's files and scales and reshapes them
    itself, so whoever loads it needs to know nothing else.

    Args:
        variant: The network.
        values: All its settings, from `Variant.check`.

    Returns:
        A `keras.Model`: input of shape (n, 28, 28), float32 in [0, 255]; output of
        shape (n, 10), float32 probabilities.
    """
    import keras

    # Each layer gets a seed of its own, the one that `keras.utils.set_random_seed` would
    # lead to. That function itself seeds what all threads of the process draw from,
    # and a Dask worker's other threads draw, too.
    seeds = random.Random(int(values["seed"]))
    pixels = keras.Input((28, 28), name="pixels")
    scaled = keras.layers.Rescaling(1 / 255)(pixels) if values["pixel_scaling"] == PIXELS_0_TO_1 else pixels
    output = keras.layers.Reshape(variant.input_shape)(scaled)
    for layer in variant.layers(values):
        output = getattr(keras.layers, layer.kind)(**layer.arguments, **_seeded(layer, seeds))(output)
    return keras.Model(pixels, output, name=variant.name.replace("-", "_"))


@contextlib.contextmanager
def training_precision(model: Any, values: Values) -> Iterator[None]:
    """Lets a model compute as its run is to be trained, for what is traced meanwhile.

    With bfloat16 all layers but the output and those that scale and reshape the pixels follow Keras'
    policy mixed_bfloat16: they calculate in bfloat16 with float32 weights. Afterwards the model is
    one of float32 again, so that it is tested and saved with the numbers that its readers get.

    Source:
        Kalamkar and others 2019, "A study of bfloat16 for deep learning training".
    """
    *others, _ = model.layers
    changed = [layer for layer in others if layer.__class__.__name__ not in _OF_PIXELS]
    for layer in changed if values["precision"] == BFLOAT16 else ():
        layer.dtype_policy = "mixed_bfloat16"
    try:
        yield
    finally:
        for layer in changed:
            layer.dtype_policy = "float32"


_OF_PIXELS = ("InputLayer", "Rescaling", "Reshape")  # 1/255 is not a number of bfloat16


def _seeded(layer: Layer, seeds: random.Random) -> dict[str, Any]:
    import keras

    if layer.kind in ("Dense", "Conv2D"):
        return {"kernel_initializer": keras.initializers.GlorotUniform(seed=seeds.randint(1, 10**9))}
    return {"seed": seeds.randint(1, 10**9)} if layer.kind == "Dropout" else {}


def build_optimizer(variant: Variant, values: Values) -> Any:
    """Builds the Keras optimizer of a run."""
    import keras

    chosen = variant.optimizer(values)
    return getattr(keras.optimizers, chosen.kind)(learning_rate=values["learning_rate"], **chosen.arguments)


def learning_rate(values: Values, epoch: int) -> float:
    """Returns the learning rate of an epoch, from 1.

    Source:
        Loshchilov and Hutter 2017, "SGDR: Stochastic gradient descent with warm
        restarts", for the cosine, here without restarts.
    """
    highest = float(values["learning_rate"])
    if values["schedule"] != COSINE:
        return highest
    return highest * (1 + math.cos(math.pi * (epoch - 1) / int(values["epochs"]))) / 2
