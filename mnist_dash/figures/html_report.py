"""A comparison as one HTML page that opens anywhere: its words, charts, tables and digits are inside."""

import base64
import io
import itertools
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from jinja2 import Environment, Template
from markupsafe import Markup, escape
from PIL import Image

from mnist_dash.figures.standalone import as_fragment

_PAGE = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{{ title|truncate(80) }}</title>
<meta name="viewport" content="width=device-width, initial-scale=1"><style>
:root { color-scheme: light; }
body { font: 16px/1.55 system-ui, sans-serif; color: #16181D; background: #FBFAF7; margin: 0 auto;
  padding: 2rem 1rem 4rem; max-width: 1000px; }
h1 { font-size: 1.9rem; margin: 0 0 .3rem; } h2 { font-size: 1.25rem; margin: 2.4rem 0 .6rem; }
a { color: #3B5BDB; } .small { font-size: .85rem; color: #55585F; }
.wide { overflow-x: auto; } table { border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: .9rem; }
th, td { padding: .35rem .7rem; border-bottom: 1px solid #DDDBD3; text-align: left; white-space: nowrap; }
td.number, th.number { text-align: right; }
.digits { display: grid; grid-template-columns: repeat(auto-fill, minmax(170px, 1fr)); gap: 1rem; }
.digits figure { margin: 0; font-size: .8rem; }
.digits img { width: 84px; image-rendering: pixelated; border-radius: 3px; }
</style></head><body><h1>{{ title }}</h1>
<p class="small">Made by MNIST Dash on {{ made }}. <a href="{{ link }}" rel="noopener">Open in the dashboard</a></p>
{%- for section, chart in sections %}<h2>{{ section.title }}</h2>
{%- for words in section.words %}<p>{{ words|bold }}</p>{% endfor %}{{ chart }}
{%- if section.rows %}<div class="wide"><table><thead><tr>
{%- for name, value in section.rows[0].items() %}<th{% if value is number %} class="number"{% endif %}>{{ name }}</th>
{%- endfor %}</tr></thead><tbody>
{%- for row in section.rows %}<tr>{% for value in row.values() -%}
<td{% if value is number %} class="number"{% endif %}>{{ value|cell }}</td>{% endfor %}</tr>{% endfor -%}
</tbody></table></div>{% endif %}
{%- if section.images %}<div class="digits">{% for image in section.images -%}
<figure><img alt="{{ image.caption[0] }}" src="data:image/png;base64,{{ image.pixels|png }}"><figcaption>
{%- for line in image.caption %}{{ line }}{% if not loop.last %}<br>{% endif %}{% endfor -%}
</figcaption></figure>{% endfor %}</div>{% endif %}{% endfor %}</body></html>"""


@dataclass(frozen=True, eq=False)
class ReportImage:
    """A digit in a report.

    Attributes:
        pixels: Shape (28, 28), uint8.
        caption: Below it, as text, at least one line; the first is the alt text.
    """

    pixels: np.ndarray
    caption: Sequence[str]


@dataclass(frozen=True, eq=False)
class Section:
    """One part of a report; what is empty is left out.

    Attributes:
        title: Its heading.
        words: Paragraphs, in which **two stars** make bold.
        figure: A plotly figure.
        rows: A table, all rows with the same names.
        images: Digits.
    """

    title: str
    words: Sequence[str] = ()
    figure: Any = None
    rows: Sequence[Mapping[str, object]] = ()
    images: Sequence[ReportImage] = ()


def as_page(title: str, sections: Sequence[Section], *, link: str, made: str) -> str:
    """Returns a report as an HTML page that needs nothing else (about 5 MB, most of it plotly.js).

    Args:
        title: Its title.
        sections: Its parts.
        link: Opens the same in the dashboard.
        made: When it was made.
    """
    with_library = itertools.chain([True], itertools.repeat(False))  # plotly.js comes with the first figure
    charts = [
        Markup(as_fragment(section.figure, with_library=next(with_library)) if section.figure is not None else "")
        for section in sections
    ]
    return _template().render(title=title, sections=zip(sections, charts, strict=True), link=link, made=made)


@cache
def _template() -> Template:
    environment = Environment(autoescape=True)
    environment.filters |= {"bold": _bold, "cell": _cell, "png": _png}
    return environment.from_string(_PAGE)


def _bold(words: str) -> Markup:
    return Markup(re.sub(r"\*\*(.+?)\*\*", r"<b>\1</b>", str(escape(words))))


def _cell(value: object) -> str:
    if value is None:
        return "–"
    if isinstance(value, float):
        return f"{value:,.4g}"
    return f"{value:,}" if isinstance(value, int) else str(value)


def _png(pixels: np.ndarray) -> str:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, format="PNG")
    return base64.b64encode(file.getvalue()).decode()
