"""What this is, what the tutorials claim and what was measured, and ways in."""

import streamlit as st

from mnist_dash.analysis import test_predictions
from mnist_dash.analysis.words.number_words import accuracy_words, seconds_words
from mnist_dash.datasets.mnist import MNIST
from mnist_dash.networks.variants import VARIANTS
from mnist_dash.ui.shared import controls, digit_html, resources, run_chooser

controls.header(
    "MNIST Dash",
    "Five well-known tutorials train neural networks on MNIST's handwritten digits. Explore the data, train their "
    "networks, compare the results, and classify digits of your own.",
)
data = resources.dataset()
digit_html.digit_strip(data.x_test[:14])

ways = st.columns(3)
for column, (page, label, icon, words) in zip(
    ways,
    (
        ("pages/draw.py", "Draw a digit", ":material/draw:", "and see what each model predicts."),
        ("pages/train.py", "Train a network", ":material/model_training:", "small ones take seconds."),
        ("pages/explore.py", "Explore the data", ":material/grid_view:", "digits as images and as numbers."),
    ),
    strict=True,
):
    with column, st.container(border=True):
        st.page_link(page, label=f"**{label}**", icon=icon)
        st.caption(words)

st.subheader("Published and measured accuracy", anchor=False)
done = [run for run in run_chooser.offered_runs() if run.dataset == MNIST.name]
measured = {
    name: max((run for run in done if run.variant == name), key=lambda run: run.is_reference, default=None)
    for name in VARIANTS
}
st.table(
    [
        {
            "Network": variant.title,
            "Tutorial": variant.claim.words if variant.claim else "none (ours)",
            "Measured": accuracy_words(test_predictions.of_run(run)) if run else "–",
            "Training": seconds_words(run.fit_seconds or 0.0) if run else "",
        }
        for variant, run in ((VARIANTS[name], run) for name, run in measured.items())
    ],
    hide_index=True,
    border="horizontal",
    alt="Accuracy reported by each tutorial and test accuracy measured here",
)
st.caption(
    "Accuracy on MNIST's 10,000 test images with its 95 % interval, of the pretrained models. Models from tutorials "
    "were trained with the tutorials' settings."
)
with st.container(horizontal=True, vertical_alignment="center"):
    controls.explain("interval")
    controls.explain("test_set")
    controls.explain("classification")
    st.page_link("pages/compare.py", label="Compare all runs", icon=":material/balance:")

st.subheader("Dataset", anchor=False)
st.markdown(
    f"**{data.known.title}**: {data.known.train:,} training and {data.known.test:,} test images, "
    f"from `{data.source.name}`."
)
for problem in data.problems:
    controls.note(problem)
if data.known is not MNIST:
    st.markdown(
        "All features work with this bundled sample. Download the full MNIST (60,000 + 10,000 images) for results that "
        "are comparable with the tutorials'."
    )
    controls.download_button()
