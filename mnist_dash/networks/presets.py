"""Settings known to work and known not to, each with the reason."""

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
        "Stop by itself",
        "dense-512",
        {"epochs": "50", "validation": "holdout", "patience": "3"},
        "Nobody knows beforehand how many epochs are enough. The validation loss does: training ends when it has not "
        "fallen for three epochs, and the best weights are kept. Here it stopped after 11 epochs, with 98.3 %.",
        works=True,
    ),
    Preset(
        "falling-rate",
        "A falling learning rate",
        "dense-512",
        {"epochs": "10", "optimizer": "adam", "schedule": "cosine", "dropout": "0.2"},
        "Large steps first, small ones at the end, so that the weights come to rest. With a little dropout against "
        "over-fitting, the same network reaches 98.3 % instead of its tutorial's 97.8 %.",
        works=True,
    ),
    Preset(
        "scaled-sigmoid",
        "Sigmoid 100, put right",
        "sigmoid-100",
        {"epochs": "10", "pixel_scaling": "0-1", "optimizer": "adam", "learning_rate": "0.001"},
        "With pixels from 0 to 1 the sigmoid neurons start where they can learn, and Adam finds a step size for each "
        "weight. 97.1 % after 10 epochs, where the tutorial needs 100 for 96 %.",
        works=True,
    ),
    Preset(
        "how-much-data",
        "How much data does it take?",
        "dense-512",
        {"epochs": "10", "train_part": "0.01 0.03 0.1 0.3 1"},
        "Five runs that learn from 1 % to 100 % of the pictures. Here they reached from 86 to 98 %; from 3 % "
        "of the pictures on, each step halved the mistakes.",
        works=True,
    ),
    Preset(
        "high-rate",
        "Too high a learning rate",
        "dense-512",
        {"learning_rate": "0.1", "validation": "holdout"},
        "A hundred times the usual step. Each update jumps over the valley that it looks for: the loss starts high, "
        "leaps up and down, and ends at 91 % where 0.001 gives 98 %.",
        works=False,
    ),
    Preset(
        "raw-pixels",
        "Raw pixels",
        "dense-32",
        {"pixel_scaling": "0-255", "optimizer": "sgd", "learning_rate": "0.01", "validation": "holdout"},
        "Inputs up to 255 make sums hundreds of times too large for these starting weights and this learning rate. The "
        "first updates throw the neurons to where their gradient is zero, and there they stay: 14 %.",
        works=False,
    ),
    Preset(
        "batch-of-one",
        "A batch of one",
        "dense-32",
        {"epochs": "1", "batch_size": "1", "learning_rate": "0.01", "validation": "holdout"},
        "60,000 updates an epoch, each from a single picture: more than ten times slower than batches of 32, as hardly "
        "any work can be shared, and every update follows the whims of one writer: 90 %.",
        works=False,
    ),
    Preset(
        "no-non-linearity",
        "No non-linearity",
        "dense-512",
        {"activation": "linear", "hidden_layers": "3", "validation": "holdout"},
        "Four layers, 932,362 weights: 90 %. A single layer of 7,850 weights reaches 92 %: without a bend "
        "between them, layers multiply into one.",
        works=False,
    ),
    Preset(
        "learning-by-heart",
        "Learning by heart",
        "dense-512",
        {"epochs": "60", "train_part": "0.01", "validation": "holdout"},
        "550 pictures and 407,050 weights. Soon every training picture is read right. The validation loss is "
        "lowest in epoch 18, 0.38, and then climbs to 0.47 while the training loss goes to zero.",
        works=False,
    ),
)
