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
from mnist_dash.figures.style import ACCENT


@dataclass(frozen=True)
class Answer:
    """A run's prediction for one test image.

    Attributes:
        title: The run's name.
        predicted: The predicted class's name.
        probability: Its probability, in [0, 1].
        correct: Whether that is the label.
    """

    title: str
    predicted: str
    probability: float
    correct: bool


_GRID = """<div class="md-grid" style="{{ layout }}">
{%- for picture, caption in digits -%}
<figure>{{ picture|image("handwritten digit " ~ caption) }}
{%- if caption %}<figcaption>{{ caption }}</figcaption>{% endif %}</figure>
{%- endfor %}</div>"""
_ANSWERS = """<div class="md-grid md-answers">
{%- for picture, caption, answers in digits -%}
<figure class="{{ "" if answers|selectattr("correct")|list else "md-missed" }}">
{{- picture|image("handwritten digit " ~ caption) }}<figcaption><b>{{ caption }}</b>
{%- for answer in answers -%}
<div class="md-said"><span>{{ answer.title }}</span><span class="{{ "md-right" if answer.correct else "md-wrong" }}">
{{- "" }}<b>{{ answer.predicted }}</b> {{ answer.probability|probability }}
{{- "" }}<i>{{ "" if answer.correct else " wrong" }}</i></span></div>
{%- endfor %}</figcaption></figure>
{%- endfor %}</div>"""
_ONE = """<figure class="md-one" style="width: {{ width }}px">{{ picture|image(alt) -}}
<figcaption>{{ caption }}</figcaption></figure>"""
_PICTURES = """<div class="md-grid md-pictures">
{%- for caption, picture in pictures.items() -%}
<figure>{{ picture|image(caption, "md-picture") }}<figcaption>{{ caption }}</figcaption></figure>
{%- endfor %}</div>"""
_NUMBERS = """<p class="md-hint">Scroll sideways to see all 28 columns.</p>
<div class="md-numbers" role="region" aria-label="pixel values" tabindex="0"><table aria-label="pixel values by row">
{%- for row in rows %}<tr>{% for value in row -%}
<td style="background: rgb({{ value }},{{ value }},{{ value }}); color: {{ "#000" if value > 110 else "#fff" }}">
{{- ("%.2f"|format(value / 255))[1 if value < 255 else 0:][:3] if scaled and value else "" if scaled else value }}</td>
{%- endfor %}</tr>{% endfor %}</table></div>"""
_ONE_HOT = """<div class="md-hot" role="img" aria-label="one-hot label of {{ digit }}">
{%- for number in range(10) %}<small>{{ number }}</small>{% endfor %}
{%- for number in range(10) -%}
{% if number == digit %}<div style="background: {{ accent }}; color: white"><b>1</b></div>
{%- else %}<div>0</div>{% endif %}
{%- endfor %}</div>"""


def image_tag(picture: np.ndarray, alt: str, name: str = "md-digit") -> Markup:
    """Returns a picture of any shape that Pillow takes, uint8, as HTML that needs no other file."""
    file = io.BytesIO()
    Image.fromarray(picture).save(file, format="PNG")
    source = base64.b64encode(file.getvalue()).decode()
    return Markup('<img class="{}" alt="{}" src="data:image/png;base64,{}">').format(name, alt, source)


def animation(frames: Sequence[np.ndarray], *, milliseconds: int = 350) -> bytes:
    """Returns pictures one after the other as an animated WebP image, which ends with a pause.

    Args:
        frames: All of one shape, (height, width, 3), uint8.
        milliseconds: How long each is shown.
    """
    first, *rest = (Image.fromarray(frame) for frame in frames)
    file, times = io.BytesIO(), [milliseconds] * len(rest) + [4 * milliseconds]
    first.save(file, format="WEBP", save_all=True, append_images=rest, duration=times, loop=0, lossless=True)
    return file.getvalue()


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
    """Shows values by a Jinja template, as text unless they are HTML of ours; digits.css has its style."""
    st.html(render(source, **values))


def render(source: str, **values: object) -> str:
    """Returns HTML of values by a Jinja template, in which the filter `image` makes a picture of an array."""
    return _template(source).render(values)


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


def number_grid(picture: np.ndarray, *, scaled: bool = False) -> None:
    """Shows a picture as its 28 × 28 numbers, each on its own grey.

    Args:
        picture: Shape (28, 28), uint8.
        scaled: Whether the numbers are divided by 255.
    """
    show_template(_NUMBERS, rows=picture.tolist(), scaled=scaled)


def one_hot(digit: int) -> None:
    """Shows a digit's one-hot label."""
    show_template(_ONE_HOT, digit=digit, accent=ACCENT)
