"""Dense networks whose weights are stacked: several that differ only in seed or fold, or a single one."""

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import numpy as np

from mnist_dash.networks.hyperparameters import Values
from mnist_dash.networks.keras_model import build, build_optimizer, learning_rate, training_precision
from mnist_dash.networks.variants import Variant
from mnist_dash.worker.chunks import NOT_STARTED, AdaptiveChunks, EpochProgress, in_batches, measured_step
from mnist_dash.worker.compiled import CompiledTraining, constant_of, uses_xla
from mnist_dash.worker.steps import apply_gradients

_WIDEST = 128  # hidden units; XLA spreads the products of wider layers over all cores as it is


def can_be_stacked(variant: Variant, values: Values) -> bool:
    """Says whether runs that differ only in seed or fold are faster side by side than in turn."""
    return uses_xla(variant, values) and int(values["hidden_units"]) <= _WIDEST


class StackedProgram:
    """Several networks with the same dense layers in one program.

    Their weights are stacked, so one matrix product a layer serves all of them. There is one
    such program, with its share of the networks, for each core: XLA itself runs a step of a
    small network on a single core. Each network learns what it would have learnt by itself.

    Args:
        single: An ordinary program for one such network; each is tested and saved with it.
        settings: All settings of each run, which differ in `seed` and `fold` alone.
        x: Training images, shape (n, 28, 28), uint8.
        y: Their digits, shape (n,), uint8.
    """

    def __init__(self, single: CompiledTraining, settings: Sequence[Values], x: np.ndarray, y: np.ndarray):
        pixels, labels = constant_of(x), constant_of(y)
        self._single = single
        self._shares = np.array_split(np.arange(len(settings)), min(len(settings), _cores()))
        self._stacks = [
            _Stack(single.variant, [settings[index] for index in share], pixels, labels) for share in self._shares
        ]
        self._chunks = AdaptiveChunks()

    def restart(self, settings: Sequence[Values]) -> None:
        """Restarts with the initial weights of the seeds; nothing is compiled again."""
        for stack, share in zip(self._stacks, self._shares, strict=True):
            stack.restart([settings[index] for index in share])

    def train_epoch(
        self,
        positions: Sequence[np.ndarray],
        number: int,
        *,
        progress: EpochProgress = NOT_STARTED,
        report: Callable[[Sequence[EpochProgress]], None] = lambda progress: None,
    ) -> list[tuple[float, float]]:
        """Trains each network on its images once, in the order of its seed and this epoch.

        Args:
            positions: Which training images, one array a network, equally long, int32.
            number: The epoch, from 1.
            progress: How far the epoch had come when it was interrupted, if there is one network.
            report: Called about five times a second with how far every network is.

        Returns:
            Mean loss and accuracy of each network.
        """
        batches = self._prepare(positions, number)
        steps, size, n = batches[0].shape[0], batches[0].shape[2], len(positions[0])
        totals = [np.tile([progress.loss, progress.correct], (len(share), 1)) for share in self._shares]
        with ThreadPoolExecutor(len(self._stacks)) as pool:
            for start, stop in self._chunks.of(steps, progress.step):
                totals = list(pool.map(partial(_Stack.run, start=start, stop=stop), self._stacks, batches, totals))
                seen = min(stop * size, n)
                report([EpochProgress(stop, steps, seen, *sums) for sums in np.concatenate(totals).tolist()])
        return [(loss / n, correct / n) for loss, correct in np.concatenate(totals).tolist()]

    def seconds_per_step(self, positions: Sequence[np.ndarray]) -> float:
        """Compiles for an epoch of these images and measures a few of its steps; the weights are moved by them."""
        batches = self._prepare(positions, 1)

        def run(steps: int) -> None:
            for stack, own, share in zip(self._stacks, batches, self._shares, strict=True):
                stack.run(own, np.zeros((len(share), 2)), start=0, stop=steps)

        return measured_step(run, batches[0].shape[0])

    def select(self, index: int) -> CompiledTraining:
        """Returns the program for one network, with the present state of one of them in it."""
        stack, index_in_stack = self._stack_of(index)
        self._single.take_state(stack.state(index_in_stack))
        return self._single

    def resume(self, index: int, state: Sequence[np.ndarray]) -> None:
        """Lets a network go on from what `CompiledTraining.state` returned."""
        stack, index_in_stack = self._stack_of(index)
        stack.take_state(index_in_stack, state)

    def _stack_of(self, index: int) -> tuple["_Stack", int]:
        number = next(number for number, share in enumerate(self._shares) if index in share)
        return self._stacks[number], index - int(self._shares[number][0])

    def _prepare(self, positions: Sequence[np.ndarray], number: int) -> list[Any]:
        return [
            stack.prepare([positions[index] for index in share], number)
            for stack, share in zip(self._stacks, self._shares, strict=True)
        ]


class _Stack:
    """Some of the networks: their weights stacked, their steps one program.

    Matrices are kept transposed, (network, outputs, inputs): then the long side of the first
    layer is the last axis, along which XLA vectorizes, and its gradient is a product
    without a transposed result. That makes a step a fifth faster.
    """

    def __init__(self, variant: Variant, settings: Sequence[Values], pixels: Any, labels: Any):
        import keras

        self._variant = variant
        models = [build(variant, values) for values in settings]
        self._weights = [keras.Variable(stacked) for stacked in _stacked(models)]
        # All these optimizers treat each number by itself, so stacks are no different to them.
        self._optimizer = build_optimizer(variant, settings[0])
        self._optimizer.build(self._weights)
        self._settings = settings
        self._run_steps = _compiled_steps(models[0], settings[0], self._weights, self._optimizer, pixels, labels)

    def restart(self, settings: Sequence[Values]) -> None:
        fresh = [build(self._variant, values) for values in settings]
        for weight, stacked in zip(self._weights, _stacked(fresh), strict=True):
            weight.assign(stacked)
        optimizer = build_optimizer(self._variant, settings[0])
        optimizer.build(self._weights)
        for variable, value in zip(self._optimizer.variables, optimizer.variables, strict=True):
            variable.assign(value)
        self._settings = settings

    def prepare(self, positions: Sequence[np.ndarray], number: int) -> Any:
        """Returns the batches of an epoch, shape (steps, networks, size), int32."""
        import tensorflow as tf

        self._optimizer.learning_rate.assign(learning_rate(self._settings[0], number))
        batches = [
            in_batches(np.random.default_rng([int(values["seed"]), number]).permutation(own), int(values["batch_size"]))
            for values, own in zip(self._settings, positions, strict=True)
        ]
        return tf.constant(np.stack(batches, axis=1))

    def run(self, batches: Any, totals: np.ndarray, *, start: int, stop: int) -> np.ndarray:
        """Trains on some batches; takes and returns sums of losses and correct predictions, shape (networks, 2)."""
        import tensorflow as tf

        trained = self._run_steps(batches, tf.constant(start), tf.constant(stop), tf.constant(totals, tf.float64))
        return np.asarray(trained.numpy())

    def state(self, index: int) -> list[np.ndarray]:
        """Returns a network's state as `CompiledTraining.state` would."""
        values = [np.asarray(variable.numpy()) for variable in self._variables()]
        return [_transposed(value[index]) if value.ndim else value for value in values]

    def take_state(self, index: int, state: Sequence[np.ndarray]) -> None:
        """Goes back to what `state` returned."""
        for variable, value in zip(self._variables(), state, strict=True):
            stacked = np.array(variable.numpy())
            stacked[(index,) if stacked.ndim else ()] = _transposed(value)
            variable.assign(stacked)

    def _variables(self) -> list[Any]:
        # A dense network without dropout has no variables but its weights.
        return [*self._weights, *self._optimizer.variables]


def _stacked(models: Sequence[Any]) -> list[np.ndarray]:
    of_each = [[_transposed(weight.numpy()) for weight in model.trainable_variables] for model in models]
    return [np.stack(weights) for weights in zip(*of_each, strict=True)]


def _transposed(weight: np.ndarray) -> np.ndarray:
    """Transposes a layer's matrix; leaves its biases."""
    return np.ascontiguousarray(weight.T) if weight.ndim == 2 else weight


def _cores() -> int:
    """Returns how many cores this process may use."""
    return int(os.environ.get("TF_NUM_INTRAOP_THREADS") or os.cpu_count() or 1)


def _compiled_steps(model: Any, settings: Values, weights: list[Any], optimizer: Any, pixels: Any, labels: Any) -> Any:
    """Returns a function that trains all networks on batches `start` to `stop` of an epoch.

    It takes batches of shape (steps, networks, size), and takes and returns the epoch's
    totals so far, (networks, 2) float64.
    """
    import keras
    import tensorflow as tf

    def train_step(positions: Any) -> Any:
        present = tf.cast(positions >= 0, tf.float32)
        positions = tf.maximum(positions, 0)
        inputs = tf.cast(tf.gather(pixels, positions), tf.float32)
        digits = tf.cast(tf.gather(labels, positions), tf.int32)
        values = [variable.value for variable in weights]
        with tf.GradientTape() as tape:
            with training_precision(model, settings):
                probabilities = _forward(model.layers, values, inputs)
            losses = keras.losses.categorical_crossentropy(tf.one_hot(digits, 10), probabilities)
            # The networks share no weight, so the gradient of the sum is each one's own.
            loss = tf.reduce_sum(tf.reduce_sum(losses * present, 1) / tf.reduce_sum(present, 1))
        apply_gradients(optimizer, tape.gradient(loss, values), weights)
        correct = tf.cast(tf.argmax(probabilities, 2, tf.int32) == digits, tf.float32)
        return tf.cast(tf.stack([tf.reduce_sum(found * present, 1) for found in (losses, correct)], 1), tf.float64)

    @tf.function(jit_compile=True, reduce_retracing=True)
    def run_steps(batches: Any, start: Any, stop: Any, totals: Any) -> Any:
        step = start
        while step < stop:
            totals += train_step(batches[step])
            step += 1
        return totals

    return run_steps


def _forward(layers: list[Any], weights: list[Any], inputs: Any) -> Any:
    """Returns the probabilities, shape (networks, size, 10).

    Dense layers are calculated for all networks at once; the layers that are left, which
    scale and reshape pixels, take the images of all networks as one batch.
    """
    import tensorflow as tf

    networks, outputs, left = inputs.shape[0], inputs, iter(weights)
    for layer in layers:
        kind = layer.__class__.__name__
        if kind == "Dense":
            kernel, bias, outputs = (tf.cast(part, layer.compute_dtype) for part in (next(left), next(left), outputs))
            outputs = layer.activation(tf.matmul(outputs, kernel, transpose_b=True) + bias[:, None])
        elif kind != "InputLayer":
            merged = layer(tf.reshape(outputs, (-1, *outputs.shape[2:])))
            outputs = tf.reshape(merged, (networks, -1, *merged.shape[1:]))
    return outputs
