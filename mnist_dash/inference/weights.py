"""A stored model's weights, read without loading Keras."""

import io
import json
import zipfile
from dataclasses import dataclass

import numpy as np

from mnist_dash.errors import StoreError


@dataclass(frozen=True, eq=False)
class LayerWeights:
    """The weights of one layer.

    Attributes:
        name: The layer's name.
        kernel: Shape (inputs, units) or (height, width, channels, filters), float32.
        bias: Shape (units,) or (filters,), float32.
    """

    name: str
    kernel: np.ndarray
    bias: np.ndarray


def read_weights(model: bytes) -> list[LayerWeights]:
    """Reads the weights of all layers that have some, without loading Keras.

    Args:
        model: Contents of the run's `model.keras`, a zip archive with a description
            in JSON and the weights in HDF5.

    Returns:
        The layers in their order.

    Raises:
        StoreError: If the file is not such an archive.
    """
    import h5py

    try:
        with zipfile.ZipFile(io.BytesIO(model)) as archive:
            described = json.loads(archive.read("config.json"))["config"]["layers"]
            with h5py.File(io.BytesIO(archive.read("model.weights.h5"))) as file:
                stored = {name: group["vars"] for name, group in file["layers"].items() if "vars" in group}
                names = _stored_names([layer["class_name"] for layer in described])
                return [
                    LayerWeights(layer["config"]["name"], stored[name]["0"][()], stored[name]["1"][()])
                    for layer, name in zip(described, names, strict=True)
                    if name in stored and len(stored[name]) == 2
                ]
    except (zipfile.BadZipFile, KeyError, ValueError, OSError) as error:
        raise StoreError(f"The stored model cannot be read ({error}). Train it again.") from error


def _stored_names(kinds: list[str]) -> list[str]:
    """Returns the names under which Keras files the layers: dense, dense_1, conv2d, …"""
    seen: dict[str, int] = {}
    names = []
    for kind in kinds:
        name = {"Conv2D": "conv2d", "MaxPooling2D": "max_pooling2d", "InputLayer": "input_layer"}.get(
            kind, kind.lower()
        )
        names.append(f"{name}_{seen[name]}" if name in seen else name)
        seen[name] = seen.get(name, 0) + 1
    return names
