import io
import signal
import subprocess
import sys
import threading
import time
from dataclasses import replace

import numpy as np
import pytest

from mnist_dash.data import split
from mnist_dash.models import VARIANTS, augment, build, build_optimizer, get_variant
from mnist_dash.prediction import Predictor, read_weights
from mnist_dash.runs import (
    CANCELLED,
    CHECKPOINT,
    DONE,
    FAILED,
    MODEL_KERAS,
    MODEL_TFLITE,
    QUEUED,
    RUNNING,
    TEST_LABELS,
    TEST_PROBABILITIES,
    RunStore,
)
from mnist_dash.training import CompiledTraining, train_run

TRAIN_RUN = "import sys; from mnist_dash.training import train_run; train_run(int(sys.argv[1]), sys.argv[2])"


def program_of(name, sample, *, n=4_000, xla=None, **settings) -> CompiledTraining:
    variant = get_variant(name)
    if xla is not None:
        variant = replace(variant, compiled_by_xla=xla)
    return CompiledTraining(variant, variant.check(settings), sample.x_train[:n], sample.y_train[:n])


def keras_model_of(name, **settings):
    variant = get_variant(name)
    model = build(variant, variant.check(settings))
    optimizer = build_optimizer(variant, variant.check(settings))
    model.compile(optimizer=optimizer, loss="categorical_crossentropy", metrics=["accuracy"])
    return model


def batches_of(name, order):
    size = int(VARIANTS[name].check({})["batch_size"])
    return [order[at : at + size] for at in range(0, len(order), size)]


def train_on_batch(model, sample, batch, *, change=lambda pictures: pictures) -> tuple[float, float]:
    """One step by Keras itself: loss and accuracy."""
    labels = np.eye(10, dtype=np.float32)[sample.y_train[batch]]
    logs = model.train_on_batch(change(sample.x_train[batch].astype(np.float32)), labels, return_dict=True)
    return float(logs["loss"]), float(logs["accuracy"])


def epoch_by_keras(model, sample, batches) -> tuple[float, float]:
    """Mean loss and accuracy over the pictures of all batches."""
    loss, accuracy = np.average(
        [train_on_batch(model, sample, batch) for batch in batches], axis=0, weights=[len(batch) for batch in batches]
    )
    return float(loss), float(accuracy)


def weights_of(model) -> list[np.ndarray]:
    return [variable.numpy() for variable in model.trainable_variables]


def assert_equal_to_the_last_bit(some, others):
    assert len(some) == len(others)
    for one, other in zip(some, others, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.fixture(scope="module")
def order():
    """Positions of 3,993 pictures, shuffled: the last batch is smaller for all variants."""
    return np.random.default_rng(5).permutation(4_000).astype(np.int32)[:3_993]


# The same as Keras


# With raw pixels the steps of sigmoid-100 jump so far that a rounding error grows a thousandfold within a few
# batches (see the two tests that follow), so only without XLA, which adds up in another order than Keras, can a
# whole epoch of it be compared.
@pytest.mark.parametrize(
    ("name", "xla"), [("dense-32", True), ("dense-512", True), ("sigmoid-100", False), ("cnn", False)]
)
def test_an_epoch_gives_the_losses_and_weights_of_keras_train_on_batch(name, xla, sample, order):
    ours = program_of(name, sample, xla=xla, augmentation=0)
    keras_model = keras_model_of(name, augmentation=0)
    before = weights_of(ours.model), weights_of(keras_model)

    loss, accuracy = ours.train_in_order(order)
    keras_loss, keras_accuracy = epoch_by_keras(keras_model, sample, batches_of(name, order))

    assert_equal_to_the_last_bit(*before)
    assert loss == pytest.approx(keras_loss, abs=1e-4)
    assert accuracy == pytest.approx(keras_accuracy, abs=1e-4)
    for one, other in zip(weights_of(ours.model), weights_of(keras_model), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-5)


def test_each_step_of_sigmoid_100_gives_the_loss_and_weights_of_keras_train_on_batch(sample, order):
    ours = program_of("sigmoid-100", sample)
    keras_model = keras_model_of("sigmoid-100")

    for batch in batches_of("sigmoid-100", order):
        for one, other in zip(ours.model.variables, keras_model.variables, strict=True):
            one.assign(other)
        loss, accuracy = ours.train_in_order(batch)
        keras_loss, keras_accuracy = train_on_batch(keras_model, sample, batch)

        assert loss == pytest.approx(keras_loss, abs=1e-5)
        assert accuracy == pytest.approx(keras_accuracy, abs=1e-5)
        for one, other in zip(weights_of(ours.model), weights_of(keras_model), strict=True):
            np.testing.assert_allclose(one, other, atol=1e-6)


def test_with_sigmoid_100_keras_differs_from_itself_when_the_pictures_of_a_batch_change_places(sample, order):
    batches = batches_of("sigmoid-100", order)
    as_they_are = keras_model_of("sigmoid-100")
    turned_round = keras_model_of("sigmoid-100")

    loss, _ = epoch_by_keras(as_they_are, sample, batches)
    same_loss_but_for_rounding, _ = epoch_by_keras(turned_round, sample, [batch[::-1] for batch in batches])

    assert abs(loss - same_loss_but_for_rounding) > 1e-4


def test_loss_and_accuracy_on_other_pictures_are_what_keras_evaluate_says(sample):
    ours = program_of("dense-32", sample)
    keras_model = keras_model_of("dense-32")
    kept_back = split(sample.y_train, "holdout").validation

    loss, accuracy = ours.evaluate(kept_back)
    keras_loss, keras_accuracy = keras_model.evaluate(
        sample.x_train[kept_back].astype(np.float32), np.eye(10)[sample.y_train[kept_back]], verbose=0
    )

    assert len(kept_back) == 333
    assert loss == pytest.approx(keras_loss, abs=1e-4)
    assert accuracy == pytest.approx(keras_accuracy, abs=1e-6)


def test_the_loss_of_a_network_that_is_sure_of_its_mistakes_is_what_keras_evaluate_says(sample, order):
    ours = program_of("sigmoid-100", sample, learning_rate=10.0)
    ours.train_in_order(order)
    ours.model.compile(loss="categorical_crossentropy")

    loss, _, _ = ours.test(sample.x_test, sample.y_test)
    keras_loss = ours.model.evaluate(sample.x_test.astype(np.float32), np.eye(10)[sample.y_test], verbose=0)

    assert loss == pytest.approx(keras_loss, rel=1e-3)


def test_a_batch_larger_than_the_training_set_is_one_step(sample):
    ours = program_of("dense-32", sample, n=50, batch_size=4_096)
    keras_model = keras_model_of("dense-32")
    everything = np.arange(50, dtype=np.int32)

    loss, accuracy = ours.train_in_order(everything)

    assert (loss, accuracy) == pytest.approx(train_on_batch(keras_model, sample, everything), abs=1e-5)
    assert ours.optimizer.iterations.numpy() == 1


def test_progress_grows_to_the_whole_epoch_and_ends_with_its_loss(sample, order):
    ours = program_of("dense-32", sample)
    seen = []

    loss, accuracy = ours.train_in_order(order, 3, report=seen.append)

    steps = [progress.step for progress in seen]
    assert steps == sorted(set(steps))
    assert {progress.steps for progress in seen} == {125}
    assert {progress.epoch for progress in seen} == {3}
    assert (seen[-1].step, seen[-1].loss, seen[-1].accuracy) == (125, loss, accuracy)


def test_an_epoch_sees_every_picture_exactly_once(sample):
    ours = program_of("dense-32", sample, batch_size=4_000)  # one step, so the weights do not change on the way
    positions = split(sample.y_train, "kfold:4", fold=2).train

    before = ours.evaluate(positions)
    during = ours.train_epoch(positions, 1)

    assert during == pytest.approx(before, abs=1e-6)


def test_each_epoch_has_an_order_of_its_own(sample):
    ours = program_of("dense-32", sample)
    everything = np.arange(4_000, dtype=np.int32)
    start = ours.checkpoint()
    losses = []

    for number in (1, 2, 1):
        ours.restore(start)
        losses.append(ours.train_epoch(everything, number)[0])

    assert losses[0] == losses[2]
    assert losses[0] != losses[1]


# Augmentation and schedule


@pytest.mark.parametrize(
    ("name", "settings"),
    [("dense-32", {}), ("dense-512", {"hidden_units": 16}), ("cnn-augmented", {"hidden_units": 16, "dropout": 0})],
)
def test_with_augmentation_each_step_is_keras_train_on_batch_on_pictures_changed_anew(name, settings, sample):
    settings = {**settings, "augmentation": 0.75, "seed": 4, "batch_size": 100, "schedule": "constant"}
    ours = program_of(name, sample, **settings)
    keras_model = keras_model_of(name, **settings)
    results = []

    for step in range(6):  # two epochs of three batches
        batch = np.arange(100, dtype=np.int32) + 100 * (step % 3)
        changed = train_on_batch(
            keras_model, sample, batch, change=lambda pictures, step=step: augment(pictures, 0.75, [4, step]).numpy()
        )
        results.append(changed)
    epochs = [ours.train_in_order(np.arange(300, dtype=np.int32), number) for number in (1, 2)]

    np.testing.assert_allclose(epochs, np.reshape(results, (2, 3, 2)).mean(axis=1), atol=1e-4)
    for one, other in zip(weights_of(ours.model), weights_of(keras_model), strict=True):
        # The mean: Adam's first steps are as long for a tiny gradient, all rounding, as for a large one.
        assert np.abs(one - other).mean() < 1e-4


def test_with_augmentation_the_pictures_that_fill_up_the_last_batch_count_for_nothing(sample):
    settings = {"augmentation": 1.0, "batch_size": 64, "hidden_units": 8}
    ours = program_of("dense-32", sample, **settings)
    keras_model = keras_model_of("dense-32", **settings)
    few = np.arange(1, 41, dtype=np.int32)
    filled = np.pad(few, (0, 24))

    def changed(pictures):
        return augment(sample.x_train[filled].astype(np.float32), 1.0, [0, 0]).numpy()[:40]

    result = ours.train_in_order(few)

    assert result == pytest.approx(train_on_batch(keras_model, sample, few, change=changed), abs=1e-5)


def test_pictures_to_validate_and_to_test_are_never_changed(sample):
    settings = {"hidden_units": 8, "dropout": 0.5}
    plain, changing = (
        program_of("cnn-augmented", sample, n=50, augmentation=strength, **settings) for strength in (0, 2)
    )
    everything = np.arange(50, dtype=np.int32)

    assert changing.evaluate(everything) == plain.evaluate(everything)
    assert changing.test(sample.x_test, sample.y_test)[:2] == plain.test(sample.x_test, sample.y_test)[:2]


def test_an_epoch_is_trained_with_the_learning_rate_of_its_place_in_the_schedule(sample):
    ours = program_of("cnn-augmented", sample, n=50, epochs=4, hidden_units=8, augmentation=0)
    everything = np.arange(50, dtype=np.int32)
    during = {}

    for number in (1, 2, 3, 4):
        ours.train_epoch(
            everything, number, report=lambda seen: during.update({seen.epoch: float(ours.optimizer.learning_rate)})
        )

    assert list(during.values()) == pytest.approx([0.001, 0.00085355339, 0.0005, 0.00014644661])


@pytest.mark.parametrize("xla", [True, False])
def test_halfway_through_a_cosine_gradient_descent_moves_half_as_far(xla, sample):
    everything = np.arange(100, dtype=np.int32)
    moves = []

    for schedule in ("constant", "cosine"):
        ours = program_of(
            "sigmoid-100", sample, n=100, xla=xla, epochs=4, schedule=schedule, pixel_scaling="0-1", learning_rate=0.5
        )
        start = weights_of(ours.model)
        ours.train_epoch(everything, 3)
        moves.append([after - before for before, after in zip(start, weights_of(ours.model), strict=True)])

    for whole, half in zip(*moves, strict=True):
        assert np.abs(whole).max() > 1e-4
        np.testing.assert_allclose(half, whole / 2, atol=1e-6)


# Same seed, same result


SMALL = {
    "dense": ("dense-32", {"n": 4_000}),
    "dense with augmentation": ("dense-32", {"n": 640, "augmentation": 1.0, "schedule": "cosine", "dropout": 0.2}),
    "cnn": ("cnn", {"n": 640, "batch_size": 128}),
    "cnn with augmentation": ("cnn-augmented", {"n": 300, "hidden_units": 8}),
}


@pytest.mark.parametrize(("name", "settings"), SMALL.values(), ids=SMALL)
def test_the_same_seed_gives_the_same_weights_to_the_last_bit_whether_interrupted_or_not(name, settings, sample):
    everything = np.arange(settings["n"], dtype=np.int32)
    whole, interrupted, resumed = (program_of(name, sample, seed=3, **settings) for _ in range(3))

    results = [whole.train_epoch(everything, number) for number in (1, 2)]
    first_result = interrupted.train_epoch(everything, 1)
    resumed.restore(interrupted.checkpoint())
    second_result = resumed.train_epoch(everything, 2)

    assert results == [first_result, second_result]
    assert_equal_to_the_last_bit(weights_of(resumed.model), weights_of(whole.model))
    assert resumed.checkpoint() == whole.checkpoint()


def test_another_seed_gives_other_weights(sample):
    everything = np.arange(4_000, dtype=np.int32)
    one, other = (program_of("dense-32", sample, seed=seed) for seed in (3, 4))

    losses = {program.train_epoch(everything, 1)[0] for program in (one, other)}

    assert len(losses) == 2


# A whole run


def queue(store, sample, variant="dense-32", **settings):
    checked = VARIANTS[variant].check(settings)
    return store.create_run(variant, checked, dataset=sample.name, fingerprint=sample.fingerprint)


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """A store that the tests of this module share, because each training takes seconds."""
    opened = RunStore(f"sqlite:///{tmp_path_factory.mktemp('runs') / 'runs.sqlite'}")
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def finished(runs, sample):
    run = queue(runs, sample, epochs=10, validation="holdout")
    train_run(run.id, runs.database_url)
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


def test_every_epoch_of_a_run_is_recorded_with_its_validation(runs, finished):
    epochs = runs.list_epochs(finished.id)

    assert [epoch.number for epoch in epochs] == list(range(1, 11))
    assert epochs[-1].loss < epochs[0].loss / 2
    assert all(0.5 < epoch.val_accuracy < 1 and epoch.val_loss > 0 for epoch in epochs)
    assert sum(epoch.seconds for epoch in epochs) == pytest.approx(finished.fit_seconds)


def test_a_finished_run_keeps_no_checkpoint(runs, finished):
    assert runs.find_artifact(finished.id, CHECKPOINT) is None


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


def test_a_run_that_is_in_other_hands_or_has_ended_is_left_alone(runs, finished, sample):
    taken = queue(runs, sample)
    claimed = runs.claim_run(taken.id)

    train_run(taken.id, runs.database_url)
    train_run(finished.id, runs.database_url)

    assert runs.get_run(taken.id) == claimed
    assert runs.get_run(finished.id) == finished


def test_a_run_that_its_creator_claimed_is_trained_by_its_creator(runs, sample):
    run = runs.create_run(
        "dense-32",
        VARIANTS["dense-32"].check({"epochs": 1}),
        dataset=sample.name,
        fingerprint=sample.fingerprint,
        claim=True,
    )

    train_run(run.id, runs.database_url, claim=run.claim)

    assert runs.get_run(run.id).status == DONE


@pytest.mark.parametrize("name", ["dense-512", "cnn-augmented"])
def test_a_run_with_augmentation_and_schedule_learns_to_read_and_can_be_used_like_any_other(name, runs, sample):
    settings = {"epochs": 2, "batch_size": 32, "hidden_units": 64, "augmentation": 1.0, "schedule": "cosine"}
    run = queue(runs, sample, name, validation="holdout", **settings)

    train_run(run.id, runs.database_url)

    finished, epochs = runs.get_run(run.id), runs.list_epochs(run.id)
    assert (finished.status, finished.error) == (DONE, None)
    # Changed pictures are harder to read than those that it validates and is tested on.
    assert epochs[0].accuracy < epochs[1].accuracy < epochs[1].val_accuracy
    assert finished.test_accuracy > (0.9 if name == "cnn-augmented" else 0.7)
    predictor = Predictor(runs.read_artifact(run.id, MODEL_TFLITE))
    assert (predictor.probabilities(sample.x_test).argmax(1) == sample.y_test).mean() == finished.test_accuracy


# Runs that end otherwise


def wait_until(true, *, timeout_s=60.0):
    deadline = time.monotonic() + timeout_s
    while not true():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.01)


@pytest.mark.parametrize(("variant", "batch_size"), [("dense-32", 32), ("cnn", 512)])
def test_a_cancelled_run_stops_within_two_seconds(variant, batch_size, runs, sample):
    run = queue(runs, sample, variant, epochs=1_000, batch_size=batch_size)
    asked = []

    def cancel_in_mid_training():
        wait_until(lambda: (found := runs.get_run(run.id).progress) is not None and found.step > 0)
        runs.cancel_run(run.id)
        asked.append(time.monotonic())

    thread = threading.Thread(target=cancel_in_mid_training)
    thread.start()
    train_run(run.id, runs.database_url)
    stopped = time.monotonic()
    thread.join()

    assert stopped - asked[0] < 2
    assert runs.get_run(run.id).status == CANCELLED
    assert runs.find_artifact(run.id, CHECKPOINT) is None


def test_a_run_whose_weights_run_away_fails_in_words(runs, sample):
    # Past the range of the form: within it these networks lose their way, but not their numbers.
    settings = {**VARIANTS["dense-32"].check({}), "learning_rate": 1e30}
    run = runs.create_run("dense-32", settings, dataset=sample.name, fingerprint=sample.fingerprint)

    train_run(run.id, runs.database_url)

    failed = runs.get_run(run.id)
    assert failed.status == FAILED
    assert "The loss became nan in epoch 1: the weights have run away." in failed.error
    assert "smaller learning rate" in failed.error


def test_a_run_queued_for_other_data_fails_in_words(runs):
    run = runs.create_run("dense-32", VARIANTS["dense-32"].check({}), dataset="mnist", fingerprint="of the full MNIST")

    train_run(run.id, runs.database_url)

    failed = runs.get_run(run.id)
    assert failed.status == FAILED
    assert failed.error.startswith(f"Run {run.id} was queued for mnist, but this worker finds only mnist-sample.")
    assert "MNIST_DASH_DATA" in failed.error


def test_a_run_of_an_unknown_variant_fails_in_words(runs, sample):
    run = runs.create_run(
        "dense-33", VARIANTS["dense-32"].check({}), dataset=sample.name, fingerprint=sample.fingerprint
    )

    train_run(run.id, runs.database_url)

    assert runs.get_run(run.id).status == FAILED
    assert "There is no variant “dense-33”" in runs.get_run(run.id).error


def test_a_worker_whose_run_was_given_to_another_stops_and_changes_nothing(runs, sample):
    run = queue(runs, sample, epochs=1_000)
    second = []

    def give_to_another():
        wait_until(lambda: runs.list_epochs(run.id))
        runs.requeue_lost_runs(lost_after_s=-1)
        second.append(runs.claim_run(run.id))

    thread = threading.Thread(target=give_to_another)
    thread.start()
    train_run(run.id, runs.database_url)
    thread.join()

    assert runs.get_run(run.id).status == RUNNING
    assert runs.get_run(run.id).claim == second[0].claim
    runs.stop_run(run.id, second[0].claim)


def test_a_run_killed_in_mid_training_ends_with_the_weights_of_an_undisturbed_one(runs, sample):
    settings = {"epochs": 30, "batch_size": 4, "seed": 11, "validation": "holdout"}
    undisturbed, killed = queue(runs, sample, **settings), queue(runs, sample, **settings)
    command = [sys.executable, "-c", TRAIN_RUN, str(killed.id), runs.database_url]

    with subprocess.Popen(command) as first_worker:
        wait_until(lambda: len(runs.list_epochs(killed.id)) >= 2 or first_worker.poll() is not None)
        first_worker.send_signal(signal.SIGKILL)
    at_its_death = runs.get_run(killed.id), len(runs.list_epochs(killed.id))
    runs.requeue_lost_runs(lost_after_s=0)
    requeued = runs.get_run(killed.id)
    with subprocess.Popen(command) as second_worker:
        train_run(undisturbed.id, runs.database_url)

    assert second_worker.returncode == 0
    assert at_its_death[0].status == RUNNING
    assert 2 <= at_its_death[1] < 30
    assert requeued.status == QUEUED
    assert (runs.get_run(killed.id).status, runs.get_run(killed.id).attempt) == (DONE, 2)
    assert [epoch.number for epoch in runs.list_epochs(killed.id)] == list(range(1, 31))
    assert history(runs, killed) == history(runs, undisturbed)
    for ours, others in zip(final_weights(runs, killed), final_weights(runs, undisturbed), strict=True):
        np.testing.assert_array_equal(ours.kernel, others.kernel)
        np.testing.assert_array_equal(ours.bias, others.bias)


def history(store, run):
    return [replace(epoch, seconds=0) for epoch in store.list_epochs(run.id)]


def final_weights(store, run):
    return read_weights(store.read_artifact(run.id, MODEL_KERAS))


def test_a_checkpoint_holds_plain_arrays_and_no_pickle(sample):
    checkpoint = program_of("dense-32", sample, n=50).checkpoint()

    with np.load(io.BytesIO(checkpoint), allow_pickle=False) as arrays:
        sizes = [arrays[name].size for name in arrays]

    assert sum(sizes) > 2 * 25_450  # weights, and what RMSprop remembers of each
