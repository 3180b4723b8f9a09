"""Quality: likely label errors, images that most models miss, duplicates and near-duplicates."""

import functools
import itertools
from typing import Any

import numpy as np
import streamlit as st

from mnist_dash.analysis import label_errors, misclassified, similar_images
from mnist_dash.analysis.similar_images import Pair
from mnist_dash.analysis.words.number_words import count_words
from mnist_dash.datasets.mnist import MNIST
from mnist_dash.ui.explore import held_out_predictions
from mnist_dash.ui.explore.image_choice import Chosen, choose
from mnist_dash.ui.explore.image_detail import clicked_image
from mnist_dash.ui.explore.image_tiles import image_tiles
from mnist_dash.ui.shared import controls, digit_html, resources
from mnist_dash.ui.shared.export_menu import as_csv
from mnist_dash.ui.shared.image_views import show_images

_RANKED = 100
_PAGE = 24
_NEAR = 60  # pairs
_NEAR_LIMIT = 3.0  # the mean distance of an MNIST image to its nearest neighbor is about 6
_PAIRS_SHOWN = 24


def quality_view() -> None:
    """Shows what is strange in the chosen images, and duplicates across the splits."""
    chosen = choose()
    _likely_errors(chosen)
    clicked_image(chosen)
    if chosen.dataset.info is MNIST and chosen.part == "test":
        _known_errors(chosen)
    _duplicates(chosen)


def _likely_errors(chosen: Chosen) -> None:
    st.subheader("Likely label errors", anchor=False)
    sources = held_out_predictions.sources(chosen.dataset, chosen.part)
    if not sources:
        what = "a model" if chosen.part == "test" else "a model with k folds under Validation"
        st.info(f"Label errors are found from predictions for held-out images. Train {what} on this data first.")
        st.page_link("pages/train.py", label="Train a model", icon=":material/model_training:")
        return
    by = controls.select("Predicted by", {name: source.title for name, source in sources.items()}, key="explore_by")
    controls.explain("confident_learning")
    probabilities, indices = held_out_predictions.probabilities_of(chosen.dataset, chosen.part, sources[by])
    found = label_errors.find_label_errors(probabilities, chosen.labels[indices])
    order = found.order[np.isin(indices[found.order], chosen.indices)][:_RANKED]
    rows = [_row(chosen, probabilities, found, int(at), int(indices[at])) for at in order]
    _summary(chosen, found, indices)
    page = controls.page_of(np.arange(len(rows)), size=_PAGE, key=f"explore_errors_{chosen.part}_{by}_{len(rows)}")
    captions = [f"{rows[at]['label']} → {rows[at]['suggested']}?" for at in page]
    image_tiles(chosen, indices[order[page]], captions, key="explore_errors", columns=8)
    st.download_button(
        f"Export these {len(rows)} as CSV",
        lambda: as_csv(rows),
        f"{chosen.dataset.name}_{chosen.part}_label_errors.csv",
        "text/csv",
        key="explore_errors_csv",
        icon=":material/download:",
        on_click="ignore",
    )


def _summary(chosen: Chosen, found: label_errors.LabelErrors, indices: np.ndarray) -> None:
    counted = int(found.confident.sum())
    words = (
        f"Of {len(indices):,} labels confident learning counts **{counted:,}** as wrong. Below are the most suspicious "
        "first, with label and suggested class: the lower the probability of the label and the higher that of the "
        "suggestion, the earlier."
    )
    if chosen.dataset.info is MNIST and chosen.part == "test":
        first = set(indices[found.order[:_RANKED]].tolist())
        known = len(first & set(misclassified.WRONG_LABELS))
        words += f" Of the 15 labels that human raters found wrong, **{known}** are among the first {_RANKED}."
    st.markdown(words)


def _row(
    chosen: Chosen, probabilities: np.ndarray, found: label_errors.LabelErrors, at: int, index: int
) -> dict[str, object]:
    suggested = int(found.suggested[at])
    return {
        "index": index,
        "label": chosen.class_of(index),
        "suggested": chosen.dataset.info.classes[suggested],
        "probability of label": round(float(probabilities[at, chosen.labels[index]]), 4),
        "probability of suggested": round(float(probabilities[at, suggested]), 4),
        "counted as wrong": bool(found.confident[at]),
    }


def _known_errors(chosen: Chosen) -> None:
    runs = controls.in_order(resources.run_store().list_runs())
    runs = [run for run in runs if run.is_reference and run.fingerprint == chosen.dataset.fingerprint]
    st.subheader("Labels that human raters found wrong", anchor=False)
    st.markdown("15 of the 10,000 test images (Northcutt et al., 2021), with what the models that ship predict.")
    show_images(np.array(misclassified.WRONG_LABELS), runs, key="explore_wrong_labels")
    st.subheader("Test images that most models get wrong", anchor=False)
    wrong = np.sum([~resources.predictions_of(run.id).correct for run in runs], axis=0)
    order = np.argsort(-wrong, kind="stable")
    show_images(order[wrong[order] >= min(3, len(runs))], runs, key="explore_often_wrong")


def _duplicates(chosen: Chosen) -> None:
    """Shows images that are equal, and on request those that are nearly so, within and across the splits."""
    st.subheader("Duplicates", anchor=False)
    fingerprint, train = chosen.dataset.fingerprint, chosen.dataset.info.train
    groups = _equal_images(fingerprint)
    across = sum(any(index < train for index in group) and any(index >= train for index in group) for group in groups)
    st.markdown(
        f"{count_words(len(groups), 'group')} of training and test images are equal in every pixel; "
        f"{'none' if not across else count_words(across, 'group')} of them across both splits, which would let a "
        "network know test images in advance."
    )
    for group in groups[:10]:
        _grid(chosen, group, [""] * len(group))
    key = f"explore_near_duplicates_{fingerprint}"
    if key not in st.session_state and not st.button(
        "Search for near-duplicates (about 15 s)", key="explore_search_duplicates", icon=":material/search:"
    ):
        return
    st.session_state[key] = True
    pairs = _near_duplicates(fingerprint)
    across = sum(pair.first < train <= pair.second for pair in pairs)
    st.markdown(
        f"The {count_words(len(pairs), 'pair')} nearest to each other, {across} of them across training and "
        "test split. Distance is Euclidean, pixels from 0 to 1."
        if pairs
        else f"No two images are nearer than {_NEAR_LIMIT}."
    )
    for first in range(0, min(len(pairs), _PAIRS_SHOWN), 4):
        shown = pairs[first : first + 4]
        distances = [words for pair in shown for words in (f" · {pair.distance:.2f}", "")]
        _grid(chosen, [index for pair in shown for index in (pair.first, pair.second)], distances)


def _grid(chosen: Chosen, indices: tuple[int, ...] | list[int], notes: list[str]) -> None:
    """Shows images by their index in the training images followed by the test images."""
    of, train = chosen.dataset, chosen.dataset.info.train
    pictures = np.stack([of.x_train[i] if i < train else of.x_test[i - train] for i in indices])
    names = [f"train {i}" if i < train else f"test {i - train}" for i in indices]
    captions = [name + note for name, note in zip(names, notes, strict=True)]
    digit_html.digit_grid(pictures, captions, columns=8 if len(indices) == 8 else None)


@st.cache_data(show_spinner="Looking for duplicates …", max_entries=4)
def _equal_images(fingerprint: str) -> list[tuple[int, ...]]:
    return similar_images.duplicates(itertools.chain(*_both_splits(fingerprint)))


def _near_duplicates(fingerprint: str) -> list[Pair]:
    """Returns the nearest pairs; computed once, with a progress bar, which a cached function cannot show."""
    found = _found_pairs()
    if fingerprint not in found:
        bar = st.empty()
        found[fingerprint] = similar_images.near_duplicates(
            _both_splits(fingerprint),
            count=_NEAR,
            limit=_NEAR_LIMIT,
            progress=functools.partial(_show_progress, bar),
        )
        bar.empty()
    return found[fingerprint]


def _show_progress(bar: Any, part: float) -> None:
    bar.progress(part, "Comparing all images with each other …")


@st.cache_resource(show_spinner=False)
def _found_pairs() -> dict[str, list[Pair]]:
    return {}


def _both_splits(fingerprint: str) -> tuple[np.ndarray, np.ndarray]:
    dataset = resources.dataset_of(fingerprint)
    assert dataset is not None
    return dataset.x_train, dataset.x_test
