"""Digits as HTML: what visitors typed stays text, and predictions are marked."""

import numpy as np
import pytest

from mnist_dash.ui.shared import digit_html, prediction_html
from mnist_dash.ui.shared.digit_html import Answer
from mnist_dash.ui.shared.prediction_html import Prediction
from tests.pages.opening import plain

HOSTILE = """<img src=x onerror="alert(1)"> & 'it'"""
ESCAPED = "&lt;img src=x onerror=&#34;alert(1)&#34;&gt; &amp; &#39;it&#39;"
DIGITS = np.zeros((1, 28, 28), np.uint8)


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    found: list[str] = []
    monkeypatch.setattr(digit_html.st, "html", lambda html: found.append(plain(html)))
    return found


@pytest.mark.parametrize(
    "show",
    [
        lambda: digit_html.digit_grid(DIGITS, [HOSTILE]),
        lambda: digit_html.digit_image(DIGITS[0], caption=HOSTILE, alt=HOSTILE),
        lambda: digit_html.picture_grid({HOSTILE: DIGITS[0]}),
        lambda: digit_html.answer_grid(DIGITS, ["7"], [[Answer(HOSTILE, HOSTILE, 0.9, True)]]),
        lambda: prediction_html.headline(DIGITS[0], "7", HOSTILE),
        lambda: prediction_html.prediction_chart([Prediction(HOSTILE, "cnn", np.eye(10)[3])]),
        lambda: prediction_html.probability_table([Prediction("CNN", "cnn", np.eye(10)[3])], [HOSTILE], [0.2]),
    ],
    ids=["grid", "image", "pictures", "answers", "headline", "chart", "table"],
)
def test_what_visitors_typed_is_shown_as_text(show, shown):
    show()

    [page] = shown
    assert HOSTILE not in page
    assert ESCAPED in page
    assert "<img src=x" not in page


def test_an_image_that_all_runs_predict_wrong_is_framed_and_each_wrong_prediction_said(shown):
    digit_html.answer_grid(DIGITS, ["7"], [[Answer("CNN", "1", 0.6, False), Answer("Dense 32", "2", 0.00001, False)]])

    [page] = shown
    assert 'class="md-missed"' in page
    assert page.count("<i> wrong</i>") == 2
    assert "&lt; 0.1 %" in page


def test_the_chart_has_each_models_three_most_probable_digits_and_marks_who_differs(shown):
    probabilities = np.full(10, 0.01, np.float32)
    probabilities[[4, 9, 7]] = 0.55, 0.3, 0.08
    models = [Prediction(title, "cnn", probabilities) for title in ("One", "Two")]

    prediction_html.prediction_chart([*models, Prediction("Three", "cnn", np.eye(10)[9])])

    [page] = shown
    assert page.count("<b>4</b>") == 2
    assert "<span>4</span>" in page
    assert "55.0 %" in page
    assert "30.0 %" in page
    assert "8.0 %" in page
    assert "1.0 %" not in page
    assert page.count('"md-model md-differs"') == 1
