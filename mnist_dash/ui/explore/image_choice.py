"""Which images the Explore page is about: a split, a digit, and what was filtered by range or on the map."""

from dataclasses import dataclass

import numpy as np
import streamlit as st

from mnist_dash.analysis import slices
from mnist_dash.analysis.words.number_words import count_words
from mnist_dash.datasets import mnist
from mnist_dash.ui.shared import controls, links, resources

SPLITS = {"training": "Training", "validation": "Validation", "test": "Test"}
TRAITS = {slices.INK: "Ink, % of white", slices.SLANT: "Slant to the right, degrees", slices.WIDTH: "Width, pixels"}
RANGE, REGION, PICTURE = "explore_range", "explore_region", "explore_picture"
_MARKED, _ONLY_MARKED = "explore_marked", "explore_only_marked"
_MAX_MARKED = 1_000


@dataclass(frozen=True, eq=False)
class Chosen:
    """The images that the page is about.

    Attributes:
        part: "training", "validation" or "test".
        images: Of the whole split, shape (n, 28, 28), uint8.
        labels: Their digits, shape (n,), uint8.
        of_digit: Indices of the chosen digit, or of all, shape (m,).
        indices: Those among them that pass the filters, shape (k,).
    """

    part: str
    images: np.ndarray
    labels: np.ndarray
    of_digit: np.ndarray
    indices: np.ndarray


@dataclass(frozen=True)
class Range:
    """A trait's range that images are filtered by, both ends included."""

    trait: str
    low: float
    high: float


def choose() -> Chosen:
    """Lets the reader choose a split and a digit; shows the filters that are on, each with a button that lifts it."""
    left, right, filters = st.columns([4, 7, 4])
    with left:
        part = controls.choice("Split", SPLITS, key="explore_part")
    with right:
        digit = controls.choice("Digit", {"all": "All", **{str(n): str(n) for n in range(10)}}, key="explore_digit")
    images, labels, of_digit = mnist.select(resources.dataset(), part, digit=None if digit == "all" else int(digit))
    with filters:
        indices = _marked_only(part, _in_region(part, _in_range(part, of_digit)))
        if len(indices) < len(of_digit):
            st.caption(f"{count_words(len(indices), 'image')} of {len(of_digit):,} pass.")
    return Chosen(part, images, labels, of_digit, indices)


def _in_range(part: str, indices: np.ndarray) -> np.ndarray:
    links.restore(RANGE, _parse_range, parameter="range")
    chosen: Range | None = st.session_state[RANGE]
    links.write({"range": f"{chosen.trait}:{chosen.low:g}:{chosen.high:g}" if chosen else ""})
    if chosen is None:
        return indices
    _lift(f"{TRAITS[chosen.trait]}: {chosen.low:g} to {chosen.high:g}", RANGE)
    values = trait_values(part, chosen.trait)[indices]
    return np.asarray(indices[(values >= chosen.low) & (values <= chosen.high)])


def _parse_range(linked: str) -> Range | None:
    trait, _, ends = linked.partition(":")
    try:
        low, high = (float(end) for end in ends.split(":"))
    except ValueError:
        return None
    return Range(trait, low, high) if trait in TRAITS and low <= high else None


def _in_region(part: str, indices: np.ndarray) -> np.ndarray:
    region_part, region = st.session_state.get(REGION) or ("", ())
    if region_part != part:
        return indices
    _lift(f"A region of the map: {count_words(len(region), 'image')}", REGION)
    return np.asarray(indices[np.isin(indices, np.asarray(region, int))])


def _marked_only(part: str, indices: np.ndarray) -> np.ndarray:
    marked = sorted(_marks(part))
    if not marked or not st.checkbox(f"Only marked images ({len(marked)})", key=_ONLY_MARKED):
        return indices
    return np.asarray(indices[np.isin(indices, marked)])


def is_marked(part: str, index: int) -> bool:
    """Returns whether the visitor has marked an image of a split."""
    return index in _marks(part)


def switch_mark(part: str, index: int) -> None:
    """Marks an image, or takes its mark away; the oldest mark goes when there are a thousand."""
    marks = _marks(part)
    if index in marks:
        del marks[index]
    else:
        marks[index] = None
    for oldest in list(marks)[:-_MAX_MARKED]:
        del marks[oldest]


def _marks(part: str) -> dict[int, None]:
    """Returns the marked images of a split in the order in which they were marked."""
    marks: dict[int, None] = st.session_state.setdefault(_MARKED, {}).setdefault(part, {})
    return marks


def _lift(words: str, key: str) -> None:
    def lift() -> None:
        st.session_state[key] = None

    st.button(words, icon=":material/filter_alt_off:", key=f"{key}_lift", help="Lift this filter", on_click=lift)


def trait_values(part: str, trait: str) -> np.ndarray:
    """Returns a trait of every image of a split, shape (n,), float32; measured once."""
    return _trait_values(resources.dataset().fingerprint, part, trait)


@st.cache_resource(show_spinner="Measuring the images …", max_entries=9)
def _trait_values(fingerprint: str, part: str, trait: str) -> np.ndarray:
    images, _, _ = mnist.select(resources.dataset(), part)
    parts = [slices.measure_property(images[start : start + 5_000], trait) for start in range(0, len(images), 5_000)]
    return np.concatenate(parts)


def picture_of(chosen: Chosen, fallback: int) -> int:
    """Returns the index of the image that is looked at: from a click, from the link, or the first one shown."""
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
