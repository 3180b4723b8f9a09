"""Digits as HTML: white ink on black, unsmoothed, with labels that a screen reader reads."""

import base64
import html
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import streamlit as st
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


def image_tag(picture: np.ndarray, alt: str, *, name: str = "md-digit") -> str:
    """Returns a picture of any shape that Pillow takes, uint8, as HTML that needs no other file."""
    file = io.BytesIO()
    Image.fromarray(picture).save(file, format="PNG")
    source = base64.b64encode(file.getvalue()).decode()
    return f'<img class="{name}" alt="{html.escape(alt)}" src="data:image/png;base64,{source}">'


def digit_grid(pictures: np.ndarray, captions: Sequence[str], *, columns: int | None = None, size: int = 64) -> None:
    """Shows pictures in a grid, each with its caption.

    Args:
        pictures: Shape (n, 28, 28), uint8.
        captions: One a picture; shown as text.
        columns: Exactly so many; None for as many as fit.
        size: Least width of a picture, pixels.
    """
    figures = "".join(
        f"<figure>{image_tag(picture, f'handwritten digit {caption}')}"
        f"<figcaption>{html.escape(caption)}</figcaption></figure>"
        for picture, caption in zip(pictures, captions, strict=True)
    )
    layout = f"grid-template-columns: repeat({columns}, minmax(0, 1fr));" if columns else f"--md-size: {size}px;"
    st.html(f'{_STYLE}<div class="md-grid" style="{layout}">{figures}</div>')


def answer_grid(pictures: np.ndarray, captions: Sequence[str], answers: Sequence[Sequence[Answer]]) -> None:
    """Shows pictures in a grid, each with runs' predictions; framed in red where all are wrong.

    Args:
        pictures: Shape (n, 28, 28), uint8.
        captions: One a picture; shown as text.
        answers: For each image, each run's prediction.
    """
    cells = "".join(
        f'<figure class="{"" if any(answer.correct for answer in own) else "md-missed"}">'
        f"{image_tag(picture, f'handwritten digit {caption}')}<figcaption><b>{html.escape(caption)}</b>"
        f"{''.join(map(_answer_row, own))}</figcaption></figure>"
        for picture, caption, own in zip(pictures, captions, answers, strict=True)
    )
    st.html(f'{_STYLE}<div class="md-grid md-answers">{cells}</div>')


def _answer_row(answer: Answer) -> str:
    mark = "md-right" if answer.correct else "md-wrong"
    return (
        f'<div class="md-said"><span>{html.escape(answer.title)}</span>'
        f'<span class="{mark}"><b>{answer.digit}</b> {html.escape(probability_words(answer.probability))}'
        f"<i>{'' if answer.correct else ' wrong'}</i></span></div>"
    )


def digit_strip(pictures: np.ndarray) -> None:
    """Shows pictures in one row, as an ornament."""
    st.html(f'{_STYLE}<div class="md-strip" aria-hidden="true">{"".join(image_tag(p, "") for p in pictures)}</div>')


def digit_image(picture: np.ndarray, *, caption: str, alt: str, width: int = 168) -> None:
    """Shows one picture large, its pixels unsmoothed.

    Args:
        picture: Shape (28, 28), uint8.
        caption: Shown below.
        alt: For those who do not see it.
        width: Pixels; a multiple of 28 keeps all pixels the same size.
    """
    st.html(
        f'{_STYLE}<figure class="md-one" style="width: {width}px">{image_tag(picture, alt)}'
        f"<figcaption>{html.escape(caption)}</figcaption></figure>"
    )


def picture_grid(pictures: Mapping[str, np.ndarray]) -> None:
    """Shows pictures beside each other as they are, in rows of as many as fit.

    Args:
        pictures: From captions, shown as text, to pictures of shape (height, width) or
            (height, width, 3), uint8.
    """
    figures = "".join(
        f"<figure>{image_tag(picture, caption, name='md-picture')}"
        f"<figcaption>{html.escape(caption)}</figcaption></figure>"
        for caption, picture in pictures.items()
    )
    st.html(f'{_STYLE}<div class="md-grid md-pictures">{figures}</div>')


def number_grid(picture: np.ndarray) -> None:
    """Shows a picture as its 28 × 28 numbers, each on its own grey.

    Args:
        picture: Shape (28, 28), uint8.
    """
    rows = "".join(
        "<tr>"
        + "".join(
            f'<td style="background: rgb({value},{value},{value}); color: {"#000" if value > 110 else "#fff"}">'
            f"{value}</td>"
            for value in map(int, row)
        )
        + "</tr>"
        for row in picture
    )
    hint = '<p class="md-hint">Scroll sideways to see all 28 columns.</p>'
    st.html(f'{_STYLE}{hint}<div class="md-numbers"><table aria-label="pixel values by row">{rows}</table></div>')


def one_hot(digit: int) -> None:
    """Shows a digit's one-hot label."""
    cells = "".join(
        f'<div style="background: {ACCENT}; color: white"><b>1</b></div>' if number == digit else "<div>0</div>"
        for number in range(10)
    )
    heads = "".join(f"<small>{number}</small>" for number in range(10))
    st.html(f'{_STYLE}<div class="md-hot" role="img" aria-label="one-hot label of {digit}">{heads}{cells}</div>')


def prediction_cards(found: Sequence[Prediction]) -> None:
    """Shows models' predictions for one digit side by side, with all ten probabilities."""
    st.html(f'{_STYLE}<div class="md-cards">{"".join(_card(prediction) for prediction in found)}</div>')


def _card(prediction: Prediction) -> str:
    digit, colour = int(prediction.probabilities.argmax()), variant_colour(prediction.variant)
    rows = "".join(
        f"<div class='md-row{' md-top' if number == digit else ''}'><span>{number}</span>"
        f"<div class='md-bar'><i style='width: {100 * part:.1f}%; background: {colour}'></i></div>"
        f"<span>{html.escape(probability_words(part))}</span></div>"
        for number, part in enumerate(map(float, prediction.probabilities))
    )
    return (
        f'<section class="md-card" style="border-top: 4px solid {colour}"><h4>{html.escape(prediction.title)}</h4>'
        f'<div class="md-answer"><b>{digit}</b>'
        f"<span>{html.escape(probability_words(float(prediction.probabilities[digit])))}</span></div>"
        f'{rows}<div class="md-foot">{html.escape(prediction.confidence_note)}<br>'
        f"{milliseconds_words(prediction.milliseconds)}</div></section>"
    )
