"""Runs that a worker holds: from lease to result, and everything that may come in between."""

import signal
import subprocess
import sys
import threading
import time
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import psutil
import pytest

from mnist_dash.analysis.test_predictions import of_run
from mnist_dash.config import load_settings
from mnist_dash.inference.predictor import Predictor
from mnist_dash.inference.snapshots import read_snapshots
from mnist_dash.inference.weights import read_weights
from mnist_dash.networks.variants import VARIANTS
from mnist_dash.store.continuation import continue_run
from mnist_dash.store.custom_datasets import CustomDatasets
from mnist_dash.store.records import (
    BEST_WEIGHTS,
    CANCELLED,
    CHECKPOINT,
    DONE,
    FAILED,
    MODEL_KERAS,
    MODEL_TFLITE,
    PAUSED,
    QUEUED,
    RUNNING,
    SNAPSHOTS,
    TEST_LABELS,
    TEST_PROBABILITIES,
    Epoch,
)
from mnist_dash.store.run_leases import RunLeases
from mnist_dash.store.run_store import RunStore
from mnist_dash.store.visitors import Limits, Visitor
from mnist_dash.worker import compiled
from mnist_dash.worker.checkpoints import Checkpoint
from mnist_dash.worker.device import processor
from mnist_dash.worker.leased_run import LeasedRun
from mnist_dash.worker.stacked import StackedProgram
from mnist_dash.worker.training import train_run, train_runs
from tests.support.datasets import custom_dataset
from tests.support.learning import (
    Killed,
    assert_ended_alike,
    at,
    cancelled,
    final_weights,
    history,
    keras_model_of,
    killed,
    paused,
    queue,
    settings_of,
    slow,
    wait_until,
    with_unusable_environment,
)

TRAIN_RUN = """
import sys

from mnist_dash.config import load_settings
from mnist_dash.worker.training import train_run, train_runs

train_run(int(sys.argv[1]), load_settings({"MNIST_DASH_DATABASE_URL": sys.argv[2]}))
"""
SMALL = {"epochs": 3, "batch_size": 4, "hidden_units": 8, "train_part": 0.1, "validation": "holdout"}  # 92 steps


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """A store that the tests of this module share, because each training takes seconds."""
    opened = RunStore(f"sqlite:///{tmp_path_factory.mktemp('runs') / 'runs.sqlite'}")
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def finished(runs, sample):
    run = queue(runs, sample, epochs=10, validation="holdout")
    train_run(run.id, settings_of(runs))
    return runs.get_run(run.id)


@pytest.fixture(scope="module")
def stored_probabilities(runs, finished):
    return np.frombuffer(runs.read_artifact(finished.id, TEST_PROBABILITIES), np.float16).reshape(-1, 10)


def test_a_finished_run_is_done_and_plausible(finished):
    assert (finished.status, finished.error, finished.attempt) == (DONE, None, 1)
    assert 0.85 < finished.test_accuracy < 0.97
    assert 0.1 < finished.test_loss < 0.6
    assert finished.weights == 25_450
    assert 0 < finished.prediction_ms < 50
    assert finished.created_at <= finished.started_at <= finished.finished_at


def test_a_run_says_what_it_was_trained_on(finished):
    assert finished.device == processor().name


def test_every_epoch_of_a_run_is_recorded_with_its_validation(runs, finished):
    epochs = runs.list_epochs(finished.id)

    assert [epoch.number for epoch in epochs] == list(range(1, 11))
    assert epochs[-1].loss < epochs[0].loss / 2
    assert all(0.5 < epoch.val_accuracy < 1 and epoch.val_loss > 0 for epoch in epochs)
    assert sum(epoch.seconds for epoch in epochs) == pytest.approx(finished.fit_seconds)


def test_a_finished_run_keeps_its_last_checkpoint_to_be_continued(runs, finished):
    kept = Checkpoint.from_bytes(runs.read_artifact(finished.id, CHECKPOINT))

    for array, expected in zip(kept.state[:4], final_weights(runs, finished), strict=True):
        np.testing.assert_array_equal(array, expected)


def test_the_test_accuracy_follows_from_the_stored_probabilities_and_labels(
    runs, finished, stored_probabilities, sample
):
    labels = np.frombuffer(runs.read_artifact(finished.id, TEST_LABELS), np.uint8)

    right = stored_probabilities.argmax(1) == labels

    np.testing.assert_array_equal(labels, sample.y_test)
    assert right.mean() == pytest.approx(finished.test_accuracy, abs=0.001)  # float16 may make a tie
    np.testing.assert_allclose(stored_probabilities.sum(1, dtype=np.float64), 1, atol=0.002)


def test_without_tensorflow_a_run_predicts_what_it_stored(runs, finished, stored_probabilities, sample):
    predictor = Predictor(runs.read_artifact(finished.id, MODEL_TFLITE))

    activations = predictor.activations(sample.x_test)

    assert [part.shape for part in activations] == [(1_000, 32), (1_000, 10)]
    np.testing.assert_allclose(activations[-1], stored_probabilities, atol=0.0005, rtol=0.001)
    np.testing.assert_array_equal(predictor.probabilities(sample.x_test[7:8])[0], activations[-1][7])


def test_the_stored_keras_file_predicts_the_same_for_anyone_who_loads_it(runs, finished, sample, tmp_path):
    import keras

    file = tmp_path / "model.keras"
    file.write_bytes(runs.read_artifact(finished.id, MODEL_KERAS))
    litert = Predictor(runs.read_artifact(finished.id, MODEL_TFLITE))

    model = keras.models.load_model(file)

    predicted = model.predict(sample.x_test.astype(np.float32), verbose=0)
    np.testing.assert_allclose(predicted, litert.probabilities(sample.x_test), atol=1e-5)


def test_the_weights_can_be_read_without_tensorflow(runs, finished, sample):
    hidden, output = read_weights(runs.read_artifact(finished.id, MODEL_KERAS))
    pixels = sample.x_test.reshape(-1, 784) / 255
    logits = np.maximum(pixels @ hidden.kernel + hidden.bias, 0) @ output.kernel + output.bias

    accuracy = (logits.argmax(1) == sample.y_test).mean()

    assert (hidden.name, output.name) == ("hidden", "probabilities")
    assert accuracy == finished.test_accuracy


def test_a_run_another_worker_holds_or_that_has_ended_is_left_alone(runs, finished, sample):
    taken = queue(runs, sample)
    leased = RunLeases(runs).acquire(taken.id)

    train_run(taken.id, settings_of(runs))
    train_run(finished.id, settings_of(runs))

    assert runs.get_run(taken.id) == leased
    assert runs.get_run(finished.id) == finished


def test_a_run_that_its_creator_holds_is_trained_by_its_creator(runs, sample):
    run = runs.create_run(
        "dense-32",
        VARIANTS["dense-32"].check({"epochs": 1}),
        dataset=sample.name,
        fingerprint=sample.fingerprint,
        leased=True,
    )

    train_run(run.id, settings_of(runs), lease=run.lease)

    assert runs.get_run(run.id).status == DONE


@pytest.mark.parametrize("name", [slow("dense-512"), slow("cnn-augmented")])
def test_a_run_with_augmentation_and_schedule_learns_to_read_and_can_be_used_like_any_other(name, runs, sample):
    settings = {"epochs": 2, "batch_size": 32, "hidden_units": 64, "augmentation": 1.0, "schedule": "cosine"}
    run = queue(runs, sample, name, validation="holdout", **settings)

    train_run(run.id, settings_of(runs))

    finished, epochs = runs.get_run(run.id), runs.list_epochs(run.id)
    assert (finished.status, finished.error) == (DONE, None)
    # Changed pictures are harder to read than those that it validates and is tested on.
    assert epochs[0].accuracy < epochs[1].accuracy < epochs[1].val_accuracy
    assert finished.test_accuracy > (0.9 if name == "cnn-augmented" else 0.7)
    predictor = Predictor(runs.read_artifact(run.id, MODEL_TFLITE))
    assert (predictor.probabilities(sample.x_test).argmax(1) == sample.y_test).mean() == finished.test_accuracy


# Runs that end otherwise


@pytest.mark.parametrize(("variant", "batch_size"), [("dense-32", 32), ("cnn", 128)])
def test_a_cancelled_run_stops_within_two_seconds(variant, batch_size, runs, sample):
    run = queue(runs, sample, variant, epochs=1_000, batch_size=batch_size)
    asked = []

    def cancel_in_mid_training():
        wait_until(lambda: (found := runs.get_run(run.id).progress) is not None and found.step > 0)
        runs.cancel_run(run.id)
        asked.append(time.monotonic())

    thread = threading.Thread(target=cancel_in_mid_training)
    thread.start()
    train_run(run.id, settings_of(runs))
    stopped = time.monotonic()
    thread.join()

    assert stopped - asked[0] < 2
    assert runs.get_run(run.id).status == CANCELLED
    assert runs.find_artifact(run.id, CHECKPOINT) is None


def test_a_run_whose_weights_run_away_fails_in_words(runs, sample):
    # Past the range of the form: within it these networks lose their way, but not their numbers.
    settings = {**VARIANTS["dense-32"].check({}), "learning_rate": 1e30}
    run = runs.create_run("dense-32", settings, dataset=sample.name, fingerprint=sample.fingerprint)

    train_run(run.id, settings_of(runs))

    failed = runs.get_run(run.id)
    assert failed.status == FAILED
    assert "Training diverged: the loss became nan in epoch 1." in failed.error
    assert "smaller learning rate" in failed.error


RUNS_AWAY = {
    "hidden_layers": 5,
    "activation": "linear",
    "pixel_scaling": "0-255",
    "optimizer": "sgd",
    "learning_rate": 10,
    "batch_size": 4_096,
    "epochs": 2,
}


@pytest.mark.parametrize("validation", ["none", slow("holdout")])
def test_a_run_whose_weights_run_away_in_its_very_last_step_fails_too(validation, runs, sample):
    run = queue(runs, sample, **RUNS_AWAY, validation=validation)  # two steps, each with a loss that is a number

    train_run(run.id, settings_of(runs))

    failed = runs.get_run(run.id)
    assert failed.status == FAILED
    assert "Training diverged: the loss became nan in epoch 2." in failed.error
    assert failed.test_accuracy is None


def test_a_run_queued_for_other_data_fails_in_words(runs):
    run = runs.create_run("dense-32", VARIANTS["dense-32"].check({}), dataset="mnist", fingerprint="of the full MNIST")

    train_run(run.id, settings_of(runs))

    failed = runs.get_run(run.id)
    assert failed.status == FAILED
    assert failed.error.startswith(f"Run {run.id} was queued for mnist, but this worker finds only mnist-sample.")
    assert "MNIST_DASH_DATA" in failed.error


def test_a_run_on_custom_data_learns_it_and_is_tested_on_its_own_test_images(runs):
    data = custom_dataset("Pets")
    CustomDatasets(runs).add(data, Visitor("ann", Limits()))
    known = {"dataset": "Pets", "fingerprint": data.fingerprint, "info": data.info}
    settings = VARIANTS["dense-32"].check({"epochs": 60, "batch_size": 10})
    run = runs.create_run("dense-32", settings, **known)

    train_run(run.id, settings_of(runs))

    done = runs.get_run(run.id)
    assert (done.status, done.error) == (DONE, None)
    assert runs.read_artifact(run.id, TEST_LABELS) == data.y_test.tobytes()
    assert runs.list_epochs(run.id)[-1].accuracy > 0.9  # it has learned these fifty images, which are noise
    assert of_run(done).n == 10


def test_a_run_keeps_the_first_layers_weights_from_before_training_to_its_model(runs, sample):
    run = queue(runs, sample, epochs=3)

    train_run(run.id, settings_of(runs))

    kept = read_snapshots(runs.read_artifact(run.id, SNAPSHOTS))
    model = read_weights(runs.read_artifact(run.id, MODEL_KERAS))[0].kernel
    before = compiled.CompiledTraining(VARIANTS["dense-32"], run.settings, sample.x_train, sample.y_train)
    assert kept.epochs.tolist() == [0, 1, 2, 3]
    np.testing.assert_allclose(kept.kernels[0], before.first_kernel(), atol=1e-3)
    np.testing.assert_allclose(kept.kernels[-1], model, atol=1e-3)
    assert runs.read_artifact(continue_run(runs, run.id, 4).id, SNAPSHOTS) == kept.as_bytes()


def test_a_run_whose_custom_data_was_removed_fails_in_words(runs):
    data = custom_dataset("Gone", seed=9)
    known = {"dataset": "Gone", "fingerprint": data.fingerprint, "info": data.info}
    run = runs.create_run("dense-32", VARIANTS["dense-32"].check({}), **known)

    train_run(run.id, settings_of(runs))

    assert runs.get_run(run.id).status == FAILED
    assert "was queued for Gone" in runs.get_run(run.id).error


def test_a_run_of_an_unknown_variant_fails_in_words(runs, sample):
    run = runs.create_run(
        "dense-33", VARIANTS["dense-32"].check({}), dataset=sample.name, fingerprint=sample.fingerprint
    )

    train_run(run.id, settings_of(runs))

    assert runs.get_run(run.id).status == FAILED
    assert "There is no variant “dense-33”" in runs.get_run(run.id).error


def test_a_worker_whose_run_was_given_to_another_stops_and_changes_nothing(runs, sample):
    run = queue(runs, sample, epochs=1_000)
    second = []

    def lost():  # not at once, if a heartbeat comes between
        RunLeases(runs).requeue_lost(lost_after_s=-1)
        return runs.get_run(run.id).status == QUEUED

    def give_to_another():
        wait_until(lambda: runs.list_epochs(run.id))
        wait_until(lost)
        second.append(RunLeases(runs).acquire(run.id))

    thread = threading.Thread(target=give_to_another)
    thread.start()
    train_run(run.id, settings_of(runs))
    thread.join()

    assert runs.get_run(run.id).status == RUNNING
    assert runs.get_run(run.id).lease == second[0].lease
    RunLeases(runs).stop(run.id, second[0].lease, CANCELLED, {})


@pytest.mark.slow
def test_a_run_killed_in_mid_training_ends_with_the_weights_of_an_undisturbed_one(runs, sample):
    settings = {"epochs": 30, "batch_size": 4, "seed": 11, "validation": "holdout"}
    undisturbed, killed_run = queue(runs, sample, **settings), queue(runs, sample, **settings)
    command = [sys.executable, "-c", TRAIN_RUN, str(killed_run.id), runs.database_url]

    with subprocess.Popen(command) as worker:
        wait_until(lambda: len(runs.list_epochs(killed_run.id)) >= 2 or worker.poll() is not None)
        worker.send_signal(signal.SIGKILL)
    at_its_death = runs.get_run(killed_run.id), len(runs.list_epochs(killed_run.id))
    RunLeases(runs).requeue_lost(lost_after_s=0)
    requeued = runs.get_run(killed_run.id)
    for run in (killed_run, undisturbed):
        train_run(run.id, settings_of(runs))

    assert at_its_death[0].status == RUNNING
    assert 2 <= at_its_death[1] < 30
    assert requeued.status == QUEUED
    assert runs.get_run(killed_run.id).attempt == 2
    assert len(history(runs, killed_run)) == 30
    assert_ended_alike(runs, killed_run, undisturbed)


@pytest.fixture(scope="module")
def undisturbed(runs, sample):
    run = queue(runs, sample, **SMALL)
    train_run(run.id, settings_of(runs))
    return runs.get_run(run.id)


# Pauses

PAUSABLE = {
    "dense, by XLA": ("dense-32", {}),
    "dense with dropout": ("dense-32", {"dropout": 0.3, "optimizer": "adam"}),
    "dense with augmentation": ("dense-512", {"augmentation": 1.0, "schedule": "cosine"}),
    "cnn with dropout": ("cnn", {"filters": 2, "optimizer": "momentum"}),
}


@pytest.mark.parametrize(
    ("variant", "settings"),
    [("dense-32", {}), *(slow(*case) for case in list(PAUSABLE.values())[1:])],
    ids=PAUSABLE,
)
def test_a_run_that_is_paused_in_mid_epoch_and_killed_ends_with_the_weights_of_an_undisturbed_one(
    variant, settings, runs, sample
):
    whole, run = (queue(runs, sample, variant, **SMALL, **settings) for _ in range(2))
    train_run(whole.id, settings_of(runs))
    epoch_progress = []

    for moment in ((1, 10), (2, 30), (2, 60), (2, 92)):  # the last is after the last batch
        with at({moment: paused}):
            train_run(run.id, settings_of(runs))
        assert runs.get_run(run.id).status == PAUSED
        epoch_progress.append(Checkpoint.from_bytes(runs.read_artifact(run.id, CHECKPOINT)).progress)
        runs.resume_run(run.id)
    with at({(3, 30): killed}), pytest.raises(Killed):
        train_run(run.id, settings_of(runs))
    RunLeases(runs).requeue_lost(lost_after_s=-1)
    train_run(run.id, settings_of(runs))

    assert [(part.step, part.steps, part.seen) for part in epoch_progress] == [
        (10, 92, 40),
        (30, 92, 120),
        (60, 92, 240),
        (92, 92, 367),
    ]
    assert len(history(runs, run)) == 3
    assert_ended_alike(runs, run, whole)


def test_a_worker_that_is_to_end_keeps_where_it_is_and_another_goes_on_from_there(runs, sample):
    whole, run = (queue(runs, sample, **SMALL) for _ in range(2))
    train_run(whole.id, settings_of(runs))
    told: list[bool] = []

    def tell(leased: LeasedRun, _: object) -> None:
        told.append(True)
        wait_until(lambda: leased.heartbeat.requested)

    with at({(2, 30): tell}):
        train_runs([run.id], settings_of(runs), leaving=lambda: bool(told))
    left = runs.get_run(run.id)
    progress = Checkpoint.from_bytes(runs.read_artifact(run.id, CHECKPOINT)).progress
    train_run(run.id, settings_of(runs))

    assert (left.status, left.lost, progress.step) == (QUEUED, 0, 30)
    assert runs.get_run(run.id).attempt == 2
    assert_ended_alike(runs, run, whole)


def test_what_was_asked_for_while_a_worker_ends_is_done(runs, sample):
    for ask, status in ((runs.cancel_run, CANCELLED), (runs.pause_run, PAUSED)):
        run = queue(runs, sample, **SMALL)
        told: list[bool] = []

        def tell(leased: LeasedRun, _: object, told=told, ask=ask) -> None:
            told.append(True)
            wait_until(lambda: leased.heartbeat.requested)
            ask(leased.run.id)

        with at({(2, 30): tell}):
            train_runs([run.id], settings_of(runs), leaving=lambda told=told: bool(told))

        assert runs.get_run(run.id).status == status


def test_the_time_before_a_pause_counts_and_the_pause_does_not(runs, sample):
    run = queue(runs, sample, **SMALL)

    with at({(2, 50): lambda run, _: time.sleep(0.5), (2, 60): paused}):
        train_run(run.id, settings_of(runs))
    before = Checkpoint.from_bytes(runs.read_artifact(run.id, CHECKPOINT)).seconds
    asleep = time.monotonic()
    time.sleep(1.0)
    runs.resume_run(run.id)
    pause = time.monotonic() - asleep
    train_run(run.id, settings_of(runs))
    finished = time.monotonic()

    assert before >= 0.5
    seconds = runs.list_epochs(run.id)[1].seconds
    assert before < seconds < before + (finished - asleep) - pause


def test_a_pause_that_is_taken_back_in_time_changes_nothing(runs, sample, undisturbed):
    run = queue(runs, sample, **SMALL)

    def pause_and_resume(leased, _):
        paused(leased, None)
        runs.resume_run(run.id)
        wait_until(lambda: run.id not in leased.heartbeat.requested)

    with at({(2, 30): pause_and_resume}):
        train_run(run.id, settings_of(runs))

    assert_ended_alike(runs, run, undisturbed)


@pytest.mark.slow
def test_a_cancelled_run_keeps_its_epochs_but_nothing_to_go_on_from(runs, sample):
    run = queue(runs, sample, **SMALL)

    with at({(2, 30): cancelled}):
        train_run(run.id, settings_of(runs))

    assert runs.get_run(run.id).status == CANCELLED
    assert len(runs.list_epochs(run.id)) == 1
    assert runs.find_artifact(run.id, CHECKPOINT) is None


# Early stopping


def keras_stops_after(val_losses, patience) -> int:
    """Returns how many epochs Keras' own EarlyStopping lets pass; all of them, if it does not stop."""
    import keras

    callback = keras.callbacks.EarlyStopping(monitor="val_loss", mode="min", patience=patience)
    model = SimpleNamespace(stop_training=False)
    callback.set_model(model)
    callback.on_train_begin()
    for number, val_loss in enumerate(val_losses):
        callback.on_epoch_end(number, {"val_loss": val_loss})
        if model.stop_training:
            return number + 1
    return len(val_losses)


def test_patience_ends_where_that_of_keras_ends(runs, finished):
    draw = np.random.default_rng(8)

    for _ in range(100):
        length, patience = int(draw.integers(1, 20)), int(draw.integers(1, 6))
        val_losses = draw.integers(1, 8, length) / 4  # with many equal ones
        run = LeasedRun(
            replace(finished, settings={**finished.settings, "epochs": length, "patience": patience}),
            runs,
            None,
            load_settings(),
            None,
        )
        for number, val_loss in enumerate(val_losses, start=1):
            run.history.append(Epoch(number, 1.0, 0.5, float(val_loss), 0.5, 1.0))
            if run.is_complete():
                break
        assert len(run.history) == keras_stops_after(val_losses, patience), (val_losses, patience)


STOPPING = {**SMALL, "epochs": 40, "batch_size": 16, "hidden_units": 32, "learning_rate": 0.02, "optimizer": "adam"}


@pytest.fixture(scope="module")
def stopped_early(runs, sample):
    run = queue(runs, sample, **STOPPING, patience=3)
    train_run(run.id, settings_of(runs))
    return runs.get_run(run.id)


def test_a_run_stops_in_the_epoch_in_which_keras_would_stop_it(runs, sample, stopped_early):
    patient = queue(runs, sample, **{**STOPPING, "epochs": 30})
    train_run(patient.id, settings_of(runs))
    val_losses = [epoch.val_loss for epoch in runs.list_epochs(patient.id)]

    expected = keras_stops_after(val_losses, 3)

    assert stopped_early.status == DONE
    assert 4 <= expected < 30
    assert history(runs, stopped_early) == history(runs, patient)[:expected]


def test_a_run_that_stopped_early_is_that_of_its_best_epoch(runs, sample, stopped_early):
    val_losses = [epoch.val_loss for epoch in runs.list_epochs(stopped_early.id)]
    best = queue(runs, sample, **{**STOPPING, "epochs": int(np.argmin(val_losses)) + 1})

    train_run(best.id, settings_of(runs))

    expected = runs.get_run(best.id)
    assert len(val_losses) == expected.settings["epochs"] + 3
    assert (stopped_early.test_loss, stopped_early.test_accuracy) == (expected.test_loss, expected.test_accuracy)
    for name in (TEST_PROBABILITIES, TEST_LABELS):
        assert runs.read_artifact(stopped_early.id, name) == runs.read_artifact(best.id, name)
    for one, other in zip(final_weights(runs, stopped_early), final_weights(runs, best), strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_run_that_is_killed_paused_and_killed_again_stops_in_the_same_epoch(runs, sample, stopped_early):
    run = queue(runs, sample, **STOPPING, patience=3)
    last = len(runs.list_epochs(stopped_early.id))

    for moment, disturb in (((2, 10), killed), ((last - 2, 10), paused), ((last, 20), killed)):
        with at({moment: disturb}):
            die_or_pause(run, runs)
    RunLeases(runs).requeue_lost(lost_after_s=-1)
    with at({}), pytest.MonkeyPatch.context() as patch:
        patch.setattr(LeasedRun, "finish", killed)  # after the last epoch, before the result
        die_or_pause(run, runs)
    RunLeases(runs).requeue_lost(lost_after_s=-1)
    train_run(run.id, settings_of(runs))

    assert runs.find_artifact(run.id, BEST_WEIGHTS) is not None
    assert_ended_alike(runs, run, stopped_early)


def die_or_pause(run, runs):
    try:
        train_run(run.id, settings_of(runs))
    except Killed:
        RunLeases(runs).requeue_lost(lost_after_s=-1)
    else:
        runs.resume_run(run.id)


# Settings and limits


def test_a_worker_uses_the_settings_it_was_handed_and_not_its_environment(runs, sample, monkeypatch):
    run, settings = queue(runs, sample, **{**SMALL, "epochs": 1}), settings_of(runs)
    with_unusable_environment(monkeypatch)

    train_run(run.id, settings)

    assert runs.get_run(run.id).status == DONE


def test_a_worker_keeps_the_limits_it_was_handed(runs, sample, monkeypatch):
    run, settings = queue(runs, sample, **SMALL), replace(settings_of(runs), max_memory_mb=1)
    with_unusable_environment(monkeypatch)

    train_run(run.id, settings)

    assert "1 is the maximum here" in str(runs.get_run(run.id).error)


def test_a_run_that_trains_too_long_fails_in_words_and_can_be_resumed_with_a_higher_limit(
    runs, sample, undisturbed, monkeypatch
):
    run = queue(runs, sample, **SMALL)
    monkeypatch.setenv("MNIST_DASH_MAX_MINUTES", "1")
    on_progress = LeasedRun.on_progress

    def a_minute_later(leased, epoch_progress, seconds, state):
        on_progress(leased, epoch_progress, seconds + (60 if len(leased.history) == 1 else 0), state)

    with monkeypatch.context() as patch:
        patch.setattr(LeasedRun, "on_progress", a_minute_later)
        train_run(run.id, settings_of(runs))
    failed = runs.get_run(run.id)
    runs.resume_run(run.id)
    train_run(run.id, settings_of(runs))

    assert failed.status == FAILED
    assert failed.error == (
        "It has trained for more than 1 minutes, the most that is allowed here. "
        "Choose fewer epochs or a smaller network, or raise MNIST_DASH_MAX_MINUTES."
    )
    assert runs.get_run(run.id).attempt == 3
    assert_ended_alike(runs, run, undisturbed)


def test_the_minutes_of_all_epochs_count_together(runs, sample):
    run = queue(runs, sample, **SMALL)

    def so_far(leased, _):
        leased.history[:] = [replace(epoch, seconds=31) for epoch in leased.history]
        leased.settings = replace(leased.settings, max_minutes=1)

    with at({(3, 30): so_far}):
        train_run(run.id, settings_of(runs))

    assert runs.get_run(run.id).status == FAILED
    assert len(runs.list_epochs(run.id)) == 2
    assert runs.find_artifact(run.id, CHECKPOINT) is not None


def test_a_run_whose_worker_takes_too_much_memory_fails_in_words_and_can_be_resumed(
    runs, sample, undisturbed, monkeypatch
):
    run = queue(runs, sample, **SMALL)
    limit = int(psutil.Process().memory_info().rss / 1e6) + 1_000
    monkeypatch.setenv("MNIST_DASH_MAX_MEMORY_MB", str(limit))
    ballast = []

    with at({(2, 30): lambda *_: ballast.append(np.ones(1_100_000_000, np.uint8))}):
        train_run(run.id, settings_of(runs))
    ballast.clear()
    failed = runs.get_run(run.id)
    runs.resume_run(run.id)
    train_run(run.id, settings_of(runs))

    assert failed.status == FAILED
    assert failed.error.startswith("Its worker took ")
    assert f"{limit:,} is the maximum here" in failed.error
    assert "MNIST_DASH_MAX_MEMORY_MB" in failed.error
    assert_ended_alike(runs, run, undisturbed)


# Continued runs


@pytest.mark.parametrize("settings", [{}, slow({"dropout": 0.2, "optimizer": "adam"})], ids=["plain", "dropout"])
def test_a_run_of_two_epochs_that_is_continued_by_three_is_a_run_of_five(settings, runs, sample):
    whole = queue(runs, sample, **{**SMALL, **settings, "epochs": 5})
    first = queue(runs, sample, **{**SMALL, **settings, "epochs": 2})
    for run in (whole, first):
        train_run(run.id, settings_of(runs))
    before = runs.get_run(first.id), history(runs, first)

    second = continue_run(runs, first.id, 5)
    train_run(second.id, settings_of(runs))

    assert len(history(runs, second)) == 5
    assert_ended_alike(runs, second, whole)
    assert runs.get_run(second.id).continues == first.id
    assert (runs.get_run(first.id), history(runs, first)) == before


# Which pictures are seen


def by_hand(labels, folds, fold, part):
    """Returns the positions that a run with stratified folds learns and validates, in plain Python."""
    kept = set()
    for digit in range(10):
        places = [place for place, label in enumerate(labels) if label == digit]
        size = len(places) // folds
        kept |= set(places[(fold - 1) * size : fold * size])
    learned = [place for place in range(len(labels)) if place not in kept]
    return learned[: round(part * len(learned))], sorted(kept)


@pytest.mark.parametrize(("fold", "part", "seen"), [slow(1, 1.0, 3_000), (3, 0.5, 1_500), slow(4, 0.25, 750)])
def test_a_run_learns_and_validates_the_pictures_of_its_fold_and_part(fold, part, seen, runs, sample):
    settings = {"validation": "stratified:4", "fold": fold, "train_part": part, "seed": 9, "hidden_units": 6}
    run = queue(runs, sample, **settings, epochs=1, batch_size=4_096)  # one step: its loss is that before it
    learned, kept = by_hand(sample.y_train.tolist(), 4, fold, part)
    start = keras_model_of("dense-32", **settings)

    train_run(run.id, settings_of(runs))

    [epoch] = runs.list_epochs(run.id)
    assert abs(len(learned) - seen) <= 10  # digits that four does not divide
    assert (epoch.loss, epoch.accuracy) == pytest.approx(by_keras(start, sample, learned), abs=1e-5)
    for weight, array in zip(start.trainable_variables, final_weights(runs, run), strict=True):
        weight.assign(array)
    assert (epoch.val_loss, epoch.val_accuracy) == pytest.approx(by_keras(start, sample, kept), abs=1e-5)


def by_keras(model, sample, positions):
    labels = np.eye(10, dtype=np.float32)[sample.y_train[positions]]
    return model.evaluate(sample.x_train[positions].astype(np.float32), labels, verbose=0)


def test_every_picture_of_an_epoch_is_seen_once(runs, sample, monkeypatch):
    shown, in_batches = [], compiled.in_batches
    for module in (compiled, sys.modules[StackedProgram.__module__]):
        monkeypatch.setattr(
            module, "in_batches", lambda order, size: shown.append(np.array(order)) or in_batches(order, size)
        )
    learned, _ = by_hand(sample.y_train.tolist(), 5, 2, 0.3)

    for dropout in (0, 0.1):  # by XLA, and not
        settings = {"validation": "stratified:5", "fold": 2, "train_part": 0.3, "dropout": dropout}
        train_run(queue(runs, sample, **{**SMALL, **settings, "epochs": 2}).id, settings_of(runs))

    assert len(shown) == 4
    assert all(sorted(order.tolist()) == learned for order in shown)
    assert shown[0].tolist() == shown[2].tolist() != shown[1].tolist()


# Memory

TRAIN_MANY = """
import sys

import psutil

from mnist_dash.datasets.mnist import load_dataset
from mnist_dash.networks.variants import VARIANTS
from mnist_dash.store.run_store import RunStore
from mnist_dash.config import load_settings
from mnist_dash.worker.training import train_run, train_runs

STRUCTURES = (
    ("dense-32", {}),
    ("dense-32", {"dropout": 0.2}),
    ("cnn", {"filters": 2, "batch_size": 64}),
    ("dense-512", {"optimizer": "adam", "hidden_layers": 2}),
    ("sigmoid-100", {"augmentation": 1.0}),
)
settings = load_settings({"MNIST_DASH_DATABASE_URL": sys.argv[1]})
store, sample = RunStore(sys.argv[1]), load_dataset(settings)
runs = int(sys.argv[3])
for number in range(runs):
    name, values = STRUCTURES[number // 5 % int(sys.argv[2])]
    values = {**values, "hidden_units": 8, "epochs": 1, "train_part": 0.02, "seed": number}
    run = store.create_run(
        name, VARIANTS[name].check(values), dataset=sample.name, fingerprint=sample.fingerprint, leased=True
    )
    train_run(run.id, settings, lease=run.lease)
    assert store.get_run(run.id).status == "done", store.get_run(run.id).error
    if number + 1 in (runs // 4, runs):
        print(psutil.Process().memory_info().rss, flush=True)
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("structures", "count", "most_a_run"),
    [
        # Three programs are kept, so nothing is compiled any more; measured were 0.5 MB a run, left by the converter to
        # LiteRT and by what the C library cannot give back.
        (3, 80, 1.0),
        # Five take turns, so one is thrown away and made again for every second run. TensorFlow keeps what XLA compiled
        # for as long as the process lives: 2.4 MB a run. A worker whose memory has grown restarts.
        (5, 60, 5.0),
    ],
    ids=["kept", "thrown away"],
)
def test_many_runs_in_one_process_do_not_fill_its_memory(structures, count, most_a_run, runs):
    command = [sys.executable, "-c", TRAIN_MANY, runs.database_url, str(structures), str(count)]
    finished = subprocess.run(command, check=True, capture_output=True, text=True)

    first, last = (int(line) / 1e6 for line in finished.stdout.split())

    print(f"resident memory after {count // 4} runs: {first:.0f} MB, after {count} runs: {last:.0f} MB")
    assert last < first + most_a_run * 0.75 * count
