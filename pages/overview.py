"""What this is: a canvas that every network reads, what the tutorials claim and what was measured, and ways in."""

import streamlit as st

from mnist_dash.datasets.mnist import MNIST
from mnist_dash.ui.overview import claims_chart, live_canvas
from mnist_dash.ui.shared import controls, resources, run_chooser

controls.header(
    "MNIST Dash",
    "Draw a digit, train a network, and see which one really reads best.",
    "classification",
    "interval",
    "test_set",
)
data = resources.dataset()
runs = [run for run in run_chooser.offered_runs() if run.is_reference]
if runs:
    live_canvas.live_canvas(runs, data)
    claims_chart.claims_chart(runs)

with st.container(horizontal=True, key="md_ways"):
    st.page_link(
        "pages/train.py",
        label="**Train a network**  \nThe tutorials' networks, or your settings; small ones take seconds.",
        icon=":material/model_training:",
        width="stretch",
    )
    st.page_link(
        "pages/compare.py",
        label="**Compare models**  \nIs the difference real? Intervals, paired tests, every single error.",
        icon=":material/balance:",
        width="stretch",
    )
    st.page_link(
        "pages/explore.py",
        label="**Explore the data**  \nThe digits as images and as the numbers that a network gets.",
        icon=":material/grid_view:",
        width="stretch",
    )

st.caption(f"{data.info.title}: {data.info.train:,} training and {data.info.test:,} test images, {data.source.name}.")
for problem in data.problems:
    controls.note(problem)
if data.info is not MNIST:
    st.markdown("Download the full MNIST (60,000 + 10,000 images) for results comparable with the tutorials'.")
    controls.download_button()
