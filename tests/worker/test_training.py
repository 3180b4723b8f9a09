"""The compiled program learns what Keras would have learned: again and again, in pieces or at once."""

import io
from functools import partial

import numpy as np
import pytest

from mnist_dash.config import load_settings
from mnist_dash.datasets.splits import split
from mnist_dash.inference.predictor import Predictor
from mnist_dash.networks.augmentation import augment
from mnist_dash.networks.handwriting_styles import add_strokes
from mnist_dash.networks.variants import VARIANTS
from mnist_dash.worker.checkpoints import Checkpoint
from mnist_dash.worker.compiled import NOT_STARTED, EpochProgress
from mnist_dash.worker.programs import precompile_and_time, program_for, split_for
from tests.support.learning import (
    assert_equal_to_the_last_bit,
    epoch_by_keras,
    interrupt_at,
    keras_model_of,
    program_of,
    slow,
    train_on_batch,
    weights_of,
)


def batches_of(name, order):
    size = int(VARIANTS[name].check({})["batch_size"])
    return [order[at : at + size] for at in range(0, len(order), size)]


@pytest.fixture(scope="module")
def order():
    """Positions of 3,993 pictures, shuffled: the last batch is smaller for all variants."""
    return np.random.default_rng(5).permutation(4_000).astype(np.int32)[:3_993]


# The same as Keras


# With raw pixels the steps of sigmoid-100 jump so far that a rounding error grows a thousandfold within a few
# batches (see the two tests that follow), so only without XLA, which adds up in another order than Keras, can a
# whole epoch of it be compared.
@pytest.mark.parametrize(
    ("name", "xla", "settings"),
    [
        ("dense-32", True, {}),
        slow("dense-512", True, {}),
        slow("sigmoid-100", False, {}),
        ("cnn", False, {"filters": 2, "hidden_units": 64}),  # smaller, to be quick; with its dropout
    ],
)
def test_an_epoch_gives_the_losses_and_weights_of_keras_train_on_batch(name, xla, settings, sample, order):
    ours = program_of(name, sample, xla=xla, **settings)
    keras_model = keras_model_of(name, **settings)
    before = weights_of(ours.model), weights_of(keras_model)

    loss, accuracy = ours.train_in_order(order)
    keras_loss, keras_accuracy = epoch_by_keras(keras_model, sample, batches_of(name, order))

    assert_equal_to_the_last_bit(*before)
    assert loss == pytest.approx(keras_loss, abs=1e-4)
    assert accuracy == pytest.approx(keras_accuracy, abs=1e-4)
    for one, other in zip(weights_of(ours.model), weights_of(keras_model), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-5)


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        slow("dense-32", {"optimizer": "sgd", "hidden_layers": 0, "learning_rate": 0.1}),
        slow("dense-32", {"optimizer": "sgd", "hidden_layers": 3, "activation": "tanh"}),
        ("dense-512", {"optimizer": "momentum", "hidden_layers": 2, "activation": "sigmoid", "hidden_units": 20}),
        slow("dense-512", {"optimizer": "rmsprop", "hidden_layers": 5, "activation": "relu", "hidden_units": 30}),
        slow("sigmoid-100", {"optimizer": "adam", "hidden_layers": 2, "activation": "linear", "pixel_scaling": "0-1"}),
        slow("cnn", {"optimizer": "adam", "filters": 2, "hidden_layers": 0, "activation": "tanh", "dropout": 0.2}),
        slow("cnn", {"optimizer": "sgd", "filters": 1, "hidden_layers": 2, "hidden_units": 9, "activation": "linear"}),
        slow("cnn-augmented", {"optimizer": "momentum", "filters": 3, "hidden_units": 9, "activation": "sigmoid"}),
    ],
    ids=lambda value: value if isinstance(value, str) else "-".join(map(str, value.values())),
)
def test_an_epoch_is_that_of_keras_with_every_optimizer_depth_and_activation(name, settings, sample, order):
    settings = {**settings, "batch_size": 64, **({} if "cnn" not in name else {"augmentation": 0})}
    ours = program_of(name, sample, **settings)
    keras_model = keras_model_of(name, **settings)
    few = order[:1_000]

    result = ours.train_in_order(few)
    by_keras = epoch_by_keras(keras_model, sample, np.array_split(few, range(64, 1_000, 64)))

    assert result == pytest.approx(by_keras, abs=1e-4)
    assert len(weights_of(ours.model)) == len(weights_of(keras_model))
    for one, other in zip(weights_of(ours.model), weights_of(keras_model), strict=True):
        # The mean: Adam's first steps are as long for a tiny gradient, all rounding, as for a large one.
        assert np.abs(one - other).mean() < 1e-4


@pytest.mark.parametrize(
    ("name", "settings", "atol"),
    [
        ("cnn", {"filters": 2, "hidden_units": 16, "batch_size": 64}, 1e-6),
        slow("dense-32", {"optimizer": "sgd", "learning_rate": 0.1, "dropout": 0.2}, 1e-6),
        slow("dense-512", {"optimizer": "momentum", "hidden_units": 20}, 1e-3),  # by XLA, which rounds in other places
    ],
)
def test_in_bfloat16_an_epoch_is_that_of_keras_mixed_bfloat16_and_not_that_of_float32(
    name, settings, atol, sample, order
):
    few = order[:960]
    batches = np.split(few, 15)
    ours = program_of(name, sample, precision="bfloat16", **{**settings, "batch_size": 64})

    loss, _ = ours.train_in_order(few)
    keras_loss, _ = epoch_by_keras(keras_model_of(name, precision="bfloat16", **settings), sample, batches)
    in_float32, _ = epoch_by_keras(keras_model_of(name, **settings), sample, batches)

    assert loss == pytest.approx(keras_loss, abs=atol)
    assert abs(loss - in_float32) > 1e-5


def test_a_network_trained_in_bfloat16_is_tested_and_saved_in_float32(sample, tmp_path):
    import keras

    ours = program_of("cnn", sample, n=640, batch_size=64, filters=2, hidden_units=16, precision="bfloat16")
    ours.train_epoch(np.arange(640, dtype=np.int32), 1)
    images = sample.x_test[:200]
    (tmp_path / "model.keras").write_bytes(ours.as_keras_file())
    saved = keras.models.load_model(tmp_path / "model.keras")

    _, _, probabilities = ours.test(images, sample.y_test[:200])

    assert {layer.compute_dtype for layer in saved.layers} == {"float32"}
    assert all(array.dtype == np.float32 for array in weights_of(ours.model))
    np.testing.assert_allclose(saved(images.astype(np.float32)), probabilities, atol=1e-6)
    np.testing.assert_allclose(Predictor(ours.as_tflite()).probabilities(images), probabilities, atol=1e-5)


def test_each_step_of_sigmoid_100_gives_the_loss_and_weights_of_keras_train_on_batch(sample, order):
    ours = program_of("sigmoid-100", sample)
    keras_model = keras_model_of("sigmoid-100")

    for batch in batches_of("sigmoid-100", order[-993:]):
        for one, other in zip(ours.model.variables, keras_model.variables, strict=True):
            one.assign(other)
        loss, accuracy = ours.train_in_order(batch)
        keras_loss, keras_accuracy = train_on_batch(keras_model, sample, batch)

        assert loss == pytest.approx(keras_loss, abs=1e-5)
        assert accuracy == pytest.approx(keras_accuracy, abs=1e-5)
        for one, other in zip(weights_of(ours.model), weights_of(keras_model), strict=True):
            np.testing.assert_allclose(one, other, atol=1e-6)


@pytest.mark.slow
def test_with_sigmoid_100_keras_differs_from_itself_when_the_pictures_of_a_batch_change_places(sample, order):
    batches = batches_of("sigmoid-100", order)
    as_they_are = keras_model_of("sigmoid-100")
    turned_round = keras_model_of("sigmoid-100")

    loss, _ = epoch_by_keras(as_they_are, sample, batches)
    same_loss_but_for_rounding, _ = epoch_by_keras(turned_round, sample, [batch[::-1] for batch in batches])

    assert abs(loss - same_loss_but_for_rounding) > 1e-4


def test_loss_and_accuracy_on_other_pictures_are_what_keras_evaluate_says(sample):
    ours = program_of("dense-32", sample, xla=False)
    keras_model = keras_model_of("dense-32")
    held_out = split(sample.y_train, "holdout").validation

    loss, accuracy = ours.evaluate(held_out)
    keras_loss, keras_accuracy = keras_model.evaluate(
        sample.x_train[held_out].astype(np.float32), np.eye(10)[sample.y_train[held_out]], verbose=0
    )

    assert len(held_out) == 333
    assert loss == pytest.approx(keras_loss, abs=1e-4)
    assert accuracy == pytest.approx(keras_accuracy, abs=1e-6)


def test_the_loss_of_a_network_that_is_sure_of_its_mistakes_is_what_keras_evaluate_says(sample, order):
    ours = program_of("sigmoid-100", sample, xla=False, learning_rate=10.0)
    ours.train_in_order(order)
    ours.model.compile(loss="categorical_crossentropy")

    loss, _, _ = ours.test(sample.x_test, sample.y_test)
    keras_loss = ours.model.evaluate(sample.x_test.astype(np.float32), np.eye(10)[sample.y_test], verbose=0)

    assert loss == pytest.approx(keras_loss, rel=1e-3)


def test_a_batch_larger_than_the_training_set_is_one_step(sample):
    ours = program_of("dense-32", sample, n=50, xla=False, batch_size=4_096)
    keras_model = keras_model_of("dense-32")
    everything = np.arange(50, dtype=np.int32)

    loss, accuracy = ours.train_in_order(everything)

    assert (loss, accuracy) == pytest.approx(train_on_batch(keras_model, sample, everything), abs=1e-5)
    assert ours.optimizer.iterations.numpy() == 1


def test_progress_grows_to_the_whole_epoch_and_ends_with_its_loss(sample, order):
    ours = program_of("dense-32", sample, xla=False)
    seen = []

    loss, accuracy = ours.train_in_order(order, report=seen.append)

    steps = [progress.step for progress in seen]
    assert steps == sorted(set(steps))
    assert {progress.steps for progress in seen} == {125}
    assert [progress.seen for progress in seen] == [min(32 * step, 3_993) for step in steps]
    assert (seen[-1].step, seen[-1].loss / 3_993, seen[-1].correct / 3_993) == (125, loss, accuracy)


def test_an_epoch_sees_every_picture_exactly_once(sample):
    # One step, so the weights do not change on the way.
    ours = program_of("dense-32", sample, xla=False, batch_size=4_000)
    positions = split(sample.y_train, "kfold:4", fold=2).train

    before = ours.evaluate(positions)
    during = ours.train_epoch(positions, 1)

    assert during == pytest.approx(before, abs=1e-6)


def test_each_epoch_has_an_order_of_its_own(sample):
    ours = program_of("dense-32", sample, xla=False)
    everything = np.arange(4_000, dtype=np.int32)
    start = ours.state()
    losses = []

    for number in (1, 2, 1):
        ours.take_state(start)
        losses.append(ours.train_epoch(everything, number)[0])

    assert losses[0] == losses[2]
    assert losses[0] != losses[1]


# Augmentation and schedule


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("dense-32", {}),
        slow("dense-512", {"hidden_units": 16}),
        slow("cnn-augmented", {"hidden_units": 16, "dropout": 0, "precision": "float32"}),
    ],
)
def test_with_augmentation_each_step_is_keras_train_on_batch_on_pictures_changed_anew(name, settings, sample):
    settings = {**settings, "augmentation": 0.75, "handwriting_styles": 0.5, "seed": 4, "batch_size": 100}
    settings["schedule"] = "constant"
    ours = program_of(name, sample, **settings)
    keras_model = keras_model_of(name, **settings)
    results = []

    def changed_anew(pictures: np.ndarray, labels: np.ndarray, step: int) -> np.ndarray:
        return augment(add_strokes(pictures, labels, 0.5, [4, step]), 0.75, [4, step]).numpy()

    for step in range(6):  # two epochs of three batches
        batch = np.arange(100, dtype=np.int32) + 100 * (step % 3)
        change = partial(changed_anew, labels=sample.y_train[batch], step=step)
        results.append(train_on_batch(keras_model, sample, batch, change=change))
    epochs = [ours.train_in_order(np.arange(300, dtype=np.int32)) for _ in range(2)]

    np.testing.assert_allclose(epochs, np.reshape(results, (2, 3, 2)).mean(axis=1), atol=1e-4)
    for one, other in zip(weights_of(ours.model), weights_of(keras_model), strict=True):
        # The mean: Adam's first steps are as long for a tiny gradient, all rounding, as for a large one.
        assert np.abs(one - other).mean() < 1e-4


def test_with_augmentation_the_pictures_that_fill_up_the_last_batch_count_for_nothing(sample):
    settings = {"augmentation": 1.0, "batch_size": 64, "hidden_units": 8}
    ours = program_of("dense-32", sample, **settings)
    keras_model = keras_model_of("dense-32", **settings)
    order = np.arange(1, 105, dtype=np.int32)  # 64, and 40 filled up with the first picture
    filled = np.pad(order[64:], (0, 24))

    def changed(pictures):
        return augment(pictures, 1.0, [0, 0]).numpy()

    def changed_and_cut(_):
        return augment(sample.x_train[filled].astype(np.float32), 1.0, [0, 1]).numpy()[:40]

    result = ours.train_in_order(order)
    first = train_on_batch(keras_model, sample, order[:64], change=changed)
    second = train_on_batch(keras_model, sample, order[64:], change=changed_and_cut)

    assert result == pytest.approx(np.average([first, second], axis=0, weights=[64, 40]), abs=1e-5)


def test_pictures_to_validate_and_to_test_are_never_changed(sample):
    settings = {"hidden_units": 8, "dropout": 0.5}
    plain, changing = (
        program_of("cnn-augmented", sample, n=50, augmentation=strength, **settings) for strength in (0, 2)
    )
    everything = np.arange(50, dtype=np.int32)

    assert changing.evaluate(everything) == plain.evaluate(everything)
    assert changing.test(sample.x_test, sample.y_test)[:2] == plain.test(sample.x_test, sample.y_test)[:2]


def test_an_epoch_is_trained_with_the_learning_rate_of_its_place_in_the_schedule(sample):
    ours = program_of("cnn-augmented", sample, n=50, epochs=4, filters=2, hidden_units=8, augmentation=0)
    everything = np.arange(50, dtype=np.int32)
    during = {}

    for number in (1, 2, 3, 4):
        ours.train_epoch(
            everything,
            number,
            report=lambda _, number=number: during.update({number: float(ours.optimizer.learning_rate)}),
        )

    assert list(during.values()) == pytest.approx([0.001, 0.00085355339, 0.0005, 0.00014644661])


@pytest.mark.parametrize("xla", [slow(True), False])
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
    "cnn with dropout": ("cnn", {"n": 640, "batch_size": 32, "filters": 2, "hidden_units": 16}),
    "cnn with augmentation": ("cnn-augmented", {"n": 300, "batch_size": 32, "filters": 2, "hidden_units": 8}),
    "cnn in bfloat16": ("cnn", {"n": 640, "batch_size": 32, "filters": 2, "hidden_units": 16, "precision": "bfloat16"}),
    "dense in bfloat16": ("dense-32", {"n": 640, "batch_size": 32, "precision": "bfloat16"}),
    "dense with dropout": ("dense-32", {"n": 640, "batch_size": 8, "dropout": 0.2}),
}
each_small = pytest.mark.parametrize(
    ("name", "settings"), [*list(SMALL.values())[:3], *(slow(*case) for case in list(SMALL.values())[3:])], ids=SMALL
)


@each_small
def test_a_run_that_is_interrupted_after_and_within_epochs_has_the_weights_of_an_undisturbed_one_to_the_last_bit(
    name, settings, sample
):
    everything = np.arange(settings["n"], dtype=np.int32)
    whole, other = (program_of(name, sample, seed=3, **settings) for _ in range(2))
    start, seen = other.state(), []

    results = [whole.train_epoch(everything, number, report=seen.append) for number in (1, 2)]
    first_result = other.train_epoch(everything, 1)
    progress = interrupt_at(other, everything, 2, seen[-1].steps // 2)
    checkpoint = Checkpoint.from_bytes(Checkpoint(other.state(), progress, 1.5).as_bytes())
    other.take_state(start)  # as a program that another run has used meanwhile
    other.take_state(checkpoint.state)
    second_result = other.train_epoch(everything, 2, progress=checkpoint.progress)

    assert results == [first_result, second_result]
    assert progress.step == progress.steps // 2
    assert_equal_to_the_last_bit(other.state(), whole.state())


def test_an_epoch_that_is_interrupted_after_its_last_batch_needs_no_further_one(sample):
    everything = np.arange(320, dtype=np.int32)
    whole, interrupted = (program_of("dense-32", sample, n=320, xla=False, seed=3) for _ in range(2))

    result = whole.train_epoch(everything, 1)
    progress = interrupt_at(interrupted, everything, 1, 10)
    resumed = interrupted.train_epoch(everything, 1, progress=progress)

    assert (progress.step, progress.steps, progress.seen) == (10, 10, 320)
    assert resumed == result
    assert_equal_to_the_last_bit(interrupted.state(), whole.state())


def test_an_epoch_can_be_interrupted_after_every_single_batch(sample):
    everything = np.arange(100, dtype=np.int32)  # seven batches, the last of four
    settings = {"n": 100, "batch_size": 16, "dropout": 0.5, "optimizer": "adam"}
    whole, interrupted = (program_of("dense-32", sample, **settings) for _ in range(2))
    progress = NOT_STARTED

    result = whole.train_epoch(everything, 1)
    for step in range(1, 8):
        progress = interrupt_at(interrupted, everything, 1, step, progress=progress)

    assert interrupted.train_epoch(everything, 1, progress=progress) == result
    assert_equal_to_the_last_bit(interrupted.state(), whole.state())


def test_another_seed_gives_other_weights(sample):
    everything = np.arange(4_000, dtype=np.int32)
    one, other = (program_of("dense-32", sample, xla=False, seed=seed) for seed in (3, 4))

    losses = {program.train_epoch(everything, 1)[0] for program in (one, other)}

    assert len(losses) == 2


# A program that is used again


def values_of(name, **settings):
    return VARIANTS[name].check({"train_part": 0.1, "validation": "kfold:3", **settings})


@pytest.mark.parametrize(
    ("name", "structure"),
    [
        slow("dense-32", {"hidden_units": 11}),
        ("dense-32", {"dropout": 0.3, "optimizer": "adam", "hidden_units": 12}),
        slow("dense-512", {"augmentation": 1.0, "dropout": 0.1, "hidden_units": 13}),
        slow("cnn-augmented", {"filters": 2, "hidden_units": 14}),
    ],
)
def test_a_program_that_is_used_again_gives_bit_for_bit_what_a_new_one_gives(name, structure, sample):
    earlier = values_of(name, **structure, seed=5, fold=1)
    later = values_of(name, **structure, seed=6, fold=3, learning_rate=0.002, schedule="cosine", train_part=0.12)
    new = program_of(name, sample, **later)
    positions = split_for(later, sample).train

    used = program_for(name, earlier, sample)
    used.train_epoch(split_for(earlier, sample).train, 1)
    used.evaluate(positions)
    again = program_for(name, later, sample)
    before = again.state(), new.state()
    results = [program.train_epoch(positions, number) for program in (again, new) for number in (1, 2)]

    assert again is used
    assert_equal_to_the_last_bit(*before)
    assert results[:2] == results[2:]
    assert_equal_to_the_last_bit(again.state(), new.state())
    assert again.test(sample.x_test, sample.y_test)[:2] == new.test(sample.x_test, sample.y_test)[:2]


def test_a_rehearsal_tells_seconds_and_leaves_nothing_behind_in_the_program(sample):
    values = values_of("dense-32", hidden_units=15, dropout=0.2)
    new = program_of("dense-32", sample, **values)
    positions = split_for(values, sample).train

    seconds = precompile_and_time("dense-32", values, load_settings())
    rehearsed = program_for("dense-32", values, sample)
    results = [program.train_epoch(positions, 1) for program in (rehearsed, new)]

    assert 0 < seconds < 10
    assert results[0] == results[1]
    assert_equal_to_the_last_bit(rehearsed.state(), new.state())


def test_networks_of_another_structure_get_a_program_of_their_own(sample):
    programs = [
        program_for("dense-32", values_of("dense-32", **structure), sample)
        for structure in (
            {"hidden_units": 4},
            {"hidden_units": 4, "optimizer": "sgd"},
            {"hidden_units": 4, "dropout": 0.1},
        )
    ]

    assert len(set(programs)) == 3
    assert [program.model.count_params() for program in programs] == [3_190] * 3


# Checkpoints


def test_a_checkpoint_holds_plain_arrays_and_no_pickle(sample):
    state = program_of("dense-32", sample, n=50).state()

    read = Checkpoint.from_bytes(Checkpoint(state, EpochProgress(3, 7, 96, 1.25, 12.0), 4.5).as_bytes())

    assert sum(array.size for array in read.state) > 2 * 25_450  # weights, and what RMSprop remembers of each
    assert (read.progress, read.seconds) == (EpochProgress(3, 7, 96, 1.25, 12.0), 4.5)
    assert_equal_to_the_last_bit(read.state, state)
    assert [array.dtype for array in read.state] == [array.dtype for array in state]


def test_a_checkpoint_of_objects_is_refused():
    file = io.BytesIO()
    np.savez(file, np.array([{"an": "object"}], object))

    with pytest.raises(ValueError, match="allow_pickle"):
        Checkpoint.from_bytes(file.getvalue())


def test_a_checkpoint_from_before_epochs_could_be_interrupted_is_read(sample):
    program = program_of("dense-32", sample, n=320, xla=False, hidden_layers=5)  # more than ten arrays
    everything = np.arange(320, dtype=np.int32)
    program.train_epoch(everything, 1)
    file = io.BytesIO()
    np.savez(
        file, *[np.asarray(variable.numpy()) for variable in (*program.model.variables, *program.optimizer.variables)]
    )

    read = Checkpoint.from_bytes(file.getvalue())
    expected = program.train_epoch(everything, 2)
    program.restart(program.values)
    program.take_state(read.state)

    assert (read.progress, read.seconds) == (NOT_STARTED, 0)
    assert program.train_epoch(everything, 2, progress=read.progress) == expected
