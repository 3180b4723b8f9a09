"""The data as the tutorials show it: many digits, one digit as numbers, classes and splits."""

import streamlit as st

from mnist_dash.datasets import mnist, splits
from mnist_dash.figures import data_figures
from mnist_dash.ui.shared import controls, digit_html, resources

controls.header(
    "Explore the data",
    "What the networks learn from: handwritten digits of 28 × 28 pixels, each with its label.",
    "classification",
    "normalising",
    "one_hot",
)

dataset = resources.dataset()
left, right = st.columns(2)
with left:
    part = controls.choice(
        "Part of the data", {"training": "Training", "validation": "Validation", "test": "Test"}, key="explore_part"
    )
with right:
    digit = controls.choice(
        "Digit", {"all": "All", **{str(number): str(number) for number in range(10)}}, key="explore_digit"
    )
pictures, labels, positions = mnist.select(dataset, part, digit=None if digit == "all" else int(digit))
shown = controls.page_of(positions, size=36, key=f"explore_page_{part}_{digit}")

grid, one = st.columns([5, 4], gap="large")
with grid:
    digit_html.digit_grid(pictures[shown], [str(label) for label in labels[shown]], columns=6)
with one:
    st.subheader("One digit, closely", anchor=False)
    number = st.number_input(
        f"Number in the {part} part, from 0",
        0,
        len(pictures) - 1,
        int(shown[0]),
        key=f"explore_number_{part}_{shown[0]}",
    )
    picture, label = pictures[number], int(labels[number])
    digit_html.digit_image(picture, caption=f"label {label}", alt=f"handwritten digit {label}", width=196)
    st.markdown(f"Its one-hot label, ten numbers for the label **{label}**:")
    digit_html.one_hot(label)

with st.expander("The same digit as 28 × 28 numbers", expanded=True, icon=":material/pin:"):
    st.markdown("This is all that a network gets: 784 numbers, 0 for black paper and 255 for white ink.")
    digit_html.number_grid(picture)

st.subheader("How many of each digit", anchor=False)
st.plotly_chart(
    data_figures.class_balance(mnist.class_counts(labels), part=part),
    key="explore_balance",
    config=controls.CHART,
    alt=f"Number of pictures of each digit in the {part} part",
)

st.subheader("The splits", anchor=False)
st.table(
    [
        {
            "Split": words,
            "Train on": f"{len(split.train):,}",
            "Validate on": f"{len(split.validation):,}",
            "Test on": f"{dataset.known.test:,}",
        }
        for words, split in (
            ("No validation (three of the tutorials)", splits.split(dataset.y_train, "none")),
            ("Hold-out: the last twelfth validates", splits.split(dataset.y_train, "holdout")),
            ("4 folds: each quarter validates once", splits.split(dataset.y_train, "kfold:4")),
        )
    ],
    border="horizontal",
    hide_index=True,
    alt="Pictures to train, validate and test on, by split",
)
with st.container(horizontal=True):
    controls.explain("test_set")
    controls.explain("k_fold")
