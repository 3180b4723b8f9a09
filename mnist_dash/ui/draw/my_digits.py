"""My digits: labelled digits that a visitor keeps, and each model's accuracy on them."""

from collections.abc import Sequence
from zlib import crc32

import numpy as np
import streamlit as st

from mnist_dash.analysis import accuracies
from mnist_dash.analysis.words.number_words import count_words, percent
from mnist_dash.datasets import digit_files
from mnist_dash.datasets.digit_files import MAX_COLLECTION_BYTES
from mnist_dash.store.kept_digits import KeptDigits, KeptSet
from mnist_dash.store.records import Run
from mnist_dash.ui.shared.controls import attempt, explain, page_of, title_of
from mnist_dash.ui.shared.digit_html import digit_grid
from mnist_dash.ui.shared.resources import predictor, run_store, visitor

_PAGE_SIZE = 60  # digits shown at once


def keep_digit(pixels: np.ndarray, *, guess: int | None) -> None:
    """Offers to keep a digit with its correct label.

    Args:
        pixels: Shape (28, 28), uint8.
        guess: The label that is chosen at first; None for none.
    """
    with st.container(horizontal=True, vertical_alignment="bottom"):
        answer = st.selectbox(
            "Correct label",
            range(10),
            index=guess,
            key=f"draw_answer_{crc32(pixels.tobytes())}",
            width=150,
            placeholder="Choose",
        )
        st.button(
            "Add to My digits",
            key="draw_keep",
            icon=":material/bookmark_add:",
            on_click=attempt,
            disabled=answer is None,
            args=(_keep, pixels[None], np.array([answer or 0], np.uint8)),
        )


def _keep(x: np.ndarray, y: np.ndarray) -> None:
    kept = KeptDigits(run_store()).keep(visitor().name, x, y)
    st.toast("Already in My digits." if kept == 0 else f"Added {count_words(kept, 'digit')} to My digits.")


def _remove(digit_id: int) -> None:
    KeptDigits(run_store()).remove(visitor().name, digit_id)


def _remove_all() -> None:
    KeptDigits(run_store()).clear(visitor().name)


def _add_file() -> None:
    file = st.session_state.get("draw_mine_file")
    if file is not None:
        _keep(*digit_files.read_collection(file.getvalue()))


def kept_digits(runs: Sequence[Run]) -> None:
    """Shows what this visitor keeps, and each network's accuracy on it."""
    mine = st.expander("My digits", icon=":material/bookmarks:", key="draw_mine", on_change="rerun")
    if not mine.open:
        return  # reading a thousand digits with five networks would hold up every stroke
    kept = KeptDigits(run_store()).read(visitor().name)
    with mine:
        explain("my_digits")
        if len(kept.y):
            _accuracies(kept, runs)
            _pictures(kept)
            _export(kept)
        else:
            st.caption("No digits yet. Draw a digit, set its correct label and add it.")
        _load()


def _accuracies(kept: KeptSet, runs: Sequence[Run]) -> None:
    rows = []
    for run in runs:
        correct = int((predictor(run.id).probabilities(kept.x).argmax(1) == kept.y).sum())
        found = accuracies.accuracy(correct, len(kept.y))
        interval = f"{percent(found.low, decimals=0)} to {percent(found.high, decimals=0)}"
        rows.append({"Model": title_of(run), "Correct": f"{correct} of {found.n}", "95 % interval": interval})
    st.table(rows, hide_index=True, border="horizontal", alt="Each model's accuracy on your digits")


def _pictures(kept: KeptSet) -> None:
    shown = page_of(np.arange(len(kept.y)), size=_PAGE_SIZE, key="draw_mine_page")
    digit_grid(kept.x[shown], [f"{number + 1}. {kept.y[number]}" for number in shown], size=48)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        number = st.number_input("Number", 1, len(kept.y), len(kept.y), key=f"draw_mine_{len(kept.y)}", width=120)
        chosen = kept.ids[int(number) - 1]
        st.button("Remove", key="draw_mine_remove", icon=":material/delete:", on_click=attempt, args=(_remove, chosen))
        with st.popover("Remove all", icon=":material/delete_sweep:"):
            st.markdown(f"Remove all {count_words(len(kept.y), 'digit')}? Export them first to keep a copy.")
            st.button("Remove all", key="draw_mine_clear", on_click=attempt, args=(_remove_all,))


def _export(kept: KeptSet) -> None:
    with st.container(horizontal=True):
        st.download_button(
            "Export as .npz",
            lambda: digit_files.as_npz(kept.x, kept.y),
            "my_digits.npz",
            "application/octet-stream",
            key="draw_mine_npz",
            icon=":material/download:",
            on_click="ignore",
            help="Arrays x (n, 28, 28) and y (n,), for `python -m mnist_dash evaluate my_digits.npz`.",
        )
        st.download_button(
            "Export as PNG images",
            lambda: digit_files.as_pngs(kept.x, kept.y),
            "my_digits.zip",
            "application/zip",
            key="draw_mine_pngs",
            icon=":material/download:",
            on_click="ignore",
        )


def _load() -> None:
    st.file_uploader(
        "Import exported digits",
        type=["npz", "zip"],
        key="draw_mine_file",
        max_upload_size=MAX_COLLECTION_BYTES // 1_000_000,
        on_change=attempt,
        args=(_add_file,),
    )
