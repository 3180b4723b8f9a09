"""Errors by group of images: per class, by confidence, by slice."""

from collections.abc import Sequence

import numpy as np
import streamlit as st

from mnist_dash.analysis import calibration, misclassified, slices
from mnist_dash.analysis.accuracies import Accuracy
from mnist_dash.analysis.misclassified import ClassScores
from mnist_dash.analysis.words.number_words import accuracy_words, percent
from mnist_dash.figures import slice_figures
from mnist_dash.store.records import Run
from mnist_dash.ui.compare.compare_chart import compare_chart
from mnist_dash.ui.shared.controls import choice, one_run_picker, title_of
from mnist_dash.ui.shared.image_views import MAX_MODELS
from mnist_dash.ui.shared.resources import dataset_of, images_of, predictions_of

_PROPERTIES = {
    slices.INK: "Ink",
    slices.SLANT: "Slant",
    slices.WIDTH: "Width",
    slices.HEIGHT: "Height",
    slices.STROKE: "Stroke width",
}


def render_per_class(runs: Sequence[Run]) -> None:
    """Shows precision, recall and F1 of every class."""
    run = one_run_picker(runs, key="compare_digits")
    shown = runs[:MAX_MODELS]
    scores = {run.id: misclassified.class_scores(predictions_of(run.id).confusion) for run in [run, *shown]}
    st.dataframe(
        [
            {"Class": run.classes[score.digit]}
            | {name: _share_words(share) for name, share in _named_scores(score).items()}
            for score in scores[run.id]
        ],
        hide_index=True,
        column_config={"Class": st.column_config.TextColumn(width="small")},
        alt=f"Precision, recall and F1 of {run.title} for every class",
    )
    compare_chart(
        slice_figures.f1_by_class(
            [run.title for run in shown],
            [run.variant for run in shown],
            [scores[run.id] for run in shown],
            classes=run.classes,
        ),
        [
            {"Run": title_of(run), "Class": run.classes[score.digit]} | _interval("F1", score.f1)
            for run in shown
            for score in scores[run.id]
        ],
        name="digits-f1",
        alt="F1 of every class and run, with 95 % intervals",
    )
    _show_limit(runs)


def _named_scores(score: ClassScores) -> dict[str, Accuracy | None]:
    return {"Precision": score.precision, "Recall": score.recall, "F1": score.f1}


def _share_words(share: Accuracy | None) -> str:
    return accuracy_words(share) if share else "–"


def _interval(name: str, share: Accuracy | None) -> dict[str, object]:
    """Returns a share and its interval as columns of a table, in percent."""
    values = (share.value, share.low, share.high) if share else (None, None, None)
    titles = (f"{name} (%)", "95 % from (%)", "95 % to (%)")
    return {
        title: None if value is None else round(100 * value, 3) for title, value in zip(titles, values, strict=True)
    }


def render_calibration(runs: Sequence[Run]) -> None:
    """Shows reliability diagrams and calibration errors."""
    shown = runs[:MAX_MODELS]
    bins = [calibration.reliability(predictions_of(run.id)) for run in shown]
    compare_chart(
        slice_figures.reliability([run.title for run in shown], [run.variant for run in shown], bins),
        [
            {"Run": title_of(run), "Confidence (%)": round(100 * each.confidence, 3), "Images": each.accuracy.n}
            | _interval("Accuracy", each.accuracy)
            for run, of_run in zip(shown, bins, strict=True)
            for each in of_run
        ],
        name="calibration",
        alt="Reliability diagram: accuracy of each run against its confidence",
    )
    _show_limit(runs)
    st.dataframe(
        [_calibration_row(run) for run in runs],
        hide_index=True,
        alt="Expected calibration error, mean confidence and accuracy of each run",
    )


def _calibration_row(run: Run) -> dict[str, str]:
    predictions = predictions_of(run.id)
    return {
        "Run": title_of(run),
        "Calibration error": percent(calibration.calibration_error(predictions), decimals=2),
        "Mean confidence": percent(float(predictions.confidence.mean()), decimals=2),
        "Accuracy": accuracy_words(predictions.accuracy),
    }


def render_slices(runs: Sequence[Run]) -> None:
    """Shows accuracies by ink, slant or width of the digits."""
    data = dataset_of(runs[0].fingerprint)
    if data is None:
        st.info(
            "The test images of these runs are not here. Overview offers the full MNIST.",
            icon=":material/image_not_supported:",
        )
        return
    name, shown = choice("Slice by", _PROPERTIES, key="compare_trait"), runs[:MAX_MODELS]
    values = _property_values(data.fingerprint, name)
    of_runs = [slices.accuracy_by_slice(values, predictions_of(run.id).correct) for run in shown]
    compare_chart(
        slice_figures.accuracy_by_slice([run.title for run in shown], [run.variant for run in shown], of_runs, name),
        [
            {"Run": title_of(run), "From": each.low, "To": each.high, "Images": each.accuracy.n}
            | _interval("Accuracy", each.accuracy)
            for run, of_run in zip(shown, of_runs, strict=True)
            for each in of_run
        ],
        name=f"by-{name}",
        alt=f"Accuracy on fifths of the test images, by {_PROPERTIES[name].lower()}",
    )
    st.caption("Each point is a fifth of the test images, with its 95 % interval.")
    _show_limit(runs)


def _show_limit(runs: Sequence[Run]) -> None:
    if len(runs) > MAX_MODELS:
        st.caption(f":material/info: The chart shows the first {MAX_MODELS} of {len(runs)} runs. Choose fewer above.")


@st.cache_resource(show_spinner=False, max_entries=8)
def _property_values(fingerprint: str, name: str) -> np.ndarray:
    return slices.measure_property(images_of(fingerprint, "test")[0], name)
