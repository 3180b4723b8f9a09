"""My digits: what a visitor keeps with the right answer, and how well each network reads it."""

import functools
from collections.abc import Callable, Sequence
from zlib import crc32

import numpy as np
import streamlit as st

from mnist_dash.analysis import accuracies
from mnist_dash.analysis.words.number_words import count_words, percent
from mnist_dash.datasets import digit_files
from mnist_dash.datasets.digit_files import MAX_COLLECTION_BYTES
from mnist_dash.errors import MnistDashError
from mnist_dash.store.kept_digits import KeptDigits, KeptSet
from mnist_dash.store.records import Run
from mnist_dash.ui.shared.controls import as_text, explain, page_of, title_of
from mnist_dash.ui.shared.digit_html import digit_grid
from mnist_dash.ui.shared.resources import predictor, run_store, visitor

_A_SHEET = 60  # digits shown at once


def keep_digit(pixels: np.ndarray, *, guess: int) -> None:
    """Offers to keep a digit with the right answer.

    Args:
        pixels: Shape (28, 28), uint8.
        guess: The digit that is chosen at first.
    """
    with st.container(horizontal=True, vertical_alignment="bottom"):
        answer = st.selectbox(
            "It really is a",
            range(10),
            index=guess,
            key=f"draw_answer_{crc32(pixels.tobytes())}",
            width=120,
            help="The right answer.",
        )
        st.button(
            "Keep it in My digits",
            key="draw_keep",
            icon=":material/bookmark_add:",
            on_click=_keep,
            args=(pixels[None], np.array([answer], np.uint8)),
        )


def _says_errors(change: Callable[..., None]) -> Callable[..., None]:
    """Makes a callback show errors that we raise on purpose as a sentence."""

    @functools.wraps(change)
    def changed(*arguments: object) -> None:
        try:
            change(*arguments)
        except MnistDashError as error:
            st.toast(as_text(str(error)), icon=":material/warning:", duration="long")

    return changed


@_says_errors
def _keep(x: np.ndarray, y: np.ndarray) -> None:
    kept = KeptDigits(run_store()).keep(visitor(), x, y)
    st.toast("Kept already." if kept == 0 else f"Kept: {count_words(kept, 'digit')}. See My digits below.")


@_says_errors
def _take_out(digit_id: int) -> None:
    KeptDigits(run_store()).remove(visitor(), digit_id)


@_says_errors
def _take_out_all() -> None:
    KeptDigits(run_store()).clear(visitor())


@_says_errors
def _add_file() -> None:
    file = st.session_state.get("draw_mine_file")
    if file is not None:
        _keep(*digit_files.read_collection(file.getvalue()))


def kept_digits(runs: Sequence[Run]) -> None:
    """Shows what this visitor keeps, and each network's accuracy on it."""
    mine = st.expander("My digits", icon=":material/bookmarks:", key="draw_mine", on_change="rerun")
    if not mine.open:
        return  # reading a thousand digits with five networks would hold up every stroke
    kept = KeptDigits(run_store()).read(visitor())
    with mine:
        explain("my_digits")
        if len(kept.y):
            _accuracies(kept, runs)
            _pictures(kept)
            _take_away(kept)
        else:
            st.caption("Nothing kept yet. Draw a digit, say what it is, and keep it; then see who reads you best.")
        _load()


def _accuracies(kept: KeptSet, runs: Sequence[Run]) -> None:
    rows = []
    for run in runs:
        right = int((predictor(run.id).probabilities(kept.x).argmax(1) == kept.y).sum())
        found = accuracies.accuracy(right, len(kept.y))
        interval = f"{percent(found.low, decimals=0)} to {percent(found.high, decimals=0)}"
        rows.append({"Network": title_of(run), "Right": f"{right} of {found.n}", "95 % interval": interval})
    st.table(rows, hide_index=True, border="horizontal", alt="How many of your digits each network reads right")


def _pictures(kept: KeptSet) -> None:
    shown = page_of(np.arange(len(kept.y)), size=_A_SHEET, key="draw_mine_page")
    digit_grid(kept.x[shown], [f"{number + 1}. {kept.y[number]}" for number in shown], size=48)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        number = st.number_input("Number", 1, len(kept.y), len(kept.y), key=f"draw_mine_{len(kept.y)}", width=120)
        chosen = kept.ids[int(number) - 1]
        st.button("Take it out", key="draw_mine_remove", icon=":material/delete:", on_click=_take_out, args=(chosen,))
        with st.popover("Take out all", icon=":material/delete_sweep:"):
            st.markdown(f"All {len(kept.y)} digits are lost, unless you take them away first.")
            st.button("Yes, take out all", key="draw_mine_clear", on_click=_take_out_all)


def _take_away(kept: KeptSet) -> None:
    with st.container(horizontal=True):
        st.download_button(
            "Take away as .npz",
            lambda: digit_files.as_npz(kept.x, kept.y),
            "my_digits.npz",
            "application/octet-stream",
            key="draw_mine_npz",
            icon=":material/download:",
            on_click="ignore",
            help="Arrays x (n, 28, 28) and y (n,): `python -m mnist_dash evaluate my_digits.npz` reads it.",
        )
        st.download_button(
            "… as PNG pictures",
            lambda: digit_files.as_pngs(kept.x, kept.y),
            "my_digits.zip",
            "application/zip",
            key="draw_mine_pngs",
            icon=":material/download:",
            on_click="ignore",
        )


def _load() -> None:
    st.file_uploader(
        "Add digits from a file that was taken away here",
        type=["npz", "zip"],
        key="draw_mine_file",
        max_upload_size=MAX_COLLECTION_BYTES // 1_000_000,
        on_change=_add_file,
    )
