"""What several tests of training need: networks by Keras itself, queued runs, and disturbances at a chosen moment."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from mnist_dash.config import SETTINGS, Settings, load_settings
from mnist_dash.datasets.mnist import Dataset
from mnist_dash.inference.weights import read_weights
from mnist_dash.networks.hyperparameters import BFLOAT16
from mnist_dash.networks.keras_model import build, build_optimizer
from mnist_dash.networks.variants import VARIANTS, get_variant
from mnist_dash.store.records import MODEL_KERAS, Epoch, Run
from mnist_dash.store.run_store import RunStore
from mnist_dash.worker.chunks import NOT_STARTED, AdaptiveChunks, EpochProgress
from mnist_dash.worker.compiled import CompiledTraining
from mnist_dash.worker.leased_run import LeasedRun
from mnist_dash.worker.steps import drop_out


def slow(*values: Any) -> Any:
    """A case of a parametrized test that is left for the slow tests."""
    return pytest.param(*values, marks=pytest.mark.slow)


# Programs


def program_of(name: str, sample: Dataset, *, n: int = 4_000, xla: bool | None = None, **settings) -> CompiledTraining:
    """Returns a new program that learns the first `n` pictures of the sample."""
    variant = get_variant(name)
    if xla is not None:
        variant = replace(variant, compiled_by_xla=xla)
    return CompiledTraining(variant, variant.check(settings), sample.x_train[:n], sample.y_train[:n])


def keras_model_of(name: str, **settings) -> Any:
    """Returns the same network, to be trained by Keras; only what is dropped out is drawn by our code."""
    variant = get_variant(name)
    model = build(variant, variant.check(settings))
    if settings.get("precision") == BFLOAT16:
        model = _in_bfloat16(model)
    for layer in model.layers:
        if layer.__class__.__name__ == "Dropout":
            layer.call = lambda inputs, training=False, layer=layer: drop_out(layer, inputs) if training else inputs
    optimizer = build_optimizer(variant, variant.check(settings))
    model.compile(optimizer=optimizer, loss="categorical_crossentropy", metrics=["accuracy"])
    return model


def _in_bfloat16(model: Any) -> Any:
    """Returns a copy whose layers between the pixels and the output were made with Keras' policy mixed_bfloat16."""
    import keras

    def copied(layer: Any) -> Any:
        plain = layer is model.layers[-1] or layer.__class__.__name__ in ("InputLayer", "Rescaling", "Reshape")
        policy = "float32" if plain else "mixed_bfloat16"
        return layer.__class__.from_config({**layer.get_config(), "dtype": policy})

    copy = keras.models.clone_model(model, clone_function=copied)
    copy.set_weights(model.get_weights())
    return copy


def train_on_batch(
    model: Any, sample: Dataset, batch: np.ndarray, *, change: Callable[[np.ndarray], Any] = lambda pictures: pictures
) -> tuple[float, float]:
    """One step by Keras itself: loss and accuracy."""
    labels = np.eye(10, dtype=np.float32)[sample.y_train[batch]]
    logs = model.train_on_batch(change(sample.x_train[batch].astype(np.float32)), labels, return_dict=True)
    return float(logs["loss"]), float(logs["accuracy"])


def epoch_by_keras(model: Any, sample: Dataset, batches: Sequence[np.ndarray]) -> tuple[float, float]:
    """Mean loss and accuracy over the pictures of all batches."""
    loss, accuracy = np.average(
        [train_on_batch(model, sample, batch) for batch in batches], axis=0, weights=[len(batch) for batch in batches]
    )
    return float(loss), float(accuracy)


def weights_of(model: Any) -> list[np.ndarray]:
    return [variable.numpy() for variable in model.trainable_variables]


def assert_equal_to_the_last_bit(some: Sequence[np.ndarray], others: Sequence[np.ndarray]) -> None:
    for one, other in zip(some, others, strict=True):
        np.testing.assert_array_equal(one, other)


@contextmanager
def reporting_every(steps: int) -> Iterator[None]:
    """Has programs report after every so many batches, however fast they are."""

    def chunks(_: AdaptiveChunks, last: int, first: int = 0) -> Iterator[tuple[int, int]]:
        yield from ((start, min(start + steps, last)) for start in range(first, last, steps))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(AdaptiveChunks, "of", chunks)
        yield


class Interrupted(Exception):  # noqa: N818 - not an error
    """The end of a stretch at which a test leaves an epoch."""


def interrupt_at(
    program: CompiledTraining, positions: np.ndarray, number: int, step: int, *, progress: EpochProgress = NOT_STARTED
) -> EpochProgress:
    """Trains an epoch until `step` of its batches are done; returns how far it is."""
    found = []

    def report(progress: EpochProgress) -> None:
        if progress.step == step:
            found.append(progress)
            raise Interrupted

    with reporting_every(1), pytest.raises(Interrupted):
        program.train_epoch(positions, number, progress=progress, report=report)
    return found[0]


# Runs


def settings_of(store: RunStore) -> Settings:
    """Returns the settings of this process, for this store."""
    return replace(load_settings(), database_url=store.database_url)


def with_unusable_environment(patch: pytest.MonkeyPatch) -> None:
    """Sets every variable of ours so that whoever reads or uses it fails."""
    for setting in SETTINGS:
        patch.setenv(setting.name, "unusable")


def queue(store: RunStore, sample: Dataset, variant: str = "dense-32", **settings) -> Run:
    checked = VARIANTS[variant].check(settings)
    return store.create_run(variant, checked, dataset=sample.name, fingerprint=sample.fingerprint)


def history(store: RunStore, run: Run) -> list[Epoch]:
    """Returns a run's epochs without how long they took."""
    return [replace(epoch, seconds=0) for epoch in store.list_epochs(run.id)]


def final_weights(store: RunStore, run: Run) -> list[np.ndarray]:
    layers = read_weights(store.read_artifact(run.id, MODEL_KERAS))
    return [array for layer in layers for array in (layer.kernel, layer.bias)]


def assert_ended_alike(store: RunStore, run: Run, other: Run) -> None:
    """Two runs had the same epochs, each once, and have the same weights and result, to the last bit."""
    epochs = history(store, run)
    assert [epoch.number for epoch in epochs] == list(range(1, len(epochs) + 1))
    assert epochs == history(store, other)
    assert_equal_to_the_last_bit(final_weights(store, run), final_weights(store, other))
    one, another = store.get_run(run.id), store.get_run(other.id)
    assert (one.status, one.test_loss, one.test_accuracy) == (
        another.status,
        another.test_loss,
        another.test_accuracy,
    )


def wait_until(true: Callable[[], object], *, timeout_s: float = 180.0) -> None:
    deadline = time.monotonic() + timeout_s
    while not true():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)


# Disturbances


class Killed(BaseException):
    """A worker's death, as far as a test can have it without dying itself: nothing more is said or written."""


def killed(*_: object) -> None:
    raise Killed


def paused(run: LeasedRun, _: object) -> None:
    run.store.pause_run(run.run.id)
    wait_until(lambda: run.run.id in run.heartbeat.requested)


def cancelled(run: LeasedRun, _: object) -> None:
    run.store.cancel_run(run.run.id)
    wait_until(lambda: run.run.id in run.heartbeat.requested)


@contextmanager
def at(moments: Mapping[tuple[int, int], Callable[[LeasedRun, Any], None]], *, of: Run | None = None) -> Iterator[None]:
    """Lets something happen in a worker, once, when (epoch, step) has been reached.

    Workers report after every ten steps meanwhile, however fast they are.

    Args:
        moments: What happens when that many batches of that epoch are done; called with
            the run and what returns its state.
        of: Only to this run.
    """
    left, on_progress = dict(moments), LeasedRun.on_progress

    def disturbed(
        run: LeasedRun, progress: EpochProgress, seconds: float, state: Callable[[], Sequence[np.ndarray]]
    ) -> None:
        for epoch, step in sorted(left):
            applies = of is None or run.run.id == of.id
            if applies and len(run.history) + 1 == epoch and progress.step >= step:
                left.pop((epoch, step))(run, state)
                break
        on_progress(run, progress, seconds, state)

    with reporting_every(10), pytest.MonkeyPatch.context() as patch:
        patch.setattr(LeasedRun, "on_progress", disturbed)
        yield
    assert not left, f"never reached: {left}"
