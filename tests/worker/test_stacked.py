"""Several seeds or folds in one stacked program: each learns what it would have learned by itself."""

import numpy as np
import pytest

from mnist_dash.datasets.splits import split
from mnist_dash.networks.experiments import PlannedRun
from mnist_dash.networks.variants import VARIANTS
from mnist_dash.store.records import CANCELLED, CHECKPOINT, DONE, FAILED, PAUSED
from mnist_dash.store.run_leases import RunLeases
from mnist_dash.store.run_store import RunStore
from mnist_dash.worker.compiled import NOT_STARTED
from mnist_dash.worker.device import processor
from mnist_dash.worker.stacked import StackedProgram, can_be_stacked
from mnist_dash.worker.training import train_run, train_runs
from tests.support.learning import (
    Interrupted,
    Killed,
    assert_ended_alike,
    assert_equal_to_the_last_bit,
    at,
    cancelled,
    epoch_by_keras,
    final_weights,
    history,
    keras_model_of,
    killed,
    paused,
    program_of,
    queue,
    reporting_every,
    settings_of,
    slow,
    weights_of,
)

N = 640
STRUCTURES = {
    "dense-32": ("dense-32", {}),
    "Adam": ("dense-32", {"optimizer": "adam", "hidden_units": 16, "schedule": "cosine"}),
    "momentum, no hidden layer": ("dense-32", {"optimizer": "momentum", "hidden_layers": 0}),
    "two hidden layers": ("dense-32", {"hidden_layers": 2, "activation": "tanh"}),
    "sigmoid-100": ("sigmoid-100", {"batch_size": 128}),  # few steps: they jump so far that rounding grows
}


@pytest.fixture
def one_core(monkeypatch):
    """All networks in one stack: half as much is compiled."""
    monkeypatch.setenv("TF_NUM_INTRAOP_THREADS", "1")


def settings_of_seeds(name, count=8, **settings):
    return [VARIANTS[name].check({**settings, "epochs": 3, "seed": 20 + index}) for index in range(count)]


def stacked_program(single, settings, sample):
    return StackedProgram(single, settings, sample.x_train[:N], sample.y_train[:N])


def train(program, positions, number, report=lambda progress: None):
    return program.train_epoch(positions, number, progress=NOT_STARTED, report=report)


def interrupt(program, positions, number, step):
    """Trains an epoch until `step` of its batches are done; returns how far each network is."""
    found = []

    def report(progress):
        if progress[0].step == step:
            found.extend(progress)
            raise Interrupted

    with reporting_every(10), pytest.raises(Interrupted):
        train(program, positions, number, report)
    return found


def assert_close(some, others, atol=1e-4):
    for one, other in zip(some, others, strict=True):
        np.testing.assert_allclose(one, other, atol=atol)


@pytest.mark.parametrize(
    ("name", "structure"),
    [("dense-32", {}), *(slow(*case) for case in list(STRUCTURES.values())[1:])],
    ids=STRUCTURES,
)
def test_each_network_has_the_losses_and_weights_of_its_single_run(name, structure, sample):
    settings = settings_of_seeds(name, **structure)
    single = program_of(name, sample, n=N, **settings[0])
    positions = split(sample.y_train[:N], "kfold:4", fold=2).train  # 480 pictures

    program = stacked_program(single, settings, sample)
    results = [train(program, [positions] * 8, number) for number in (1, 2)]
    states = [program.select(index).state() for index in range(8)]

    for index, values in enumerate(settings):
        single.restart(values)
        expected = [single.train_epoch(positions, number) for number in (1, 2)]
        assert [epoch[index] for epoch in results] == [pytest.approx(epoch, abs=1e-4) for epoch in expected]
        assert_close(states[index], single.state())
    assert len({epoch[0] for epoch in results[1]}) == 8


def test_a_single_network_that_is_interrupted_goes_on_to_the_last_bit(sample):
    [values] = settings_of_seeds("dense-512", 1, hidden_units=24, batch_size=8, optimizer="momentum")
    single = program_of("dense-512", sample, n=N, **values)
    everything = np.arange(N, dtype=np.int32)
    one, resumed = (stacked_program(single, [values], sample) for _ in range(2))

    [result] = train(one, [everything], 1)
    expected = one.select(0).state()
    one.restart([values])
    [progress] = interrupt(one, [everything], 1, 40)
    resumed.resume(0, one.select(0).state())
    [resumed_result] = resumed.train_epoch([everything], 1, progress=progress, report=lambda progress: None)

    assert (progress.step, progress.steps) == (40, 80)
    assert resumed_result == result
    assert_equal_to_the_last_bit(resumed.select(0).state(), expected)


def test_a_network_can_take_the_state_of_a_single_run_while_the_others_keep_theirs(sample):
    settings = settings_of_seeds("dense-32", 3, optimizer="adam")
    single = program_of("dense-32", sample, n=N, **settings[1])
    everything = np.arange(N, dtype=np.int32)
    program = stacked_program(single, settings, sample)
    others = program.select(0).state(), program.select(2).state()
    single.restart(settings[1])
    single.train_epoch(everything, 1)
    state = single.state()

    program.resume(1, state)

    assert_equal_to_the_last_bit(program.select(1).state(), state)
    assert_equal_to_the_last_bit(program.select(0).weights(), others[0][: len(program.select(0).weights())])
    assert_equal_to_the_last_bit(program.select(2).weights(), others[1][: len(program.select(2).weights())])


@pytest.mark.slow
def test_networks_of_different_folds_learn_each_its_own_images(sample):
    settings = [VARIANTS["dense-32"].check({"seed": 3, "validation": "kfold:4", "fold": fold}) for fold in (1, 2, 3, 4)]
    single = program_of("dense-32", sample, n=N, **settings[0])
    positions = [split(sample.y_train[:N], "kfold:4", fold=fold).train for fold in (1, 2, 3, 4)]

    program = stacked_program(single, settings, sample)
    results = train(program, positions, 1)

    for index, values in enumerate(settings):
        state = program.select(index).state()
        single.restart(values)
        assert single.train_epoch(positions[index], 1) == pytest.approx(results[index], abs=1e-4)
        assert_close(state, single.state())


def test_a_network_learns_what_keras_teaches_it_batch_by_batch(sample, one_core):
    settings = settings_of_seeds("dense-32", 2, hidden_layers=2, optimizer="adam", batch_size=50)
    program = stacked_program(program_of("dense-32", sample, n=N, **settings[0]), settings, sample)
    everything = np.arange(N, dtype=np.int32)

    results = train(program, [everything] * 2, 1)

    for index, values in enumerate(settings):
        keras_model = keras_model_of("dense-32", **values)
        order = np.random.default_rng([values["seed"], 1]).permutation(everything)
        by_keras = epoch_by_keras(keras_model, sample, np.array_split(order, range(50, N, 50)))
        assert results[index] == pytest.approx(by_keras, abs=1e-4)
        for one, other in zip(weights_of(program.select(index).model), weights_of(keras_model), strict=True):
            assert np.abs(one - other).mean() < 1e-4  # the mean: see the tests of one network


def test_the_state_of_a_network_within_an_epoch_goes_on_like_the_single_run(sample, one_core):
    settings = settings_of_seeds("dense-32", 3, batch_size=4, optimizer="adam", hidden_units=16)
    single = program_of("dense-32", sample, n=N, **settings[0])
    everything = np.arange(N, dtype=np.int32)
    program = stacked_program(single, settings, sample)

    train(program, [everything] * 3, 1)
    progress = interrupt(program, [everything] * 3, 2, 80)
    states = [program.select(index).state() for index in range(3)]

    for index, values in enumerate(settings):
        single.restart(values)
        single.train_epoch(everything, 1)
        expected = single.train_epoch(everything, 2)
        expected_state = single.state()
        single.restart(values)
        single.take_state(states[index])
        assert single.train_epoch(everything, 2, progress=progress[index]) == pytest.approx(expected, abs=1e-4)
        assert_close(single.state(), expected_state)
    assert (progress[0].step, progress[0].steps) == (80, 160)


def test_networks_that_restart_are_like_new_ones(sample, one_core):
    earlier, later = (
        [VARIANTS["dense-32"].check({"hidden_units": 9, "seed": seed, "learning_rate": rate}) for seed in seeds]
        for seeds, rate in (((1, 2, 3), 0.01), ((7, 8, 9), 0.002))
    )
    single = program_of("dense-32", sample, n=N, **later[0])
    everything = np.arange(N, dtype=np.int32)
    used, new = (stacked_program(single, settings, sample) for settings in (earlier, later))

    train(used, [everything] * 3, 1)
    used.restart(later)
    results = [train(program, [everything] * 3, number) for program in (used, new) for number in (1, 2)]

    assert results[:2] == results[2:]
    for index in range(3):
        state = used.select(index).state()
        assert_equal_to_the_last_bit(state, new.select(index).state())


@pytest.mark.slow
@pytest.mark.parametrize("cores", ["1", "2", "3", "8"])
def test_any_number_of_networks_is_spread_over_any_number_of_cores(cores, sample, monkeypatch):
    monkeypatch.setenv("TF_NUM_INTRAOP_THREADS", cores)
    settings = settings_of_seeds("dense-32", 5, hidden_units=4, batch_size=64)
    single = program_of("dense-32", sample, n=N, **settings[0])
    everything = np.arange(N, dtype=np.int32)

    program = stacked_program(single, settings, sample)
    results = train(program, [everything] * 5, 1)

    for index, values in enumerate(settings):
        state = program.select(index).state()
        single.restart(values)
        assert single.train_epoch(everything, 1) == pytest.approx(results[index], abs=1e-4)
        assert_close(state, single.state())


def test_progress_grows_to_the_whole_epoch_and_ends_with_each_ones_loss(sample, one_core):
    settings = settings_of_seeds("dense-32", 3, hidden_units=4)
    program = stacked_program(program_of("dense-32", sample, n=N, **settings[0]), settings, sample)
    positions = np.arange(630, dtype=np.int32)
    seen = []

    results = train(program, [positions] * 3, 1, seen.append)

    steps = [progress[0].step for progress in seen]
    assert steps == sorted(set(steps))
    assert all(len({(one.step, one.steps, one.seen) for one in progress}) == 1 for progress in seen)
    assert (seen[-1][0].step, seen[-1][0].seen) == (20, 630)
    assert [(one.loss / 630, one.correct / 630) for one in seen[-1]] == results


def test_small_dense_networks_without_augmentation_and_dropout_can_be_lanes():
    def can(name, **settings):
        return can_be_stacked(VARIANTS[name], VARIANTS[name].check(settings))

    assert can("dense-32")
    assert can("sigmoid-100", hidden_layers=5)
    assert not can("sigmoid-100", dropout=0.5)
    assert not can("dense-512")
    assert not can("dense-32", augmentation=1)
    assert not can("cnn", hidden_units=32)


# Groups of runs in a worker's hands


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    opened = RunStore(f"sqlite:///{tmp_path_factory.mktemp('groups') / 'runs.sqlite'}")
    yield opened
    opened.close()


GROUP = {"epochs": 4, "batch_size": 4, "validation": "stratified:5", "train_part": 0.2}


def group(runs, sample, **settings):
    planned = [PlannedRun("dense-32", VARIANTS["dense-32"].check({**GROUP, **settings, "seed": n})) for n in range(4)]
    return runs.create_runs(planned, dataset=sample.name, fingerprint=sample.fingerprint)


@pytest.fixture(scope="module")
def undisturbed(runs, sample):
    created = group(runs, sample)
    train_runs([run.id for run in created], settings_of(runs))
    return created


def test_a_group_ends_with_the_epochs_and_weights_of_its_runs_alone(runs, sample, undisturbed):
    for run in undisturbed:
        single = queue(runs, sample, **run.settings)
        train_run(single.id, settings_of(runs))

        expected, epochs = history(runs, single), history(runs, run)
        assert [epoch.number for epoch in epochs] == [1, 2, 3, 4]
        for field in ("loss", "accuracy", "val_loss", "val_accuracy"):
            assert_close([getattr(epoch, field) for epoch in epochs], [getattr(epoch, field) for epoch in expected])
        assert_close(final_weights(runs, run), final_weights(runs, single))
        one, other = runs.get_run(run.id), runs.get_run(single.id)
        assert (one.status, one.attempt, one.weights) == (DONE, 1, other.weights)
        assert one.test_loss == pytest.approx(other.test_loss, abs=1e-4)


def test_the_seconds_of_a_group_are_shared_among_its_runs(runs, undisturbed):
    first, last = runs.get_run(undisturbed[0].id), runs.get_run(undisturbed[-1].id)

    assert first.fit_seconds == pytest.approx(last.fit_seconds)
    assert 4 * first.fit_seconds < last.finished_at - last.started_at


def lane_of(run, state):
    """Returns the stack that a index is in, and its place there."""
    program, place = state.args
    return next(
        (stack, place - int(share[0]))
        for stack, share in zip(program._stacks, program._shares, strict=True)
        if place in share
    )


def test_what_befalls_one_lane_is_not_felt_by_the_others(runs, sample, undisturbed):
    to_pause, to_cancel, to_diverge, to_go_on = disturbed = group(runs, sample)

    with (
        at({(2, 70): paused}, of=to_pause),
        at({(3, 1): cancelled}, of=to_cancel),
        at({(2, 1): put_nan_into_weights}, of=to_diverge),
    ):
        train_runs([run.id for run in disturbed], settings_of(runs))

    assert [runs.get_run(run.id).status for run in disturbed] == [PAUSED, CANCELLED, FAILED, DONE]
    assert "the loss became nan in epoch 2" in runs.get_run(to_diverge.id).error
    assert [len(runs.list_epochs(run.id)) for run in disturbed] == [1, 2, 1, 4]
    assert runs.find_artifact(to_cancel.id, CHECKPOINT) is None
    assert_ended_alike(runs, to_go_on, undisturbed[3])


def put_nan_into_weights(run, state):
    stack, index = lane_of(run, state)
    weights = stack._weights[0].numpy()
    weights[index] = np.nan
    stack._weights[0].assign(weights)


def test_a_lane_that_was_paused_goes_on_alone_where_it_was(runs, sample, undisturbed):
    disturbed = group(runs, sample)
    paused_run = disturbed[1]

    with at({(3, 70): paused}, of=paused_run):
        train_runs([run.id for run in disturbed], settings_of(runs))
    runs.resume_run(paused_run.id)
    train_run(paused_run.id, settings_of(runs))

    assert [epoch.number for epoch in runs.list_epochs(paused_run.id)] == [1, 2, 3, 4]
    assert history(runs, paused_run)[:2] == history(runs, undisturbed[1])[:2]
    for one, other in zip(history(runs, paused_run), history(runs, undisturbed[1]), strict=True):
        assert (one.loss, one.val_loss) == pytest.approx((other.loss, other.val_loss), abs=1e-4)
    assert_close(final_weights(runs, paused_run), final_weights(runs, undisturbed[1]))


@pytest.mark.slow
def test_lanes_may_stop_early_each_in_its_own_epoch(runs, sample):
    settings = {"epochs": 30, "batch_size": 32, "patience": 2, "learning_rate": 0.05}
    created = group(runs, sample, **settings)

    train_runs([run.id for run in created], settings_of(runs))

    val_losses = [[epoch.val_loss for epoch in runs.list_epochs(run.id)] for run in created]
    assert len({len(losses) for losses in val_losses}) > 1
    assert [len(losses) - 1 - int(np.argmin(losses)) for losses in val_losses] == [2] * 4
    first, last = sorted(range(4), key=lambda index: len(val_losses[index]))[::3]
    for index in (first, last):
        until_its_best = group(runs, sample, **{**settings, "patience": 0, "epochs": len(val_losses[index]) - 2})
        train_runs([run.id for run in until_its_best], settings_of(runs))
        one, other = (runs.get_run(found[index].id) for found in (created, until_its_best))
        assert (one.status, one.test_loss, one.test_accuracy) == (DONE, other.test_loss, other.test_accuracy)
        assert_equal_to_the_last_bit(final_weights(runs, one), final_weights(runs, other))


def test_runs_of_a_group_whose_worker_dies_end_alone_with_each_epoch_once(runs, sample, undisturbed):
    created = group(runs, sample)
    with at({(3, 70): killed}), pytest.raises(Killed):
        train_runs([run.id for run in created], settings_of(runs))
    RunLeases(runs).requeue_lost(lost_after_s=-1)

    train_runs([run.id for run in created], settings_of(runs))
    left_to_be_trained_alone = [runs.get_run(run.id).status for run in created]
    for run in created:
        train_run(run.id, settings_of(runs))

    assert left_to_be_trained_alone == ["queued"] * 4
    for run, expected in zip(created, undisturbed, strict=True):
        assert (runs.get_run(run.id).status, runs.get_run(run.id).attempt) == (DONE, 2)
        assert [epoch.number for epoch in runs.list_epochs(run.id)] == [1, 2, 3, 4]
        assert_close(final_weights(runs, run), final_weights(runs, expected))


def test_runs_of_a_group_that_have_begun_before_are_left_to_be_trained_alone(runs, sample, undisturbed):
    again = group(runs, sample)
    with at({(2, 70): paused}, of=again[0]):
        train_runs([again[0].id], settings_of(runs))
    runs.resume_run(again[0].id)

    train_runs([run.id for run in again], settings_of(runs))

    assert [runs.get_run(run.id).status for run in again] == ["queued", DONE, DONE, DONE]
    train_run(again[0].id, settings_of(runs))
    assert [epoch.number for epoch in runs.list_epochs(again[0].id)] == [1, 2, 3, 4]
    assert_close(final_weights(runs, again[0]), final_weights(runs, undisturbed[0]))


def test_a_group_of_which_a_run_was_deleted_is_trained_without_it(runs, sample, undisturbed):
    created = group(runs, sample)
    runs.cancel_run(created[0].id)
    runs.delete_run(created[0].id)

    train_runs([run.id for run in created], settings_of(runs))

    assert [runs.get_run(run.id).status for run in created[1:]] == [DONE] * 3
    assert_close(final_weights(runs, created[3]), final_weights(runs, undisturbed[3]))


def test_a_run_of_a_group_that_loses_its_lease_before_training_does_not_end_the_others(runs, sample, monkeypatch):
    created = group(runs, sample)

    def lose_one():
        lost = runs.get_run(created[0].id)
        RunLeases(runs).stop(lost.id, str(lost.lease), "queued", {})
        return processor()

    monkeypatch.setattr("mnist_dash.worker.training.this_device", lose_one)
    monkeypatch.setattr("mnist_dash.worker.heartbeat._BEAT_S", 60)  # a change, not the heartbeat, is to find out

    train_runs([run.id for run in created], settings_of(runs))

    assert [runs.get_run(run.id).status for run in created] == ["queued", DONE, DONE, DONE]
