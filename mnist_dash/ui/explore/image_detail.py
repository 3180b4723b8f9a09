"""One image from all sides: its numbers, traits, neighbours, and what the models say."""

import numpy as np
import streamlit as st

from mnist_dash.analysis import misclassified, similar_images
from mnist_dash.datasets import mnist
from mnist_dash.datasets.mnist import MNIST
from mnist_dash.ui.explore.image_choice import (
    SPLITS,
    TRAITS,
    Chosen,
    is_marked,
    look_at,
    picture_of,
    switch_mark,
    trait_values,
)
from mnist_dash.ui.explore.image_tiles import image_tiles
from mnist_dash.ui.shared import digit_html, links, resources
from mnist_dash.ui.shared.controls import in_order
from mnist_dash.ui.shared.prediction_html import Prediction, prediction_chart

_NEIGHBOURS = 6


def image_detail(chosen: Chosen, fallback: int) -> int:
    """Shows the image that is looked at; returns its index."""
    index = picture_of(chosen, fallback)
    key = f"explore_index_{chosen.part}_{index}"
    st.number_input(
        f"Image, its index in the {SPLITS[chosen.part].lower()} split",
        0,
        len(chosen.images) - 1,
        index,
        key=key,
        on_change=lambda: look_at(int(st.session_state[key])),
    )
    links.write({"picture": "" if index == fallback else str(index)})
    image, label = chosen.images[index], int(chosen.labels[index])
    is_wrong = chosen.part == "test" and resources.dataset().known is MNIST and index in misclassified.WRONG_LABELS
    digit_html.digit_image(image, caption=f"label {label}", alt=f"handwritten digit {label}", width=196)
    marked = is_marked(chosen.part, index)
    st.button(
        "Unmark" if marked else "Mark",
        key=f"explore_mark_{chosen.part}_{index}",
        icon=":material/bookmark_remove:" if marked else ":material/bookmark_add:",
        on_click=switch_mark,
        args=(chosen.part, index),
        help="Marked images are a list of your own: show only them, or export them as CSV.",
    )
    if is_wrong:
        st.warning("Human raters found this label wrong (Northcutt et al., 2021).", icon=":material/flag:")
    st.caption(" · ".join(f"{words}: {trait_values(chosen.part, trait)[index]:.3g}" for trait, words in TRAITS.items()))
    return index


def clicked_image(chosen: Chosen) -> None:
    """Shows the image that was clicked or linked, if there is one."""
    if picture_of(chosen, -1) >= 0:
        models_predictions(chosen.images[image_detail(chosen, -1)])


def models_predictions(image: np.ndarray) -> None:
    """Shows what the models that ship predict for an image."""
    runs = [run for run in in_order(resources.run_store().list_runs()) if run.is_reference]
    predictions = [
        Prediction(run.title, run.variant, resources.predictor(run.id).probabilities(image[None])[0]) for run in runs
    ]
    prediction_chart(predictions)


def neighbours(chosen: Chosen, index: int) -> None:
    """Shows the images of the split that are nearest in their pixels."""
    found, distances = _nearest(resources.dataset().fingerprint, chosen.part, index)
    captions = [f"{chosen.labels[other]} · {distance:.1f}" for other, distance in zip(found, distances, strict=True)]
    st.markdown("**Nearest neighbors** in pixels, with label and distance")
    image_tiles(chosen, found, captions, key="explore_near", columns=_NEIGHBOURS)


@st.cache_data(show_spinner=False, max_entries=256)
def _nearest(fingerprint: str, part: str, index: int) -> tuple[np.ndarray, np.ndarray]:
    images, _, _ = mnist.select(resources.dataset(), part)
    found, distances = similar_images.nearest(images, images[index], count=_NEIGHBOURS + 1)
    return found[found != index][:_NEIGHBOURS], distances[found != index][:_NEIGHBOURS]
