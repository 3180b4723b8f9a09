"""Entry point: `streamlit run app.py`. Lists the pages; does nothing else."""

import streamlit as st

from mnist_dash.ui.shared import frame

# Dask workers started from this process import this file again under another name, so
# nothing may run unless Streamlit itself is running it.
if __name__ == "__main__":
    frame.run_pages(
        [
            st.Page("pages/overview.py", title="Overview", icon=":material/home:", default=True),
            st.Page("pages/explore.py", title="Explore", icon=":material/grid_view:"),
            st.Page("pages/train.py", title="Train", icon=":material/model_training:"),
            st.Page("pages/curves.py", title="Curves", icon=":material/show_chart:"),
            st.Page("pages/compare.py", title="Compare", icon=":material/balance:"),
            st.Page("pages/draw.py", title="Draw", icon=":material/draw:"),
            st.Page("pages/inside.py", title="Inside", icon=":material/visibility:"),
            st.Page("pages/status.py", title="Status", icon=":material/monitor_heart:", visibility="hidden"),
        ]
    )
