import numpy as np

from mnist_dash.images import Digit
from mnist_dash.recognition import Answer, described, number_read


def answer(digit: int, *, row: int = 0, is_digit: bool = True) -> Answer:
    probabilities = np.full(10, 0.01, np.float32)
    probabilities[digit] = 0.91
    return Answer(Digit(10, 20, 30, 40, row, np.zeros((28, 28), np.uint8)), probabilities, is_digit)


def test_a_number_is_read_row_by_row():
    assert number_read([answer(2), answer(0), answer(7, row=1)]) == "20/7"


def test_what_is_no_digit_leaves_a_question_mark():
    assert number_read([answer(2), answer(5, is_digit=False)]) == "2?"


def test_one_digit_is_described_by_itself_and_as_one_of_a_list():
    found = described([answer(3)])

    assert (found["digit"], found["number"]) == (3, "3")
    assert found["digits"][0]["box"] == [10, 20, 30, 40]
    assert found["probabilities"] == found["digits"][0]["probabilities"]


def test_one_thing_that_is_no_digit_is_an_error_and_no_guess():
    found = described([answer(3, is_digit=False)])

    assert "error" in found
    assert "digit" not in found
    assert found["digits"][0]["digit"] is None


def test_among_several_digits_what_is_none_is_no_error():
    found = described([answer(3), answer(4, is_digit=False)])

    assert [digit["digit"] for digit in found["digits"]] == [3, None]
    assert "error" not in found
