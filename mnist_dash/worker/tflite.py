"""From a Keras model to a LiteRT file; the second time without TensorFlow's converter."""

import contextlib
import io
from collections.abc import Sequence
from typing import Any

import numpy as np

# Their outputs repeat their inputs in another shape or, outside of training, to the letter.
_NOT_SHOWN = ("InputLayer", "Rescaling", "Reshape", "Dropout", "Flatten")


class TfliteFiles:
    """The LiteRT files of one model, whose weights change.

    Converting takes as long as training a small network for two epochs. Another file of the same model
    differs in nothing but the weights, which stand in it as they are: so they are written over those
    of the first file, wherever each is found there exactly once.

    Args:
        model: The Keras model.
    """

    def __init__(self, model: Any):
        self._model = model
        self._first = b""
        self._offsets: list[int] = []  # where the weights begin; empty while they are not known

    def content(self) -> bytes:
        """Returns a `model.tflite` with the present weights, whose outputs are all layers' activations."""
        weights = [_as_stored(variable.numpy()) for variable in self._model.trainable_variables]
        if not self._offsets:
            self._first = _converted(self._model)
            self._offsets = _offsets_of(weights, self._first)
            return self._first
        file = bytearray(self._first)
        for offset, weight in zip(self._offsets, weights, strict=True):
            file[offset : offset + len(weight)] = weight
        return bytes(file)


def _as_stored(weight: np.ndarray) -> bytes:
    """Returns a weight as LiteRT stores it: outputs first."""
    return np.moveaxis(weight, -1, 0).tobytes()


def _offsets_of(weights: Sequence[bytes], file: bytes) -> list[int]:
    """Returns where each weight begins; nothing if one is missing or may be confused."""
    found = [file.find(weight) for weight in weights]
    once = all(at >= 0 and file.find(weight, at + 1) < 0 for at, weight in zip(found, weights, strict=True))
    return found if once else []


def _converted(model: Any) -> bytes:
    import keras
    import tensorflow as tf

    shown = [layer.output for layer in model.layers if layer.__class__.__name__ not in _NOT_SHOWN]
    converter = tf.lite.TFLiteConverter.from_keras_model(keras.Model(model.inputs, shown))
    # Keras and the converter print their progress; standard output belongs to `--json`.
    with contextlib.redirect_stdout(io.StringIO()):
        return bytes(converter.convert())
