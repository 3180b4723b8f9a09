"""Confident learning, against hand-worked numbers and the known label errors of MNIST."""

import numpy as np
import pytest

from mnist_dash.analysis.label_errors import find_label_errors
from mnist_dash.analysis.misclassified import WRONG_LABELS
from mnist_dash.analysis.test_predictions import read_test_predictions
from mnist_dash.store.reference_runs import ensure_reference_runs
from mnist_dash.store.run_store import RunStore


def test_hand_worked_thresholds_and_margins():
    # The thresholds: class 0 (0.9 + 0.7 + 0.2) / 3 = 0.6, class 1 (0.8 + 0.6) / 2 = 0.7.
    probabilities = np.array([[0.9, 0.1], [0.7, 0.3], [0.2, 0.8], [0.2, 0.8], [0.4, 0.6]])
    labels = np.array([0, 0, 0, 1, 1])

    found = find_label_errors(probabilities, labels)

    assert found.confident.tolist() == [False, False, True, False, False]
    assert found.margin == pytest.approx([0.8, 0.4, -0.6, 0.6, 0.2])
    assert found.order.tolist() == [2, 4, 1, 3, 0]
    assert found.suggested.tolist() == [1, 1, 1, 0, 0]


def test_a_class_that_no_image_has_is_never_counted_but_may_be_suggested():
    probabilities = np.array([[0.5, 0.1, 0.4], [0.2, 0.7, 0.1], [0.1, 0.1, 0.8]])

    found = find_label_errors(probabilities, np.array([0, 1, 0]))

    assert found.confident.tolist() == [False, False, False]
    assert found.suggested[2] == 2
    assert found.order[0] == 2


def test_planted_label_errors_come_first():
    random = np.random.default_rng(0)
    true = random.integers(0, 10, 2_000)
    probabilities = np.full((2_000, 10), 0.01)
    probabilities[np.arange(2_000), true] = random.uniform(0.7, 0.91, 2_000)
    planted = random.permutation(2_000)[:40]
    labels = true.copy()
    labels[planted] = (true[planted] + 1) % 10

    found = find_label_errors(probabilities, labels)

    assert set(found.order[:40]) == set(planted)
    assert set(np.flatnonzero(found.confident)) <= set(planted)
    assert (found.suggested[planted] == true[planted]).all()


def test_most_of_the_known_label_errors_are_among_the_first_hundred(tmp_path):
    store = RunStore(f"sqlite:///{tmp_path / 'runs.sqlite'}")
    ensure_reference_runs(store)
    predictions = read_test_predictions(store, store.find_run("cnn").id)
    store.close()

    found = find_label_errors(predictions.probabilities, predictions.labels)

    assert len(set(found.order[:100]) & set(WRONG_LABELS)) >= 12
