"""A finished run's network in numpy: what every layer does with an image, and gradients, without TensorFlow."""

import io
import json
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from scipy.special import expit, log_softmax, softmax

from mnist_dash.errors import StoreError
from mnist_dash.inference.weights import LayerWeights, read_weights

# Each activation, and its derivative as a function of its result.
_ACTIVATIONS: dict[str, tuple[Callable[[np.ndarray], np.ndarray], Callable[[np.ndarray], np.ndarray]]] = {
    "linear": (lambda x: x, np.ones_like),
    "relu": (lambda x: np.maximum(x, 0), lambda y: (y > 0).astype(y.dtype)),
    "sigmoid": (expit, lambda y: y * (1 - y)),
    "tanh": (np.tanh, lambda y: 1 - y * y),
}
_IGNORED = ("InputLayer", "Dropout")  # nothing is dropped after training


@dataclass(frozen=True, eq=False)
class NetworkLayer:
    """One layer.

    Attributes:
        kind: The name of its Keras class.
        name: Its name in the stored model.
        activation: As Keras names it; the output layer's softmax is left out and counts as "linear".
        weights: Kernel and bias, where it has some.
        padding: Of a convolution, "same" or "valid".
        pool: Of a pooling layer, the side of its windows.
        scale: Of a rescaling layer, the factor.
    """

    kind: str
    name: str
    activation: str = "linear"
    weights: LayerWeights | None = None
    padding: str = "valid"
    pool: int = 1
    scale: float = 1.0


@dataclass(frozen=True, eq=False)
class Trace:
    """What a network does with images.

    Attributes:
        inputs: What each layer got, the first dimension the images; float32.
        outputs: What each layer gave, after its activation; the last are the logits, shape (n, 10).
    """

    inputs: tuple[np.ndarray, ...]
    outputs: tuple[np.ndarray, ...]

    @property
    def logits(self) -> np.ndarray:
        """The values before softmax, shape (n, 10), float32."""
        return self.outputs[-1]

    @property
    def probabilities(self) -> np.ndarray:
        """Softmax of the logits, shape (n, 10), float32."""
        return np.asarray(softmax(self.logits, axis=1))

    def cross_entropy(self, labels: np.ndarray) -> np.ndarray:
        """Returns each image's loss for its label, shape (n,), float32."""
        return np.asarray(-log_softmax(self.logits, axis=1)[np.arange(len(labels)), labels])


class NumpyNetwork:
    """A stored network, to be looked into.

    Args:
        model: Contents of the run's `model.keras`.

    Attributes:
        layers: Its layers from the input on, without dropout.

    Raises:
        StoreError: If the file cannot be read, or has a layer that is not known here.
    """

    def __init__(self, model: bytes):
        weights = {layer.name: layer for layer in read_weights(model)}
        try:
            with zipfile.ZipFile(io.BytesIO(model)) as archive:
                described = json.loads(archive.read("config.json"))["config"]["layers"]
            self.layers = tuple(
                _layer(one["class_name"], one["config"], weights)
                for one in described
                if one["class_name"] not in _IGNORED
            )
        except (zipfile.BadZipFile, KeyError, ValueError) as error:
            raise StoreError(f"The stored model cannot be looked into ({error}). Train it again.") from error

    def forward(self, images: np.ndarray) -> Trace:
        """Returns what every layer does with images.

        Args:
            images: Shape (n, 28, 28), any number type, 0 to 255.
        """
        inputs, outputs, values = [], [], images.astype(np.float32)
        for layer in self.layers:
            inputs.append(values)
            values = _FORWARD[layer.kind](layer, values)
            outputs.append(values)
        return Trace(tuple(inputs), tuple(outputs))

    def input_gradients(self, trace: Trace, of_logits: np.ndarray) -> np.ndarray:
        """Returns the gradient of a weighted sum of the logits with respect to the pixels.

        Args:
            trace: Of n images.
            of_logits: The weight of each logit in the sum, shape (n, 10).

        Returns:
            Shape (n, 28, 28), float32, per unit of the pixels from 0 to 255.
        """
        gradients = of_logits.astype(np.float32)
        for layer, got, gave in zip(
            reversed(self.layers), reversed(trace.inputs), reversed(trace.outputs), strict=True
        ):
            gradients = _BACKWARD[layer.kind](layer, got, gave, gradients)
        return gradients


def _layer(kind: str, config: dict[str, Any], weights: dict[str, LayerWeights]) -> NetworkLayer:
    if kind == "Reshape" and len(config["target_shape"]) == 1:
        kind = "Flatten"
    if kind not in _FORWARD:
        raise ValueError(f"a layer of kind {kind}")
    activation = config.get("activation", "linear")
    pool = config.get("pool_size", 1)
    return NetworkLayer(
        kind,
        config["name"],
        "linear" if activation == "softmax" else activation,
        weights.get(config["name"]),
        config.get("padding", "valid"),
        pool if isinstance(pool, int) else int(pool[0]),
        float(config.get("scale", 1.0)),
    )


def _weights(layer: NetworkLayer) -> LayerWeights:
    if layer.weights is None:
        raise ValueError(f"the layer {layer.name} has no weights")
    return layer.weights


def _windows(values: np.ndarray, size: int, before: int, after: int) -> np.ndarray:
    """Returns the window around each pixel as a row, shape (n, height, width, size * size * channels)."""
    padded = np.pad(values, ((0, 0), (before, after), (before, after), (0, 0)))
    windows = sliding_window_view(padded, (size, size), axis=(1, 2))
    n, height, width = windows.shape[:3]
    return np.asarray(windows.transpose(0, 1, 2, 4, 5, 3).reshape(n, height, width, -1))


def _convolve(layer: NetworkLayer, values: np.ndarray) -> np.ndarray:
    kernel, size = _weights(layer).kernel, _weights(layer).kernel.shape[0]
    before = (size - 1) // 2 if layer.padding == "same" else 0
    after = size - 1 - before if layer.padding == "same" else 0
    summed = _windows(values, size, before, after) @ kernel.reshape(-1, kernel.shape[3]) + _weights(layer).bias
    return _ACTIVATIONS[layer.activation][0](summed)


def _convolve_back(layer: NetworkLayer, _: np.ndarray, gave: np.ndarray, gradients: np.ndarray) -> np.ndarray:
    kernel, size = _weights(layer).kernel, _weights(layer).kernel.shape[0]
    before = (size - 1) // 2 if layer.padding == "same" else 0
    after = size - 1 - before if layer.padding == "same" else 0
    gradients = gradients * _ACTIVATIONS[layer.activation][1](gave)
    # A convolution with the kernel turned by half a turn; its padding is what is left of a full one.
    turned = kernel[::-1, ::-1].transpose(0, 1, 3, 2).reshape(-1, kernel.shape[2])
    return np.asarray(_windows(gradients, size, size - 1 - before, size - 1 - after) @ turned)


def _in_pools(layer: NetworkLayer, values: np.ndarray) -> np.ndarray:
    """Returns the values of each pooling window, shape (n, height, width, channels, pool * pool)."""
    n, height, width, channels = values.shape
    rows, columns, pool = height // layer.pool, width // layer.pool, layer.pool
    cut = values[:, : rows * pool, : columns * pool].reshape(n, rows, pool, columns, pool, channels)
    return cut.transpose(0, 1, 3, 5, 2, 4).reshape(n, rows, columns, channels, pool * pool)


def _pool_back(layer: NetworkLayer, got: np.ndarray, _: np.ndarray, gradients: np.ndarray) -> np.ndarray:
    pools, pool = _in_pools(layer, got), layer.pool
    first = pools.argmax(-1)  # as in TensorFlow, the first of equal values gets the gradient
    spread = np.zeros_like(pools)
    np.put_along_axis(spread, first[..., None], gradients[..., None], -1)
    n, rows, columns, channels, _size = pools.shape
    spread = spread.reshape(n, rows, columns, channels, pool, pool).transpose(0, 1, 4, 2, 5, 3)
    found = np.zeros_like(got)
    found[:, : rows * pool, : columns * pool] = spread.reshape(n, rows * pool, columns * pool, channels)
    return found


def _dense(layer: NetworkLayer, values: np.ndarray) -> np.ndarray:
    return _ACTIVATIONS[layer.activation][0](values @ _weights(layer).kernel + _weights(layer).bias)


def _dense_back(layer: NetworkLayer, _: np.ndarray, gave: np.ndarray, gradients: np.ndarray) -> np.ndarray:
    return np.asarray((gradients * _ACTIVATIONS[layer.activation][1](gave)) @ _weights(layer).kernel.T)


def _reshape(layer: NetworkLayer, values: np.ndarray) -> np.ndarray:
    return values.reshape(len(values), -1) if layer.kind == "Flatten" else values[..., None]  # one channel


def _reshape_back(_: NetworkLayer, got: np.ndarray, __: np.ndarray, gradients: np.ndarray) -> np.ndarray:
    return gradients.reshape(got.shape)


_FORWARD: dict[str, Callable[[NetworkLayer, np.ndarray], np.ndarray]] = {
    "Rescaling": lambda layer, values: values * np.float32(layer.scale),
    "Reshape": _reshape,
    "Flatten": _reshape,
    "Conv2D": _convolve,
    "MaxPooling2D": lambda layer, values: _in_pools(layer, values).max(-1),
    "Dense": _dense,
}
_BACKWARD: dict[str, Callable[[NetworkLayer, np.ndarray, np.ndarray, np.ndarray], np.ndarray]] = {
    "Rescaling": lambda layer, _, __, gradients: gradients * np.float32(layer.scale),
    "Reshape": _reshape_back,
    "Flatten": _reshape_back,
    "Conv2D": _convolve_back,
    "MaxPooling2D": _pool_back,
    "Dense": _dense_back,
}
