"""What is taken for what: confusion matrices side by side, and the pictures of a cell."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import streamlit as st

from mnist_dash.analysis import misclassified, test_predictions
from mnist_dash.analysis.words.comparison_words import confusion_words
from mnist_dash.datasets.mnist import CLASSES
from mnist_dash.figures import confusion_figures
from mnist_dash.store.records import Run
from mnist_dash.ui.compare.image_views import show_pictures
from mnist_dash.ui.shared.controls import CHART, one_run_picker, title_of
from mnist_dash.ui.shared.export_menu import export_menu
from mnist_dash.ui.shared.resources import outcome

_CELL = "compare_cell"


def confusion_look(runs: Sequence[Run]) -> None:
    """Shows confusion matrices side by side, their difference, and the pictures of a cell."""
    columns = st.columns(2) if len(runs) > 1 else [st.container()]
    with columns[0]:
        compared = [one_run_picker(runs, key="compare_first")]
    if len(runs) > 1:
        with columns[1]:
            compared.append(one_run_picker(runs, key="compare_second", label="Beside it", first=1))
    cells = _cells(compared)
    for column, run, place in zip(columns, compared, ("first", "second"), strict=False):
        with column:
            _matrix(run, place, _digits(st.session_state[_CELL]))
    if len(compared) > 1:
        with st.expander("The difference of the two", key="compare_difference", on_change="rerun") as box:
            if box.open:
                _difference(compared[0], compared[1], _digits(st.session_state[_CELL]))
    _cell_pictures(compared, runs, cells)


def _matrix(run: Run, place: str, chosen: tuple[int, int]) -> None:
    found = outcome(run.id)
    st.caption(confusion_words(test_predictions.most_confused(found.confusion), found.accuracy))
    _clickable(
        confusion_figures.confusion(found.confusion, chosen=chosen),
        found.confusion,
        f"matrix_{place}",
        f"Confusion matrix of {run.title}: rows are true digits, columns are digits read",
    )


def _difference(first: Run, second: Run, chosen: tuple[int, int]) -> None:
    counts = outcome(first.id).confusion - outcome(second.id).confusion
    _clickable(
        confusion_figures.confusion_difference(counts, chosen=chosen),
        counts,
        "matrix_difference",
        f"How much more often {first.title} read each digit as each other than {second.title}",
    )
    st.caption(f"Red: more often with {title_of(first)}. Blue: more often with {title_of(second)}.")


def _clickable(figure: Any, counts: np.ndarray, name: str, alt: str) -> None:
    key = _key(name)
    st.plotly_chart(
        figure, key=key, config=CHART, on_select=lambda: _choose_cell(name, key), selection_mode="points", alt=alt
    )
    rows = [
        {"True digit": true, "Digit read": read, "Pictures": int(count)}
        for (true, read), count in np.ndenumerate(counts)
    ]
    export_menu(figure, rows, name=f"compare-{name}", chart_key=key)


def _key(name: str) -> str:
    """Returns the key of a chart: another one as soon as a cell was chosen elsewhere.

    A chart tells of a click only if its selection changes, so a click on the cell that it still takes for
    selected would do nothing.
    """
    own, turn = st.session_state.get(f"compare_{name}_clicked", (None, 0))
    if own not in (None, st.session_state[_CELL]):
        turn += 1
        st.session_state[f"compare_{name}_clicked"] = (None, turn)
    return f"compare_{name}_{turn}"


def _choose_cell(name: str, key: str) -> None:
    points = st.session_state[key]["selection"]["points"]
    if points:  # a second click on a cell takes the selection back, but not the reader's choice
        cell = f"{int(points[0]['y'])}-{int(points[0]['x'])}"
        st.session_state[_CELL] = cell
        st.session_state[f"compare_{name}_clicked"] = (cell, int(key.rpartition("_")[2]))


def _cells(compared: Sequence[Run]) -> list[str]:
    """Returns what pictures can be shown of, the most frequent mistakes first, and sees to it that one is chosen."""
    counts = np.sum([outcome(run.id).confusion for run in compared], axis=0)
    cells = [f"{true}-{read}" for true, read, _ in test_predictions.most_confused(counts, count=CLASSES**2)]
    cells += [f"{digit}-{digit}" for digit in range(CLASSES)]
    chosen = st.session_state.get(_CELL, st.query_params.get(_CELL, ""))
    if chosen not in cells and _is_cell(chosen):
        cells.append(chosen)  # an empty cell was clicked
    st.session_state[_CELL] = chosen if chosen in cells else cells[0]
    return cells


def _cell_pictures(compared: Sequence[Run], runs: Sequence[Run], cells: Sequence[str]) -> None:
    cell = st.selectbox("Pictures of", cells, format_func=_cell_words, key=_CELL, help="Or click a cell of a matrix")
    st.query_params[_CELL] = cell
    positions = np.concatenate([misclassified.read_as(outcome(run.id), *_digits(cell)) for run in compared])
    show_pictures(np.array(list(dict.fromkeys(positions.tolist())), int), [*compared, *runs], key="compare_cell_page")


def _digits(cell: str) -> tuple[int, int]:
    true, read = cell.split("-")
    return int(true), int(read)


def _is_cell(cell: str) -> bool:
    parts = cell.split("-")
    return len(parts) == 2 and all(len(part) == 1 and part in "0123456789" for part in parts)


def _cell_words(cell: str) -> str:
    true, read = cell.split("-")
    return f"{true} read as {read}" if true != read else f"{true} read right"
