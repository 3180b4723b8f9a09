"""Images that a visitor has marked: a list that filters Explore and is shown on Compare; it lives in the session."""

import streamlit as st

_MARKED = "marked_images"
_MAX_MARKED = 1_000


def marked(fingerprint: str, part: str) -> list[int]:
    """Returns the marked images of a split, in ascending order."""
    return sorted(_marks(fingerprint, part))


def is_marked(fingerprint: str, part: str, index: int) -> bool:
    """Returns whether an image of a split is marked."""
    return index in _marks(fingerprint, part)


def switch_mark(fingerprint: str, part: str, index: int) -> None:
    """Marks an image, or takes its mark away; the oldest mark goes when there are a thousand."""
    marks = _marks(fingerprint, part)
    if index in marks:
        del marks[index]
    else:
        marks[index] = None
    for oldest in list(marks)[:-_MAX_MARKED]:
        del marks[oldest]


def _marks(fingerprint: str, part: str) -> dict[int, None]:
    """Returns the marked images of a split in the order in which they were marked."""
    marks: dict[int, None] = st.session_state.setdefault(_MARKED, {}).setdefault((fingerprint, part), {})
    return marks
