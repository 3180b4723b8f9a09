"""Single qualities of the compared runs: digit by digit, how sure, by what the digits look like."""

from collections.abc import Sequence

import numpy as np
import streamlit as st

from mnist_dash.analysis import calibration, misclassified, slices
from mnist_dash.analysis.accuracies import Accuracy
from mnist_dash.analysis.misclassified import DigitScores
from mnist_dash.analysis.words.number_words import accuracy_words, percent
from mnist_dash.figures import slice_figures
from mnist_dash.store.records import Run
from mnist_dash.ui.compare.compare_chart import compare_chart
from mnist_dash.ui.compare.image_views import MOST_MODELS
from mnist_dash.ui.shared.controls import choice, explain, one_run_picker, title_of
from mnist_dash.ui.shared.resources import dataset, outcome


def digits_look(runs: Sequence[Run]) -> None:
    """Shows precision, recall and F1 of every digit."""
    run = one_run_picker(runs, key="compare_digits")
    shown = runs[:MOST_MODELS]
    scores = {run.id: misclassified.digit_scores(outcome(run.id).confusion) for run in [run, *shown]}
    st.dataframe(
        [
            {"Digit": score.digit} | {name: _share_words(share) for name, share in _scores(score).items()}
            for score in scores[run.id]
        ],
        hide_index=True,
        column_config={"Digit": st.column_config.NumberColumn(width="small")},
        alt=f"Precision, recall and F1 of {run.title} for every digit",
    )
    explain("precision")
    compare_chart(
        slice_figures.scores_by_digit(
            [run.title for run in shown], [run.variant for run in shown], [scores[run.id] for run in shown]
        ),
        [
            {"Run": title_of(run), "Digit": score.digit} | _interval(name, share)
            for run in shown
            for score in scores[run.id]
            for name, share in [("F1", score.f1)]
        ],
        name="digits-f1",
        alt="F1 of every digit and run, with 95 % intervals",
    )
    _say_how_many(runs)


def _scores(score: DigitScores) -> dict[str, Accuracy | None]:
    return {"Precision": score.precision, "Recall": score.recall, "F1": score.f1}


def _share_words(share: Accuracy | None) -> str:
    return accuracy_words(share) if share else "never read"


def _interval(name: str, share: Accuracy | None) -> dict[str, object]:
    """Returns a share and its interval as columns of a table, in percent."""
    values = (share.value, share.low, share.high) if share else (None, None, None)
    titles = (f"{name} (%)", "95 % from (%)", "95 % to (%)")
    return {
        title: None if value is None else round(100 * value, 3) for title, value in zip(titles, values, strict=True)
    }


def sureness_look(runs: Sequence[Run]) -> None:
    """Shows how often runs were right against how sure they were."""
    shown = runs[:MOST_MODELS]
    explain("calibration")
    bins = [calibration.reliability(outcome(run.id)) for run in shown]
    compare_chart(
        slice_figures.reliability([run.title for run in shown], [run.variant for run in shown], bins),
        [
            {"Run": title_of(run), "Sure (%)": round(100 * each.confidence, 3), "Pictures": each.accuracy.n}
            | _interval("Right", each.accuracy)
            for run, own in zip(shown, bins, strict=True)
            for each in own
        ],
        name="sureness",
        alt="How often each run was right against how sure it was",
    )
    _say_how_many(runs)
    st.dataframe(
        [
            {
                "Run": title_of(run),
                "Calibration error": percent(calibration.calibration_error(outcome(run.id)), decimals=2),
                "Mean confidence": percent(float(outcome(run.id).highest.mean()), decimals=2),
                "Accuracy": accuracy_words(outcome(run.id).accuracy),
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
    parts = [slices.accuracy_by_trait(values, outcome(run.id).right) for run in shown]
    compare_chart(
        slice_figures.accuracy_by_trait([run.title for run in shown], [run.variant for run in shown], parts, trait),
        [
            {"Run": title_of(run), "From": part.low, "To": part.high, "Pictures": part.accuracy.n}
            | _interval("Accuracy", part.accuracy)
            for run, own in zip(shown, parts, strict=True)
            for part in own
        ],
        name=f"by-{trait}",
        alt=f"Accuracy on fifths of the test pictures, by {names[trait].lower()}",
    )
    st.caption("Each point stands for a fifth of the test pictures, with its 95 % interval.")
    _say_how_many(runs)


def _say_how_many(runs: Sequence[Run]) -> None:
    if len(runs) > MOST_MODELS:
        st.caption(f":material/info: The chart shows the first {MOST_MODELS} of {len(runs)} runs. Choose fewer above.")


@st.cache_resource(show_spinner=False, max_entries=8)
def _trait_values(fingerprint: str, trait: str) -> np.ndarray:
    return slices.measure_trait(dataset().x_test, trait)
