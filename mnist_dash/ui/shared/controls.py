"""Controls and texts that several pages use."""

import functools
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Literal

import numpy as np
import streamlit as st
from streamlit.runtime.pages_manager import PagesManager

from mnist_dash.datasets import mnist
from mnist_dash.datasets.mnist import MNIST, SAMPLE
from mnist_dash.errors import MnistDashError
from mnist_dash.networks.variants import VARIANTS, Claim
from mnist_dash.store.records import Run
from mnist_dash.ui.shared import links
from mnist_dash.ui.shared.explanations import EXPLANATIONS
from mnist_dash.ui.shared.resources import dataset, settings

_MAX_CHOSEN = 12
_NEURONS_PER_PAGE = 100
_DATA_NOTES = {MNIST.name: "", SAMPLE.name: "sample"}
CHART = {"displayModeBar": False}  # on a phone the bar would cover the legend


def header(title: str, sentence: str, *explanations: str) -> None:
    """Begins a page: its title, what one can do here, and explanations under “Learn”.

    Says so when only the bundled sample is in use.
    """
    _rerun_with_navigation()
    with st.container(horizontal=True, vertical_alignment="center", key="md_header"):
        st.title(title, anchor=False, width="content")
        st.markdown(sentence, width="content")
        if explanations:
            _learn(explanations)
    if dataset().info is SAMPLE:
        st.caption(
            ":material/info: Using the bundled sample of 5,000 images. Download the full MNIST on the Overview page."
        )


def _learn(explanations: Sequence[str]) -> None:
    with st.popover("Learn", type="tertiary", icon=":material/school:", width="content"):
        for name in explanations:
            title, text = EXPLANATIONS[name]
            with st.expander(title):
                st.markdown(text)


def _rerun_with_navigation() -> None:
    """Runs app.py around a page that Streamlit runs alone.

    Because there is a folder pages/, a server whose first visitor follows a link to a
    page runs that page without app.py, and with a menu of file names. It goes on like
    that until `st.navigation` has been called once, which only app.py does.
    """
    if PagesManager.uses_pages_directory:
        PagesManager.uses_pages_directory = False
        st.rerun()


def explain(name: str) -> None:
    """Offers an explanation that opens on a click."""
    title, text = EXPLANATIONS[name]
    with st.popover(title, type="tertiary", icon=":material/help:", width="content"):
        st.markdown(text)


def shows_errors(function: Callable[..., None]) -> Callable[..., None]:
    """Makes a page or fragment show errors that we raise on purpose as sentences."""

    @functools.wraps(function)
    def shown(*arguments: Any, **named: Any) -> None:
        with _errors(st.error):
            function(*arguments, **named)

    return shown


def attempt(action: Callable[..., object], *arguments: Any) -> None:
    """Runs a callback's action; an error that we raise on purpose is shown as a notice."""
    with _errors(functools.partial(st.toast, duration="long")):
        action(*arguments)


@contextmanager
def _errors(show: Callable[..., object]) -> Iterator[None]:
    try:
        yield
    except MnistDashError as error:
        show(as_text(str(error)), icon=":material/error:")


def as_text(message: str) -> str:
    """Escapes what Streamlit would take for Markdown: messages may quote names of files."""
    return "".join(f"\\{character}" if character in "\\`*_{}[]<>#+!|$~:" else character for character in message)


def note(message: str) -> None:
    """Shows a warning as plain text."""
    st.warning(as_text(message), icon=":material/warning:")


def claim_of(run: Run) -> Claim | None:
    """Returns what the run's tutorial claims, if the run has its settings and its test pictures."""
    comparable = run.variant in VARIANTS and run.dataset == MNIST.name
    same = comparable and {**run.settings, "seed": 0} == VARIANTS[run.variant].check({})
    return VARIANTS[run.variant].claim if same else None


def page_of(positions: np.ndarray, *, size: int, key: str) -> np.ndarray:
    """Lets the reader leaf through positions, `size` at a time, and returns those of the page."""
    pages = max(1, -(-len(positions) // size))
    page = 1 if pages == 1 else st.number_input(f"Page (of {pages:,}, {size} images each)", 1, pages, 1, key=key)
    return positions[(page - 1) * size : page * size]


def neuron_range(neurons: int, *, key: str) -> tuple[int, int]:
    """Lets the reader leaf through neurons, 100 at a time; returns the first and last number."""
    starts = list(range(1, neurons + 1, _NEURONS_PER_PAGE))
    first = starts[0]
    if len(starts) > 1:
        first = st.selectbox(
            "Neurons",
            starts,
            format_func=lambda start: f"{start} to {min(start + _NEURONS_PER_PAGE - 1, neurons)}",
            key=key,
        )
    return first, min(first + _NEURONS_PER_PAGE - 1, neurons)


def title_of(run: Run) -> str:
    """Returns a run's name, what was changed in it, and its data if that is not the full MNIST."""
    notes = [run.changes, _DATA_NOTES.get(run.dataset, run.dataset)]
    return " · ".join([run.title, *filter(None, notes)])


def choice(
    label: str,
    options: Mapping[str, str],
    *,
    key: str,
    on_change: Callable[[], None] | None = None,
    label_visibility: Literal["visible", "collapsed"] = "visible",
) -> str:
    """Lets the reader choose one of a few options; the choice is in the URL.

    Args:
        label: What is chosen.
        options: From the ids in the URL to the words shown; the first is the default.
        key: The widget's key.
        on_change: Called when something else is chosen.
        label_visibility: Whether the label is shown, or only read by screen readers.
    """
    first = _restored_option(options, key)
    chosen = st.segmented_control(
        label,
        list(options),
        format_func=lambda option: options.get(option, option),
        required=True,
        key=key,
        wrap=True,
        on_change=on_change,
        label_visibility=label_visibility,
    )
    chosen = chosen or first
    links.write({key: "" if chosen == first else chosen})
    return chosen


def select(label: str, options: Mapping[str, str], *, key: str) -> str:
    """Lets the reader choose one of many options; as `choice`, but as a list that opens."""
    first = _restored_option(options, key)
    # What is chosen may be gone when the page runs again, and Streamlit then asks for its words once more.
    chosen = st.selectbox(label, list(options), format_func=lambda option: options.get(option, option), key=key)
    links.write({key: "" if chosen == first else chosen})
    return str(chosen)


def _restored_option(options: Mapping[str, str], key: str) -> str:
    """Takes the choice from the URL, or the first option; returns that."""
    first = next(iter(options))
    links.restore(key, lambda linked: linked if linked in options else first)
    if st.session_state[key] not in options:
        st.session_state[key] = first
    return first


def in_order(runs: Sequence[Run]) -> list[Run]:
    """Returns the reference models in the tutorials' order, then all other runs as they came."""
    variants = list(VARIANTS)
    return sorted(runs, key=lambda run: variants.index(run.variant) if run.is_reference else len(variants))


def run_picker(runs: Sequence[Run], *, key: str, label: str, parameter: str) -> list[Run]:
    """Lets the reader choose runs, at first the models that ship with the project; the choice is in the URL."""
    by_id = {run.id: run for run in in_order(runs)}
    defaults = [run_id for run_id, run in by_id.items() if run.is_reference] or list(by_id)[:1]
    links.restore(key, lambda linked: _linked_runs(linked, by_id) or defaults, parameter=parameter)
    st.session_state[key] = [run_id for run_id in st.session_state[key] if run_id in by_id]
    chosen = st.multiselect(
        label,
        list(by_id),
        format_func=lambda run_id: title_of(by_id[run_id]) if run_id in by_id else f"run {run_id}",
        key=key,
        max_selections=_MAX_CHOSEN,
        placeholder="Choose one or more runs",
    )
    links.write({parameter: "" if chosen == defaults else ",".join(f"r{run_id}" for run_id in chosen)})
    return [by_id[run_id] for run_id in chosen]


def one_run_picker(
    runs: Sequence[Run],
    *,
    key: str,
    label: str = "Run",
    first: int = 0,
    label_visibility: Literal["visible", "collapsed"] = "collapsed",
) -> Run:
    """Lets the reader choose one run, at first the one at index `first` or the last; the choice is in the URL."""
    by_id = {run.id: run for run in runs}
    default = list(by_id)[min(first, len(by_id) - 1)]
    links.restore(key, lambda linked: next(iter(_linked_runs(linked, by_id)), default))
    if st.session_state[key] not in by_id:
        st.session_state[key] = default
    chosen = st.selectbox(
        label,
        list(by_id),
        format_func=lambda run_id: title_of(by_id[run_id]) if run_id in by_id else f"run {run_id}",
        key=key,
        label_visibility=label_visibility,
    )
    links.write({key: "" if chosen == default else str(chosen)})
    return by_id[chosen]


def _linked_runs(linked: str, offered: Mapping[int, Run]) -> list[int]:
    ids = {str(run_id): run_id for run_id in offered}
    texts = (text.removeprefix("r") for text in linked.split(","))
    return list(dict.fromkeys(ids[text] for text in texts if text in ids))[:_MAX_CHOSEN]


@st.cache_resource(show_spinner=False)
def _download_lock() -> threading.Lock:
    return threading.Lock()


def download_button() -> None:
    """Offers the download of the full MNIST, with progress."""
    if st.button("Download the full MNIST (11 MB)", key="overview_download", icon=":material/download:"):
        bar = st.progress(0.0, "Downloading MNIST …")

        def show(part: float) -> None:
            bar.progress(min(part, 1.0), "Downloading MNIST …")

        with _download_lock():  # a second visitor waits for the first one's download
            if dataset().info is SAMPLE:
                mnist.download(settings(), progress=show)
        st.rerun()
