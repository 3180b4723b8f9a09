import numpy as np
import pytest
from scipy import ndimage

from mnist_dash.datasets.mnist import Dataset
from mnist_dash.digitizer.normalization import narrow
from mnist_dash.digitizer.pipeline import Digit
from mnist_dash.inference.predictor import Predictor
from mnist_dash.inference.recognition import RecognizedDigit, as_json, number_text, predict
from mnist_dash.store.records import MODEL_TFLITE
from mnist_dash.store.reference_runs import REFERENCE_FOLDER


def answer(digit: int, *, row: int = 0, is_digit: bool = True) -> RecognizedDigit:
    probabilities = np.full(10, 0.01, np.float32)
    probabilities[digit] = 0.91
    return RecognizedDigit(Digit(10, 20, 30, 40, row, np.zeros((28, 28), np.uint8)), probabilities, is_digit)


def test_a_number_is_read_row_by_row():
    assert number_text([answer(2), answer(0), answer(7, row=1)]) == "20/7"


def test_what_may_be_no_digit_is_read_as_well():
    assert number_text([answer(2), answer(5, is_digit=False)]) == "25"


def test_one_digit_is_described_by_itself_and_as_one_of_a_list():
    found = as_json([answer(3)])

    assert (found["digit"], found["number"]) == (3, "3")
    assert found["digits"][0]["box"] == [10, 20, 30, 40]
    assert found["probabilities"] == found["digits"][0]["probabilities"]


def test_one_thing_that_may_be_no_digit_is_guessed_and_flagged():
    found = as_json([answer(3, is_digit=False)])

    assert "error" not in found
    assert (found["digit"], found["is_digit"]) == (3, False)
    assert found["digits"][0]["is_digit"] is False


def test_among_several_digits_what_may_be_none_is_flagged():
    found = as_json([answer(3), answer(4, is_digit=False)])

    assert [(digit["digit"], digit["is_digit"]) for digit in found["digits"]] == [(3, True), (4, False)]


def test_a_network_trained_without_augmentation_is_simply_asked(sample: Dataset):
    predictor = Predictor((REFERENCE_FOLDER / "dense-32" / MODEL_TFLITE).read_bytes())
    pictures = sample.x_test[:5]

    np.testing.assert_array_equal(
        predict({"augmentation": 0.0}, predictor, pictures), predictor.probabilities(pictures)
    )
    np.testing.assert_array_equal(predict({}, predictor, pictures), predictor.probabilities(pictures))


def test_a_network_trained_with_augmentation_answers_with_its_mean_over_three_widths(sample: Dataset):
    predictor = Predictor((REFERENCE_FOLDER / "cnn-augmented" / MODEL_TFLITE).read_bytes())
    pictures = sample.x_test[:5]
    views = [pictures, narrow(pictures, 0.85), narrow(pictures, 0.7)]

    found = predict({"augmentation": 1.0}, predictor, pictures)

    np.testing.assert_allclose(found, sum(map(predictor.probabilities, views)) / 3, atol=1e-6)
    np.testing.assert_allclose(found.sum(1), 1, atol=1e-5)


@pytest.mark.parametrize("part", [1.0, 0.85, 0.7])
def test_a_narrowed_digit_keeps_its_height_and_stays_in_the_middle(sample: Dataset, part: float):
    pictures = sample.x_test[:50]

    narrower = narrow(pictures, part)

    for before, after in zip(pictures.astype(float), narrower.astype(float), strict=True):
        spread = [
            np.sqrt(np.average((np.arange(28) - m) ** 2, weights=p.sum(0)))
            for p, m in ((p, np.average(np.arange(28), weights=p.sum(0))) for p in (before, after))
        ]
        assert spread[1] == pytest.approx(part * spread[0], abs=0.25)
        assert ndimage.center_of_mass(after)[1] == pytest.approx(14, abs=0.1)
        assert abs(np.ptp(np.flatnonzero(before.sum(1) > 60)) - np.ptp(np.flatnonzero(after.sum(1) > 60))) <= 1


def test_a_blank_picture_stays_blank_when_it_is_narrowed():
    assert not narrow(np.zeros((2, 28, 28), np.uint8), 0.7).any()
