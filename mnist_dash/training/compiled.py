"""Training as one compiled program: Keras' layers, losses and optimizers without its Python loop."""

import contextlib
import io
import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from mnist_dash.models import Values, Variant, augment, build, build_optimizer, learning_rate
from mnist_dash.runs import Progress

_STRETCH_S = 0.2  # how long the compiled program runs before it looks whether to stop
_EVALUATION_BATCH = 1_000
_NOWHERE = -1  # stands in an epoch's order where the last batch has no more pictures


def load_tensorflow() -> Any:
    """Imports TensorFlow, which takes seconds, and returns it."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    import tensorflow

    # Same seed, same weights: some kernels add up in the order in which threads arrive.
    tensorflow.config.experimental.enable_op_determinism()
    return tensorflow


class CompiledTraining:
    """An ordinary Keras model whose epochs run as one compiled program.

    A Python loop over batches, as in `model.fit`, spends most of a small network's
    time between the batches. Here one `tf.function` runs over whole stretches of them:
    it gathers shuffled pictures from one constant, scales them in the graph and
    applies Keras' own layers, loss and optimizer. The last, smaller batch is filled up
    with pictures of weight zero, so that one compilation serves all batches.

    Args:
        variant: The network.
        values: All settings of the run.
        x: Training pictures, shape (n, 28, 28), uint8.
        y: Their digits, shape (n,), uint8.
    """

    def __init__(self, variant: Variant, values: Values, x: np.ndarray, y: np.ndarray):
        import keras

        tf = load_tensorflow()
        keras.backend.clear_session()
        self.model = build(variant, values)
        self.optimizer = build_optimizer(variant, values)
        self.optimizer.build(self.model.trainable_variables)
        self._x, self._y = x, y
        self._batch_size = min(int(values["batch_size"]), len(x))
        self._steps_per_stretch = 1
        self._values = values
        self._run_steps = _compiled_steps(self.model, self.optimizer, tf.constant(x), tf.constant(y), variant, values)
        self._test_batch = _compiled_test(self.model)

    def train_epoch(
        self, positions: np.ndarray, number: int, *, report: Callable[[Progress], None] = lambda progress: None
    ) -> tuple[float, float]:
        """Trains on all pictures at `positions` once, in the order of this seed and epoch.

        Args:
            positions: Which training pictures, shape (m,), int32.
            number: The epoch, from 1; decides the order together with the run's seed.
            report: Told about five times a second how far the epoch is.

        Returns:
            Mean loss and accuracy over the pictures, each as it was when its batch
            was trained, as Keras reports them.
        """
        order = np.random.default_rng([int(self._values["seed"]), number]).permutation(positions)
        self.optimizer.learning_rate.assign(learning_rate(self._values, number))
        return self.train_in_order(order, number, report=report)

    def train_in_order(
        self, order: np.ndarray, number: int = 1, *, report: Callable[[Progress], None] = lambda progress: None
    ) -> tuple[float, float]:
        """Trains on the pictures in exactly this order; else like `train_epoch`."""
        import tensorflow as tf

        steps = -(-len(order) // self._batch_size)
        padded = np.full(steps * self._batch_size, _NOWHERE, np.int32)
        padded[: len(order)] = order
        batches = tf.constant(padded.reshape(steps, self._batch_size))
        step, totals = 0, tf.zeros(2, tf.float64)
        while step < steps:
            stop = min(step + self._steps_per_stretch, steps)
            started = time.perf_counter()
            totals = self._run_steps(batches, tf.constant(step), tf.constant(stop), totals)
            loss, correct = totals.numpy()
            self._adapt_stretch(stop - step, time.perf_counter() - started)
            step, seen = stop, min(stop * self._batch_size, len(order))
            report(Progress(number, step, steps, float(loss / seen), float(correct / seen)))
        return float(loss / len(order)), float(correct / len(order))

    def _adapt_stretch(self, steps: int, seconds: float) -> None:
        # At most four times as many at once: the first stretch includes the compilation.
        wanted = int(steps * _STRETCH_S / max(seconds, 1e-9))
        self._steps_per_stretch = max(1, min(wanted, 4 * self._steps_per_stretch + 8))

    def evaluate(self, positions: np.ndarray) -> tuple[float, float]:
        """Returns mean loss and accuracy on the training pictures at `positions`."""
        loss, accuracy, _ = self.test(self._x[positions], self._y[positions])
        return loss, accuracy

    def test(self, pictures: np.ndarray, labels: np.ndarray) -> tuple[float, float, np.ndarray]:
        """Tests the network, with nothing dropped.

        Args:
            pictures: Shape (n, 28, 28), uint8.
            labels: Their digits, shape (n,), uint8.

        Returns:
            Mean loss, accuracy in [0, 1], and the probabilities of the ten digits, shape
            (n, 10), float32.
        """
        starts = range(0, len(pictures), _EVALUATION_BATCH)
        batches = [slice(start, start + _EVALUATION_BATCH) for start in starts]
        tested = [self._test_batch(pictures[batch], labels[batch]) for batch in batches]
        losses, probabilities = (
            np.concatenate([part.numpy() for part in parts]) for parts in zip(*tested, strict=True)
        )
        right = probabilities.argmax(1) == labels
        return float(losses.mean(dtype=np.float64)), float(right.mean()), probabilities

    def checkpoint(self) -> bytes:
        """Returns everything that training goes on from: weights, optimizer, random state."""
        file = io.BytesIO()
        np.savez(file, *[np.asarray(variable.numpy()) for variable in self._variables()])
        return file.getvalue()

    def restore(self, checkpoint: bytes) -> None:
        """Goes back to what `checkpoint` returned."""
        with np.load(io.BytesIO(checkpoint), allow_pickle=False) as arrays:
            for number, variable in enumerate(self._variables()):
                variable.assign(arrays[f"arr_{number}"])

    def _variables(self) -> list[Any]:
        return [*self.model.variables, *self.optimizer.variables]

    def as_keras_file(self) -> bytes:
        """Returns the contents of a `model.keras`."""
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "model.keras"
            self.model.save(path)
            return path.read_bytes()

    def as_tflite(self) -> bytes:
        """Returns the contents of a `model.tflite` whose outputs are all layers' activations."""
        import keras
        import tensorflow as tf

        shown = [layer.output for layer in self.model.layers if layer.__class__.__name__ not in _NOT_SHOWN]
        converter = tf.lite.TFLiteConverter.from_keras_model(keras.Model(self.model.inputs, shown))
        # Keras and the converter print their progress; standard output belongs to `--json`.
        with contextlib.redirect_stdout(sys.stderr if os.environ.get("MNIST_DASH_DEBUG") else io.StringIO()):
            return bytes(converter.convert())


def _compiled_test(model: Any) -> Any:
    """Returns a function from pictures and labels to each picture's loss and probabilities."""
    import keras
    import tensorflow as tf

    @tf.function(input_signature=[tf.TensorSpec((None, 28, 28), tf.uint8), tf.TensorSpec((None,), tf.uint8)])
    def test_batch(pixels: Any, labels: Any) -> Any:
        probabilities = model(tf.cast(pixels, tf.float32), training=False)
        # In a graph Keras goes back to the numbers before the softmax, so nothing is clipped.
        return keras.losses.categorical_crossentropy(tf.one_hot(labels, 10), probabilities), probabilities

    return test_batch


# Their outputs repeat their inputs in another shape or, outside of training, to the letter.
_NOT_SHOWN = ("InputLayer", "Rescaling", "Reshape", "Dropout", "Flatten")


def _compiled_steps(model: Any, optimizer: Any, pixels: Any, labels: Any, variant: Variant, values: Values) -> Any:
    """Returns a function that trains on batches `start` to `stop` of an epoch.

    It takes and returns the epoch's totals so far, (2,) float64: the sum of the
    pictures' losses and the number of them that were right. They are summed batch by
    batch, so they do not depend on where a stretch ends.
    """
    import keras
    import tensorflow as tf

    seed, strength = int(values["seed"]), float(values["augmentation"])
    # XLA gathers one pixel at a time: with augmentation the plain graph is eight times as fast.
    xla = variant.compiled_by_xla and not strength

    def train_step(positions: Any) -> Any:
        present = tf.cast(positions >= 0, tf.float32)
        positions = tf.maximum(positions, 0)
        inputs = tf.cast(tf.gather(pixels, positions), tf.float32)
        digits = tf.cast(tf.gather(labels, positions), tf.int32)
        if strength:
            # The optimizer counts the steps of all epochs, and is part of the checkpoint.
            inputs = augment(inputs, strength, [seed, tf.cast(optimizer.iterations, tf.int32)])
        with tf.GradientTape() as tape:
            probabilities = model(inputs, training=True)
            losses = keras.losses.categorical_crossentropy(tf.one_hot(digits, 10), probabilities)
            loss = tf.reduce_sum(losses * present) / tf.reduce_sum(present)
        gradients = tape.gradient(loss, model.trainable_variables)
        optimizer.apply(gradients, model.trainable_variables)
        right = tf.cast(tf.argmax(probabilities, 1, tf.int32) == digits, tf.float32)
        return tf.cast(tf.stack([tf.reduce_sum(losses * present), tf.reduce_sum(right * present)]), tf.float64)

    @tf.function(jit_compile=xla, reduce_retracing=True)
    def run_steps(batches: Any, start: Any, stop: Any, totals: Any) -> Any:
        # Not `tf.range(start, stop)`: XLA would compile anew for each pair of bounds.
        step = start
        while step < stop:
            totals += train_step(batches[step])
            step += 1
        return totals

    return run_steps
