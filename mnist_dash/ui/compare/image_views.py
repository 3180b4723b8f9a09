"""Test pictures with what each run says of them: disagreements, worst mistakes, wrong labels."""

from collections.abc import Sequence

import numpy as np
import streamlit as st

from mnist_dash.analysis import misclassified
from mnist_dash.analysis.test_predictions import TestPredictions
from mnist_dash.analysis.words.number_words import accuracy_words, count_words, listed
from mnist_dash.datasets.mnist import MNIST
from mnist_dash.store.records import Run
from mnist_dash.ui.shared.controls import one_run_picker, page_of, title_of
from mnist_dash.ui.shared.digit_html import Answer, answer_grid
from mnist_dash.ui.shared.resources import dataset, outcome

MOST_MODELS = 6  # that are shown beside one picture
_A_PAGE = 12


def show_pictures(positions: np.ndarray, runs: Sequence[Run], *, key: str) -> None:
    """Shows test pictures with what each run says of them."""
    shown = list({run.id: run for run in runs}.values())[:MOST_MODELS]
    if not len(positions):
        st.caption("There are no such pictures.")
        return
    if dataset().fingerprint != shown[0].fingerprint:
        st.info(
            f"{count_words(len(positions), 'picture')}, but they are not here: these runs were tested on other "
            "data than is in use now. Overview offers the full MNIST.",
            icon=":material/image_not_supported:",
        )
        return
    page = page_of(positions, size=_A_PAGE, key=key)
    labels = outcome(shown[0].id).labels
    answers = [[_answer(run, outcome(run.id), int(place)) for run in shown] for place in page]
    answer_grid(
        dataset().x_test[page], [caption_of(shown[0], int(labels[place]), int(place)) for place in page], answers
    )


def caption_of(run: Run, label: int, place: int) -> str:
    """Returns what stands below a test picture; a label that people found wrong is flagged."""
    flagged = run.dataset == MNIST.name and place in misclassified.WRONG_LABELS
    return f"{label} · picture {place}{' · label found wrong' if flagged else ''}"


def _answer(run: Run, found: TestPredictions, place: int) -> Answer:
    read = int(found.predictions[place])
    return Answer(
        run.title.removesuffix(" (reference)"), read, float(found.highest[place]), read == int(found.labels[place])
    )


def disagreements_look(runs: Sequence[Run]) -> None:
    """Shows the test pictures that runs read differently."""
    if len(runs) < 2:
        st.info("Choose a second run above to see where the two disagree.", icon=":material/balance:")
        return
    shown = list(runs[:MOST_MODELS])
    positions = misclassified.disagreements([outcome(run.id) for run in shown])
    n = len(outcome(shown[0].id).labels)
    st.markdown(
        f"{listed([run.title for run in shown])} read {len(positions):,} of {n:,} test pictures differently. "
        "Those that fewest read right come first."
    )
    show_pictures(positions, shown, key="compare_disagreements_page")


def worst_look(runs: Sequence[Run]) -> None:
    """Shows the pictures that a run read wrong, the surest first."""
    run = one_run_picker(runs, key="compare_worst")
    positions = misclassified.worst_mistakes(outcome(run.id))
    st.markdown(f"{title_of(run)} read {count_words(len(positions), 'picture')} wrong; the surest first.")
    show_pictures(positions, [run, *runs], key="compare_worst_page")


def labels_look(runs: Sequence[Run]) -> None:
    """Shows the pictures whose label is wrong, and accuracies with and without them."""
    if runs[0].dataset != MNIST.name:
        st.info(
            "The 15 wrong labels are known for the test pictures of the full MNIST; these runs were tested on others.",
            icon=":material/label_off:",
        )
        return
    st.markdown(
        "Human raters found 15 of MNIST's 10,000 test labels wrong (Northcutt and others, 2021). A network that reads "
        "such a picture as people do is counted as wrong."
    )
    st.dataframe(
        [
            {
                "Run": title_of(run),
                "Accuracy": accuracy_words(found.accuracy),
                "Without the 15": accuracy_words(misclassified.accuracy_without(found, misclassified.WRONG_LABELS)),
                "As labelled": int(found.right[list(misclassified.WRONG_LABELS)].sum()),
            }
            for run in runs
            for found in [outcome(run.id)]
        ],
        hide_index=True,
        alt="Accuracy of each run with and without the pictures whose label is wrong",
    )
    show_pictures(np.array(misclassified.WRONG_LABELS), runs, key="compare_labels_page")
