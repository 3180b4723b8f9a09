"""Images: the grid, one image from all sides, its numbers, and how the data is split."""

import streamlit as st

from mnist_dash.datasets import splits
from mnist_dash.ui.explore.image_choice import TRAITS, Chosen, choose, trait_values
from mnist_dash.ui.explore.image_detail import image_detail, models_predictions, neighbours
from mnist_dash.ui.explore.image_tiles import image_tiles
from mnist_dash.ui.shared import controls, digit_html, resources
from mnist_dash.ui.shared.export_menu import as_csv

_GRID = 36
_ARRAYS = """\
import keras

(x_train, y_train), (x_test, y_test) = keras.datasets.mnist.load_data()
x_train.shape, x_train.dtype  # {train}, uint8
x_test.shape, y_test.shape    # {test}, {labels}
x = x_train.reshape(-1, 784) / 255  # flattened and scaled, as the dense networks get them
y = keras.utils.to_categorical(y_train, 10)  # one-hot"""


def images_view() -> None:
    """Shows the grid and the image that is looked at."""
    chosen = choose()
    grid, one = st.columns([5, 4], gap="large")
    with grid:
        shown = controls.page_of(chosen.indices, size=_GRID, key=f"explore_page_{chosen.part}_{len(chosen.indices)}")
        captions = [str(label) for label in chosen.labels[shown]]
        image_tiles(chosen, shown, captions, key="explore_grid", columns=6)
        st.download_button(
            "Export list as CSV",
            lambda: as_csv(rows_of(chosen)),
            f"mnist_{chosen.part}.csv",
            "text/csv",
            key="explore_csv",
            icon=":material/download:",
            on_click="ignore",
            help="Index, label and traits of all images that pass.",
        )
    with one:
        index = image_detail(chosen, int(shown[0]) if len(shown) else 0)
    label = int(chosen.labels[index])
    neighbours(chosen, index)
    models_predictions(chosen.images[index])
    st.markdown(f"One-hot encoding of the label **{label}**:")
    digit_html.one_hot(label)
    with st.expander("Pixel values, 28 × 28", expanded=True, icon=":material/pin:"):
        st.markdown("The input of a network: 784 numbers, from 0 (black) to 255 (white).")
        digit_html.number_grid(chosen.images[index])
        st.markdown("Flattened, row after row, as a dense network gets it: which pixels were neighbors is lost.")
        digit_html.picture_grid({"784 numbers": chosen.images[index].reshape(1, 784).repeat(12, 0)})
    _splits()


def rows_of(chosen: Chosen) -> list[dict[str, object]]:
    """Returns a row for each image that passes: its index, label and traits."""
    traits = {trait: trait_values(chosen.part, trait) for trait in TRAITS}
    return [
        {
            "index": index,
            "label": int(chosen.labels[index]),
            **{trait: round(float(values[index]), 2) for trait, values in traits.items()},
        }
        for index in chosen.indices.tolist()
    ]


def _splits() -> None:
    dataset = resources.dataset()
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
    with st.expander("Arrays in code", icon=":material/code:"):
        train, test = (f"({count}, 28, 28)" for count in (dataset.known.train, dataset.known.test))
        st.code(_ARRAYS.format(train=train, test=test, labels=f"({dataset.known.test},)"), language="python")
