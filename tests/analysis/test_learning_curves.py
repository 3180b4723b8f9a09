"""Learning curves as numbers: grouped, averaged, smoothed, placed along an axis."""

import math

import numpy as np
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st

from mnist_dash.analysis.curve_lines import (
    BEST,
    INTERVAL,
    MIN_MAX,
    SD,
    SE,
    STOPPED,
    TESTED,
    band_of,
    line_of,
    marks_of,
    smoothed,
)
from mnist_dash.analysis.learning_curves import (
    ACCURACY,
    EPOCHS,
    IMAGES,
    LOSS,
    SECONDS,
    TRAINING,
    VALIDATION,
    History,
    curves_of,
    images_per_epoch,
    overfitting,
    tidy_rows,
)
from mnist_dash.datasets.mnist import Dataset
from mnist_dash.datasets.splits import split
from mnist_dash.store.records import DONE, RUNNING, Epoch
from tests.support.histories import history, run_with

NUMBERS = st.floats(-1e6, 1e6, allow_subnormal=False)
STRENGTHS = st.floats(0, 0.99)


def rising(draw_from):
    return st.lists(draw_from, min_size=1, max_size=20).map(lambda steps: list(np.cumsum(steps)))


# Smoothing


@given(x=rising(st.floats(0.01, 100)), value=NUMBERS, strength=STRENGTHS)
def test_a_constant_line_stays_as_it_is_however_much_it_is_smoothed(x, value, strength):
    assert smoothed(x, [value] * len(x), strength) == pytest.approx([value] * len(x))


@given(y=st.lists(NUMBERS, min_size=1, max_size=20))
def test_without_strength_a_line_stays_as_it_is(y):
    assert smoothed(list(range(len(y))), y, 0.0) == y


@given(y=st.lists(NUMBERS, min_size=2, max_size=20), strength=st.floats(0.01, 0.99), step=st.floats(0.01, 100))
def test_with_equal_steps_it_is_adams_moving_average_with_its_bias_corrected(y, strength, step):
    average, expected = 0.0, []
    for number, value in enumerate(y, start=1):
        average = strength * average + (1 - strength) * value
        expected.append(average / (1 - strength**number))

    found = smoothed([step * number for number in range(len(y))], y, strength)

    assert found == pytest.approx(expected, rel=1e-6, abs=1e-3)


@given(y=st.lists(NUMBERS, min_size=1, max_size=20), strength=STRENGTHS)
def test_a_smoothed_line_stays_between_the_smallest_and_the_largest_value(y, strength):
    found = smoothed(list(range(len(y))), y, strength)

    margin = 1e-9 * max(map(abs, y))
    assert all(min(y) - margin <= value <= max(y) + margin for value in found)


def test_a_point_counts_the_less_the_farther_away_it_is():
    near = smoothed([0, 1, 2, 3], [1.0, 1.0, 1.0, 0.0], 0.5)[-1]
    far = smoothed([0, 1, 2, 12], [1.0, 1.0, 1.0, 0.0], 0.5)[-1]

    assert near == pytest.approx((0.5 + 0.25 + 0.125) / (1 + 0.5 + 0.25 + 0.125))
    assert 0 < far < near / 100


@pytest.mark.parametrize("missing", [None, math.nan, math.inf])
def test_what_is_missing_stays_missing_and_changes_nothing_else(missing):
    found = smoothed([1, 2, 3, 4], [1.0, missing, 3.0, 4.0], 0.5)

    assert found[1] is None
    assert found[2] == pytest.approx((3 + 0.25 * 1) / 1.25)
    assert smoothed([1, 2], [missing, 5.0], 0.5) == [None, 5.0]


# Bands


@given(values=st.lists(st.floats(0, 10), min_size=2, max_size=12))
def test_bands_are_those_that_scipy_computes(values):
    mean, error = np.mean(values), scipy.stats.sem(values)

    assert band_of(values, SD) == pytest.approx((mean - np.std(values, ddof=1), mean + np.std(values, ddof=1)))
    assert band_of(values, SE) == pytest.approx((mean - error, mean + error))
    assert band_of(values, MIN_MAX) == (min(values), max(values))
    reach = scipy.stats.t.ppf(0.975, len(values) - 1) * error
    assert band_of(values, INTERVAL) == pytest.approx((mean - reach, mean + reach), abs=1e-9)


# Which runs are one curve


def test_runs_that_differ_only_in_seed_or_fold_are_one_curve():
    runs = [history(1, seed=0), history(2, seed=1), history(3, seed=0, learning_rate=0.1)]

    curves = curves_of(runs)

    assert [[one.run.id for one in curve.histories] for curve in curves] == [[1, 2], [3]]
    assert [curve.n for curve in curves_of(runs, together=False)] == [1, 1, 1]


@pytest.mark.parametrize(
    "other",
    [
        {"fingerprint": "other data"},
        {"status": RUNNING},
        {"reference": "dense-32 1"},
        {"variant": "dense-512"},
        {"epochs": []},
    ],
    ids=["on other data", "not finished", "shipped", "another network", "without an epoch"],
)
def test_what_is_not_alike_stands_alone(other):
    curves = curves_of([history(1, seed=0), history(2, seed=1, planned=2, **other)])

    assert [curve.n for curve in curves] == [1, 1]


def test_a_run_with_the_seed_and_fold_of_another_is_not_counted_twice():
    [curve] = curves_of([history(1, seed=0), history(2, seed=1), history(3, seed=1)])

    assert (curve.n, curve.duplicates) == (2, 1)


def test_a_mean_is_drawn_as_far_as_all_runs_got():
    short, long = history(1, losses=[0.4, 0.2], planned=3), history(2, losses=[0.6, 0.4, 0.1], seed=1)

    [curve] = curves_of([short, long])

    assert [epoch.loss for epoch in curve.epochs] == pytest.approx([0.5, 0.3])


def test_a_line_of_repeats_is_their_mean_with_its_band():
    [curve] = curves_of(
        [history(seed, losses=losses, seed=seed) for seed, losses in ((1, [0.4, 0.2]), (2, [0.6, 0.2]))]
    )

    line = line_of(curve, LOSS, TRAINING, axis=EPOCHS, band=MIN_MAX)

    assert line.y == line.raw == pytest.approx((0.5, 0.2))
    assert (line.low, line.high) == ((0.4, 0.2), (0.6, 0.2))
    assert (line.x, line.epochs) == ((1, 2), (1, 2))


def test_the_mean_of_smoothed_runs_is_the_smoothed_mean():
    [curve] = curves_of([history(seed, losses=losses, seed=seed) for seed, losses in ((1, [4, 1, 2]), (2, [6, 2, 3]))])

    line = line_of(curve, LOSS, TRAINING, axis=EPOCHS, smoothing=0.6)

    assert line.raw == pytest.approx((5, 1.5, 2.5))
    assert line.y == pytest.approx(smoothed([1, 2, 3], [5, 1.5, 2.5], 0.6))


def test_without_validation_there_is_no_validation_line():
    [curve] = curves_of([history(1)])

    assert line_of(curve, LOSS, VALIDATION, axis=EPOCHS) is None


def test_a_single_run_has_no_band():
    [curve] = curves_of([history(1)])

    assert line_of(curve, LOSS, TRAINING, axis=EPOCHS).low == ()


# Axes


def test_along_seconds_an_epoch_ends_when_it_and_all_before_it_have_been_trained():
    [curve] = curves_of([history(1, losses=[3, 2, 1], seconds=[5.0, 0.5, 0.25])])

    assert line_of(curve, LOSS, TRAINING, axis=SECONDS).x == pytest.approx((5.0, 5.5, 5.75))


def test_along_pictures_an_epoch_has_as_many_as_the_run_learns_from():
    [curve] = curves_of([history(1, losses=[3, 2], validation="kfold:4", train_part=0.5)])

    assert line_of(curve, LOSS, TRAINING, axis=IMAGES).x == (22_500, 45_000)


@pytest.mark.parametrize("validation", ["none", "holdout", "kfold:3", "kfold:7"])
@pytest.mark.parametrize("train_part", [1.0, 0.013])
def test_pictures_are_counted_as_they_are_split(sample: Dataset, validation: str, train_part: float):
    run = run_with(dataset="mnist-sample", validation=validation, fold=2, train_part=train_part)

    parts = split(sample.y_train, validation, fold=2, train_part=train_part)

    assert images_per_epoch(run) == len(parts.train)


def test_pictures_of_stratified_folds_are_counted_nearly_right(sample: Dataset):
    run = run_with(dataset="mnist-sample", validation="stratified:7")

    assert abs(images_per_epoch(run) - len(split(sample.y_train, "stratified:7").train)) <= 10


# Points that mean something


def test_the_best_epoch_is_the_one_with_the_lowest_validation_loss_also_on_accuracies():
    [curve] = curves_of([history(1, losses=[3, 2, 1], val_losses=[0.3, 0.2, 0.4])])

    assert [(mark.kind, mark.epoch, mark.y) for mark in marks_of(curve, LOSS, axis=EPOCHS)] == [(BEST, 2, 0.2)]
    [mark] = marks_of(curve, ACCURACY, axis=EPOCHS)
    assert mark.y == curve.epochs[1].val_accuracy


def test_early_stopping_is_marked_where_training_ended_and_the_test_where_its_weights_come_from():
    stopped = history(1, losses=[3, 2, 1, 1], val_losses=[0.3, 0.2, 0.4, 0.4], patience=2, planned=9, test_loss=0.25)

    marks = {mark.kind: mark.epoch for mark in marks_of(*curves_of([stopped]), LOSS, axis=EPOCHS)}

    assert marks == {BEST: 2, STOPPED: 4, TESTED: 2}


def test_a_run_that_had_all_its_epochs_was_not_stopped_early():
    [curve] = curves_of([history(1, losses=[3, 2, 1], val_losses=[0.3, 0.2, 0.4], patience=1, planned=3)])

    assert STOPPED not in {mark.kind for mark in marks_of(curve, LOSS, axis=EPOCHS)}


def test_without_patience_the_last_weights_are_tested():
    [curve] = curves_of([history(1, losses=[3, 2], val_losses=[0.2, 0.3], test_loss=0.25)])

    [tested] = [mark for mark in marks_of(curve, LOSS, axis=EPOCHS) if mark.kind == TESTED]

    assert (tested.epoch, tested.y) == (2, 0.25)


# Over-fitting


@pytest.mark.parametrize(
    ("losses", "val_losses", "clear"),
    [
        ([0.3, 0.2, 0.1], [0.3, 0.2, 0.23], True),
        ([0.3, 0.2, 0.1], [0.3, 0.2, 0.21], False),
        ([0.3, 0.2, 0.4], [0.3, 0.2, 0.5], False),
        ([0.3, 0.2, 0.1], [0.3, 0.2, 0.1], False),
    ],
    ids=["risen while training fell", "hardly risen", "training rose too", "still falling"],
)
def test_overfitting_is_a_rising_validation_loss_while_the_training_loss_falls(losses, val_losses, clear):
    found = overfitting(history(1, losses=losses, val_losses=val_losses).epochs)

    assert found.is_clear is clear


def test_it_says_by_how_much_the_validation_loss_has_risen():
    found = overfitting(history(1, losses=[3, 2, 1], val_losses=[0.3, 0.2, 0.25]).epochs)

    assert (found.best.number, found.risen) == (2, pytest.approx(0.25))


def test_one_lucky_epoch_and_one_unlucky_last_one_are_no_overfitting():
    falling = [1 / number for number in range(1, 31)]
    noisy = [0.02, 0.021] * 15
    noisy[14], noisy[-1] = 0.016, 0.03

    found = overfitting(history(1, losses=falling, val_losses=noisy).epochs)

    assert (found.best.number, found.window) == (15, 5)
    assert not found.is_clear


def test_a_rise_under_the_same_noise_is_overfitting():
    falling = [1 / number for number in range(1, 31)]
    noisy = [0.02 + 0.001 * (number % 2) + 0.0005 * max(0, number - 14) for number in range(30)]

    found = overfitting(history(1, losses=falling, val_losses=noisy).epochs)

    assert found.is_clear
    assert found.validation == pytest.approx((0.02, 0.027))


def test_without_validation_overfitting_cannot_be_told():
    assert overfitting(history(1).epochs) is None
    assert overfitting([]) is None


# Export


def test_a_tidy_table_has_every_number_once():
    run = history(7, losses=[0.4, 0.2], val_losses=[0.3, 0.25], seconds=[2.0, 1.0], test_loss=0.26, test_accuracy=0.9)

    rows = tidy_rows([run], {7: "Dense 32 · run 7"})

    assert len(rows) == 2 * 4 + 2
    assert rows[0] == {
        "run": 7,
        "title": "Dense 32 · run 7",
        "variant": "dense-32",
        "series": "training loss",
        "epoch": 1,
        "seconds": 2.0,
        "images": 55_000,
        "value": 0.4,
    }
    last = {row["series"]: (row["epoch"], row["seconds"], row["value"]) for row in rows}
    assert last["validation loss"] == (2, 3.0, 0.25)
    assert last["test accuracy"] == (2, 3.0, 0.9)


def test_a_run_so_far_has_the_rows_that_there_are():
    rows = tidy_rows([history(7, losses=[0.4], status=RUNNING)], {7: "it"})

    assert [row["series"] for row in rows] == ["training loss", "training accuracy"]


def test_a_history_without_epochs_is_a_curve_without_points():
    [curve] = curves_of([History(run_with(status=DONE), ())])

    assert curve.epochs == ()
    assert marks_of(curve, LOSS, axis=EPOCHS) == []
    assert line_of(curve, LOSS, TRAINING, axis=EPOCHS) is None


def test_an_epoch_of_a_mean_is_an_epoch():
    [curve] = curves_of([history(1, seed=1), history(2, seed=2)])

    assert isinstance(curve.epochs[0], Epoch)
