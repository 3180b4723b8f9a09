from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mnist_dash.analysis.accuracies import Accuracy, Spread, accuracy
from mnist_dash.analysis.calibration import ConfidenceRange
from mnist_dash.analysis.importance import Effect
from mnist_dash.analysis.replicates import PairwiseTest, ReplicateGroup
from mnist_dash.analysis.significance import MeanDifference, Paired
from mnist_dash.analysis.words import comparison_words, number_words, prediction_words
from mnist_dash.analysis.words.number_words import count_words
from mnist_dash.networks.variants import Claim
from tests.pages.opening import plain
from tests.support.histories import run_with


def with_plain_spaces(write: Callable[..., str]) -> Callable[..., str]:
    return lambda *values, **named: plain(write(*values, **named))


percent, accuracy_words, spread_words, probability_words, seconds_words, milliseconds_words = map(
    with_plain_spaces,
    (
        number_words.percent,
        number_words.accuracy_words,
        number_words.spread_words,
        number_words.probability_words,
        number_words.seconds_words,
        number_words.milliseconds_words,
    ),
)
claim_words, confusion_words, effect_words, p_words, pairwise_words, ranking_words, verdict_words = map(
    with_plain_spaces,
    (
        comparison_words.claim_words,
        comparison_words.confusion_words,
        comparison_words.effect_words,
        comparison_words.p_words,
        comparison_words.pairwise_words,
        comparison_words.ranking_words,
        comparison_words.verdict_words,
    ),
)
agreement_words, confidence_words, not_a_digit_words = map(
    with_plain_spaces,
    (prediction_words.agreement_words, prediction_words.confidence_words, prediction_words.not_a_digit_words),
)


def single(number: int, reached: float, **costs) -> ReplicateGroup:
    return ReplicateGroup((replace(run_with(number, test_accuracy=reached), **costs),))


@pytest.mark.parametrize(("part", "words"), [(0.979, "97.9 %"), (0, "0.0 %"), (1, "100.0 %"), (0.12345, "12.3 %")])
def test_a_share_is_a_percentage_with_one_decimal(part, words):
    assert percent(part) == words


def test_a_share_may_have_other_decimals():
    assert percent(0.97856, decimals=2) == "97.86 %"
    assert percent(0.5, decimals=0) == "50 %"


def test_an_accuracy_stands_beside_its_interval():
    assert accuracy_words(accuracy(9_790, 10_000)) == "97.9 % (± 0.3)"


def test_an_accuracy_of_few_pictures_shows_how_little_it_says():
    assert accuracy_words(accuracy(9, 10)) == "90.0 % (± 19.3)"


def test_a_narrow_interval_justifies_a_second_decimal():
    assert accuracy_words(Accuracy(0.99871, 0.99851, 0.99891, 120_000)) == "99.87 % (± 0.02)"


@given(n=st.integers(1, 127_000), part=st.floats(0, 1))
def test_an_interval_is_never_shown_as_zero(n, part):
    words = accuracy_words(accuracy(round(part * n), n))

    assert float(words.split("±")[1].strip(" )")) > 0


def test_a_single_run_is_not_ranked():
    words = ranking_words(["CNN"], [single(1, 0.992)], [])

    assert words == "**CNN**: 99.2 % (± 0.2) accuracy on 10,000 test images."


def test_the_best_is_named_with_what_it_beats_what_is_tied_with_it_and_what_they_cost():
    found = [
        single(1, 0.992, weights=370_026, fit_seconds=1320.0),
        single(2, 0.991, weights=360_000, fit_seconds=900.0),
        single(3, 0.976, weights=407_050, fit_seconds=6.7),
        single(4, 0.945, weights=25_450, fit_seconds=2.1),
    ]
    pairwise_tests = [
        PairwiseTest(0, 1, 0.4),
        PairwiseTest(0, 2, 0.001),
        PairwiseTest(0, 3, 1e-20),
        PairwiseTest(1, 2, 0.01),
    ]

    words = ranking_words(["CNN", "Other", "Third", "Fourth"], found, pairwise_tests, [(4, 9, 5), (7, 2, 3)])

    assert words == (
        "**CNN**: 99.2 % (± 0.2) accuracy on 10,000 test images. "
        "Significantly better than Dense 32 · run 3 and Dense 32 · run 4. "
        "Statistically tied with Dense 32 · run 2. "
        "Most frequent confusions (true → predicted): 4 → 9 (5 ×), 7 → 2 (3 ×). "
        "370,026 parameters, 22 min of training; Dense 32 · run 2: 360,000 parameters, 15 min."
    )


def test_where_nothing_is_tied_the_cost_stands_beside_that_of_the_next():
    found = [
        single(1, 0.99, weights=9_000, fit_seconds=60.0),
        single(2, 0.97, weights=800, fit_seconds=6.0),
        single(3, 0.95, weights=10, fit_seconds=1.0),
    ]

    words = ranking_words(
        ["A", "B", "C"], found, [PairwiseTest(0, 1, 1e-9), PairwiseTest(0, 2, 1e-9), PairwiseTest(1, 2, 1e-9)]
    )

    assert words.endswith("9,000 parameters, 60 s of training; Dense 32 · run 2: 800 parameters, 6 s.")


def test_repeats_are_ranked_by_their_mean():
    runs = tuple(run_with(seed, seed=seed, test_accuracy=0.97 + seed / 1000) for seed in (1, 2, 3))

    words = ranking_words(["Dense 32 · 3 seeds"], [ReplicateGroup(runs)], [])

    assert words.startswith("**Dense 32 · 3 seeds**: 97.2 % (± 0.2) mean accuracy of 3 runs on 10,000 test images.")


@pytest.mark.parametrize(
    ("p", "words"),
    [
        (1.0, "p = 1"),
        (0.7231, "p = 0.72"),
        (0.05, "p = 0.05"),
        (0.000234, "p = 0.00023"),
        (0.0001, "p = 0.0001"),
        (0.0000999, "p < 10⁻⁴"),
        (0.0, "p < 10⁻⁹"),
        (3e-7, "p < 10⁻⁶"),
    ],
)
def test_a_p_value_has_two_digits_and_small_ones_a_bound(p: float, words: str):
    assert p_words(p) == words


def test_a_test_of_two_runs_says_what_it_rests_on():
    test = PairwiseTest(1, 0, 0.0002, paired=Paired(58, 21, identical=False, p=0.0001))

    assert pairwise_words(["Dense 512", "CNN"], test) == (
        "**CNN** is significantly better than **Dense 512**: p = 0.0002. Right alone: 58 vs 21 images."
    )


def test_chance_among_many_pairs_is_no_surprise():
    test = PairwiseTest(0, 1, 0.4, paired=Paired(30, 14, identical=False, p=0.04))

    words = pairwise_words(["A", "B", "C", "D", "E"], test)

    assert words.startswith(
        "**A** and **B** are statistically tied: p = 0.4 after correction for 10 pairs (p = 0.04 without). "
    )


def test_many_names_are_not_all_said():
    found = [single(number, 0.99 - number / 1000) for number in range(1, 8)]
    pairwise_tests = [PairwiseTest(0, index, 0.9 if index < 2 else 1e-9) for index in range(1, 7)]

    words = ranking_words(list("ABCDEFG"), found, pairwise_tests)

    assert "better than Dense 32 · run 3, Dense 32 · run 4, Dense 32 · run 5 and 2 others." in words
    assert "Statistically tied with Dense 32 · run 2." in words


def test_a_test_of_replicates_says_how_many_more_would_be_needed():
    test = PairwiseTest(0, 1, 0.2, means=MeanDifference(0.0012, -0.0011, 0.0035, 0.2), runs_needed=14)

    assert pairwise_words(["A", "B"], test) == (
        "**A** and **B** are statistically tied: p = 0.2. Means differ by 0.12 points (95 % interval -0.11 to +0.35); "
        "about 14 runs of each are needed to detect this difference."
    )


def test_runs_with_identical_predictions_are_said_to_be_the_same():
    words = pairwise_words(["A", "B"], PairwiseTest(0, 1, 1.0, paired=Paired(0, 0, identical=True, p=1.0)))

    assert words == "**A** and **B** predict the same digit for every image."


def test_as_many_errors_on_other_images_are_not_said_to_be_the_same():
    words = pairwise_words(["A", "B"], PairwiseTest(0, 1, 1.0, paired=Paired(3, 3, identical=False, p=1.0)))

    assert words.startswith("**A** and **B** are statistically tied: p = 1. ")


@pytest.mark.parametrize(
    ("claim", "words"),
    [
        (None, ""),
        (Claim("“very high”", None), "“very high”"),
        (Claim("97.9 %", 0.979), "97.9 % (inside the interval)"),
        (Claim("98.5 %", 0.985), "98.5 % (above the interval)"),
        (Claim("97.0 %", 0.970), "97.0 % (below the interval)"),
    ],
)
def test_a_claim_stands_beside_the_interval(claim: Claim | None, words: str):
    assert claim_words(claim, accuracy(9_780, 10_000)) == words


def test_a_setting_is_said_to_explain_a_share_of_the_differences():
    assert effect_words("Epochs", "5", Effect("epochs", 0.4449, 5, 0.9712)) == (
        "**Epochs** explains 44 % of the variance in accuracy; best value: 5 (mean accuracy 97.1 %)."
    )


def test_mistakes_are_named_with_their_numbers():
    words = confusion_words([(4, 9, 20), (7, 2, 12), (3, 5, 1)], accuracy(9_450, 10_000))

    assert words == ("550 of 10,000 misclassified; most often 4 → 9 (20 ×), 7 → 2 (12 ×), 3 → 5 (1 ×).")


def test_a_single_kind_of_mistake_is_named_alone():
    words = confusion_words([(4, 9, 2)], accuracy(98, 100))

    assert words == "2 of 100 misclassified; most often 4 → 9 (2 ×)."


def test_where_nothing_was_read_wrong_it_says_so():
    assert confusion_words([], accuracy(1_000, 1_000)) == "All 1,000 test images are predicted correctly."


def test_networks_that_agree_speak_as_one():
    assert agreement_words(["CNN", "Dense 32"], ["7", "7"]) == "All 2 models predict 7."


def test_one_network_speaks_for_itself():
    assert agreement_words(["Dense 32"], ["7"]) == "Dense 32 predicts 7."


def test_networks_that_disagree_are_listed_with_the_most_common_reading_first():
    words = agreement_words(["CNN", "Dense 32", "Dense 512", "Sigmoid 100"], ["9", "4", "9", "9"])

    assert words == "3 of 4 models predict 9; Dense 32 predicts 4."


def test_networks_that_all_predict_something_else_are_all_named():
    assert agreement_words(["CNN", "Dense 32"], ["9", "4"]) == "CNN predicts 9; Dense 32 predicts 4."


def test_what_is_refused_comes_with_the_best_guess():
    assert not_a_digit_words(4) == "This does not look like a digit; if it is one, it is a 4."


def test_how_sure_a_network_is_stands_beside_how_often_it_was_right_when_it_was_that_sure():
    found = ConfidenceRange(0.99, 0.999, accuracy(990, 1_000))

    assert confidence_words(found) == "99.0 % correct on 1,000 test images at this confidence"
    assert confidence_words(None) == "no test image at this confidence"


@pytest.mark.parametrize(("count", "words"), [(1, "1 digit"), (12, "12 digits"), (1_000, "1,000 digits")])
def test_things_are_counted_in_words(count: int, words: str):
    assert count_words(count, "digit") == words


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "0 s"),
        (0.3249, "0.32 s"),
        (0.004, "0.004 s"),
        (5.87, "5.9 s"),
        (9.96, "10 s"),
        (31.17, "31 s"),
        (119.4, "120 s"),
        (120, "2 min"),
        (750, "12 min"),
        (7_199, "120 min"),
        (7_200, "2 h"),
        (5_400 * 3, "4.5 h"),
    ],
)
def test_a_duration_has_two_significant_digits(seconds, words):
    assert seconds_words(seconds) == words


@pytest.mark.parametrize(
    ("milliseconds", "words"), [(0.0331, "0.033 ms"), (0.2, "0.2 ms"), (12.4, "12 ms"), (1234, "1,200 ms")]
)
def test_milliseconds_have_two_significant_digits(milliseconds, words):
    assert milliseconds_words(milliseconds) == words


@given(st.floats(1e-4, 1e6))
def test_no_duration_is_written_with_an_exponent(seconds):
    assert "e" not in seconds_words(seconds)


def test_no_probability_is_rounded_to_impossible_or_certain():
    assert [probability_words(part) for part in (0.0, 1e-9, 0.0006, 0.5, 0.9994, 0.999999, 1.0)] == [
        "0.0 %",
        "< 0.1 %",
        "0.1 %",
        "50.0 %",
        "99.9 %",
        "> 99.9 %",
        "> 99.9 %",
    ]


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (Spread(4, 0.978, 0.002), "97.8 % ± 0.2"),
        (Spread(4, 0.97812, 0.00031), "97.81 % ± 0.03"),
        (Spread(1, 0.978, None), "97.8 %"),
    ],
)
def test_a_spread_has_as_many_digits_as_it_justifies(found: Spread, words: str):
    assert spread_words(found) == words


def verdict(*, significant: set[tuple[int, int]], groups: int) -> str:
    """The verdict on groups A, B, … of which these pairs differ significantly."""
    tests = [
        PairwiseTest(better, worse, 0.001 if (better, worse) in significant else 0.4)
        for better in range(groups)
        for worse in range(better + 1, groups)
    ]
    found = [single(number, 0.99 - 0.01 * number) for number in range(groups)]
    return verdict_words("ABCDEF"[:groups], found, tests).replace("**", "")


def test_the_verdict_on_one_run_is_its_accuracy():
    assert verdict(significant=set(), groups=1) == "A: 99.0 % (± 0.2) accuracy on 10,000 test images."


def test_the_verdict_names_the_best_and_whether_it_beats_one_or_all():
    assert verdict(significant={(0, 1)}, groups=2) == (
        "A is best, 99.0 % (± 0.2), and significantly better than B: p = 0.001."
    )
    assert verdict(significant={(0, 1), (0, 2)}, groups=3).endswith("significantly better than the rest.")


def test_the_verdict_names_what_is_tied_and_what_all_of_those_beat():
    assert verdict(significant=set(), groups=2) == "A and B are statistically tied."
    assert verdict(significant={(0, 2), (0, 3), (1, 2), (1, 3)}, groups=4) == (
        "A and B are statistically tied; both are significantly better than the rest."
    )


def test_what_is_tied_with_the_best_but_beats_no_other_is_not_said_to():
    assert (
        verdict(significant={(0, 2)}, groups=3) == "A and B are statistically tied; A is significantly better than C."
    )


def test_why_a_one_is_taken_for_a_seven_is_said_only_where_it_is():
    ones_words = prediction_words.ones_words

    assert "up-stroke" in ones_words(1, ["1", "7", "1"])
    assert ones_words(1, ["1", "4"]) == ones_words(7, ["1", "7"]) == ""
