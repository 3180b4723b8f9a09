"""The same steps written as a script, with comments, and as a notebook, with text between the code."""

import json
from collections.abc import Iterator, Sequence
from typing import Any

from mnist_dash.datasets.mnist import KNOWN, MNIST
from mnist_dash.networks.hyperparameters import COSINE, NO_VALIDATION, Values
from mnist_dash.networks.scripts.data_steps import data_steps
from mnist_dash.networks.scripts.network_steps import network_steps
from mnist_dash.networks.scripts.step import Step, comment
from mnist_dash.networks.scripts.training_steps import misclassified_step, training_steps
from mnist_dash.networks.variants import Variant, changes_images

_INSTALL = "pip install keras tensorflow"


def keras_script(variant: Variant, values: Values, *, data: str = MNIST.name) -> str:
    """Writes a stand-alone Keras script that trains this network with these settings.

    Args:
        variant: The network.
        values: All settings of the run, from `Variant.check`.
        data: The name of the data that it is trained on; custom data is read from an .npz file of that name.

    Returns:
        Python source, ASCII only, that needs just the packages keras and tensorflow.
    """
    steps = list(_steps(variant, values, data))
    script = f'"""{_headline(variant)}\n\nRequires two packages: {_INSTALL}\n"""\n\n'
    for step, following in zip(steps, [*steps[1:], None], strict=True):
        script += "\n".join([*comment(step.words), step.code]) + _gap(step, following)
    return script


def keras_notebook(variant: Variant, values: Values, *, data: str = MNIST.name) -> str:
    """Writes the same as a Jupyter notebook, with the explanations between its cells.

    Args:
        variant: The network.
        values: All settings of the run, from `Variant.check`.
        data: The name of the data that it is trained on; custom data is read from an .npz file of that name.

    Returns:
        JSON, nbformat 4.5; its code cells train exactly as `keras_script` does, and the
        last one then shows misclassified images, if matplotlib is installed.
    """
    beginning = f"# {variant.title}\n\n{_headline(variant)} Requires two packages: `{_INSTALL}`"
    notebook = {
        "cells": [_text_cell("beginning", beginning), *_cells([*_steps(variant, values, data), misclassified_step()])],
        "metadata": {
            "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
            "language_info": {"name": "python"},
        },
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    return json.dumps(notebook, indent=1) + "\n"


def _headline(variant: Variant) -> str:
    return f"{variant.title}: trains a network on MNIST's handwritten digits, with Keras."


def _steps(variant: Variant, values: Values, data: str) -> Iterator[Step]:
    yield Step("", "\n".join(_imports(values, data)))
    yield Step(
        "The seed fixes the initial weights and the order of the images.",
        f"keras.utils.set_random_seed({values['seed']})",
    )
    yield from data_steps(variant, values, data)
    yield from network_steps(variant, values)
    yield from training_steps(values)


def _imports(values: Values, data: str) -> Iterator[str]:
    if values["schedule"] == COSINE:
        yield "import math"
    if changes_images(values):
        yield "from typing import Any"
    if changes_images(values) or values["schedule"] == COSINE:
        yield ""
    yield "import keras"
    if values["validation"] != NO_VALIDATION or data not in KNOWN:
        yield "import numpy as np"
    if changes_images(values):
        yield "import tensorflow as tf"


def _gap(step: Step, following: Step | None) -> str:
    if following is None:
        return "\n"
    # Two empty lines around functions, as everywhere in Python.
    return "\n\n\n" if any("\ndef " in f"\n{one.code}" for one in (step, following)) else "\n\n"


def _cells(steps: Sequence[Step]) -> Iterator[dict[str, Any]]:
    for number, step in enumerate(steps, start=1):
        text = "\n\n".join(filter(None, [step.title and f"## {step.title}", step.words]))
        if text:
            yield _text_cell(f"step-{number}-text", text)
        yield {
            "cell_type": "code",
            "execution_count": None,
            "id": f"step-{number}-code",
            "metadata": {},
            "outputs": [],
            "source": step.code.splitlines(keepends=True),
        }


def _text_cell(name: str, text: str) -> dict[str, Any]:
    return {"cell_type": "markdown", "id": name, "metadata": {}, "source": text.splitlines(keepends=True)}
