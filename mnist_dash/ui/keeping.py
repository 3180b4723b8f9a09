"""My digits: what a visitor keeps with the right answer, and how well each network reads it."""

from collections.abc import Sequence
from zlib import crc32

import numpy as np
import streamlit as st

from mnist_dash import data, evaluation, wording
from mnist_dash.data import MAX_COLLECTION_BYTES
from mnist_dash.errors import MnistDashError
from mnist_dash.runs import KeptDigits, KeptSet, Run
from mnist_dash.ui.controls import explain, note, page_of, title_of
from mnist_dash.ui.digits import digit_grid
from mnist_dash.ui.resources import predictor, run_store, visitor

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
        if st.button("Keep it in My digits", key="draw_keep", icon=":material/bookmark_add:"):
            _keep(pixels[None], np.array([answer], np.uint8))


def _keep(x: np.ndarray, y: np.ndarray) -> None:
    try:
        kept = KeptDigits(run_store()).keep(visitor(), x, y)
    except MnistDashError as error:
        note(str(error))
        return
    st.toast("These are kept already." if kept == 0 else f"Kept: {wording.count_words(kept, 'digit')}.")


def kept_digits(runs: Sequence[Run]) -> None:
    """Shows what this visitor keeps, and each network's accuracy on it."""
    kept = KeptDigits(run_store()).read(visitor())
    with st.expander(f"My digits ({len(kept.y)})", icon=":material/bookmarks:", key="draw_mine"):
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
        found = evaluation.accuracy(right, len(kept.y))
        interval = f"{wording.percent(found.low, decimals=0)} to {wording.percent(found.high, decimals=0)}"
        rows.append({"Network": title_of(run), "Right": f"{right} of {found.n}", "95 % interval": interval})
    st.table(rows, hide_index=True, border="horizontal", alt="How many of your digits each network reads right")


def _pictures(kept: KeptSet) -> None:
    shown = page_of(np.arange(len(kept.y)), size=_A_SHEET, key="draw_mine_page")
    digit_grid(kept.x[shown], [f"{number + 1}. {kept.y[number]}" for number in shown], size=48)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        number = st.number_input("Number", 1, len(kept.y), len(kept.y), key=f"draw_mine_{len(kept.y)}", width=120)
        if st.button("Take it out", key="draw_mine_remove", icon=":material/delete:"):
            KeptDigits(run_store()).remove(visitor(), kept.ids[int(number) - 1])
            st.rerun(scope="fragment")
        with st.popover("Take out all", icon=":material/delete_sweep:"):
            st.markdown(f"All {len(kept.y)} digits are lost, unless you take them away first.")
            if st.button("Yes, take out all", key="draw_mine_clear"):
                KeptDigits(run_store()).clear(visitor())
                st.rerun(scope="fragment")


def _take_away(kept: KeptSet) -> None:
    with st.container(horizontal=True):
        st.download_button(
            "Take away as .npz",
            lambda: data.as_npz(kept.x, kept.y),
            "my_digits.npz",
            "application/octet-stream",
            key="draw_mine_npz",
            icon=":material/download:",
            on_click="ignore",
            help="Arrays x (n, 28, 28) and y (n,): `python -m mnist_dash evaluate my_digits.npz` reads it.",
        )
        st.download_button(
            "… as PNG pictures",
            lambda: data.as_pngs(kept.x, kept.y),
            "my_digits.zip",
            "application/zip",
            key="draw_mine_pngs",
            icon=":material/download:",
            on_click="ignore",
        )


def _load() -> None:
    file = st.file_uploader(
        "Add digits from a file that was taken away here",
        type=["npz", "zip"],
        key="draw_mine_file",
        max_upload_size=MAX_COLLECTION_BYTES // 1_000_000,
    )
    if file is not None and st.session_state.get("draw_mine_loaded") != file.file_id:
        try:
            x, y = data.read_collection(file.getvalue())
        except MnistDashError as error:
            note(str(error))
            return
        st.session_state["draw_mine_loaded"] = file.file_id
        _keep(x, y)
        st.rerun(scope="fragment")
