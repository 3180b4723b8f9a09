"""Confusion matrices side by side, their difference, and the images of a cell."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import streamlit as st

from mnist_dash.analysis import misclassified, test_predictions
from mnist_dash.analysis.words.comparison_words import confusion_words
from mnist_dash.datasets.mnist import CLASSES
from mnist_dash.figures import confusion_figures
from mnist_dash.store.records import Run
from mnist_dash.ui.shared import links
from mnist_dash.ui.shared.controls import CHART, one_run_picker, title_of
from mnist_dash.ui.shared.export_menu import export_menu
from mnist_dash.ui.shared.image_views import show_images
from mnist_dash.ui.shared.resources import predictions_of

_CELL = "compare_cell"


def render_confusion(runs: Sequence[Run]) -> None:
    """Shows confusion matrices side by side, their difference, and the images of a cell."""
    columns = st.columns(2) if len(runs) > 1 else [st.container()]
    with columns[0]:
        compared = [one_run_picker(runs, key="compare_first")]
    if len(runs) > 1:
        with columns[1]:
            compared.append(one_run_picker(runs, key="compare_second", label="Compare with", first=1))
    cells = _cells(compared)
    for column, run, name in zip(columns, compared, ("first", "second"), strict=False):
        with column:
            _matrix(run, name, _digits(st.session_state[_CELL]))
    if len(compared) > 1:
        with st.expander("Difference", key="compare_difference", on_change="rerun") as box:
            if box.open:
                _difference(compared[0], compared[1], _digits(st.session_state[_CELL]))
    _show_cell(compared, runs, cells)


def _matrix(run: Run, name: str, chosen: tuple[int, int]) -> None:
    predictions = predictions_of(run.id)
    st.caption(
        confusion_words(test_predictions.most_confused(predictions.confusion), predictions.accuracy, run.classes)
    )
    _clickable(
        confusion_figures.confusion(predictions.confusion, chosen=chosen, classes=run.classes),
        predictions.confusion,
        f"matrix_{name}",
        f"Confusion matrix of {run.title}: rows are true digits, columns are predicted digits",
    )


def _difference(first: Run, second: Run, chosen: tuple[int, int]) -> None:
    counts = predictions_of(first.id).confusion - predictions_of(second.id).confusion
    _clickable(
        confusion_figures.confusion_difference(counts, chosen=chosen, classes=first.classes),
        counts,
        "matrix_difference",
        f"Confusion matrix of {first.title} minus that of {second.title}",
    )
    st.caption(f"Red: more often by {title_of(first)}. Blue: more often by {title_of(second)}.")


def _clickable(figure: Any, counts: np.ndarray, name: str, alt: str) -> None:
    key = _key(name)
    st.plotly_chart(
        figure, key=key, config=CHART, on_select=lambda: _choose_cell(name, key), selection_mode="points", alt=alt
    )
    rows = [
        {"True digit": true, "Predicted digit": predicted, "Images": int(count)}
        for (true, predicted), count in np.ndenumerate(counts)
    ]
    export_menu(figure, rows, name=f"compare-{name}", chart_key=key)


def _key(name: str) -> str:
    """Returns the key of a chart: another one as soon as a cell was chosen elsewhere.

    A chart reports a click only if its selection changes, so a click on the cell that it still has
    selected would do nothing.
    """
    cell, turn = st.session_state.get(f"compare_{name}_clicked", (None, 0))
    if cell not in (None, st.session_state[_CELL]):
        turn += 1
        st.session_state[f"compare_{name}_clicked"] = (None, turn)
    return f"compare_{name}_{turn}"


def _choose_cell(name: str, key: str) -> None:
    points = st.session_state[key]["selection"]["points"]
    if points:  # a second click on a cell undoes the selection, but not the reader's choice
        cell = f"{int(points[0]['y'])}-{int(points[0]['x'])}"
        st.session_state[_CELL] = cell
        st.session_state[f"compare_{name}_clicked"] = (cell, int(key.rpartition("_")[2]))


def _cells(compared: Sequence[Run]) -> list[str]:
    """Returns the cells to choose from, the most frequent confusions first, and chooses one."""
    counts = np.sum([predictions_of(run.id).confusion for run in compared], axis=0)
    cells = [f"{true}-{predicted}" for true, predicted, _ in test_predictions.most_confused(counts, count=CLASSES**2)]
    cells += [f"{digit}-{digit}" for digit in range(CLASSES)]
    links.restore(_CELL, lambda linked: linked)
    chosen = st.session_state[_CELL]
    if chosen not in cells and _is_cell(chosen):
        cells.append(chosen)  # an empty cell was clicked
    st.session_state[_CELL] = chosen if chosen in cells else cells[0]
    return cells


def _show_cell(compared: Sequence[Run], runs: Sequence[Run], cells: Sequence[str]) -> None:
    classes = compared[0].classes
    cell = st.selectbox(
        "Images of",
        cells,
        format_func=lambda cell: _cell_words(cell, classes),
        key=_CELL,
        help="Or click a cell of a matrix",
    )
    links.write({_CELL: cell})
    indices = np.concatenate([misclassified.predicted_as(predictions_of(run.id), *_digits(cell)) for run in compared])
    show_images(np.array(list(dict.fromkeys(indices.tolist())), int), [*compared, *runs], key="compare_cell_page")


def _digits(cell: str) -> tuple[int, int]:
    true, predicted = cell.split("-")
    return int(true), int(predicted)


def _is_cell(cell: str) -> bool:
    parts = cell.split("-")
    return len(parts) == 2 and all(len(part) == 1 and part in "0123456789" for part in parts)


def _cell_words(cell: str, classes: Sequence[str]) -> str:
    true, predicted = (classes[digit] for digit in _digits(cell))
    return f"{true} predicted {predicted}" if true != predicted else f"{true} predicted correctly"
