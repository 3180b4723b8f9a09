"""A chart of the Compare page, and how to take it away."""

from typing import Any

import streamlit as st

from mnist_dash.ui.shared.controls import CHART
from mnist_dash.ui.shared.export_menu import Rows, export_menu


def compare_chart(figure: Any, rows: Rows, *, name: str, alt: str) -> None:
    """Shows a chart with its numbers to take away.

    Args:
        figure: The chart.
        rows: Its numbers.
        name: Its name, in keys and of files.
        alt: What it shows, for those who do not see it.
    """
    key = f"compare_{name}"
    st.plotly_chart(figure, key=key, config=CHART, alt=alt)
    export_menu(figure, rows, name=f"compare-{name}", chart_key=key)
