"""Status, for whoever runs the dashboard: queue, workers, memory, store, what went wrong. Not in the menu."""

import streamlit as st

from mnist_dash.ui.shared import controls
from mnist_dash.ui.status import status_view

controls.header("Status", "For whoever runs this dashboard.")
if status_view.may_see(str(st.query_params.get("key", ""))):
    status_view.status_view()
else:
    st.info(
        "On a shared dashboard this page opens with `?key=…`, the value of the setting `MNIST_DASH_STATUS_KEY`.",
        icon=":material/lock:",
    )
