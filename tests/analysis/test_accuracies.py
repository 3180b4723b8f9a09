import json
from dataclasses import asdict

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from mnist_dash.analysis.accuracies import Spread, accuracy, spread
from mnist_dash.analysis.calibration import CONFIDENCE_LIMITS, accuracy_at_confidence
from mnist_dash.analysis.test_predictions import (
    TestPredictions,
    confusion_matrix,
    most_confused,
    of_run,
    read_test_predictions,
)
from mnist_dash.errors import RunNotFoundError, StoreError
from mnist_dash.networks.variants import VARIANTS, default_settings
from mnist_dash.store.records import TEST_LABELS, TEST_PROBABILITIES, Epoch, Result, best_epoch
from mnist_dash.store.reference_runs import REFERENCE_FOLDER, ensure_reference_runs
from mnist_dash.store.run_leases import RunLeases
from mnist_dash.store.run_store import RunStore

REFERENCES = sorted(REFERENCE_FOLDER.glob("*/run.json"))
RESULT = Result(0.1856, 0.75, 0.7, 25_450, 0.2)


@pytest.fixture
def own_store(tmp_path):
    """A store on an empty database of its own; which database it is does not matter here."""
    opened = RunStore(f"sqlite:///{tmp_path / 'runs.sqlite'}")
    yield opened
    opened.close()


def finished(store, artifacts, *, dataset="mnist-sample", result=RESULT):
    settings = VARIANTS["dense-32"].check({})
    run = store.create_run("dense-32", settings, dataset=dataset, fingerprint="0123456789abcdef", leased=True)
    RunLeases(store).finish(run.id, run.lease, result, artifacts)
    return store.get_run(run.id)


def one_hot(digits):
    return np.eye(10, dtype=np.float16)[digits]


def epoch(number, val_loss):
    return Epoch(number, 0.3, 0.9, val_loss, None if val_loss is None else 0.9, 0.5)


# Accuracies and their intervals


@given(n=st.integers(1, 100_000), part=st.floats(0, 1), confidence=st.sampled_from([0.8, 0.95, 0.99]))
def test_an_interval_is_the_wilson_interval_of_scipy(n, part, confidence):
    correct = round(part * n)

    measured = accuracy(correct, n, confidence=confidence)

    expected = binomtest(correct, n).proportion_ci(confidence_level=confidence, method="wilson")
    assert measured.low == pytest.approx(expected.low, abs=1e-9)
    assert measured.high == pytest.approx(expected.high, abs=1e-9)
    assert measured.value == correct / n
    assert measured.n == n


@pytest.mark.parametrize(("correct", "points"), [(9_500, 0.43), (9_780, 0.29), (9_900, 0.20)])
def test_the_interval_of_10_000_pictures_is_the_published_one(correct, points):
    assert 100 * accuracy(correct, 10_000).margin == pytest.approx(points, abs=0.005)


def test_an_interval_worked_by_hand():
    # z = 1.959964, z² = 3.841459; middle (0.5 + 3.841459 / 20) / 1.3841459 = 0.5, margin
    # 1.959964 / 1.3841459 · √(0.025 + 3.841459 / 400) = 0.263408.
    measured = accuracy(5, 10)

    assert (measured.low, measured.high) == pytest.approx((0.236592, 0.763408), abs=2e-6)
    assert measured.margin == pytest.approx(0.263408, abs=2e-6)


@given(n=st.integers(1, 100_000), part=st.floats(0, 1))
def test_an_interval_holds_the_accuracy_and_stays_between_0_and_1(n, part):
    measured = accuracy(round(part * n), n)

    assert 0 <= measured.low <= measured.value + 1e-12
    assert measured.value - 1e-12 <= measured.high <= 1


def test_a_perfect_score_is_still_uncertain():
    measured = accuracy(100, 100)

    assert measured.high == 1
    assert measured.low == pytest.approx(100 / (100 + 3.841459), abs=1e-6)  # n / (n + z²)


@pytest.mark.parametrize(("correct", "n"), [(-1, 10), (11, 10), (0, 0)])
def test_counts_that_cannot_be_are_a_programmers_mistake(correct, n):
    with pytest.raises(ValueError, match=f"{correct} of {n} images cannot be correct"):
        accuracy(correct, n)


@pytest.mark.parametrize(("dataset", "n"), [("mnist", 10_000), ("mnist-sample", 1_000)])
def test_a_runs_accuracy_is_that_of_its_data_set(own_store, dataset, n):
    measured = of_run(finished(own_store, {}, dataset=dataset))

    assert measured == accuracy(3 * n // 4, n)


# Which epoch, which mistakes


def test_the_best_epoch_has_the_lowest_validation_loss():
    epochs = [epoch(1, 0.4), epoch(2, 0.2), epoch(3, 0.3)]

    assert best_epoch(epochs) == epochs[1]


def test_of_two_best_epochs_the_first_is_named():
    epochs = [epoch(1, 0.4), epoch(2, 0.2), epoch(3, 0.2)]

    assert best_epoch(epochs) == epochs[1]


@pytest.mark.parametrize("epochs", [[], [epoch(1, None), epoch(2, None)]])
def test_there_is_no_best_epoch_without_validation(epochs):
    assert best_epoch(epochs) is None


def test_an_epoch_with_a_validation_loss_of_zero_is_the_best():
    epochs = [epoch(1, None), epoch(2, 0.1), epoch(3, 0.0)]

    assert best_epoch(epochs) == epochs[2]


def test_a_confusion_matrix_has_a_row_a_digit_and_a_column_a_reading():
    labels = np.array([4, 4, 4, 9, 0], np.uint8)
    predictions = np.array([4, 9, 9, 4, 0])

    counts = confusion_matrix(labels, predictions)

    expected = np.zeros((10, 10), np.int64)
    expected[4, 4], expected[4, 9], expected[9, 4], expected[0, 0] = 1, 2, 1, 1
    np.testing.assert_array_equal(counts, expected)


@given(pairs=st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), max_size=50))
def test_a_confusion_matrix_counts_every_picture_once(pairs):
    labels, predictions = np.array(pairs, np.uint8).reshape(-1, 2).T

    counts = confusion_matrix(labels, predictions)

    assert counts.sum() == len(pairs)
    assert all(counts[true, read] == pairs.count((true, read)) for true in range(10) for read in range(10))


def test_the_most_frequent_mistakes_come_first():
    counts = np.diag(np.full(10, 900))
    counts[4, 9], counts[9, 4], counts[3, 5], counts[7, 2] = 12, 7, 20, 1

    assert most_confused(counts) == [(3, 5, 20), (4, 9, 12), (9, 4, 7)]
    assert most_confused(counts, count=10) == [(3, 5, 20), (4, 9, 12), (9, 4, 7), (7, 2, 1)]


def test_where_all_is_right_nothing_is_confused():
    assert most_confused(np.diag(np.full(10, 100))) == []


# Outcomes from the store


def test_an_outcome_says_what_was_read_and_how_often_right(own_store):
    labels = np.array([7, 2, 1, 0], np.uint8)
    probabilities = one_hot([7, 2, 1, 8])
    run = finished(own_store, {TEST_LABELS: labels.tobytes(), TEST_PROBABILITIES: probabilities.tobytes()})

    predictions = read_test_predictions(own_store, run.id)

    np.testing.assert_array_equal(predictions.labels, labels)
    np.testing.assert_array_equal(predictions.probabilities, probabilities)
    np.testing.assert_array_equal(predictions.predicted, [7, 2, 1, 8])
    assert predictions.accuracy == accuracy(3, 4)
    assert most_confused(predictions.confusion) == [(0, 8, 1)]


@pytest.mark.parametrize("pictures", [3, 5])
def test_an_outcome_that_does_not_fit_together_is_refused_with_its_numbers(own_store, pictures):
    labels, probabilities = np.zeros(4, np.uint8), one_hot([0] * pictures)
    run = finished(own_store, {TEST_LABELS: labels.tobytes(), TEST_PROBABILITIES: probabilities.tobytes()})

    with pytest.raises(StoreError, match=f"has {10 * pictures} stored probabilities for 4 test images, but 40 were"):
        read_test_predictions(own_store, run.id)


@pytest.mark.parametrize("left", [0, 7, 79])
def test_probabilities_that_were_cut_off_are_refused(own_store, left):
    probabilities = one_hot([1, 2, 3, 4]).tobytes()[:left]
    run = finished(own_store, {TEST_LABELS: bytes([1, 2, 3, 4]), TEST_PROBABILITIES: probabilities})

    with pytest.raises(StoreError, match="Train it again"):
        read_test_predictions(own_store, run.id)


def test_a_run_that_has_not_finished_has_no_outcome(own_store):
    settings = VARIANTS["cnn"].check({})
    run = own_store.create_run("cnn", settings, dataset="mnist-sample", fingerprint="0123456789abcdef")

    with pytest.raises(RunNotFoundError, match="only a finished run has"):
        read_test_predictions(own_store, run.id)


# The models that ship with the project


def test_at_least_one_model_ships_with_the_project():
    assert REFERENCES


@pytest.mark.parametrize("path", REFERENCES, ids=lambda path: path.parent.name)
def test_a_reference_models_outcome_is_the_accuracy_that_it_claims(own_store, path):
    claimed = json.loads(path.read_text())
    ensure_reference_runs(own_store)

    run = own_store.find_run(claimed["variant"])
    predictions = read_test_predictions(own_store, run.id)

    assert run.is_reference
    assert predictions.accuracy.n == 10_000
    assert predictions.accuracy.value == pytest.approx(claimed["test_accuracy"], abs=1e-9)
    assert of_run(run) == predictions.accuracy
    np.testing.assert_allclose(predictions.probabilities.astype(float).sum(1), 1, atol=5e-3)
    assert np.bincount(predictions.labels).tolist() == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]


@pytest.mark.parametrize("path", REFERENCES, ids=lambda path: path.parent.name)
def test_a_reference_models_loss_follows_from_its_probabilities(own_store, path):
    claimed = json.loads(path.read_text())
    ensure_reference_runs(own_store)

    predictions = read_test_predictions(own_store, own_store.find_run(claimed["variant"]).id)
    of_the_truth = predictions.probabilities.astype(float)[np.arange(10_000), predictions.labels]

    # float16 keeps nothing below 6e-8, so the least likely few weigh less than they did.
    assert -np.log(np.maximum(of_the_truth, 6e-8)).mean() == pytest.approx(claimed["test_loss"], abs=2e-3)


@pytest.mark.parametrize("path", REFERENCES, ids=lambda path: path.parent.name)
def test_a_reference_models_description_is_what_the_store_says(own_store, path):
    claimed = json.loads(path.read_text())
    claimed["settings"] = {**default_settings(claimed["variant"]), **claimed["settings"]}
    claimed.pop("sha256", None)  # of files, not in the store
    ensure_reference_runs(own_store)

    run = own_store.find_run(claimed["variant"])

    assert {name: value for name, value in asdict(run).items() if name in claimed} == claimed
    assert len(own_store.list_epochs(run.id)) == claimed["settings"]["epochs"]


# How sure


def predictions_of(probabilities, labels):
    """An predictions whose pictures are read as 0 with these probabilities."""
    rows = [[part, *[(1 - part) / 9] * 9] for part in probabilities]
    return TestPredictions(np.array(labels, np.uint8), np.array(rows, np.float16))


def test_sureness_is_compared_with_the_test_pictures_on_which_a_network_was_as_sure():
    predictions = predictions_of([0.92, 0.95, 0.96, 0.999, 0.6], [0, 0, 5, 0, 0])

    found = accuracy_at_confidence(predictions, 0.93)

    assert (found.low, found.high) == (0.9, 0.97)
    assert (found.accuracy.value, found.accuracy.n) == (pytest.approx(2 / 3), 3)


@pytest.mark.parametrize("sure", [1.0, 0.99999])
def test_complete_certainty_belongs_to_the_highest_range(sure):
    found = accuracy_at_confidence(predictions_of([1.0, 0.9], [0, 0]), sure)

    assert (found.low, found.high, found.accuracy.n) == (0.999, 1.0, 1)


def test_a_sureness_that_never_came_up_has_nothing_to_be_compared_with():
    assert accuracy_at_confidence(predictions_of([0.95], [0]), 0.3) is None


@given(st.lists(st.floats(0.2, 1), min_size=1, max_size=30), st.floats(0.1, 1))
def test_the_ranges_of_sureness_hold_each_picture_once(probabilities, sure):
    predictions = predictions_of(probabilities, [0] * len(probabilities))

    found = [accuracy_at_confidence(predictions, low) for low in CONFIDENCE_LIMITS[:-1]]

    assert sum(part.accuracy.n for part in found if part) == len(probabilities)


def test_the_spread_of_repeated_runs_is_their_mean_and_the_standard_deviation_of_a_sample():
    found = spread([0.97, 0.98, 0.99])

    assert (found.n, found.mean) == (3, pytest.approx(0.98))
    assert found.sd == pytest.approx(np.std([0.97, 0.98, 0.99], ddof=1))


def test_one_run_has_no_spread():
    assert spread([0.97]) == Spread(1, 0.97, None)
