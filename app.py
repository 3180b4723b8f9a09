"""Entry point: `streamlit run app.py`. The server imports it, and runs it for each visitor: then it lists the pages."""

import streamlit as st

# Streamlit imports this file once as the module `app` and runs it for each visitor as `__main__`. Dask workers started
# from this process import it, too, under another name; nothing may run then.
if __name__ == "app":
    from mnist_dash.ui.shared.server_lifespan import lifespan

    app = st.App(__file__, lifespan=lifespan)

if __name__ == "__main__":
    from mnist_dash.ui.shared import frame

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
