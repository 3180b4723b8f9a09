"""Models' predictions for one digit as HTML: one chart for all models, and all probabilities as a table."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mnist_dash.figures.style import variant_colour
from mnist_dash.ui.shared.digit_html import show_template

_SHOWN = 3  # most probable digits of a model in the chart

_HEAD = """<div class="md-head">{{ picture|image("the 28 × 28 input of the models") }}
<b aria-hidden="true">{{ digit }}</b><p>{{ words }}<small>The models’ input: 28 × 28 pixels.</small></p>
</div>"""
_CHART = """<div class="md-models" role="list">
{%- for model in models -%}
<div class="md-model{{ " md-differs" if model.digit != usual }}" role="listitem"><span>{{ model.title }}</span>
<div class="md-answer"><b>{{ model.digit }}</b></div><div class="md-bars">
{%- for digit in model.most_probable -%}
{%- set part = model.probabilities[digit] -%}
<div><span>{{ digit }}</span><div class="md-bar"><i style="width: {{ "%.1f"|format(100 * part) }}%;
{{- "" }} background: {{ model.colour }}"></i></div><span>{{ part|probability }}</span></div>
{%- endfor %}</div></div>
{%- endfor %}</div>"""
_TABLE = """<div class="md-probabilities" tabindex="0" role="region" aria-label="Probabilities of all ten digits">
<table><thead><tr><th>Probability (%) of</th>{% for digit in range(10) %}<th>{{ digit }}</th>{% endfor %}
<th>Time</th><th>Test images at this confidence</th></tr></thead><tbody>
{%- for model, note, time in rows -%}
<tr><th scope="row">{{ model.title }}</th>
{%- for part in model.probabilities -%}
<td style="background: rgba(91, 124, 250, {{ "%.2f"|format(0.55 * part) }})">
{{- part|probability|replace("\u00a0%", "") }}</td>
{%- endfor %}<td>{{ time|milliseconds }}</td><td class="md-note">{{ note }}</td></tr>
{%- endfor %}</tbody></table></div>"""


@dataclass(frozen=True, eq=False)
class Prediction:
    """A model's prediction for one digit."""

    title: str
    variant: str
    probabilities: np.ndarray  # shape (10,), float32

    @property
    def digit(self) -> int:
        """The predicted digit."""
        return int(self.probabilities.argmax())

    @property
    def most_probable(self) -> list[int]:
        """The most probable digits, the first one first."""
        return [int(digit) for digit in np.argsort(-self.probabilities, kind="stable")[:_SHOWN]]

    @property
    def colour(self) -> str:
        """The colour of the model's variant."""
        return variant_colour(self.variant)


def headline(picture: np.ndarray, digit: str, words: str) -> None:
    """Shows the models' input large, and the answer beside it.

    Args:
        picture: Shape (28, 28), uint8.
        digit: The answer, with “?” if it may be no digit.
        words: Whether the models agree.
    """
    show_template(_HEAD, picture=picture, digit=digit, words=words)


def prediction_chart(models: Sequence[Prediction]) -> None:
    """Shows each model's most probable digits in one chart; who differs from most is marked."""
    usual = Counter(model.digit for model in models).most_common(1)[0][0]
    show_template(_CHART, models=models, usual=usual)


def probability_table(models: Sequence[Prediction], notes: Sequence[str], milliseconds: Sequence[float]) -> None:
    """Shows all probabilities of all models.

    Args:
        models: Their predictions.
        notes: How accurate each model is at this confidence.
        milliseconds: How long each prediction took.
    """
    show_template(_TABLE, rows=list(zip(models, notes, milliseconds, strict=True)))
