import pytest
from hypothesis import given
from hypothesis import strategies as st

from mnist_dash.evaluation import Accuracy, Spread, WhenSure, accuracy
from mnist_dash.runs import Epoch
from mnist_dash.wording import (
    accuracy_words,
    agreement_words,
    as_sure_words,
    confusion_words,
    count_words,
    milliseconds_words,
    not_a_digit_words,
    number_words,
    over_fitting_words,
    percent,
    probability_words,
    ranking_words,
    rounded,
    seconds_words,
    spread_words,
)


def epochs_with(*val_losses):
    return [Epoch(number, 0.1, 0.97, loss, 0.9, 0.5) for number, loss in enumerate(val_losses, start=1)]


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
    words = ranking_words(["CNN"], [accuracy(9_920, 10_000)])

    assert words == "**CNN** reads 99.2 % (± 0.2) of the 10,000 test pictures right."


def test_runs_are_told_apart_only_where_their_intervals_are_apart():
    words = ranking_words(
        ["CNN", "Dense 512", "Sigmoid 100", "Dense 32"],
        [accuracy(correct, 10_000) for correct in (9_800, 9_785, 9_640, 9_450)],
    )

    assert words == (
        "**CNN** reads 98.0 % (± 0.3) of the 10,000 test pictures right. "
        "The interval of Dense 512 overlaps with its own, so these may be as good. "
        "It is ahead of Sigmoid 100 and Dense 32 by more than their intervals."
    )


def test_mistakes_are_named_with_their_numbers():
    words = confusion_words([(4, 9, 20), (7, 2, 12), (3, 5, 1)], accuracy(9_450, 10_000))

    assert words == (
        "550 of 10,000 test pictures were read wrong; "
        "most often 4 read as 9 (20 ×), 7 read as 2 (12 ×) and 3 read as 5 (1 ×)."
    )


def test_a_single_kind_of_mistake_is_named_alone():
    words = confusion_words([(4, 9, 2)], accuracy(98, 100))

    assert words == "2 of 100 test pictures were read wrong; most often 4 read as 9 (2 ×)."


def test_where_nothing_was_read_wrong_it_says_so():
    assert confusion_words([], accuracy(1_000, 1_000)) == "All 1,000 test pictures were read right."


def test_a_validation_loss_that_rises_again_is_called_over_fitting():
    words = over_fitting_words(epochs_with(0.3, 0.2, 0.221))

    assert words == (
        "lowest validation loss, 0.2000, in epoch 2 of 3; "
        "since then it has risen to 0.2210 while training went on: over-fitting."
    )


def test_a_validation_loss_that_hardly_rises_is_not_called_over_fitting():
    words = over_fitting_words(epochs_with(0.3, 0.2, 0.219))

    assert words == "lowest validation loss, 0.2000, in epoch 2 of 3; no clear over-fitting."


@pytest.mark.parametrize("epochs", [[], [Epoch(1, 0.3, 0.9, None, None, 0.5)]])
def test_without_validation_nothing_is_said_of_over_fitting(epochs):
    assert over_fitting_words(epochs) == ""


def test_networks_that_agree_speak_as_one():
    assert agreement_words(["CNN", "Dense 32"], ["a 7", "a 7"]) == "**All networks read a 7.**"


def test_one_network_speaks_for_itself():
    assert agreement_words(["Dense 32"], ["a 7"]) == "**Dense 32 reads a 7.**"


def test_networks_that_disagree_are_listed_with_the_most_common_reading_first():
    words = agreement_words(["CNN", "Dense 32", "Dense 512", "Sigmoid 100"], ["a 9", "a 4", "a 9", "a 9"])

    assert words == "**They disagree:** CNN, Dense 512 and Sigmoid 100 read a 9; Dense 32 reads a 4."


def test_several_digits_are_numbers_one_a_row():
    assert number_words([0, 0, 1], [1, 2, 3]) == "12 / 3"
    assert agreement_words(["CNN", "Dense 32"], ["12 / 3", "12 / 3"]) == "**All networks read 12 / 3.**"


def test_what_is_refused_comes_with_how_often_that_is_a_mistake():
    assert "Fewer than 1 of 100" in not_a_digit_words()


def test_how_sure_a_network_is_stands_beside_how_often_it_was_right_when_it_was_that_sure():
    found = WhenSure(0.99, 0.999, accuracy(990, 1_000))

    assert as_sure_words(found) == "this sure 1,000 times in the test: right 99.0 %"
    assert as_sure_words(None) == "never this sure on a test picture"


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
        "100.0 %",
    ]


def test_numbers_of_a_table_have_two_significant_digits_or_are_whole():
    assert [rounded(value) for value in (0.0, 2.0896, 31.24, 3494.6)] == [0.0, 2.1, 31.0, 3495.0]


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
