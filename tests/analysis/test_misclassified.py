"""Where networks go wrong: digit by digit, picture by picture, by what digits look like."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import ndimage, stats

from mnist_dash.analysis.calibration import calibration_error, reliability
from mnist_dash.analysis.misclassified import (
    WRONG_LABELS,
    accuracy_without,
    class_scores,
    disagreements,
    most_confident_errors,
    predicted_as,
)
from mnist_dash.analysis.slices import PROPERTIES, accuracy_by_slice, measure_property
from mnist_dash.analysis.test_predictions import TestPredictions, confusion_matrix


def predictions_of(predictions, labels, sureness=None):
    sureness = np.full(len(labels), 1.0) if sureness is None else np.array(sureness)
    probabilities = np.repeat((1 - sureness)[:, None] / 9, 10, axis=1)
    probabilities[np.arange(len(labels)), predictions] = sureness
    return TestPredictions(np.array(labels, np.uint8), probabilities.astype(np.float16))


# Digit by digit


def test_precision_recall_and_f1_are_as_worked_out_by_hand():
    # Of four 1s three are read as 1; one 7 is read as 1, too.
    scores = class_scores(confusion_matrix(np.array([1, 1, 1, 1, 7, 7]), np.array([1, 1, 1, 7, 1, 7])))

    assert scores[1].precision.value == 3 / 4
    assert scores[1].recall.value == 3 / 4
    assert scores[1].f1.value == pytest.approx(3 / 4)
    assert scores[7].f1.value == pytest.approx(1 / 2)


def test_a_digit_that_does_not_occur_has_no_scores():
    scores = class_scores(confusion_matrix(np.array([1, 1]), np.array([1, 7])))

    assert scores[3].precision is scores[3].recall is scores[3].f1 is None
    assert scores[7].precision.value == 0
    assert scores[7].recall is None


@given(confusion=arrays(np.int64, (10, 10), elements=st.integers(0, 500)))
def test_f1_is_the_harmonic_mean_and_lies_in_its_interval(confusion):
    for score in class_scores(confusion):
        if score.precision and score.recall and score.precision.value + score.recall.value:
            precision, recall = score.precision.value, score.recall.value
            assert score.f1.value == pytest.approx(2 * precision * recall / (precision + recall))
            assert score.f1.low <= score.f1.value <= score.f1.high


def test_the_interval_of_f1_holds_the_true_value_as_often_as_it_says():
    generator, trials, held = np.random.default_rng(5), 2_000, 0
    # 900 pictures of a digit are read right with 0.9; 9,000 others read as it with 0.01: F1 is 810 / (810 + 90) …
    true = 2 * 0.9 * 900 / (900 + 0.9 * 900 + 0.01 * 9_000)
    for _ in range(trials):
        right, false = generator.binomial(900, 0.9), generator.binomial(9_000, 0.01)
        confusion = np.zeros((10, 10), int)
        confusion[0, :2], confusion[1, :2] = (right, 900 - right), (false, 9_000 - false)
        score = class_scores(confusion)[0].f1
        held += score.low <= true <= score.high

    assert held / trials > 0.94


# Picture by picture


def test_disagreements_come_with_those_first_that_fewest_read_right():
    labels = [0, 1, 2, 3]
    runs = [
        predictions_of([0, 1, 2, 9], labels),
        predictions_of([0, 9, 2, 8], labels),
        predictions_of([0, 1, 2, 9], labels),
    ]

    assert disagreements(runs).tolist() == [3, 1]


def test_one_run_disagrees_with_nobody():
    assert disagreements([predictions_of([1, 2], [1, 1])]).tolist() == []


def test_worst_mistakes_come_with_the_surest_first():
    found = most_confident_errors(predictions_of([1, 0, 0, 0], [1, 1, 1, 1], [0.99, 0.6, 0.9, 0.75]))

    assert found.tolist() == [2, 3, 1]


def test_pictures_of_a_cell_are_those_of_the_confusion_matrix():
    predictions = predictions_of([4, 9, 9, 9], [4, 4, 9, 4], [0.9, 0.6, 0.9, 0.8])

    assert predicted_as(predictions, 4, 9).tolist() == [3, 1]
    assert len(predicted_as(predictions, 9, 9)) == predictions.confusion[9, 9]
    assert predicted_as(predictions, 0, 0).tolist() == []


def test_accuracy_without_some_pictures_counts_the_others():
    predictions = predictions_of([1, 1, 1, 2], [1, 1, 2, 1])

    assert accuracy_without(predictions, [2]).value == pytest.approx(2 / 3)
    assert accuracy_without(predictions, [2]).n == 3


def test_the_fifteen_wrong_labels_are_positions_of_the_test_pictures():
    assert len(set(WRONG_LABELS)) == 15
    assert all(0 <= position < 10_000 for position in WRONG_LABELS)


# How sure


def test_the_calibration_error_is_as_worked_out_by_hand():
    # Four images at 50 % confidence, all correct: 0.5 too low. Six at 90 %, three correct: 0.4 too high.
    confidence = [0.5] * 4 + [0.9] * 6
    predictions = [1, 1, 1, 1, 1, 1, 1, 0, 0, 0]

    error = calibration_error(predictions_of(predictions, [1] * 10, confidence))

    assert error == pytest.approx(0.4 * 0.5 + 0.6 * 0.4, abs=1e-3)  # probabilities have three digits


def test_every_picture_is_in_one_bin():
    generator = np.random.default_rng(3)
    predictions = predictions_of(generator.integers(0, 10, 500), [1] * 500, generator.uniform(0.2, 1, 500))

    bins = reliability(predictions)

    assert sum(each.accuracy.n for each in bins) == 500
    assert [each.confidence for each in bins] == sorted(each.confidence for each in bins)


def test_a_network_that_is_always_sure_and_always_right_is_calibrated():
    assert calibration_error(predictions_of([1, 2], [1, 2], [1.0, 1.0])) == 0


# What digits look like


def bar(*, left, width, lean=0):
    """A bar of white ink, its upper end `lean` pixels to the right of its lower end."""
    picture = np.zeros((28, 28), np.uint8)
    for row in range(4, 24):
        start = left + round(lean * (23 - row) / 19)
        picture[row, start : start + width] = 255
    return picture


def test_ink_is_the_mean_brightness():
    assert measure_property(np.stack([bar(left=10, width=7)]), "ink")[0] == pytest.approx(100 * 20 * 7 / 784, rel=1e-5)


@pytest.mark.parametrize("width", [1, 4, 20])
def test_width_is_from_the_leftmost_to_the_rightmost_ink(width):
    assert measure_property(np.stack([bar(left=3, width=width)]), "width").tolist() == [width]


@pytest.mark.parametrize("lean", [-10, -4, 0, 4, 10])
def test_slant_is_how_far_a_stroke_leans_to_the_right(lean):
    slant = measure_property(np.stack([bar(left=12, width=3, lean=lean)]), "slant")[0]

    assert slant == pytest.approx(np.degrees(np.arctan(lean / 19)), abs=1.5)


@pytest.mark.parametrize("trait", PROPERTIES)
def test_a_black_picture_has_nothing_of_any_trait(trait):
    assert measure_property(np.zeros((2, 28, 28), np.uint8), trait).tolist() == [0, 0]


def test_slants_of_real_digits_are_those_of_scipys_moments(sample):
    pictures = sample.x_test[:50]
    rows, columns = np.mgrid[:28, :28]

    expected = []
    for picture in pictures.astype(float):
        row, column = ndimage.center_of_mass(picture)
        mass = picture.sum()
        covariance = (picture * (rows - row) * (columns - column)).sum() / mass
        expected.append(np.degrees(np.arctan(-covariance / ((picture * (rows - row) ** 2).sum() / mass))))

    np.testing.assert_allclose(measure_property(pictures, "slant"), expected, atol=0.05)


def test_a_turned_digit_has_another_slant(sample):
    pictures = sample.x_test[:200]
    turned = ndimage.rotate(pictures, -15, axes=(1, 2), reshape=False, order=1)  # clockwise on the screen

    difference = measure_property(turned, "slant") - measure_property(pictures, "slant")

    assert np.median(difference) > 5


@given(values=arrays(np.float32, st.integers(5, 200), elements=st.floats(0, 50, width=32)))
def test_parts_are_of_equal_size_and_in_order(values):
    right = np.arange(len(values)) % 3 == 0

    parts = accuracy_by_slice(values, right)

    assert sum(part.accuracy.n for part in parts) == len(values)
    assert max(part.accuracy.n for part in parts) - min(part.accuracy.n for part in parts) <= 1
    assert all(part.low <= part.middle <= part.high for part in parts)
    assert all(one.high <= other.low for one, other in itertools.pairwise(parts))
    assert round(sum(part.accuracy.value * part.accuracy.n for part in parts)) == right.sum()


def test_accuracy_by_trait_finds_where_the_mistakes_are():
    values = np.arange(100, dtype=np.float32)

    parts = accuracy_by_slice(values, values < 80)

    assert [part.accuracy.value for part in parts] == [1, 1, 1, 1, 0]
    assert stats.binomtest(0, 20).proportion_ci(method="wilson").high == pytest.approx(parts[4].accuracy.high)
