"""What is taken for what: confusion matrices side by side, and the pictures of a cell."""

from collections.abc import Sequence

import numpy as np
import streamlit as st

from mnist_dash import evaluation, figures, wording
from mnist_dash.data import CLASSES
from mnist_dash.runs import Run
from mnist_dash.ui.compare.pictures import one_of, show_pictures
from mnist_dash.ui.controls import CHART, title_of
from mnist_dash.ui.resources import outcome


def confusion_look(runs: Sequence[Run]) -> None:
    """Shows confusion matrices side by side, their difference, and the pictures of a cell."""
    columns = st.columns(2) if len(runs) > 1 else [st.container()]
    with columns[0]:
        first = one_of(runs, "Run", key="compare_first")
        _matrix(first, "first")
    if len(runs) == 1:
        _cell_pictures([first], runs)
        return
    with columns[1]:
        second = one_of(runs, "Beside it", key="compare_second", first=1)
        _matrix(second, "second")
    with st.expander("The difference of the two", key="compare_difference", on_change="rerun") as box:
        if box.open:
            _difference(first, second)
    _cell_pictures([first, second], runs)


def _matrix(run: Run, place: str) -> None:
    found = outcome(run.id)
    st.caption(wording.confusion_words(evaluation.most_confused(found.confusion), found.accuracy))
    key = f"compare_matrix_{place}"
    st.plotly_chart(
        figures.confusion(found.confusion),
        key=key,
        config=CHART,
        on_select=lambda: _choose_cell(key),
        selection_mode="points",
        alt=f"Confusion matrix of {run.title}: rows are true digits, columns are digits read",
    )


def _difference(first: Run, second: Run) -> None:
    st.plotly_chart(
        figures.confusion_difference(outcome(first.id).confusion - outcome(second.id).confusion),
        key="compare_matrix_difference",
        config=CHART,
        on_select=lambda: _choose_cell("compare_matrix_difference"),
        selection_mode="points",
        alt=f"How much more often {first.title} read each digit as each other than {second.title}",
    )
    st.caption(f"Red: more often with {title_of(first)}. Blue: more often with {title_of(second)}.")


def _choose_cell(key: str) -> None:
    points = st.session_state[key]["selection"]["points"]
    if points:
        st.session_state["compare_cell"] = f"{int(points[0]['y'])}-{int(points[0]['x'])}"


def _cell_pictures(compared: Sequence[Run], runs: Sequence[Run]) -> None:
    counts = sum(outcome(run.id).confusion for run in compared)
    cells = [f"{true}-{read}" for true, read, _ in evaluation.most_confused(np.asarray(counts), count=CLASSES**2)]
    cells += [f"{digit}-{digit}" for digit in range(CLASSES)]
    chosen = st.session_state.get("compare_cell", st.query_params.get("compare_cell", ""))
    if chosen not in cells and _is_cell(chosen):
        cells.append(chosen)  # an empty cell was clicked
    if chosen in cells:
        st.session_state["compare_cell"] = chosen
    cell = st.selectbox(
        "Pictures of", cells, format_func=_cell_words, key="compare_cell", help="Or click a cell of a matrix"
    )
    st.query_params["compare_cell"] = cell
    true, read = (int(digit) for digit in cell.split("-"))
    positions = np.concatenate([evaluation.read_as(outcome(run.id), true, read) for run in compared])
    show_pictures(np.array(list(dict.fromkeys(positions.tolist())), int), [*compared, *runs], key="compare_cell_page")


def _is_cell(cell: str) -> bool:
    parts = cell.split("-")
    return len(parts) == 2 and all(len(part) == 1 and part in "0123456789" for part in parts)


def _cell_words(cell: str) -> str:
    true, read = cell.split("-")
    return f"{true} read as {read}" if true != read else f"{true} read right"
