"""One run, from claim to result: all that a worker executes."""

import contextlib
import io
import os
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from mnist_dash.data import Dataset, Split, load_dataset, split
from mnist_dash.errors import MnistDashError, RunStateError, StoreError, TrainingError
from mnist_dash.models import Values, Variant, build, build_optimizer, get_variant
from mnist_dash.prediction import Predictor
from mnist_dash.runs import (
    CHECKPOINT,
    MODEL_KERAS,
    MODEL_TFLITE,
    TEST_LABELS,
    TEST_PROBABILITIES,
    Epoch,
    Progress,
    Result,
    Run,
    RunStore,
)
from mnist_dash.settings import load_settings

_BEAT_S = 0.25
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


def train_run(run_id: int, database_url: str, *, claim: str | None = None) -> None:
    """Trains a run and records every step of it in the store.

    A run that an earlier worker left unfinished goes on from its last epoch. A run
    that is already in other hands is left alone.

    Args:
        run_id: The run.
        database_url: The store that it is in.
        claim: The run's claim, if the caller created it as claimed.
    """
    store = RunStore(database_url)
    try:
        try:
            run = store.get_run(run_id) if claim else store.claim_run(run_id)
        except RunStateError:
            return
        _train_claimed(store, run)
    finally:
        store.close()


def _train_claimed(store: RunStore, run: Run) -> None:
    claim = str(run.claim)
    with _Reporter(store, run.id, claim) as reporter:
        try:
            result, artifacts = _train(store, run, reporter)
            reporter.pause()
            store.finish_run(run.id, claim, result, artifacts)
        except _Stopped:
            reporter.pause()
            if not reporter.lost:
                store.stop_run(run.id, claim)
        except KeyboardInterrupt:
            reporter.pause()
            store.stop_run(run.id, claim)
            raise
        except Exception as error:
            reporter.pause()
            known = isinstance(error, MnistDashError)
            with contextlib.suppress(RunStateError):
                store.fail_run(run.id, claim, str(error) if known else f"{type(error).__name__}: {error}")
            if not known:
                raise


class _Stopped(Exception):  # noqa: N818 - not an error
    """The run was cancelled or taken away."""


class _Reporter(threading.Thread):
    """Beats and reports from a thread of its own, so that training never waits for the store."""

    def __init__(self, store: RunStore, run_id: int, claim: str):
        super().__init__(name=f"run {run_id} reporter", daemon=True)
        self._store, self._run_id, self._claim = store, run_id, claim
        self._ended = threading.Event()
        self._wanted = threading.Event()
        self.lost = False
        self.progress: Progress | None = None

    def run(self) -> None:
        while not self._ended.wait(_BEAT_S):
            try:
                if self._store.beat(self._run_id, self._claim, self.progress):
                    self._wanted.set()
            except RunStateError:
                self.lost = True
                self._wanted.set()
                return
            except StoreError:
                continue  # the database may come back; the next epoch tells

    def report(self, progress: Progress) -> None:
        """Takes the newest progress, and ends the training if that is wanted."""
        self.progress = progress
        if self._wanted.is_set():
            raise _Stopped

    def pause(self) -> None:
        """Ends the beats, before the run's last change."""
        self._ended.set()
        if self.is_alive():
            self.join()

    def __enter__(self) -> "_Reporter":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.pause()


def _train(store: RunStore, run: Run, reporter: _Reporter) -> tuple[Result, dict[str, bytes]]:
    epochs = int(run.settings["epochs"])
    reporter.report(Progress(1, 0, 0, doing="loading TensorFlow"))
    load_tensorflow()
    dataset = _dataset_of(run)
    parts = split(len(dataset.x_train), str(run.settings["validation"]), fold=int(run.settings["fold"]))
    reporter.report(Progress(1, 0, 0, doing="compiling the network"))
    program = CompiledTraining(get_variant(run.variant), run.settings, dataset.x_train, dataset.y_train)

    history = store.list_epochs(run.id)
    checkpoint = store.find_artifact(run.id, CHECKPOINT)
    if checkpoint:
        program.restore(checkpoint)
    for number in range(len(history) + 1, epochs + 1):
        epoch = _train_epoch(program, parts, number, epochs, reporter)
        store.record_epoch(run.id, str(run.claim), epoch, program.checkpoint())
        history.append(epoch)

    reporter.report(Progress(epochs, 1, 1, seconds_left=0.0, doing="testing and saving"))
    return _finish(program, dataset, fit_seconds=sum(epoch.seconds for epoch in history))


def _dataset_of(run: Run) -> Dataset:
    dataset = load_dataset(load_settings())
    if dataset.fingerprint != run.fingerprint:
        raise TrainingError(
            f"Run {run.id} was queued for {run.dataset}, but this worker finds only {dataset.name}. "
            "Give the worker the same MNIST_DASH_DATA as the dashboard, or queue the run again."
        )
    return dataset


def _train_epoch(program: "CompiledTraining", parts: Split, number: int, epochs: int, reporter: _Reporter) -> Epoch:
    started = time.perf_counter()

    def report(progress: Progress) -> None:
        _check_loss(progress.loss or 0.0, number)
        done = progress.step / progress.steps
        left = (time.perf_counter() - started) / done * (epochs - number + 1 - done)
        reporter.report(replace(progress, seconds_left=left))

    loss, accuracy = program.train_epoch(parts.train, number, report=report)
    seconds = time.perf_counter() - started
    _check_loss(loss, number)
    val_loss, val_accuracy = program.evaluate(parts.validation) if len(parts.validation) else (None, None)
    return Epoch(number, loss, accuracy, val_loss, val_accuracy, seconds)


def _check_loss(loss: float, number: int) -> None:
    if not np.isfinite(loss):
        raise TrainingError(
            f"The loss became {loss} in epoch {number}: the weights have run away. "
            "Choose a smaller learning rate and start again."
        )


def _finish(program: "CompiledTraining", dataset: Dataset, *, fit_seconds: float) -> tuple[Result, dict[str, bytes]]:
    loss, accuracy, probabilities = program.test(dataset.x_test, dataset.y_test)
    tflite = program.as_tflite()
    artifacts = {
        MODEL_KERAS: program.as_keras_file(),
        MODEL_TFLITE: tflite,
        TEST_PROBABILITIES: probabilities.astype(np.float16).tobytes(),
        TEST_LABELS: dataset.y_test.tobytes(),
    }
    milliseconds = Predictor(tflite).milliseconds(dataset.x_test[0])
    return Result(loss, accuracy, fit_seconds, program.model.count_params(), milliseconds), artifacts


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
        self._seed = int(values["seed"])
        self._batch_size = min(int(values["batch_size"]), len(x))
        self._steps_per_stretch = 1
        self._run_steps = _compiled_steps(
            self.model, self.optimizer, tf.constant(x), tf.constant(y), self._batch_size, variant.compiled_by_xla
        )
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
        order = np.random.default_rng([self._seed, number]).permutation(positions)
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


def _compiled_steps(model: Any, optimizer: Any, pixels: Any, labels: Any, batch_size: int, xla: bool) -> Any:
    """Returns a function that trains on batches `start` to `stop` of an epoch.

    It takes and returns the epoch's totals so far, (2,) float64: the sum of the
    pictures' losses and the number of them that were right. They are summed batch by
    batch, so they do not depend on where a stretch ends.
    """
    import keras
    import tensorflow as tf

    def train_step(positions: Any) -> Any:
        present = tf.cast(positions >= 0, tf.float32)
        positions = tf.maximum(positions, 0)
        inputs = tf.cast(tf.gather(pixels, positions), tf.float32)
        digits = tf.cast(tf.gather(labels, positions), tf.int32)
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
