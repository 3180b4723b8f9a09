"""Which images the Explore page is about: a split, a digit, and what was filtered by range or on the map."""

from dataclasses import dataclass

import numpy as np
import streamlit as st

from mnist_dash.analysis import slices
from mnist_dash.analysis.words.number_words import count_words
from mnist_dash.datasets import mnist
from mnist_dash.datasets.mnist import DIGITS, Dataset
from mnist_dash.ui.explore.add_data import add_data
from mnist_dash.ui.shared import controls, data_choice, links, marks, resources

SPLITS = {"training": "Training", "validation": "Validation", "test": "Test"}
TRAITS = {
    slices.INK: "Ink, % of white",
    slices.SLANT: "Slant to the right, degrees",
    slices.WIDTH: "Width, pixels",
    slices.HEIGHT: "Height, pixels",
    slices.STROKE: "Stroke width, pixels",
}
RANGE, REGION, PICTURE = "explore_range", "explore_region", "explore_picture"
_ONLY_MARKED = "explore_only_marked"


@dataclass(frozen=True, eq=False)
class Chosen:
    """The images that the page is about.

    Attributes:
        dataset: The data.
        part: "training", "validation" or "test".
        images: Of the whole split, shape (n, 28, 28), uint8.
        labels: Their labels, shape (n,), uint8.
        of_digit: Indices of the chosen class, or of all, shape (m,).
        indices: Those among them that pass the filters, shape (k,).
    """

    dataset: Dataset
    part: str
    images: np.ndarray
    labels: np.ndarray
    of_digit: np.ndarray
    indices: np.ndarray

    def class_of(self, index: int) -> str:
        """Returns the name of an image's class."""
        return self.dataset.info.classes[int(self.labels[index])]

    def classes_of(self, indices: np.ndarray) -> list[str]:
        """Returns the names of images' classes."""
        return [self.dataset.info.classes[label] for label in self.labels[indices]]


@dataclass(frozen=True)
class Range:
    """A trait's range that images are filtered by, both ends included."""

    trait: str
    low: float
    high: float


def choose() -> Chosen:
    """Lets the reader choose data, split and class; shows the filters that are on, each with a button that lifts it."""
    with st.container(horizontal=True, vertical_alignment="bottom", key="md_data"):
        dataset = data_choice.choose_data()
        add_data(dataset)
        part = controls.choice("Split", SPLITS, key="explore_part")
        classes = {str(label): name for label, name in enumerate(dataset.info.classes)}
        title = "Digit" if dataset.info.classes == DIGITS else "Class"
        label = controls.choice(title, {"all": "All", **classes}, key="explore_digit")
    images, labels, of_digit = mnist.select(dataset, part, digit=None if label == "all" else int(label))
    indices = of_digit
    with st.container(horizontal=True, vertical_alignment="center", key="md_filters"):
        for passing in (_in_range, _in_region, _marked_only):
            indices = passing(dataset.fingerprint, part, indices)
        if len(indices) < len(of_digit):
            st.caption(f"{count_words(len(indices), 'image')} of {len(of_digit):,} pass.", width="content")
    return Chosen(dataset, part, images, labels, of_digit, indices)


def _in_range(fingerprint: str, part: str, indices: np.ndarray) -> np.ndarray:
    links.restore(RANGE, _parse_range, parameter="range")
    chosen: Range | None = st.session_state[RANGE]
    links.write({"range": f"{chosen.trait}:{chosen.low:g}:{chosen.high:g}" if chosen else ""})
    if chosen is None:
        return indices
    _lift(f"{TRAITS[chosen.trait]}: {chosen.low:g} to {chosen.high:g}", RANGE)
    values = trait_values(fingerprint, part, chosen.trait)[indices]
    return np.asarray(indices[(values >= chosen.low) & (values <= chosen.high)])


def _parse_range(linked: str) -> Range | None:
    trait, _, ends = linked.partition(":")
    try:
        low, high = (float(end) for end in ends.split(":"))
    except ValueError:
        return None
    return Range(trait, low, high) if trait in TRAITS and low <= high else None


def _in_region(fingerprint: str, part: str, indices: np.ndarray) -> np.ndarray:
    of, region = st.session_state.get(REGION) or (None, ())
    if of != (fingerprint, part):
        return indices
    _lift(f"A region of the map: {count_words(len(region), 'image')}", REGION)
    return np.asarray(indices[np.isin(indices, np.asarray(region, int))])


def _marked_only(fingerprint: str, part: str, indices: np.ndarray) -> np.ndarray:
    marked = marks.marked(fingerprint, part)
    if not marked or not st.checkbox(f"Only marked images ({len(marked)})", key=_ONLY_MARKED):
        return indices
    return np.asarray(indices[np.isin(indices, marked)])


def _lift(words: str, key: str) -> None:
    def lift() -> None:
        st.session_state[key] = None

    st.button(words, icon=":material/filter_alt_off:", key=f"{key}_lift", help="Lift this filter", on_click=lift)


@st.cache_resource(show_spinner="Measuring the images …", max_entries=15)
def trait_values(fingerprint: str, part: str, trait: str) -> np.ndarray:
    """Returns a trait of every image of a split, shape (n,), float32; measured once."""
    images, _ = resources.images_of(fingerprint, part)
    parts = [slices.measure_property(images[start : start + 5_000], trait) for start in range(0, len(images), 5_000)]
    return np.concatenate(parts)


def picture_of(chosen: Chosen, fallback: int) -> int:
    """Returns the index of the image that is looked at: from a click, from the link, or `fallback`."""
    links.restore(PICTURE, _index, parameter="picture")
    index = st.session_state[PICTURE]
    if index is None or not 0 <= index < len(chosen.images):
        return fallback
    return int(index)


def _index(linked: str) -> int | None:
    return int(linked) if linked.isdecimal() and len(linked) <= 6 else None


def look_at(index: int) -> None:
    """Chooses the image that is looked at; it is in the link from the next run on."""
    st.session_state[PICTURE] = index
