"""One image from all sides: its numbers, traits, neighbours, and what the models say."""

import numpy as np
import streamlit as st

from mnist_dash.analysis import misclassified, similar_images
from mnist_dash.datasets.mnist import MNIST
from mnist_dash.ui.explore import image_features
from mnist_dash.ui.explore.image_choice import PICTURE, SPLITS, TRAITS, Chosen, look_at, picture_of, trait_values
from mnist_dash.ui.explore.image_tiles import image_tiles
from mnist_dash.ui.shared import controls, digit_html, links, marks, resources
from mnist_dash.ui.shared.prediction_html import Prediction, prediction_chart

_NEIGHBOURS = 6
_MODELS = 6
_PIXELS = "pixels"


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
    links.write({"picture": str(index) if st.session_state[PICTURE] == index else ""})
    name, of = chosen.class_of(index), chosen.dataset
    digit_html.digit_image(chosen.images[index], caption=f"label {name}", alt=f"image of class {name}", width=196)
    marked = marks.is_marked(of.fingerprint, chosen.part, index)
    st.button(
        "Unmark" if marked else "Mark",
        key=f"explore_mark_{chosen.part}_{index}",
        icon=":material/bookmark_remove:" if marked else ":material/bookmark_add:",
        on_click=marks.switch_mark,
        args=(of.fingerprint, chosen.part, index),
        help="Marked images are a list of your own: show only them, export them, or see them on Compare under Errors.",
    )
    if chosen.part == "test" and of.info is MNIST and index in misclassified.WRONG_LABELS:
        st.warning("Human raters found this label wrong (Northcutt et al., 2021).", icon=":material/flag:")
    traits = (
        f"{words}: {trait_values(of.fingerprint, chosen.part, trait)[index]:.3g}" for trait, words in TRAITS.items()
    )
    st.caption(" · ".join(traits))
    return index


def clicked_image(chosen: Chosen) -> None:
    """Shows the image that was clicked or linked, if there is one, from all sides."""
    if picture_of(chosen, -1) < 0:
        return
    with st.container(border=True):
        left, right = st.columns([4, 5], gap="large")
        with left:
            index = image_detail(chosen, -1)
        with right:
            models_predictions(chosen, index)
        neighbours(chosen, index)


def models_predictions(chosen: Chosen, index: int) -> None:
    """Shows what models predict for an image: those that ship, or the newest on this data."""
    networks = image_features.offered_networks(chosen.dataset.fingerprint).values()
    runs = [run for run in networks if run.classes == chosen.dataset.info.classes]
    runs = [run for run in runs if run.is_reference] or runs[:_MODELS]
    image = chosen.images[index][None]
    if not runs:
        st.caption("No model is trained on these classes yet.")
        st.page_link("pages/train.py", label="Train a model", icon=":material/model_training:")
    elif chosen.dataset.info.classes == MNIST.classes:
        prediction_chart(
            [Prediction(run.title, run.variant, resources.predictor(run.id).probabilities(image)[0]) for run in runs]
        )
    else:
        for run in runs:
            probabilities = resources.predictor(run.id).probabilities(image)[0]
            best = int(probabilities.argmax())
            st.markdown(f"{run.title}: **{run.classes[best]}**, {100 * probabilities[best]:.1f} %")


def neighbours(chosen: Chosen, index: int) -> None:
    """Shows the images of the split that are nearest, in their pixels or in the eyes of a network."""
    networks = image_features.offered_networks(chosen.dataset.fingerprint)
    options = {_PIXELS: "Pixels", **{name: run.title for name, run in networks.items()}}
    by = controls.select("Nearest neighbors by", options, key="near")
    of = (chosen.dataset.fingerprint, chosen.part, index)
    found, distances = _nearest(*of, None if by == _PIXELS else networks[by].id)
    names = chosen.classes_of(found)
    captions = [f"{name} · {distance:.1f}" for name, distance in zip(names, distances, strict=True)]
    image_tiles(chosen, found, captions, key="explore_near", columns=_NEIGHBOURS)
    what = "pixels from 0 to 1" if by == _PIXELS else "activations of the last hidden layer"
    st.caption(f"With their label and Euclidean distance, {what}.")


@st.cache_data(show_spinner=False, max_entries=256)
def _nearest(fingerprint: str, part: str, index: int, run_id: int | None) -> tuple[np.ndarray, np.ndarray]:
    if run_id is not None:
        return image_features.nearest_for(fingerprint, part, index, run_id, count=_NEIGHBOURS)
    images, _ = resources.images_of(fingerprint, part)
    found, distances = similar_images.nearest(images, images[index], count=_NEIGHBOURS + 1)
    return found[found != index][:_NEIGHBOURS], distances[found != index][:_NEIGHBOURS]
