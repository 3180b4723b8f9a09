"""How fast this project trains, beside plain Keras, tuned Keras and PyTorch.

`python -m benchmarks.training [--variants …] [--rounds N]`

Every contestant trains the same network on the same data in a process of its own, all of
them in turn, several rounds. Imports are left out, compilation is counted in. PyTorch
takes part if it is installed, bfloat16 if the processor multiplies it.
"""

import argparse
import importlib.util
import json
import os
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable

import numpy as np

from mnist_dash.config import load_settings
from mnist_dash.datasets.mnist import Dataset, load_dataset
from mnist_dash.datasets.splits import split
from mnist_dash.networks.hyperparameters import Values
from mnist_dash.networks.variants import VARIANTS, Layer, Variant
from mnist_dash.worker.device import processor

CONTESTANTS = {
    "project": "this project",
    "bfloat16": "this project, in bfloat16",
    "keras": "plain Keras (the tutorial)",
    "tuned": "Keras tuned by hand",
    "torch": "PyTorch, hand-written",
}
# Epochs of one training here: the tutorials' own where that takes seconds.
EPOCHS = {"dense-32": 2, "sigmoid-100": 10, "dense-512": 5, "cnn": 2}


def main() -> None:
    """Runs all contestants in turn, or one of them if it is told so."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--variants", nargs="+", choices=EPOCHS, default=list(EPOCHS))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--contestant", choices=CONTESTANTS, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.contestant:
        print(json.dumps(measure(arguments.contestant, arguments.variants[0])))
        return
    missing = {"torch": not importlib.util.find_spec("torch"), "bfloat16": not processor().bfloat16}
    contestants = [name for name in CONTESTANTS if not missing.get(name)]
    results = [
        result for variant in arguments.variants for result in compare(variant, contestants, rounds=arguments.rounds)
    ]
    for result in results:
        print(json.dumps(result))
    print(table(results))


def compare(variant: str, contestants: list[str], *, rounds: int) -> list[dict[str, object]]:
    """Returns each contestant's medians and how many times the project is as fast."""
    measured: dict[str, list[dict[str, float]]] = {name: [] for name in contestants}
    for number in range(rounds):
        for name in contestants:
            print(f"{variant}, round {number + 1} of {rounds}: {CONTESTANTS[name]}", file=sys.stderr)
            command = [sys.executable, "-m", "benchmarks.training", "--contestant", name, "--variants", variant]
            finished = subprocess.run(command, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
            measured[name].append(json.loads(finished.stdout.splitlines()[-1]))
    medians = {
        name: {key: statistics.median(found[key] for found in founds) for key in founds[0]}
        for name, founds in measured.items()
    }
    ours = medians["project"]
    return [
        {
            "variant": variant,
            "contestant": name,
            "epochs": EPOCHS[variant],
            **found,
            "times_epoch": found["epoch_seconds"] / ours["epoch_seconds"],
            "times_whole": found["whole_seconds"] / ours["whole_seconds"],
        }
        for name, found in medians.items()
    ]


def table(results: list[dict[str, object]]) -> str:
    """Returns the results as a Markdown table."""
    head = (
        "| network | contestant | s per epoch | × ours | whole (s) | × ours | peak (MB) |\n| --- | --- " + 5 * "| ---: "
    )
    rows = [
        f"| `{found['variant']}`, {found['epochs']} epochs | {CONTESTANTS[str(found['contestant'])]} "
        f"| {found['epoch_seconds']:.2f} | {found['times_epoch']:.1f} "
        f"| {found['whole_seconds']:.1f} | {found['times_whole']:.1f} | {found['peak_mb']:,.0f} |"
        for found in results
    ]
    return "\n".join([head + "|", *rows])


def measure(contestant: str, name: str) -> dict[str, float]:
    """Trains once in this process.

    Returns:
        `epoch_seconds`, the median without the first epoch, which compiles;
        `whole_seconds`, all epochs with building and compiling; `peak_mb` of memory.
    """
    variant, dataset = VARIANTS[name], load_dataset(load_settings())
    values = variant.check({"epochs": EPOCHS[name], "precision": "bfloat16" if contestant == "bfloat16" else "float32"})
    prepared = {"project": _project, "bfloat16": _project, "keras": _keras, "tuned": _tuned, "torch": _torch}[
        contestant
    ](variant, values, dataset)
    started = time.perf_counter()
    train_epoch = prepared()
    seconds = []
    for number in range(1, EPOCHS[name] + 1):
        epoch_started = time.perf_counter()
        train_epoch(number)
        seconds.append(time.perf_counter() - epoch_started)
    return {
        "epoch_seconds": statistics.median(seconds[1:]),
        "whole_seconds": time.perf_counter() - started,
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


# Each returns a function that builds and compiles, which returns one that trains an epoch. What
# is done before is not measured: imports, and bringing the arrays into the wanted shape.
Train = Callable[[int], object]


def _project(variant: Variant, values: Values, dataset: Dataset) -> Callable[[], Train]:
    from mnist_dash.worker.compiled import load_tensorflow
    from mnist_dash.worker.programs import program_for_runs

    load_tensorflow()
    parts = split(dataset.y_train, str(values["validation"]))

    def prepare() -> Train:
        program = program_for_runs(variant.name, [values], dataset)

        def train_epoch(number: int) -> None:
            program.train_epoch([parts.train], number)
            if len(parts.validation):
                program.select(0).evaluate(parts.validation)

        return train_epoch

    return prepare


def _arrays(variant: Variant, values: Values, dataset: Dataset) -> tuple[np.ndarray, np.ndarray]:
    """Returns pictures and one-hot labels as the tutorial hands them to Keras."""
    x = dataset.x_train.reshape(-1, *variant.input_shape)
    if values["pixel_scaling"] == "0-1":
        # Only the first tutorial leaves the division's float64 as it is.
        x = x / 255 if variant.name == "dense-32" else x.astype("float32") / 255
    return x, np.eye(10)[dataset.y_train]


def _keras_model(variant: Variant, values: Values, **compile_arguments: object):  # type: ignore[no-untyped-def]
    import keras

    chosen = variant.optimizer(values)
    optimizer = getattr(keras.optimizers, chosen.kind)
    layers = [getattr(keras.layers, layer.kind)(**layer.arguments) for layer in variant.layers(values)]
    model = keras.Sequential([keras.Input(variant.input_shape), *layers])
    model.compile(
        optimizer=optimizer(learning_rate=values["learning_rate"], **chosen.arguments),
        loss="categorical_crossentropy",
        metrics=["accuracy"],
        **compile_arguments,
    )
    return model


def _fit(variant: Variant, values: Values, dataset: Dataset, *, tuned: bool) -> Callable[[], Train]:
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "2"
    import keras  # noqa: F401 - imports are left out of what is measured

    x, y = _arrays(variant, values, dataset)
    if tuned:
        x, y = x.astype("float32"), y.astype("float32")
    parts = split(dataset.y_train, str(values["validation"]))
    validation = (x[parts.validation], y[parts.validation]) if len(parts.validation) else None
    x, y = x[: len(parts.train)], y[: len(parts.train)]

    def prepare() -> Train:
        model = _keras_model(variant, values, **({"steps_per_execution": 100} if tuned else {}))
        batch_size = int(values["batch_size"])
        return lambda number: model.fit(
            x,
            y,
            epochs=number,
            initial_epoch=number - 1,
            batch_size=batch_size,
            validation_data=validation,
            verbose=0 if tuned else 1,
        )

    return prepare


def _keras(variant: Variant, values: Values, dataset: Dataset) -> Callable[[], Train]:
    return _fit(variant, values, dataset, tuned=False)


def _tuned(variant: Variant, values: Values, dataset: Dataset) -> Callable[[], Train]:
    return _fit(variant, values, dataset, tuned=True)


def _torch(variant: Variant, values: Values, dataset: Dataset) -> Callable[[], Train]:
    import torch

    x, _ = _arrays(variant, values, dataset)
    parts = split(dataset.y_train, str(values["validation"]))
    channels_first = np.moveaxis(x, -1, 1) if x.ndim == 4 else x
    pixels = torch.tensor(np.ascontiguousarray(channels_first), dtype=torch.float32)
    labels = torch.tensor(dataset.y_train, dtype=torch.int64)
    train, validation = torch.tensor(parts.train), torch.tensor(parts.validation)

    def prepare() -> Train:
        network = torch.nn.Sequential(*_torch_layers(variant.layers(values), variant.input_shape))
        optimizer = _torch_optimizer(variant, values, network.parameters())
        loss_of = torch.nn.CrossEntropyLoss()

        def train_epoch(_: int) -> None:
            network.train()
            total = 0.0
            for batch in train[torch.randperm(len(train))].split(int(values["batch_size"])):
                optimizer.zero_grad()
                loss = loss_of(network(pixels[batch]), labels[batch])
                loss.backward()
                optimizer.step()
                total += loss.item()
            network.eval()
            with torch.no_grad():
                for batch in validation.split(1_000):
                    network(pixels[batch]).argmax(1)

        return train_epoch

    return prepare


def _torch_optimizer(variant: Variant, values: Values, parameters):  # type: ignore[no-untyped-def]
    import torch

    chosen = variant.optimizer(values)
    if chosen.kind == "SGD":
        return torch.optim.SGD(parameters, lr=float(values["learning_rate"]))
    epsilon = chosen.arguments.get("epsilon", 1e-7)
    return torch.optim.RMSprop(parameters, lr=float(values["learning_rate"]), alpha=0.9, eps=epsilon)


def _torch_layers(layers: tuple[Layer, ...], input_shape: tuple[int, ...]):  # type: ignore[no-untyped-def]
    """Returns the same layers for PyTorch, sizes worked out from the input; no softmax, its loss has it."""
    from torch import nn

    size, channels = input_shape[0], input_shape[-1]
    for layer in layers:
        arguments = layer.arguments
        if layer.kind == "Dense":
            yield nn.Linear(size, arguments["units"])
            size = arguments["units"]
        elif layer.kind == "Conv2D":
            same = arguments["padding"] == "same"
            yield nn.Conv2d(channels, arguments["filters"], 3, padding=1 if same else 0)
            size, channels = size if same else size - 2, arguments["filters"]
        elif layer.kind == "MaxPooling2D":
            yield nn.MaxPool2d(2)
            size //= 2
        elif layer.kind == "Dropout":
            yield nn.Dropout(arguments["rate"])
        elif layer.kind == "Flatten":
            yield nn.Flatten()
            size = size * size * channels
        if arguments.get("activation") in ("relu", "sigmoid"):
            yield nn.ReLU() if arguments["activation"] == "relu" else nn.Sigmoid()


if __name__ == "__main__":
    main()
