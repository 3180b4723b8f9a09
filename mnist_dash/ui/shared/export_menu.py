"""Export a chart: as an image rendered by the browser, as a standalone HTML page, and as CSV."""

import csv
import io
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import streamlit as st

from mnist_dash.figures.standalone import as_html

Rows = Sequence[Mapping[str, object]]

_FORMULA = ("=", "+", "-", "@", "\t", "\r")  # what a spreadsheet takes for the beginning of a formula
_images = st.components.v2.component(
    "mnist_dash_export",
    html="""<div class="md-export">
<button type="button" data-format="png">PNG image</button>
<button type="button" data-format="svg">SVG image</button>
</div>""",
    css=""".md-export { display: flex; flex-wrap: wrap; gap: 1rem; }
.md-export button { font: inherit; font-size: .875rem; color: var(--st-text-color);
  background: var(--st-background-color); cursor: pointer;
  border: 1px solid var(--st-border-color);
  border-radius: var(--st-button-radius); padding: .25rem .75rem; min-height: 2.5rem; flex: 1; white-space: nowrap; }
.md-export button:hover, .md-export button:focus-visible { color: var(--st-primary-color);
  border-color: var(--st-primary-color); outline: none; }""",
    js=Path(__file__).with_name("export_menu.js").read_text(encoding="utf-8"),
    isolate_styles=False,
)


def export_menu(figure: Any, rows: Rows | Callable[[], Rows], *, name: str, chart_key: str) -> None:
    """Offers a chart of the page as PNG, SVG, HTML and CSV; HTML and CSV are made when they are asked for.

    Args:
        figure: The chart.
        rows: Its numbers, or what returns them; all with the same names in the same order.
        name: Name of the files, without ending.
        chart_key: Key under which the page shows the chart, by `chart` or `st.plotly_chart`.
    """
    with st.popover("Export", icon=":material/download:", type="tertiary", key=f"{chart_key}_export"):
        _images(key=f"{chart_key}_pictures", data={"chart": chart_key, "name": name})
        with st.container(horizontal=True):
            _download("HTML page", lambda: as_html(figure, title=name), f"{name}.html", "text/html", key=chart_key)
            _download(
                "CSV table",
                lambda: as_csv(rows() if callable(rows) else rows),
                f"{name}.csv",
                "text/csv",
                key=chart_key,
            )


def _download(label: str, make: Callable[[], str | bytes], file: str, mime: str, *, key: str) -> None:
    kind = file.rpartition(".")[2]
    st.download_button(label, make, file, mime, key=f"{key}_{kind}", on_click="ignore", width="stretch")


def as_csv(rows: Rows) -> bytes:
    """Returns rows as CSV that spreadsheets read as it is meant: UTF-8, and no text is a formula.

    Source:
        OWASP, "CSV injection".
    """
    file = io.StringIO()
    writer = csv.DictWriter(file, fieldnames=list(rows[0]) if rows else [])
    writer.writeheader()
    writer.writerows({name: _without_formula(value) for name, value in row.items()} for row in rows)
    return file.getvalue().encode("utf-8-sig")  # without the mark Excel takes it for another encoding


def _without_formula(value: object) -> object:
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value
