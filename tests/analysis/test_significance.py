"""Tests of differences, against scipy and numbers worked out by hand."""

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from mnist_dash.analysis.significance import (
    holm,
    mcnemar,
    paired_test,
    runs_needed,
    student_quantile,
    welch_test,
)
from mnist_dash.analysis.test_predictions import TestPredictions
from mnist_dash.errors import ComparisonError

numbers = st.lists(st.floats(0.8, 1.0), min_size=2, max_size=12)


def predictions_of(predictions, labels):
    return TestPredictions(np.array(labels, np.uint8), np.eye(10, dtype=np.float16)[np.array(predictions)])


# McNemar


@given(first=st.integers(0, 700), second=st.integers(0, 700))
def test_mcnemar_is_the_exact_binomial_test_of_scipy(first, second):
    expected = stats.binomtest(first, first + second, 0.5).pvalue if first + second else 1.0

    assert mcnemar(first, second) == pytest.approx(expected, rel=1e-9)


def test_mcnemar_of_ten_to_two_is_as_worked_out_by_hand():
    # Of 12 coins at most 2 fall one way: (1 + 12 + 66) / 4096, twice.
    assert mcnemar(10, 2) == float(Fraction(2 * 79, 4096))


def test_mcnemar_does_not_mind_which_comes_first():
    assert mcnemar(3, 17) == mcnemar(17, 3)


def test_a_p_value_is_never_zero():
    assert 0 < mcnemar(10_000, 0) < 1e-300


def test_a_paired_test_counts_pictures_that_only_one_reads_right():
    labels = [1, 2, 3, 4, 5, 6]

    found = paired_test(predictions_of([1, 2, 3, 4, 0, 0], labels), predictions_of([1, 2, 0, 0, 5, 0], labels))

    assert (found.only_first, found.only_second, found.identical) == (2, 1, False)
    assert found.p == 1.0


def test_runs_that_read_alike_have_p_1_and_are_said_to_read_alike():
    found = paired_test(predictions_of([1, 7, 3], [1, 2, 3]), predictions_of([1, 7, 3], [1, 2, 3]))

    assert found.p == 1.0
    assert found.identical


def test_wrong_in_different_ways_is_not_reading_alike():
    assert not paired_test(predictions_of([1, 7], [1, 2]), predictions_of([1, 8], [1, 2])).identical


@pytest.mark.parametrize("other", [[1, 2, 4], [1, 2]])
def test_runs_tested_on_different_pictures_are_not_compared(other):
    with pytest.raises(ComparisonError, match="different images"):
        paired_test(predictions_of([1, 2, 3], [1, 2, 3]), predictions_of(other, other))


# Holm


def test_holm_corrects_as_in_a_worked_example():
    # 0.01 × 4; 0.015 × 3 is 0.045; 0.02 × 2 would be less than that before; 0.5 × 1.
    assert holm([0.02, 0.01, 0.5, 0.015]) == pytest.approx([0.045, 0.04, 0.5, 0.045])


def test_holm_of_nothing_is_nothing():
    assert holm([]) == []


@given(p_values=st.lists(st.floats(0, 1), min_size=1, max_size=30))
def test_holm_lies_between_no_correction_and_bonferroni(p_values):
    corrected = holm(p_values)

    assert all(p <= own <= min(1, len(p_values) * p) + 1e-12 for p, own in zip(p_values, corrected, strict=True))
    order = np.argsort(p_values, kind="stable")
    assert (np.diff(np.array(corrected)[order]) >= 0).all()


# Student


@pytest.mark.parametrize(("degrees", "published"), [(1, 12.706), (2, 4.303), (4, 2.776), (7, 2.365), (30, 2.042)])
def test_quantiles_are_those_of_printed_tables(degrees, published):
    assert student_quantile(0.975, degrees) == pytest.approx(published, abs=5e-4)


# Differences of means


@given(first=numbers, second=numbers)
def test_a_difference_of_means_is_welchs_test_of_scipy(first, second):
    if min(np.std(first), np.std(second)) < 1e-6:  # of which scipy warns
        return
    expected = stats.ttest_ind(first, second, equal_var=False)
    interval = expected.confidence_interval(0.95)

    found = welch_test(first, second)

    assert found.p == pytest.approx(expected.pvalue, rel=1e-5, abs=1e-12)
    assert (found.low, found.high) == pytest.approx((interval.low, interval.high), rel=1e-5, abs=1e-9)


@given(one=st.floats(0.8, 1), many=numbers)
def test_a_single_run_beside_repeats_is_students_test_with_a_common_spread(one, many):
    if np.std(many) < 1e-6:
        return
    expected = stats.ttest_ind([one], many, equal_var=True)

    assert welch_test([one], many).p == pytest.approx(expected.pvalue, rel=1e-5, abs=1e-12)
    assert welch_test(many, [one]).p == pytest.approx(expected.pvalue, rel=1e-5, abs=1e-12)


def test_repeats_without_any_spread_differ_surely_or_not_at_all():
    assert welch_test([0.9, 0.9], [0.9, 0.9, 0.9]).p == 1.0
    assert welch_test([0.95, 0.95], [0.9, 0.9]).p == 0.0


def test_repeats_without_any_spread_have_that_of_their_test_images():
    # Two proportions, as a z-test without pooling has it; worked by hand. The standard error is the root of
    # (0.951 · 0.049 + 0.952 · 0.048) / 10,000 = 9.2295 · 10⁻⁶, which is 0.003038; z = 0.001 / 0.003038 = 0.3292, of
    # which a table of the normal distribution says 2 · (1 - 0.6290) = 0.742. The margin is 1.96 · 0.003038 = 0.005954.
    found = welch_test([0.952, 0.952], [0.951, 0.951], images=10_000)

    assert found.p == pytest.approx(0.742, abs=5e-4)
    assert (found.low, found.high) == pytest.approx((-0.004954, 0.006954), abs=2e-6)


def test_two_single_runs_have_no_difference_of_means():
    with pytest.raises(ValueError, match="no spread"):
        welch_test([0.9], [0.8])


# How many runs


def test_so_many_runs_are_needed_as_the_textbook_formula_says():
    first, second = [0.97, 0.98, 0.99], [0.96, 0.97, 0.98]
    # Both have sd 0.01 and differ by 0.01: 2 (1.96 + 0.8416)² = 15.7 (Cohen 1988; 17 with Student's t).
    assert runs_needed(first, second) == math.ceil(2 * (stats.norm.ppf(0.975) + stats.norm.ppf(0.8)) ** 2) == 16


def test_half_the_difference_needs_four_times_the_runs():
    few, many = (runs_needed([0.0, 1.0, 2.0], [shift, 1.0 + shift, 2.0 + shift]) for shift in (0.4, 0.2))

    assert many == pytest.approx(4 * few, abs=4)


def test_no_difference_needs_no_number_of_runs():
    assert runs_needed([0.9, 0.8], [0.8, 0.9]) is None


def test_without_any_spread_no_number_of_runs_is_known():
    assert runs_needed([0.952, 0.952], [0.951, 0.951]) is None


def test_a_large_difference_still_needs_two_runs():
    assert runs_needed([0.9, 0.9001], [0.1, 0.1001]) == 2
