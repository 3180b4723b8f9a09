"""Test images with the predictions of each run: disagreements, most confident errors, label errors."""

from collections.abc import Sequence

import numpy as np
import streamlit as st

from mnist_dash.analysis import misclassified
from mnist_dash.analysis.words.number_words import accuracy_words, count_words
from mnist_dash.datasets.mnist import MNIST
from mnist_dash.store.records import Run
from mnist_dash.ui.shared import marks
from mnist_dash.ui.shared.controls import one_run_picker, page_of, title_of
from mnist_dash.ui.shared.digit_html import Answer, answer_grid
from mnist_dash.ui.shared.resources import dataset_of, predictions_of

MAX_MODELS = 6  # that are shown beside one image
_PAGE_SIZE = 12


def show_images(indices: np.ndarray, runs: Sequence[Run], *, key: str) -> None:
    """Shows test images with the predictions of each run, page by page."""
    shown = list({run.id: run for run in runs}.values())[:MAX_MODELS]
    if not len(indices):
        st.caption("No such images.")
        return
    data = dataset_of(shown[0].fingerprint)
    if data is None:
        st.info(
            f"{count_words(len(indices), 'image')}, not available here: the data that these runs were tested on is not "
            "here. Overview offers the full MNIST.",
            icon=":material/image_not_supported:",
        )
        return
    page = page_of(indices, size=_PAGE_SIZE, key=key)
    labels = predictions_of(shown[0].id).labels
    captions = [caption_of(shown[0], int(labels[index]), int(index)) for index in page]
    st.caption("Red: wrong. Red frame: all are wrong.")
    answer_grid(data.x_test[page], captions, [[_answer(run, int(index)) for run in shown] for index in page])


def caption_of(run: Run, label: int, index: int) -> str:
    """Returns the caption of a test image: its label, flagged where human raters found it wrong."""
    flagged = run.dataset == MNIST.name and index in misclassified.WRONG_LABELS
    return f"{run.classes[label]} · image {index}{' · label error' if flagged else ''}"


def _answer(run: Run, index: int) -> Answer:
    predictions = predictions_of(run.id)
    return Answer(
        run.title,
        run.classes[predictions.predicted[index]],
        float(predictions.confidence[index]),
        bool(predictions.correct[index]),
    )


def render_disagreements(runs: Sequence[Run]) -> None:
    """Shows the test images that runs predict differently."""
    if len(runs) < 2:
        st.info("Choose a second run above to see disagreements.", icon=":material/balance:")
        return
    shown = list(runs[:MAX_MODELS])
    predictions = [predictions_of(run.id) for run in shown]
    indices = misclassified.disagreements(predictions)
    st.markdown(
        f"**{len(indices):,}** of {len(predictions[0].labels):,} test images on which these models disagree. First: "
        "those that fewest predict correctly."
    )
    show_images(indices, shown, key="compare_disagreements_page")


def render_marked(runs: Sequence[Run]) -> None:
    """Shows the test images that the visitor has marked on Explore."""
    indices = marks.marked(runs[0].fingerprint, "test")
    if not indices:
        st.info("Mark test images on Explore to see here what each run predicts for them.", icon=":material/bookmark:")
        st.page_link(
            "pages/explore.py", label="Explore", icon=":material/grid_view:", query_params={"explore_part": "test"}
        )
        return
    st.markdown(f"{count_words(len(indices), 'test image')} marked on Explore.")
    show_images(np.array(indices), runs, key="compare_marked_page")


def render_worst_errors(runs: Sequence[Run]) -> None:
    """Shows the misclassified images of a run, the highest confidence first."""
    run = one_run_picker(runs, key="compare_worst")
    indices = misclassified.most_confident_errors(predictions_of(run.id))
    st.markdown(f"{count_words(len(indices), 'image')} misclassified by {title_of(run)}, highest confidence first.")
    show_images(indices, [run, *runs], key="compare_worst_page")


def render_label_errors(runs: Sequence[Run]) -> None:
    """Shows the images whose label is wrong, and accuracies with and without them."""
    if runs[0].dataset != MNIST.name:
        st.info(
            "The 15 label errors are known for the full MNIST only; these runs were tested on other data.",
            icon=":material/label_off:",
        )
        return
    st.markdown(
        "**15** of MNIST's 10,000 test labels are wrong (Northcutt and others, 2021): who predicts what people see "
        "there is counted as wrong."
    )
    st.dataframe(
        [_label_error_row(run) for run in runs],
        hide_index=True,
        alt="Accuracy of each run with and without the images whose label is wrong",
    )
    show_images(np.array(misclassified.WRONG_LABELS), runs, key="compare_labels_page")


def _label_error_row(run: Run) -> dict[str, object]:
    predictions = predictions_of(run.id)
    return {
        "Run": title_of(run),
        "Accuracy": accuracy_words(predictions.accuracy),
        "Without the 15": accuracy_words(misclassified.accuracy_without(predictions, misclassified.WRONG_LABELS)),
        "Predicted as labelled": int(predictions.correct[list(misclassified.WRONG_LABELS)].sum()),
    }
