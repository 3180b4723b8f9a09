"""Distributions: classes, the mean of each digit, traits that one can filter by, and how few ones have a foot."""

import numpy as np
import streamlit as st

from mnist_dash.analysis.handwriting import has_stroke
from mnist_dash.analysis.words.number_words import count_words
from mnist_dash.datasets import mnist
from mnist_dash.datasets.mnist import DIGITS
from mnist_dash.figures import data_figures
from mnist_dash.ui.explore.image_choice import RANGE, SPLITS, TRAITS, Chosen, Range, choose, trait_values
from mnist_dash.ui.explore.image_detail import clicked_image
from mnist_dash.ui.explore.image_tiles import image_tiles
from mnist_dash.ui.shared import controls, digit_html, resources

_SHOWN = 24


def distributions_view() -> None:
    """Shows what is in the chosen images."""
    chosen = choose()
    left, right = st.columns(2, gap="large")
    with left:
        st.subheader("Class distribution", anchor=False)
        counts = mnist.class_counts(chosen.labels[chosen.indices])
        st.plotly_chart(
            data_figures.class_balance(counts, names=chosen.dataset.info.classes, part=chosen.part),
            key="explore_balance",
            config=controls.CHART,
            alt=f"Number of images of each class in the {chosen.part} split",
        )
    with right:
        _trait(chosen)
    image_tiles(
        chosen,
        chosen.indices[:_SHOWN],
        chosen.classes_of(chosen.indices[:_SHOWN]),
        key="explore_passing",
        columns=12,
    )
    _means(chosen)
    _pixel_values(chosen)
    if chosen.dataset.info.classes == DIGITS:
        _ones(chosen)
    clicked_image(chosen)


def _trait(chosen: Chosen) -> None:
    """Shows one trait's distribution; a range of it filters the images, here and in the other views."""
    st.subheader("Traits", anchor=False)
    trait = controls.choice(
        "Trait",
        {name: words.split(",")[0] for name, words in TRAITS.items()},
        key="explore_trait",
        label_visibility="collapsed",
    )
    values = trait_values(chosen.dataset.fingerprint, chosen.part, trait)
    low, high = float(np.floor(values.min())), float(np.ceil(values.max()))
    now: Range | None = st.session_state.get(RANGE)
    ends = (max(low, now.low), min(high, now.high)) if now and now.trait == trait else (low, high)
    st.plotly_chart(
        data_figures.trait_histogram(values[chosen.of_digit], label=TRAITS[trait], chosen=ends),
        key="explore_trait_chart",
        config=controls.CHART,
        alt=f"Number of images by {TRAITS[trait]}",
    )
    key = f"explore_ends_{chosen.dataset.fingerprint}_{chosen.part}_{trait}"

    def filter_images() -> None:
        first, last = st.session_state[key]
        st.session_state[RANGE] = None if (first, last) == (low, high) else Range(trait, first, last)

    if low < high:
        st.session_state[key] = ends if ends[0] <= ends[1] else (low, high)
        st.slider(
            f"Show only: {TRAITS[trait].lower()}", low, high, step=0.5, format="%g", key=key, on_change=filter_images
        )


def _means(chosen: Chosen) -> None:
    st.subheader("Mean and spread of each class", anchor=False)
    means, spreads, never = _statistics(chosen.dataset.fingerprint, chosen.part)
    names = chosen.dataset.info.classes
    columns = 10 if names == DIGITS else None  # longer names need more room
    digit_html.digit_grid(means, [f"mean {name}" for name in names], columns=columns)
    digit_html.digit_grid(spreads, [f"spread {name}" for name in names], columns=columns)
    st.caption(
        f"Spread: each pixel’s standard deviation. {never} of 784 pixels are black in all "
        f"{len(chosen.images):,} images: whatever a network’s weights there are, training does not change them."
    )


@st.cache_data(show_spinner="Averaging the images …", max_entries=6)
def _statistics(fingerprint: str, part: str) -> tuple[np.ndarray, np.ndarray, int]:
    """Returns each digit's mean and standard deviation, shape (10, 28, 28), uint8, and how many pixels are always 0."""
    images, labels = resources.images_of(fingerprint, part)
    of_digits = [images[labels == digit] for digit in range(10)]
    means = np.stack([one.mean(0) if len(one) else np.zeros((28, 28)) for one in of_digits])
    spreads = np.stack([one.std(0, dtype=np.float32) if len(one) else np.zeros((28, 28)) for one in of_digits])
    return np.rint(means).astype(np.uint8), np.rint(spreads).astype(np.uint8), int((images.max(0) == 0).sum())


def _pixel_values(chosen: Chosen) -> None:
    st.subheader("Pixel values", anchor=False)
    counts = _value_counts(chosen.dataset.fingerprint, chosen.part)
    black, white = 100 * counts[0] / counts.sum(), 100 * counts[255] / counts.sum()
    st.plotly_chart(
        data_figures.value_histogram(counts),
        key="explore_values",
        config=controls.CHART,
        alt="Number of pixels by value, from 1 to 255",
    )
    st.caption(
        f"{black:.0f} % of all pixels are 0, black, and left out of the chart; {white:.1f} % are 255. What lies "
        "between is mostly the smoothed edge of a stroke."
    )


@st.cache_data(show_spinner=False, max_entries=6)
def _value_counts(fingerprint: str, part: str) -> np.ndarray:
    images, _ = resources.images_of(fingerprint, part)
    return np.bincount(images.reshape(-1), minlength=256)


def _ones(chosen: Chosen) -> None:
    """Shows how few of MNIST's ones have an up-stroke or a foot."""
    st.subheader("Ones with an up-stroke or a foot, sevens with a bar", anchor=False)
    split = SPLITS[chosen.part].lower()
    for digit, strokes in ((1, "an up-stroke or a foot"), (7, "a bar")):
        of_digit = np.flatnonzero(chosen.labels == digit)
        found = of_digit[has_stroke(chosen.images[of_digit], digit)]
        st.markdown(
            f"**{count_words(len(found), 'image')}** of {len(of_digit):,} of a {digit} in the {split} split, "
            f"{100 * len(found) / max(len(of_digit), 1):.0f} %, seem to have {strokes}:"
        )
        image_tiles(chosen, found[:_SHOWN], ["" for _ in found[:_SHOWN]], key=f"explore_stroke_{digit}", columns=12)
    st.caption(
        "Found by the widths of their rows, so a bent stem may count. Much of the world writes a 1 this way. A network "
        "learns what it is shown: trained on these images, it takes such a 1 for a 7. Handwriting styles, a setting on "
        "Train, add these strokes to training images."
    )
