"""Training as one compiled program: Keras' layers, losses and optimizers without its Python loop."""

import os
import tempfile
import weakref
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from mnist_dash.networks.augmentation import augment
from mnist_dash.networks.handwriting_styles import add_strokes
from mnist_dash.networks.hyperparameters import Values
from mnist_dash.networks.keras_model import build, build_optimizer, learning_rate, training_precision
from mnist_dash.networks.variants import Variant, changes_images
from mnist_dash.worker.chunks import NOT_STARTED, AdaptiveChunks, EpochProgress, Report, in_batches, measured_step
from mnist_dash.worker.steps import update
from mnist_dash.worker.tflite import TfliteFiles

_EVALUATION_BATCH = 1_000


def load_tensorflow() -> Any:
    """Imports TensorFlow, which takes seconds, and returns it."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    import tensorflow

    for gpu in tensorflow.config.list_physical_devices("GPU"):
        tensorflow.config.experimental.set_memory_growth(gpu, True)  # else the first worker takes all of it
    # Same seed, same weights: some kernels add up in the order in which threads arrive.
    tensorflow.config.experimental.enable_op_determinism()
    return tensorflow


_constants: dict[int, Any] = {}


def constant_of(array: np.ndarray) -> Any:
    """Returns images or labels as a constant of TensorFlow, one for all programs, for as long as the array is kept."""
    if id(array) not in _constants:
        _constants[id(array)] = load_tensorflow().constant(array)
        weakref.finalize(array, _constants.pop, id(array)).atexit = False
    return _constants[id(array)]


def uses_xla(variant: Variant, values: Values) -> bool:
    """Says whether XLA makes a network's steps faster.

    On a CPU it gathers the pixels of augmentation one by one, eight times slower than the
    plain graph, and draws dropout's random numbers up to twenty times slower.
    """
    return variant.compiled_by_xla and not changes_images(values) and not values["dropout"]


class CompiledTraining:
    """An ordinary Keras model whose epochs run as one compiled program.

    A Python loop over batches, as in `model.fit`, spends most of a small network's
    time between the batches. Here one `tf.function` runs over whole chunks of them:
    it gathers shuffled images from one constant, scales them in the graph and
    applies Keras' own layers, loss and optimizer. The last, smaller batch is filled up
    with images of weight zero, so that one compilation serves all batches.

    Args:
        variant: The network.
        values: All settings of the run.
        x: Training images, shape (n, 28, 28), uint8.
        y: Their digits, shape (n,), uint8.
    """

    def __init__(self, variant: Variant, values: Values, x: np.ndarray, y: np.ndarray):
        tf = load_tensorflow()
        self.model = build(variant, values)
        self.optimizer = build_optimizer(variant, values)
        self.optimizer.build(self.model.trainable_variables)
        self.variant, self.values = variant, values
        self._x, self._y = x, y
        self._seed = tf.Variable(int(values["seed"]), trainable=False, dtype=tf.int32)
        self.chunks = AdaptiveChunks()
        self._run_steps = self._compiled_steps(constant_of(x), constant_of(y))
        self._test_batch = _compiled_test(self.model)
        self._tflite_files = TfliteFiles(self.model)

    def restart(self, values: Values) -> None:
        """Restarts with the initial weights of a seed; nothing is compiled again.

        Args:
            values: All settings of the next run; those in `STRUCTURAL` must be as they were.
        """
        fresh = build(self.variant, values)
        optimizer = build_optimizer(self.variant, values)
        optimizer.build(fresh.trainable_variables)
        for variable, new in zip(self._variables(), [*fresh.variables, *optimizer.variables], strict=True):
            variable.assign(new)
        self._seed.assign(int(values["seed"]))
        self.values = values

    def train_epoch(
        self,
        positions: np.ndarray,
        number: int,
        *,
        progress: EpochProgress = NOT_STARTED,
        report: Report = lambda progress: None,
    ) -> tuple[float, float]:
        """Trains on all images at `positions` once, in the order of this seed and epoch.

        Args:
            positions: Which training images, shape (m,), int32.
            number: The epoch, from 1; decides the order together with the run's seed.
            progress: How far the epoch had come when it was interrupted.
            report: Called about five times a second how far the epoch is.

        Returns:
            Mean loss and accuracy over the images, each as it was when its batch
            was trained, as Keras reports them.
        """
        order = np.random.default_rng([int(self.values["seed"]), number]).permutation(positions)
        self.optimizer.learning_rate.assign(learning_rate(self.values, number))
        return self.train_in_order(order, progress=progress, report=report)

    def train_in_order(
        self, order: np.ndarray, *, progress: EpochProgress = NOT_STARTED, report: Report = lambda progress: None
    ) -> tuple[float, float]:
        """Trains on the images in exactly this order; else like `train_epoch`."""
        import tensorflow as tf

        batches = tf.constant(in_batches(order, int(self.values["batch_size"])))
        loss, correct = progress.loss, progress.correct
        totals = tf.constant([loss, correct], tf.float64)
        for start, stop in self.chunks.of(len(batches), progress.step):
            totals = self._run_steps(batches, tf.constant(start), tf.constant(stop), totals)
            loss, correct = totals.numpy().tolist()
            report(EpochProgress(stop, len(batches), min(stop * batches.shape[1], len(order)), loss, correct))
        return loss / len(order), correct / len(order)

    def seconds_per_step(self, positions: np.ndarray) -> float:
        """Compiles for an epoch of these images and measures a few of its steps; the weights are moved by them."""
        import tensorflow as tf

        batches = tf.constant(in_batches(positions, int(self.values["batch_size"])))
        totals = tf.zeros(2, tf.float64)

        def run(steps: int) -> None:
            self._run_steps(batches, tf.constant(0), tf.constant(steps), totals).numpy()

        return measured_step(run, len(batches))

    def evaluate(self, positions: np.ndarray) -> tuple[float, float]:
        """Returns mean loss and accuracy on the training images at `positions`."""
        loss, accuracy, _ = self.test(self._x[positions], self._y[positions])
        return loss, accuracy

    def test(self, images: np.ndarray, labels: np.ndarray) -> tuple[float, float, np.ndarray]:
        """Tests the network, with nothing dropped.

        Args:
            images: Shape (n, 28, 28), uint8.
            labels: Their digits, shape (n,), uint8.

        Returns:
            Mean loss, accuracy in [0, 1], and the probabilities of the ten digits, shape
            (n, 10), float32.
        """
        starts = range(0, len(images), _EVALUATION_BATCH)
        batches = [slice(start, start + _EVALUATION_BATCH) for start in starts]
        tested = [self._test_batch(images[batch], labels[batch]) for batch in batches]
        losses, probabilities = (
            np.concatenate([part.numpy() for part in parts]) for parts in zip(*tested, strict=True)
        )
        correct = probabilities.argmax(1) == labels
        return float(losses.mean(dtype=np.float64)), float(correct.mean()), probabilities

    def state(self) -> list[np.ndarray]:
        """Returns everything that training goes on from: weights, random state, optimizer."""
        return [np.asarray(variable.numpy()) for variable in self._variables()]

    def take_state(self, state: Sequence[np.ndarray]) -> None:
        """Goes back to what `state` returned, or to the weights alone that it starts with."""
        for variable, array in zip(self._variables(), state, strict=False):
            variable.assign(array)

    def first_kernel(self) -> np.ndarray:
        """Returns the kernel of the first layer that has one."""
        return np.asarray(next(layer.kernel for layer in self.model.layers if layer.weights).numpy())

    def weights(self) -> list[np.ndarray]:
        """Returns the beginning of `state` without the optimizer: all that predicting needs."""
        return self.state()[: len(self.model.variables)]

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
        return self._tflite_files.content()

    def _compiled_steps(self, pixels: Any, labels: Any) -> Any:
        """Returns a function that trains on batches `start` to `stop` of an epoch.

        It takes and returns the epoch's totals so far, (2,) float64: the sum of the
        images' losses and the number of correct predictions. They are summed batch by
        batch, so they do not depend on where a chunk ends.
        """
        import tensorflow as tf

        strength, styled = (float(self.values[name]) for name in ("augmentation", "handwriting_styles"))

        def train_step(positions: Any) -> Any:
            present = tf.cast(positions >= 0, tf.float32)
            positions = tf.maximum(positions, 0)
            inputs, digits = tf.cast(tf.gather(pixels, positions), tf.float32), tf.gather(labels, positions)
            # The optimizer counts the steps of all epochs, and is part of the checkpoint.
            seed = [self._seed, tf.cast(self.optimizer.iterations, tf.int32)]
            if styled:
                inputs = add_strokes(inputs, digits, styled, seed)
            if strength:
                inputs = augment(inputs, strength, seed)
            with training_precision(self.model, self.values):
                return update(self.model, self.optimizer, inputs, digits, present)

        @tf.function(jit_compile=uses_xla(self.variant, self.values), reduce_retracing=True)
        def run_steps(batches: Any, start: Any, stop: Any, totals: Any) -> Any:
            # Not `tf.range(start, stop)`: XLA would compile again for each pair of bounds.
            step = start
            while step < stop:
                totals += train_step(batches[step])
                step += 1
            return totals

        return run_steps


def _compiled_test(model: Any) -> Any:
    """Returns a function from images and labels to each image's loss and probabilities."""
    import keras
    import tensorflow as tf

    @tf.function(input_signature=[tf.TensorSpec((None, 28, 28), tf.uint8), tf.TensorSpec((None,), tf.uint8)])
    def test_batch(pixels: Any, labels: Any) -> Any:
        probabilities = model(tf.cast(pixels, tf.float32), training=False)
        # In a graph Keras goes back to the numbers before the softmax, so nothing is clipped.
        return keras.losses.categorical_crossentropy(tf.one_hot(labels, 10), probabilities), probabilities

    return test_batch
