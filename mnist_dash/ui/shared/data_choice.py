"""Which data Explore shows and Train trains on: MNIST, or what was added; one choice for both, also by link."""

import streamlit as st

from mnist_dash.datasets.mnist import Dataset
from mnist_dash.ui.shared import links, resources

LINK = "data"
_CHOSEN, _WIDGET, _NEXT = "chosen_data", "data_choice", "data_next"


def chosen_data() -> Dataset:
    """Returns the chosen data, or MNIST where that was removed."""
    fingerprint = st.session_state.get(_CHOSEN)
    return (resources.dataset_of(fingerprint) if fingerprint else None) or resources.dataset()


def choose_data() -> Dataset:
    """Lets the reader choose the data, if there is more than MNIST; the choice is in the URL by its name."""
    standard = resources.dataset()
    offered = {custom.name: custom.fingerprint for custom in resources.custom_datasets().list()}
    names = ["", *offered]
    by_fingerprint = {fingerprint: name for name, fingerprint in offered.items()}
    before = by_fingerprint.get(st.session_state.get(_CHOSEN) or "", "")
    links.restore(_WIDGET, lambda linked: linked if linked in offered else "", parameter=LINK, initial=before)
    st.session_state[_WIDGET] = st.session_state.pop(_NEXT, st.session_state[_WIDGET])
    if st.session_state[_WIDGET] not in names:
        st.session_state[_WIDGET] = ""
    if offered:
        st.selectbox("Dataset", names, format_func=lambda name: name or standard.info.title, key=_WIDGET, width=180)
    name = st.session_state[_WIDGET]
    st.session_state[_CHOSEN] = offered.get(name)
    links.write({LINK: name})
    return chosen_data()


def choose_next(name: str) -> None:
    """Chooses data by its name, from the next run on; "" is MNIST."""
    st.session_state[_NEXT] = name
