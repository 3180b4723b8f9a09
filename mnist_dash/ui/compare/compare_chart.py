"""A chart of the Compare page with its export menu."""

from typing import Any

import streamlit as st

from mnist_dash.ui.shared.controls import CHART
from mnist_dash.ui.shared.export_menu import Rows, export_menu


def compare_chart(figure: Any, rows: Rows, *, name: str, alt: str) -> None:
    """Shows a chart that can be exported.

    Args:
        figure: The chart.
        rows: Its numbers.
        name: Its name, in keys and of files.
        alt: A description for screen readers.
    """
    key = f"compare_{name}"
    st.plotly_chart(figure, key=key, config=CHART, alt=alt)
    export_menu(figure, rows, name=f"compare-{name}", chart_key=key)
