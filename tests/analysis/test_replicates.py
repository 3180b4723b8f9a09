"""What is compared: repeats taken together, tests of every pair, settings that matter."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from mnist_dash.analysis.accuracies import accuracy
from mnist_dash.analysis.importance import effects_of
from mnist_dash.analysis.replicates import ReplicateGroup, check_same_data, pairwise_tests, replicate_groups
from mnist_dash.analysis.test_predictions import TestPredictions, read_test_predictions
from mnist_dash.datasets.mnist import Dataset
from mnist_dash.errors import ComparisonError
from mnist_dash.store.reference_runs import ensure_reference_runs
from mnist_dash.store.run_store import RunStore
from tests.support.histories import run_with


def predictions_of(predictions, labels) -> TestPredictions:
    return TestPredictions(np.array(labels, np.uint8), np.eye(10, dtype=np.float16)[np.array(predictions)])


def repeats(*accuracies: float, first: int = 1, **settings):
    """Runs that differ in their seed alone."""
    return [
        run_with(first + index, seed=first + index, test_accuracy=reached, **settings)
        for index, reached in enumerate(accuracies)
    ]


def ids(found: list[ReplicateGroup]) -> list[tuple[int, ...]]:
    return [tuple(run.id for run in group.runs) for group in found]


# Who is compared


def test_runs_that_differ_only_in_seed_or_fold_are_one_group_and_the_best_comes_first():
    seeds = repeats(0.97, 0.98)
    folds = [run_with(9 + fold, validation="kfold:2", fold=fold, test_accuracy=0.99) for fold in (1, 2)]
    other = run_with(20, epochs=7, test_accuracy=0.98)

    found = replicate_groups([other, *seeds, *folds])

    assert ids(found) == [(10, 11), (20,), (1, 2)]


def test_one_by_one_every_run_stands_for_itself():
    assert ids(replicate_groups(repeats(0.97, 0.98, 0.99), together=False)) == [(3,), (2,), (1,)]


def test_the_same_seed_twice_is_no_repeat():
    twice = [run_with(number, seed=4, test_accuracy=0.97) for number in (1, 2)]

    assert ids(replicate_groups(twice)) == [(1,), (2,)]
    assert ids(replicate_groups([*twice, run_with(3, seed=5, test_accuracy=0.95)])) == [(2,), (1, 3)]


def test_a_run_that_ships_with_the_project_keeps_its_own_name():
    runs = [run_with(1, reference="a", test_accuracy=0.97), run_with(2, seed=1, test_accuracy=0.97)]

    assert ids(replicate_groups(runs)) == [(1,), (2,)]


def test_a_single_run_has_the_interval_of_its_test_pictures():
    assert ReplicateGroup((run_with(test_accuracy=0.9767),)).accuracy == accuracy(9_767, 10_000)


def test_repeats_have_students_interval_of_their_mean():
    values = [0.970, 0.974, 0.981, 0.975]

    found = ReplicateGroup(tuple(repeats(*values))).accuracy

    low, high = stats.t.interval(0.95, 3, np.mean(values), stats.sem(values))
    assert (found.value, found.low, found.high) == pytest.approx((np.mean(values), low, high), abs=1e-9)
    assert found.n == 10_000


def test_an_interval_of_repeats_stays_inside_what_an_accuracy_can_be():
    found = ReplicateGroup(tuple(repeats(0.9, 1.0))).accuracy

    assert (found.value, found.high) == (pytest.approx(0.95), 1.0)


def test_what_repeats_cost_is_a_mean_over_those_that_know_it():
    runs = [
        replace(run, fit_seconds=seconds) for run, seconds in zip(repeats(0.9, 0.9, 0.9), (1, 3, None), strict=True)
    ]

    assert ReplicateGroup(tuple(runs)).mean("fit_seconds") == 2
    assert ReplicateGroup(tuple(runs)).mean("prediction_ms") is None


def test_runs_tested_on_different_data_are_never_compared():
    mixed = [run_with(1, fingerprint="a"), run_with(2, fingerprint="b", dataset="mnist-sample")]

    with pytest.raises(ComparisonError, match=r"mnist and mnist-sample.*same images"):
        replicate_groups(mixed)
    with pytest.raises(ComparisonError):
        check_same_data(mixed)


# Pairwise tests


def test_identical_predictions_are_said_to_be_the_same():
    found = replicate_groups([run_with(1, test_accuracy=0.5), run_with(2, test_accuracy=0.5)], together=False)
    same = predictions_of([1, 7], [1, 2])

    [test] = pairwise_tests(found, {1: same, 2: same})

    assert test.paired is not None
    assert (test.p, test.significant, test.paired.identical) == (1.0, False, True)


def test_repeats_are_compared_by_welchs_test_and_say_how_many_would_be_needed():
    first, second = [0.981, 0.979, 0.983], [0.978, 0.980, 0.979]
    found = replicate_groups([*repeats(*first), *repeats(*second, first=11, epochs=5)])

    [test] = pairwise_tests(found, {})

    assert test.means is not None
    assert test.p == pytest.approx(stats.ttest_ind(first, second, equal_var=False).pvalue, abs=1e-9)
    assert test.means.value == pytest.approx(0.002)
    assert not test.significant
    # 2 · mean variance · ((1.95996 + 0.84162) / difference)²: 2 · 2.5e-6 · 7.8489 / 4e-6, rounded up.
    assert test.runs_needed == 10


def test_groups_without_any_spread_are_not_called_different_for_a_tenth_of_a_point():
    groups = replicate_groups([*repeats(0.952, 0.952), *repeats(0.951, 0.951, first=11, epochs=5)])

    [test] = pairwise_tests(groups, {})

    # The binomial spread of 10,000 test images: z = 0.001 / 0.003038 = 0.329 (see test_significance).
    assert test.p == pytest.approx(0.742, abs=5e-4)
    assert not test.significant
    assert test.runs_needed is None


def test_no_number_of_runs_is_given_that_there_already_is():
    # Means differ by ten standard deviations: the formula says two runs, and there are two.
    groups = replicate_groups([*repeats(0.90, 0.91), *repeats(0.80, 0.81, first=11, epochs=5)])

    [test] = pairwise_tests(groups, {})

    assert test.runs_needed is None


def test_every_pair_is_tested_and_p_values_are_corrected_for_their_number():
    labels = np.zeros(200, int)
    wrong = {1: 2, 2: 9, 3: 30}  # of the first pictures, so that the better one's mistakes are the worse one's too
    predictions = {run: predictions_of(np.where(np.arange(200) < count, 1, 0), labels) for run, count in wrong.items()}
    runs = [run_with(run, test_accuracy=1 - count / 200) for run, count in wrong.items()]

    found = pairwise_tests(replicate_groups(runs, together=False), predictions)

    # Exact tests of 7, 28 and 21 pictures, all on one side, times three, two and one (Holm).
    assert [(test.better, test.worse) for test in found] == [(0, 1), (0, 2), (1, 2)]
    assert [test.p for test in found] == pytest.approx([2 * 0.5**7, 3 * 2 * 0.5**28, 2 * 2 * 0.5**21])
    assert [test.significant for test in found] == [True, True, True]


@pytest.fixture(scope="module")
def references(tmp_path_factory: pytest.TempPathFactory):
    store = RunStore(f"sqlite:///{tmp_path_factory.mktemp('references') / 'runs.sqlite'}")
    ensure_reference_runs(store)
    runs = {run.variant: run for run in store.list_runs()}
    yield runs, {run.id: read_test_predictions(store, run.id) for run in runs.values()}
    store.close()


def test_the_cnn_is_clearly_better_than_the_small_network(references):
    runs, predictions = references

    [test] = pairwise_tests(replicate_groups([runs["dense-32"], runs["cnn"]]), predictions)

    correct = {name: predictions[runs[name].id].correct for name in ("cnn", "dense-32")}
    only_cnn, only_dense = (correct["cnn"] & ~correct["dense-32"]).sum(), (correct["dense-32"] & ~correct["cnn"]).sum()
    assert (test.paired.only_first, test.paired.only_second) == (only_cnn, only_dense)
    assert test.p == pytest.approx(stats.binomtest(only_cnn, only_cnn + only_dense).pvalue)
    assert test.p < 1e-50


def test_between_the_two_cnns_no_difference_is_shown(references):
    runs, predictions = references

    [test] = pairwise_tests(replicate_groups([runs["cnn"], runs["cnn-augmented"]]), predictions)

    assert not test.significant


def trained(data: Dataset, seed: int) -> TestPredictions:
    """Trains a network without hidden layer by gradient descent, from a random start and in random batches."""
    random = np.random.default_rng(seed)
    pictures, labels = (data.x_train.reshape(-1, 784) / 255).astype(np.float32), np.eye(10, dtype=np.float32)
    weights = random.normal(0, 0.05, (784, 10)).astype(np.float32)
    for batch in np.array_split(np.concatenate([random.permutation(4_000) for _ in range(4)]), 500):
        error = softmax(pictures[batch] @ weights) - labels[data.y_train[batch]]
        weights -= 0.3 * pictures[batch].T @ error / len(batch)
    said = softmax((data.x_test.reshape(-1, 784) / 255).astype(np.float32) @ weights)
    return TestPredictions(data.y_test, said.astype(np.float16))


def softmax(logits: np.ndarray) -> np.ndarray:
    powers = np.exp(logits - logits.max(1, keepdims=True))
    return powers / powers.sum(1, keepdims=True)


def test_between_seeds_of_one_network_usually_no_difference_is_shown(sample: Dataset):
    predictions = {seed: trained(sample, seed) for seed in range(1, 9)}
    runs = [
        run_with(seed, seed=seed, dataset="mnist-sample", test_accuracy=found.accuracy.value)
        for seed, found in predictions.items()
    ]

    found = pairwise_tests(replicate_groups(runs, together=False), predictions)

    assert min(found[0].paired.only_first, found[0].paired.only_second) > 0  # really trained apart
    assert len(found) == 28
    assert sum(test.significant for test in found) == 0


# Which setting mattered


def sweep(accuracies: dict[tuple[int, float], float]):
    return [
        run_with(index, epochs=epochs, learning_rate=rate, test_accuracy=reached)
        for index, ((epochs, rate), reached) in enumerate(accuracies.items(), start=1)
    ]


def test_the_share_of_a_setting_is_as_worked_out_by_hand():
    # About their mean, 0.94, the variance is (9 + 1 + 1 + 9) · 10⁻⁴ / 4 = 5 · 10⁻⁴. The means 0.92 and 0.96
    # of the epochs explain 4 · 10⁻⁴ of that, the means 0.93 and 0.95 of the learning rates 1 · 10⁻⁴.
    runs = sweep({(1, 0.1): 0.91, (1, 0.2): 0.93, (2, 0.1): 0.95, (2, 0.2): 0.97})

    found = effects_of(runs)

    assert [(effect.name, effect.best) for effect in found] == [("epochs", 2), ("learning_rate", 0.2)]
    assert [effect.share for effect in found] == pytest.approx([0.8, 0.2])
    assert [effect.mean for effect in found] == pytest.approx([0.96, 0.95])


def test_the_share_of_a_setting_is_that_of_scipys_analysis_of_variance():
    random = np.random.default_rng(3)
    groups = {epochs: random.normal(0.9, 0.02, 6) for epochs in (1, 2, 3)}
    runs = [
        run_with(10 * epochs + index, epochs=epochs, seed=index, test_accuracy=value)
        for epochs, values in groups.items()
        for index, value in enumerate(values)
    ]

    [share] = [effect.share for effect in effects_of(runs) if effect.name == "epochs"]

    f = stats.f_oneway(*groups.values()).statistic
    assert share == pytest.approx(f * 2 / (f * 2 + 15))  # η² from F with 2 and 15 degrees of freedom


def test_the_network_is_one_of_the_settings():
    runs = [run_with(1, test_accuracy=0.9), run_with(2, seed=1, test_accuracy=0.91)]
    runs += [run_with(3 + seed, variant="cnn", seed=seed, test_accuracy=0.99) for seed in (0, 1)]

    [first, *_] = effects_of(runs)

    assert (first.name, first.best) == ("variant", "cnn")
    assert first.share > 0.9


@pytest.mark.parametrize(
    "runs",
    [repeats(0.9, 0.91), repeats(0.9, 0.9, 0.9), repeats(0.90, 0.91, 0.92)],
    ids=["two runs", "no difference", "a value of its own for each run"],
)
def test_where_nothing_can_be_said_of_settings_nothing_is_said(runs):
    assert effects_of(runs) == []


def test_many_values_of_a_setting_are_looked_at_in_ranges():
    runs = [
        run_with(index, learning_rate=index / 100, test_accuracy=0.9 + 0.004 * index + 0.001 * (index % 2))
        for index in range(1, 25)
    ]

    [effect] = effects_of(runs)

    assert 0.9 < effect.share < 1
    assert effect.best == pytest.approx(0.22, abs=0.011)  # the lowest of the highest eighth
