"""All digits of a sheet as tiles: what each model predicts, who disagrees, and a click that opens one."""

from itertools import groupby
from pathlib import Path

import streamlit as st

from mnist_dash.figures.style import variant_colour
from mnist_dash.ui.shared.digit_html import render
from mnist_dash.ui.shared.image_predictions import ImagePredictions

_TILES = """{% for row in rows %}<div>
{%- for tile in row -%}
<button type="button" class="{{ "md-disagree" if tile.differ }}" aria-label="digit {{ tile.number }}: {{ tile.best }}
{{- ", models disagree" if tile.differ }}">{{ tile.pixels|image("") }}<b>{{ tile.best }}</b>
{%- if tile.differ %}<small aria-hidden="true">
{%- for digit, colour, title in tile.models -%}
<span style="border-color: {{ colour }}" title="{{ title }}">{{ digit }}</span>
{%- endfor %}</small>{% endif %}</button>
{%- endfor %}</div>{% endfor %}"""
_tiles = st.components.v2.component(
    "mnist_dash_tiles",
    html='<div class="md-tiles" role="group" aria-label="Digits"></div>',
    js=Path(__file__).with_name("digit_tiles.js").read_text(encoding="utf-8"),
    isolate_styles=False,
)


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
    chosen = min(int((st.session_state.get(key) or {}).get("index") or 0), len(tiles) - 1)
    disagree = sum(bool(tile["differ"]) for tile in tiles)
    if disagree:
        st.caption(f"Dashed: models disagree ({disagree} of {len(tiles)}); their digits in the colours below.")
    found = _tiles(
        key=key,
        data={"html": render(_TILES, rows=rows), "index": chosen},
        default={"index": chosen},
        on_index_change=lambda: None,
    )
    return min(int(found.index or 0), len(tiles) - 1)


def _tile(predictions: ImagePredictions, index: int) -> dict[str, object]:
    best, found = predictions.best[index], predictions.of_digit(index)
    return {
        "number": index + 1,
        "row": best.source.row,
        "pixels": best.source.pixels,
        "best": str(best.digit) if best.is_digit else "?",
        "differ": len({digit.digit for digit in found}) > 1,
        "models": [
            (digit.digit, variant_colour(run.variant), title)
            for digit, run, title in zip(found, predictions.runs, predictions.titles, strict=True)
        ],
    }
