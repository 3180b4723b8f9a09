"""Images: the grid, one image from all sides, its numbers, and how the data is split."""

import numpy as np
import streamlit as st

from mnist_dash.datasets import splits
from mnist_dash.datasets.mnist import KNOWN, Dataset
from mnist_dash.ui.explore.image_choice import TRAITS, Chosen, choose, trait_values
from mnist_dash.ui.explore.image_detail import image_detail, models_predictions, neighbours
from mnist_dash.ui.explore.image_tiles import image_tiles
from mnist_dash.ui.shared import controls, digit_html, links
from mnist_dash.ui.shared.export_menu import as_csv

_SIZES = {"36": "6 × 6", "16": "4 × 4", "64": "8 × 8", "100": "10 × 10"}
_MAX_SEED = 9_999
_SCALES = {"bytes": "0 to 255", "scaled": "0 to 1"}
_LOAD = {True: "(x_train, y_train), (x_test, y_test) = keras.datasets.mnist.load_data()", False: """\
import numpy as np

data = np.load("{name}.npz")  # exported above
x_train, y_train, x_test, y_test = (data[name] for name in ("x_train", "y_train", "x_test", "y_test"))"""}  # fmt: skip
_ARRAYS = """\
import keras
{load}
x_train.shape, x_train.dtype  # {train}, uint8
x_test.shape, y_test.shape    # {test}, {labels}
x = x_train.reshape(-1, 784) / 255  # flattened and scaled, as the dense networks get them
y = keras.utils.to_categorical(y_train, 10)  # one-hot"""


def images_view() -> None:
    """Shows the grid and the image that is looked at."""
    chosen = choose()
    grid, one = st.columns([5, 4], gap="large")
    with grid:
        shown = _grid(chosen)
    with one:
        index = image_detail(chosen, int(shown[0]) if len(shown) else 0)
    near, predicted = st.columns(2, gap="large")
    with near:
        neighbours(chosen, index)
    with predicted:
        models_predictions(chosen, index)
    _numbers(chosen, index)
    _splits(chosen.dataset)


def _grid(chosen: Chosen) -> np.ndarray:
    """Shows a page of the images that pass, and returns their indices."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        size = int(controls.choice("Grid", _SIZES, key="explore_size"))
        seed = _shuffle_seed()
    passing = chosen.indices if seed is None else np.random.default_rng(seed).permutation(chosen.indices)
    shown = controls.page_of(passing, size=size, key=f"explore_page_{chosen.part}_{len(passing)}_{size}")
    image_tiles(chosen, shown, chosen.classes_of(shown), key="explore_grid", columns=int(size**0.5))
    st.download_button(
        "Export list as CSV",
        lambda: as_csv(rows_of(chosen)),
        f"{chosen.dataset.name}_{chosen.part}.csv",
        "text/csv",
        key="explore_csv",
        icon=":material/download:",
        on_click="ignore",
        help="Index, label and traits of all images that pass.",
    )
    return shown


def _shuffle_seed() -> int | None:
    """Lets the reader shuffle the images; returns the seed, or None for the order of the file."""
    links.restore("shuffle", lambda linked: linked.isdecimal() and len(linked) <= 4)
    links.restore("shuffle_seed", lambda linked: int(linked or 0) if linked.isdecimal() else 0, parameter="shuffle")
    with st.popover("Order", icon=":material/shuffle:", width="content"):
        is_shuffled = st.checkbox("Shuffle", key="shuffle")
        seed = st.number_input("Seed", 0, _MAX_SEED, key="shuffle_seed", help="The same seed gives the same order.")
    links.write({"shuffle": str(seed) if is_shuffled else ""})
    return int(seed) if is_shuffled else None


def _numbers(chosen: Chosen, index: int) -> None:
    """Shows what a network gets of an image, and of its label."""
    image, label = chosen.images[index], int(chosen.labels[index])
    with st.expander("Pixel values, 28 × 28", expanded=True, icon=":material/pin:"):
        scale = controls.choice("Scale", _SCALES, key="explore_scale", label_visibility="collapsed")
        st.markdown(
            "784 numbers, from 0 (black) to 255 (white)."
            if scale == "bytes"
            else "Each value divided by 255: the input of most networks here. Empty cells are 0."
        )
        digit_html.number_grid(image, scaled=scale == "scaled")
        controls.explain("normalising")
        st.markdown("**Flattened**, row after row, as a dense network gets it:")
        digit_html.picture_grid({"784 numbers": image.reshape(1, 784).repeat(12, 0)})
        controls.explain("flattening")
    st.markdown(f"One-hot encoding of the label **{chosen.class_of(index)}**:")
    digit_html.one_hot(label)
    controls.explain("one_hot")
    controls.explain("classification")


def rows_of(chosen: Chosen) -> list[dict[str, object]]:
    """Returns a row for each image that passes: its index, label and traits."""
    traits = {trait: trait_values(chosen.dataset.fingerprint, chosen.part, trait) for trait in TRAITS}
    return [
        {
            "index": index,
            "label": int(chosen.labels[index]),
            **{trait: round(float(values[index]), 2) for trait, values in traits.items()},
        }
        for index in chosen.indices.tolist()
    ]


def _splits(dataset: Dataset) -> None:
    st.subheader("Training, validation, test", anchor=False)
    st.table(
        [
            {
                "Validation": words,
                "Training": f"{len(split.train):,}",
                "Held out for validation": f"{len(split.validation):,}",
                "Test": f"{dataset.info.test:,}",
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
    controls.explain("test_set")
    controls.explain("k_fold")
    with st.expander("Arrays in code", icon=":material/code:"):
        train, test = (f"({count}, 28, 28)" for count in (dataset.info.train, dataset.info.test))
        load = _LOAD[dataset.name in KNOWN].format(name=dataset.name)
        code = _ARRAYS.format(load=load, train=train, test=test, labels=f"({dataset.info.test},)")
        st.code(code, language="python")
