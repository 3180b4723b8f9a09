"""Predictions of finished runs with LiteRT: no TensorFlow, 0.2 ms a digit."""

import threading
import time

import numpy as np

from mnist_dash.errors import StoreError


class Predictor:
    """A finished run's network, ready to predict digits. Safe to share between threads.

    Args:
        model: Contents of the run's `model.tflite`.
        num_threads: More than one gains something only with many pictures at once.

    Raises:
        StoreError: If the model cannot be loaded.
    """

    def __init__(self, model: bytes, *, num_threads: int = 1):
        from ai_edge_litert.interpreter import Interpreter

        self._lock = threading.Lock()
        try:
            # By default one: a digit takes 0.2 ms, less than waking a second thread.
            self._interpreter = Interpreter(model_content=model, num_threads=num_threads)
            details = self._interpreter.get_signature_runner().get_output_details()
            self._input = self._interpreter.get_input_details()[0]["index"]
        except (ValueError, RuntimeError) as error:
            raise StoreError(f"The stored model cannot be read ({error}). Train it again.") from error
        self._outputs = [details[f"output_{number}"]["index"] for number in range(len(details))]
        self._shape: tuple[int, ...] = ()

    def activations(self, pictures: np.ndarray) -> list[np.ndarray]:
        """Returns the activations of every layer.

        Args:
            pictures: Shape (n, 28, 28), uint8: 0 is black paper, 255 white ink.

        Returns:
            One array a layer, first dimension n, float32; the last are the
            probabilities of the ten digits, shape (n, 10).
        """
        return self._read(pictures, self._outputs)

    def probabilities(self, pictures: np.ndarray) -> np.ndarray:
        """Returns the probabilities of the ten digits, shape (n, 10), float32."""
        return self._read(pictures, self._outputs[-1:])[0]

    def _read(self, pictures: np.ndarray, outputs: list[int]) -> list[np.ndarray]:
        with self._lock:
            if pictures.shape != self._shape:
                self._interpreter.resize_tensor_input(self._input, pictures.shape)
                self._interpreter.allocate_tensors()
                self._shape = pictures.shape
            self._interpreter.set_tensor(self._input, pictures.astype(np.float32))
            self._interpreter.invoke()
            # These are copies; the interpreter reuses its memory at the next call.
            return [self._interpreter.get_tensor(output) for output in outputs]

    def milliseconds(self, picture: np.ndarray, *, repeats: int = 100) -> float:
        """Measures one prediction.

        Args:
            picture: Shape (28, 28), uint8.
            repeats: How often it is made.

        Returns:
            The median time of one prediction, in milliseconds.
        """
        times = []
        for _ in range(repeats):
            started = time.perf_counter()
            self.probabilities(picture[None])
            times.append(1000 * (time.perf_counter() - started))
        return float(np.median(times))
