"""Quality: images that most models get wrong, labels that humans found wrong, and duplicates."""

import itertools

import numpy as np
import streamlit as st

from mnist_dash.analysis import misclassified, similar_images
from mnist_dash.analysis.words.number_words import count_words
from mnist_dash.datasets.mnist import MNIST
from mnist_dash.store.records import Run
from mnist_dash.ui.shared import controls, digit_html, resources
from mnist_dash.ui.shared.image_views import show_images


def quality_view() -> None:
    """Shows what is strange in the test split, and duplicates across both."""
    dataset = resources.dataset()
    runs = [run for run in controls.in_order(resources.run_store().list_runs()) if run.is_reference]
    runs = [run for run in runs if run.fingerprint == dataset.fingerprint]
    if dataset.known is MNIST:
        st.subheader("Labels that human raters found wrong", anchor=False)
        st.markdown("15 of the 10,000 test images (Northcutt et al., 2021), with what the models that ship predict.")
        show_images(np.array(misclassified.WRONG_LABELS), runs, key="explore_wrong_labels")
        st.subheader("Test images that most models get wrong", anchor=False)
        show_images(_often_wrong(runs), runs, key="explore_often_wrong")
    else:
        st.info(
            "Label errors and common errors are known for the full MNIST. Download it on the Overview page.",
            icon=":material/image_not_supported:",
        )
    _duplicates()


def _often_wrong(runs: list[Run]) -> np.ndarray:
    """Returns the indices of the test images that at least three models get wrong, most often wrong ones first."""
    wrong = np.sum([~resources.predictions_of(run.id).correct for run in runs], axis=0)
    order = np.argsort(-wrong, kind="stable")
    return np.asarray(order[wrong[order] >= min(3, len(runs))])


def _duplicates() -> None:
    st.subheader("Duplicates", anchor=False)
    groups, train = _equal_images(resources.dataset().fingerprint)
    dataset = resources.dataset()
    across = sum(any(index < train for index in group) and any(index >= train for index in group) for group in groups)
    st.markdown(
        f"{count_words(len(groups), 'group')} of training and test images are equal in every pixel; "
        f"{'none' if not across else count_words(across, 'group')} of them across both splits, which would let a "
        "network know test images in advance."
    )
    for group in groups[:10]:
        pictures = np.stack([dataset.x_train[i] if i < train else dataset.x_test[i - train] for i in group])
        names = [f"training {i}" if i < train else f"test {i - train}" for i in group]
        digit_html.digit_grid(pictures, names, size=64)


@st.cache_data(show_spinner="Looking for duplicates …", max_entries=4)
def _equal_images(fingerprint: str) -> tuple[list[tuple[int, ...]], int]:
    dataset = resources.dataset()
    return similar_images.duplicates(itertools.chain(dataset.x_train, dataset.x_test)), len(dataset.x_train)
