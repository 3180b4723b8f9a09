"""The data as the tutorials show it: a grid, one image as numbers, classes and splits."""

import streamlit as st

from mnist_dash.datasets import mnist, splits
from mnist_dash.figures import data_figures
from mnist_dash.ui.shared import controls, digit_html, resources

controls.header(
    "Explore the data",
    "Handwritten digits, 28 × 28 pixels each, with their labels.",
    "classification",
    "normalising",
    "one_hot",
)

dataset = resources.dataset()
left, right = st.columns(2)
with left:
    part = controls.choice(
        "Split", {"training": "Training", "validation": "Validation", "test": "Test"}, key="explore_part"
    )
with right:
    digit = controls.choice(
        "Digit", {"all": "All", **{str(number): str(number) for number in range(10)}}, key="explore_digit"
    )
images, labels, indices = mnist.select(dataset, part, digit=None if digit == "all" else int(digit))
shown = controls.page_of(indices, size=36, key=f"explore_page_{part}_{digit}")

grid, one = st.columns([5, 4], gap="large")
with grid:
    digit_html.digit_grid(images[shown], [str(label) for label in labels[shown]], columns=6)
with one:
    st.subheader("Single image", anchor=False)
    index = st.number_input(
        f"Index in the {part} split, from 0",
        0,
        len(images) - 1,
        int(shown[0]),
        key=f"explore_number_{part}_{shown[0]}",
    )
    image, label = images[index], int(labels[index])
    digit_html.digit_image(image, caption=f"label {label}", alt=f"handwritten digit {label}", width=196)
    st.markdown(f"One-hot encoding of the label **{label}**:")
    digit_html.one_hot(label)

with st.expander("Pixel values, 28 × 28", expanded=True, icon=":material/pin:"):
    st.markdown("The input of a network: 784 numbers, from 0 (black) to 255 (white).")
    digit_html.number_grid(image)

st.subheader("Class distribution", anchor=False)
st.plotly_chart(
    data_figures.class_balance(mnist.class_counts(labels), part=part),
    key="explore_balance",
    config=controls.CHART,
    alt=f"Number of images of each digit in the {part} split",
)

st.subheader("Validation splits", anchor=False)
st.table(
    [
        {
            "Validation": words,
            "Training": f"{len(split.train):,}",
            "Held out for validation": f"{len(split.validation):,}",
            "Test": f"{dataset.known.test:,}",
        }
        for words, split in (
            ("None (three of the tutorials)", splits.split(dataset.y_train, "none")),
            ("Holdout: the last twelfth", splits.split(dataset.y_train, "holdout")),
            ("4 folds: each quarter in turn", splits.split(dataset.y_train, "kfold:4")),
        )
    ],
    border="horizontal",
    hide_index=True,
    alt="Number of training, validation and test images by validation setting",
)
with st.container(horizontal=True):
    controls.explain("test_set")
    controls.explain("k_fold")
