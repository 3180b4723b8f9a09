"""A comparison as one HTML page that opens anywhere: its words, charts, tables and digits are inside."""

import base64
import html
import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from PIL import Image

from mnist_dash.figures.standalone import as_fragment

_STYLE = """
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
"""


@dataclass(frozen=True, eq=False)
class Picture:
    """A digit in a report.

    Attributes:
        pixels: Shape (28, 28), uint8.
        caption: Below it, as text, line by line.
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
        pictures: Digits.
    """

    title: str
    words: Sequence[str] = ()
    figure: Any = None
    rows: Sequence[Mapping[str, object]] = ()
    pictures: Sequence[Picture] = field(default=())


def as_page(title: str, sections: Sequence[Section], *, link: str, made: str) -> str:
    """Returns a report as an HTML page that needs nothing else (about 5 MB, most of it plotly.js).

    Args:
        title: Its title.
        sections: Its parts.
        link: Opens the same in the dashboard.
        made: When it was made.
    """
    with_library = iter([True])
    parts = "".join(_section(section, with_library) for section in sections)
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{html.escape(title)}</title>'
        f'<meta name="viewport" content="width=device-width, initial-scale=1"><style>{_STYLE}</style></head><body>'
        f"<h1>{html.escape(title)}</h1>"
        f'<p class="small">Made by MNIST Dash on {html.escape(made)}. '
        f'<a href="{html.escape(link)}" rel="noopener">Open the same in the dashboard</a></p>{parts}</body></html>'
    )


def _section(section: Section, with_library: Any) -> str:
    parts = [f"<h2>{html.escape(section.title)}</h2>", *(f"<p>{_bold(words)}</p>" for words in section.words)]
    if section.figure is not None:
        parts.append(as_fragment(section.figure, with_library=next(with_library, False)))
    if section.rows:
        parts.append(_table(section.rows))
    if section.pictures:
        parts.append(f'<div class="digits">{"".join(map(_picture, section.pictures))}</div>')
    return "".join(parts)


def _bold(words: str) -> str:
    return re.sub(r"\*\*(.+?)\*\*", r"<b>\1</b>", html.escape(words))


def _table(rows: Sequence[Mapping[str, object]]) -> str:
    heads = "".join(f"<th{_class(rows[0][name])}>{html.escape(name)}</th>" for name in rows[0])
    body = "".join(
        f"<tr>{''.join(f'<td{_class(value)}>{html.escape(_cell(value))}</td>' for value in row.values())}</tr>"
        for row in rows
    )
    return f'<div class="wide"><table><thead><tr>{heads}</tr></thead><tbody>{body}</tbody></table></div>'


def _class(value: object) -> str:
    return ' class="number"' if isinstance(value, int | float) else ""


def _cell(value: object) -> str:
    if value is None:
        return "–"
    if isinstance(value, float):
        return f"{value:,.4g}"
    return f"{value:,}" if isinstance(value, int) else str(value)


def _picture(picture: Picture) -> str:
    file = io.BytesIO()
    Image.fromarray(picture.pixels).save(file, format="PNG")
    source = base64.b64encode(file.getvalue()).decode()
    caption = "<br>".join(html.escape(line) for line in picture.caption)
    alt = html.escape(picture.caption[0] if picture.caption else "")
    return f'<figure><img alt="{alt}" src="data:image/png;base64,{source}"><figcaption>{caption}</figcaption></figure>'
