"""Example settings, good and bad, each with the reason."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Preset:
    """Settings worth trying.

    Attributes:
        name: Its id.
        title: What it shows.
        variant: The network.
        settings: What differs from the network's own settings, as one would type it;
            several values, separated by spaces, are tried one after the other.
        reason: Why it works or does not.
        works: Whether it is an example to follow.
    """

    name: str
    title: str
    variant: str
    settings: Mapping[str, str]
    reason: str
    works: bool


PRESETS = (
    Preset(
        "early-stopping",
        "Early stopping",
        "dense-512",
        {"epochs": "50", "validation": "holdout", "patience": "3"},
        "Training stops when the validation loss has not improved for three epochs, and restores the best weights. It "
        "stopped after 11 epochs, with 98.3 %.",
        works=True,
    ),
    Preset(
        "falling-rate",
        "Learning rate decay",
        "dense-512",
        {"epochs": "10", "optimizer": "adam", "schedule": "cosine", "dropout": "0.2"},
        "Large steps first, small ones at the end. With some dropout against overfitting, the network reaches 98.3 % "
        "instead of its tutorial's 97.8 %.",
        works=True,
    ),
    Preset(
        "scaled-sigmoid",
        "Sigmoid 100, improved",
        "sigmoid-100",
        {"epochs": "10", "pixel_scaling": "0-1", "optimizer": "adam", "learning_rate": "0.001"},
        "With pixels from 0 to 1 the sigmoid neurons do not start saturated, and Adam adapts the step size of each "
        "weight. 97.1 % after 10 epochs; the tutorial needs 100 for 96 %.",
        works=True,
    ),
    Preset(
        "how-much-data",
        "Training set size",
        "dense-512",
        {"epochs": "10", "train_part": "0.01 0.03 0.1 0.3 1"},
        "Five runs trained on 1 % to 100 % of the images. They reached 86 to 98 %; from 3 % on, each step halved the "
        "error.",
        works=True,
    ),
    Preset(
        "high-rate",
        "Learning rate too high",
        "dense-512",
        {"learning_rate": "0.1", "validation": "holdout"},
        "A hundred times the usual value. Each update overshoots the minimum: the loss oscillates, and accuracy ends "
        "at 91 % where 0.001 gives 98 %.",
        works=False,
    ),
    Preset(
        "raw-pixels",
        "Unscaled pixels",
        "dense-32",
        {"pixel_scaling": "0-255", "optimizer": "sgd", "learning_rate": "0.01", "validation": "holdout"},
        "Inputs up to 255 are far too large for the initial weights and this learning rate. The first updates leave "
        "the neurons with zero gradients: 14 %.",
        works=False,
    ),
    Preset(
        "batch-of-one",
        "Batch size 1",
        "dense-32",
        {"epochs": "1", "batch_size": "1", "learning_rate": "0.01", "validation": "holdout"},
        "60,000 updates per epoch, each from a single image: more than ten times slower than batches of 32, with very "
        "noisy gradients: 90 %.",
        works=False,
    ),
    Preset(
        "no-non-linearity",
        "No activation function",
        "dense-512",
        {"activation": "linear", "hidden_layers": "3", "validation": "holdout"},
        "Four layers, 932,362 weights: 90 %. A single layer of 7,850 weights reaches 92 %: without an activation, "
        "stacked layers are one linear layer.",
        works=False,
    ),
    Preset(
        "learning-by-heart",
        "Overfitting",
        "dense-512",
        {"epochs": "60", "train_part": "0.01", "validation": "holdout"},
        "550 images and 407,050 weights. Training accuracy soon reaches 100 %. The validation loss is lowest in "
        "epoch 18, 0.38, then rises to 0.47 while the training loss goes to zero.",
        works=False,
    ),
)
