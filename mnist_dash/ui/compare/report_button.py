"""The whole comparison as one HTML file."""

import datetime
from collections.abc import Sequence
from urllib.parse import urlencode

import numpy as np
import streamlit as st

from mnist_dash.analysis import calibration, misclassified, test_predictions
from mnist_dash.analysis.test_predictions import TestPredictions
from mnist_dash.analysis.words.comparison_words import confusion_words, pairwise_words
from mnist_dash.analysis.words.number_words import listed, probability_words
from mnist_dash.figures import result_figures, slice_figures
from mnist_dash.figures.confusion_figures import confusion
from mnist_dash.figures.html_report import ReportImage, Section, as_page
from mnist_dash.store.records import Run
from mnist_dash.ui.compare.comparison import Comparison, comparison_words, verdict
from mnist_dash.ui.compare.results_view import result_rows
from mnist_dash.ui.compare.significance_view import pairwise_test_row
from mnist_dash.ui.shared.controls import claim_of, title_of
from mnist_dash.ui.shared.resources import dataset_of, predictions_of

_MAX_IMAGES = 12  # errors of a run
_MAX_RUNS = 6


def report_button(comparison: Comparison) -> None:
    """Offers a report, which is made when it is asked for."""
    link = f"{st.context.url or ''}?{urlencode(st.query_params.to_dict())}"
    st.download_button(
        "Export report",
        lambda: make_report(comparison, link=link),
        "comparison.html",
        "text/html",
        icon=":material/description:",
        type="tertiary",
        key="compare_report",
        on_click="ignore",
        help="The whole comparison as one HTML file",
    )


def make_report(comparison: Comparison, *, link: str) -> str:
    """Returns the whole comparison as an HTML page.

    Args:
        comparison: What is compared.
        link: Opens the same in the dashboard.
    """
    made = datetime.datetime.now(datetime.UTC).strftime("%d %B %Y, %H:%M UTC")
    sections = [
        _results(comparison),
        *([_tests(comparison)] if comparison.pairwise_tests else []),
        *(_errors(run) for run in comparison.runs[:_MAX_RUNS]),
        _calibration(comparison.runs[:_MAX_RUNS]),
    ]
    return as_page(f"Comparison: {listed(comparison.titles)}", sections, link=link, made=made)


def _results(comparison: Comparison) -> Section:
    claims = [claim_of(group.first) for group in comparison.replicate_groups]
    numbers = [claim.accuracy if claim else None for claim in claims]
    chart = result_figures.accuracy_intervals(comparison.titles, comparison.replicate_groups, numbers)
    rows = [{**row, "Tags": ", ".join(row["Tags"])} for row in result_rows(comparison)]
    return Section("Results", [verdict(comparison), comparison_words(comparison), _data_words(comparison)], chart, rows)


def _data_words(comparison: Comparison) -> str:
    first = comparison.replicate_groups[0]
    return (
        f"Test data: {first.accuracy.n:,} images of {first.first.dataset} "
        f"(fingerprint {first.first.fingerprint[:12]}). Test accuracies with 95 % intervals: Wilson's for single runs, "
        "Student's for the mean of replicates. Cross-validation: mean ± standard deviation of the validation "
        "accuracies over the folds."
    )


def _tests(comparison: Comparison) -> Section:
    words = [pairwise_words(comparison.titles, test) for test in comparison.pairwise_tests[:10]]
    words.append(
        "Single runs are compared on the same images by McNemar's exact test (1947), replicates by Welch's t-test "
        "(1947); p-values are corrected for the number of pairs by Holm's method (1979)."
    )
    rows = [pairwise_test_row(comparison, test) for test in comparison.pairwise_tests]
    return Section("Significance", words, rows=rows)


def _errors(run: Run) -> Section:
    predictions = predictions_of(run.id)
    data = dataset_of(run.fingerprint)
    indices = misclassified.most_confident_errors(predictions)[:_MAX_IMAGES] if data else ()
    words = confusion_words(test_predictions.most_confused(predictions.confusion), predictions.accuracy, run.classes)
    images = [_image(data.x_test[index], predictions, int(index)) for index in indices if data]
    return Section(f"Errors of {title_of(run)}", [words], confusion(predictions.confusion), images=images)


def _image(pixels: np.ndarray, predictions: TestPredictions, index: int) -> ReportImage:
    probability = probability_words(float(predictions.confidence[index]))
    caption = [
        f"{predictions.labels[index]} · image {index}",
        f"predicted {predictions.predicted[index]}, {probability}",
    ]
    return ReportImage(np.asarray(pixels), caption)


def _calibration(runs: Sequence[Run]) -> Section:
    bins = [calibration.reliability(predictions_of(run.id)) for run in runs]
    chart = slice_figures.reliability([run.title for run in runs], [run.variant for run in runs], bins)
    return Section("Calibration", ["Accuracy against confidence; on the diagonal both are equal."], chart)
