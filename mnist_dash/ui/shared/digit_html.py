"""Digits as HTML: white ink on black, unsmoothed, with labels that a screen reader reads."""

import base64
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
import streamlit as st
from jinja2 import Environment, Template
from markupsafe import Markup
from PIL import Image

from mnist_dash.analysis.words.number_words import milliseconds_words, probability_words
from mnist_dash.figures.style import ACCENT, variant_colour

_STYLE = """<style>
.md-grid { display: grid; grid-template-columns: repeat(auto-fill, minmax(var(--md-size), 1fr)); gap: .5rem; }
.md-grid figure, .md-one { margin: 0; text-align: center; }
.md-digit { display: block; width: 100%; aspect-ratio: 1; object-fit: contain; image-rendering: pixelated;
  background: #000; border-radius: 3px; }
.md-grid figcaption, .md-one figcaption { font-size: .85rem; opacity: .85; padding-top: .15rem; }
.md-answers { --md-size: 190px; gap: 1rem; }
.md-answers .md-digit { width: 84px; margin: 0 auto; }
.md-answers .md-missed .md-digit { outline: 2px solid #E03131; outline-offset: 1px; }
.md-answers figcaption { text-align: left; font-size: .8rem; opacity: 1; }
.md-answers figcaption > b { display: block; text-align: center; font-weight: 500; padding-bottom: .2rem; }
.md-said { display: flex; justify-content: space-between; gap: .5rem; line-height: 1.4; }
.md-said span:last-child { white-space: nowrap; font-variant-numeric: tabular-nums; }
.md-said i { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
.md-wrong { color: #E03131; }
.md-picture { display: block; max-width: 100%; max-height: 340px; margin: 0 auto; border-radius: 3px;
  border: 1px solid rgba(128,128,128,.35); }
.md-pictures { --md-size: min(240px, 100%); gap: 1rem; margin-bottom: .5rem; }
.md-strip { display: flex; gap: 4px; overflow: hidden; border-radius: 6px; margin: .25rem 0 .75rem; }
.md-strip img { width: auto; flex: 1 1 0; min-width: 22px; max-width: 76px; }
.md-cards { display: grid; grid-template-columns: repeat(auto-fill, minmax(116px, 1fr)); gap: .6rem; }
.md-card { border: 1px solid rgba(128,128,128,.35); border-radius: 6px; padding: .6rem .6rem .5rem; }
.md-card h4 { font-size: .88rem; font-weight: 600; margin: 0; padding: 0; line-height: 1.3; min-height: 2.6em; }
.md-answer { display: flex; align-items: baseline; gap: .5rem; margin: .1rem 0 .3rem; }
.md-answer b { font-size: 2.6rem; line-height: 1.1; }
.md-row { display: grid; grid-template-columns: 1ch 1fr 3.4rem; gap: .4rem; align-items: center; font-size: .78rem;
  font-variant-numeric: tabular-nums; line-height: 1.35; }
.md-top { font-weight: 700; }
.md-row span:last-child { text-align: right; }
.md-bar { height: .5rem; border-radius: 2px; background: rgba(128,128,128,.18); }
.md-bar i { display: block; height: 100%; border-radius: 2px; }
.md-foot { font-size: .75rem; opacity: .8; padding-top: .35rem; }
.md-hot { display: inline-grid; grid-template-columns: repeat(10, 2rem); gap: 2px; text-align: center;
  font-variant-numeric: tabular-nums; max-width: 100%; }
.md-hot div { border: 1px solid rgba(128,128,128,.4); border-radius: 3px; padding: .15rem 0; }
.md-hot small { opacity: .75; }
.md-hint { display: none; font-size: .8rem; opacity: .8; margin: 0 0 .3rem; }
.md-numbers { overflow-x: auto; }
.md-numbers table { border-collapse: separate; border-spacing: 1px; font-size: 10px; line-height: 1;
  font-variant-numeric: tabular-nums; text-align: center; }
.md-numbers td { min-width: 27px; height: 24px; padding: 0; border: 0; border-radius: 2px; }
@media (max-width: 640px) {
  .md-hint { display: block; }
  .md-hot { grid-template-columns: repeat(10, minmax(0, 1fr)); width: 100%; }
  .md-cards { grid-template-columns: repeat(2, minmax(0, 1fr)); }
  .md-answers figure { display: flex; gap: .8rem; }
  .md-answers .md-digit { flex: none; margin: 0; align-self: start; }
  .md-answers figcaption { flex: 1; padding: 0; }
  .md-answers figcaption > b { text-align: left; }
}
</style>"""


@dataclass(frozen=True, eq=False)
class Prediction:
    """A model's prediction for one digit."""

    title: str
    variant: str
    probabilities: np.ndarray  # shape (10,), float32
    milliseconds: float
    confidence_note: str  # accuracy at this confidence

    @property
    def digit(self) -> int:
        """The predicted digit."""
        return int(self.probabilities.argmax())

    @property
    def colour(self) -> str:
        """The colour of the model's variant."""
        return variant_colour(self.variant)


@dataclass(frozen=True)
class Answer:
    """A run's prediction for one test image.

    Attributes:
        title: The run's name.
        digit: The predicted digit.
        probability: Its probability, in [0, 1].
        correct: Whether that is the label.
    """

    title: str
    digit: int
    probability: float
    correct: bool


_GRID = """<div class="md-grid" style="{{ layout }}">
{%- for picture, caption in digits -%}
<figure>{{ picture|image("handwritten digit " ~ caption) }}<figcaption>{{ caption }}</figcaption></figure>
{%- endfor %}</div>"""
_ANSWERS = """<div class="md-grid md-answers">
{%- for picture, caption, answers in digits -%}
<figure class="{{ "" if answers|selectattr("correct")|list else "md-missed" }}">
{{- picture|image("handwritten digit " ~ caption) }}<figcaption><b>{{ caption }}</b>
{%- for answer in answers -%}
<div class="md-said"><span>{{ answer.title }}</span><span class="{{ "md-right" if answer.correct else "md-wrong" }}">
{{- "" }}<b>{{ answer.digit }}</b> {{ answer.probability|probability }}
{{- "" }}<i>{{ "" if answer.correct else " wrong" }}</i></span></div>
{%- endfor %}</figcaption></figure>
{%- endfor %}</div>"""
_STRIP = """<div class="md-strip" aria-hidden="true">
{%- for picture in pictures %}{{ picture|image("") }}{% endfor %}</div>"""
_ONE = """<figure class="md-one" style="width: {{ width }}px">{{ picture|image(alt) -}}
<figcaption>{{ caption }}</figcaption></figure>"""
_PICTURES = """<div class="md-grid md-pictures">
{%- for caption, picture in pictures.items() -%}
<figure>{{ picture|image(caption, "md-picture") }}<figcaption>{{ caption }}</figcaption></figure>
{%- endfor %}</div>"""
_NUMBERS = """<p class="md-hint">Scroll sideways to see all 28 columns.</p>
<div class="md-numbers"><table aria-label="pixel values by row">
{%- for row in rows %}<tr>{% for value in row -%}
<td style="background: rgb({{ value }},{{ value }},{{ value }}); color: {{ "#000" if value > 110 else "#fff" }}">
{{- value }}</td>
{%- endfor %}</tr>{% endfor %}</table></div>"""
_ONE_HOT = """<div class="md-hot" role="img" aria-label="one-hot label of {{ digit }}">
{%- for number in range(10) %}<small>{{ number }}</small>{% endfor %}
{%- for number in range(10) -%}
{% if number == digit %}<div style="background: {{ accent }}; color: white"><b>1</b></div>
{%- else %}<div>0</div>{% endif %}
{%- endfor %}</div>"""
_CARDS = """<div class="md-cards">
{%- for card in cards -%}
<section class="md-card" style="border-top: 4px solid {{ card.colour }}"><h4>{{ card.title }}</h4>
<div class="md-answer"><b>{{ card.digit }}</b><span>{{ card.probabilities[card.digit]|probability }}</span></div>
{%- for part in card.probabilities -%}
<div class="md-row{{ " md-top" if loop.index0 == card.digit }}"><span>{{ loop.index0 }}</span>
<div class="md-bar"><i style="width: {{ "%.1f"|format(100 * part) }}%; background: {{ card.colour }}"></i></div>
<span>{{ part|probability }}</span></div>
{%- endfor %}<div class="md-foot">{{ card.confidence_note }}<br>{{ card.milliseconds|milliseconds }}</div></section>
{%- endfor %}</div>"""


def image_tag(picture: np.ndarray, alt: str, name: str = "md-digit") -> Markup:
    """Returns a picture of any shape that Pillow takes, uint8, as HTML that needs no other file."""
    file = io.BytesIO()
    Image.fromarray(picture).save(file, format="PNG")
    source = base64.b64encode(file.getvalue()).decode()
    return Markup('<img class="{}" alt="{}" src="data:image/png;base64,{}">').format(name, alt, source)


@cache
def _template(source: str) -> Template:
    environment = Environment(autoescape=True)
    environment.filters |= {
        "image": image_tag,
        "probability": lambda part: probability_words(float(part)),
        "milliseconds": milliseconds_words,
    }
    return environment.from_string(source)


def show_template(source: str, **values: object) -> None:
    """Shows values by a Jinja template, as text unless they are HTML of ours; `image` makes a picture of an array."""
    st.html(_STYLE + _template(source).render(values))


def digit_grid(pictures: np.ndarray, captions: Sequence[str], *, columns: int | None = None, size: int = 64) -> None:
    """Shows pictures in a grid, each with its caption.

    Args:
        pictures: Shape (n, 28, 28), uint8.
        captions: One a picture; shown as text.
        columns: Exactly so many; None for as many as fit.
        size: Least width of a picture, pixels.
    """
    layout = f"grid-template-columns: repeat({columns}, minmax(0, 1fr));" if columns else f"--md-size: {size}px;"
    show_template(_GRID, layout=layout, digits=list(zip(pictures, captions, strict=True)))


def answer_grid(pictures: np.ndarray, captions: Sequence[str], answers: Sequence[Sequence[Answer]]) -> None:
    """Shows pictures in a grid, each with runs' predictions; framed in red where all are wrong.

    Args:
        pictures: Shape (n, 28, 28), uint8.
        captions: One a picture; shown as text.
        answers: For each image, each run's prediction.
    """
    show_template(_ANSWERS, digits=list(zip(pictures, captions, answers, strict=True)))


def digit_strip(pictures: np.ndarray) -> None:
    """Shows pictures in one row, as an ornament."""
    show_template(_STRIP, pictures=pictures)


def digit_image(picture: np.ndarray, *, caption: str, alt: str, width: int = 168) -> None:
    """Shows one picture large, its pixels unsmoothed.

    Args:
        picture: Shape (28, 28), uint8.
        caption: Shown below.
        alt: For those who do not see it.
        width: Pixels; a multiple of 28 keeps all pixels the same size.
    """
    show_template(_ONE, picture=picture, caption=caption, alt=alt, width=width)


def picture_grid(pictures: Mapping[str, np.ndarray]) -> None:
    """Shows pictures beside each other as they are, in rows of as many as fit.

    Args:
        pictures: From captions, shown as text, to pictures of shape (height, width) or
            (height, width, 3), uint8.
    """
    show_template(_PICTURES, pictures=pictures)


def number_grid(picture: np.ndarray) -> None:
    """Shows a picture as its 28 × 28 numbers, each on its own grey.

    Args:
        picture: Shape (28, 28), uint8.
    """
    show_template(_NUMBERS, rows=picture.tolist())


def one_hot(digit: int) -> None:
    """Shows a digit's one-hot label."""
    show_template(_ONE_HOT, digit=digit, accent=ACCENT)


def prediction_cards(found: Sequence[Prediction]) -> None:
    """Shows models' predictions for one digit side by side, with all ten probabilities."""
    show_template(_CARDS, cards=found)
