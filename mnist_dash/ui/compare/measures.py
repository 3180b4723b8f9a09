"""Single qualities of the compared runs: digit by digit, how sure, by what the digits look like."""

from collections.abc import Sequence

import numpy as np
import streamlit as st

from mnist_dash import evaluation, figures, wording
from mnist_dash.runs import Run
from mnist_dash.ui.compare.pictures import MOST_MODELS, one_of
from mnist_dash.ui.controls import CHART, choice, explain, title_of
from mnist_dash.ui.resources import dataset, outcome


def digits_look(runs: Sequence[Run]) -> None:
    """Shows precision, recall and F1 of every digit."""
    run = one_of(runs, "Run", key="compare_digits")
    scores = evaluation.digit_scores(outcome(run.id).confusion)
    st.dataframe(
        [
            {
                "Digit": score.digit,
                **{
                    name: wording.accuracy_words(share) if share else "never read"
                    for name, share in (("Precision", score.precision), ("Recall", score.recall), ("F1", score.f1))
                },
            }
            for score in scores
        ],
        hide_index=True,
        alt=f"Precision, recall and F1 of {run.title} for every digit",
    )
    explain("precision")
    st.plotly_chart(
        figures.scores_by_digit(
            [run.title for run in runs[:MOST_MODELS]],
            [run.variant for run in runs[:MOST_MODELS]],
            [evaluation.digit_scores(outcome(run.id).confusion) for run in runs[:MOST_MODELS]],
        ),
        key="compare_recalls",
        config=CHART,
        alt="F1 of every digit and run, with 95 % intervals",
    )


def sureness_look(runs: Sequence[Run]) -> None:
    """Shows how often runs were right against how sure they were."""
    shown = runs[:MOST_MODELS]
    explain("calibration")
    bins = [evaluation.reliability(outcome(run.id)) for run in shown]
    st.plotly_chart(
        figures.reliability([run.title for run in shown], [run.variant for run in shown], bins),
        key="compare_reliability",
        config=CHART,
        alt="How often each run was right against how sure it was",
    )
    st.dataframe(
        [
            {
                "Run": title_of(run),
                "Calibration error": wording.percent(evaluation.calibration_error(outcome(run.id)), decimals=2),
                "Mean confidence": wording.percent(float(outcome(run.id).highest.mean()), decimals=2),
                "Accuracy": wording.accuracy_words(outcome(run.id).accuracy),
            }
            for run in runs
        ],
        hide_index=True,
        alt="Expected calibration error, mean confidence and accuracy of each run",
    )


def traits_look(runs: Sequence[Run]) -> None:
    """Shows accuracies by how much ink, slant or width a digit has."""
    if dataset().fingerprint != runs[0].fingerprint:
        st.info(
            "These runs were tested on other pictures than are in use now. Overview offers the full MNIST.",
            icon=":material/image_not_supported:",
        )
        return
    names = {"ink": "Ink", "slant": "Slant", "width": "Width"}
    trait, shown = choice("Trait", names, key="compare_trait"), runs[:MOST_MODELS]
    values = _trait_values(dataset().fingerprint, trait)
    parts = [evaluation.accuracy_by_trait(values, outcome(run.id).right) for run in shown]
    st.plotly_chart(
        figures.accuracy_by_trait([run.title for run in shown], [run.variant for run in shown], parts, trait),
        key="compare_traits",
        config=CHART,
        alt=f"Accuracy on fifths of the test pictures, by {names[trait].lower()}",
    )
    st.caption("Each point stands for a fifth of the test pictures, with its 95 % interval.")


@st.cache_resource(show_spinner=False, max_entries=8)
def _trait_values(fingerprint: str, trait: str) -> np.ndarray:
    return evaluation.measure_trait(dataset().x_test, trait)
