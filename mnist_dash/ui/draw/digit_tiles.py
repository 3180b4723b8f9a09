"""All digits of a sheet as tiles: what each model predicts, who disagrees, and a click that opens one."""

from itertools import groupby

import streamlit as st

from mnist_dash.figures.style import variant_colour
from mnist_dash.ui.shared.digit_html import render
from mnist_dash.ui.shared.html_buttons import html_buttons
from mnist_dash.ui.shared.image_predictions import ImagePredictions

_TILES = """<div class="md-tiles" role="group" aria-label="Digits">{% for row in rows %}<div>
{%- for tile in row -%}
<button type="button" class="{{ "md-disagree" if tile.differ }}" aria-label="digit {{ tile.number }}: {{ tile.best }}
{{- ", models disagree" if tile.differ }}">{{ tile.pixels|image("") }}<b>{{ tile.best }}</b>
{%- if tile.differ %}<small aria-hidden="true">
{%- for digit, colour, title in tile.models -%}
<span style="border-color: {{ colour }}" title="{{ title }}">{{ digit }}</span>
{%- endfor %}</small>{% endif %}</button>
{%- endfor %}</div>{% endfor %}</div>"""


def digit_tiles(predictions: ImagePredictions, *, key: str) -> int:
    """Shows all digits, row by row as on the sheet, and lets the reader choose one.

    Args:
        predictions: Of at least one digit.
        key: The widget's key; other digits need another one.

    Returns:
        The chosen digit's index.
    """
    tiles = [_tile(predictions, index) for index in range(len(predictions.digits))]
    rows = [list(row) for _, row in groupby(tiles, key=lambda tile: tile["row"])]
    disagree = sum(bool(tile["differ"]) for tile in tiles)
    if disagree:
        st.caption(f"Dashed: models disagree ({disagree} of {len(tiles)}); their digits in the models' colours.")
    return html_buttons(render(_TILES, rows=rows), key=key, count=len(tiles))


def _tile(predictions: ImagePredictions, index: int) -> dict[str, object]:
    best, found = predictions.best[index], predictions.of_digit(index)
    return {
        "number": index + 1,
        "row": best.source.row,
        "pixels": best.source.pixels,
        "best": str(best.digit) if best.is_digit else f"{best.digit}?",
        "differ": len({digit.digit for digit in found}) > 1,
        "models": [
            (digit.digit, variant_colour(run.variant), title)
            for digit, run, title in zip(found, predictions.runs, predictions.titles, strict=True)
        ],
    }
