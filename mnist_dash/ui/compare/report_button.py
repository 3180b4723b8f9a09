"""The whole comparison as one HTML file."""

import datetime
from collections.abc import Sequence
from urllib.parse import urlencode

import numpy as np
import streamlit as st

from mnist_dash.analysis import calibration, misclassified, test_predictions
from mnist_dash.analysis.words.comparison_words import confusion_words, verdict_words
from mnist_dash.analysis.words.number_words import listed, probability_words
from mnist_dash.figures import confusion_figures, result_figures, slice_figures
from mnist_dash.figures.html_report import Picture, Section, as_page
from mnist_dash.store.records import Run
from mnist_dash.ui.compare.comparison import Comparison, comparison_words
from mnist_dash.ui.compare.results_view import result_rows
from mnist_dash.ui.compare.significance_view import pairwise_test_row
from mnist_dash.ui.shared.controls import claim_of, title_of
from mnist_dash.ui.shared.resources import dataset, outcome

_PICTURES = 12  # of a run's mistakes
_MODELS = 6


def report_button(comparison: Comparison) -> None:
    """Offers a report, which is made when it is asked for."""
    link = f"{st.context.url or ''}?{urlencode(st.query_params.to_dict())}"
    st.download_button(
        "Report",
        lambda: make_report(comparison, link=link),
        "comparison.html",
        "text/html",
        icon=":material/description:",
        type="tertiary",
        key="compare_report",
        on_click="ignore",
        help="The whole comparison as one HTML file that opens anywhere",
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
        *(_mistakes(run) for run in comparison.runs[:_MODELS]),
        _sureness(comparison.runs[:_MODELS]),
    ]
    return as_page(f"Comparison: {listed(comparison.titles[:4])}", sections, link=link, made=made)


def _results(comparison: Comparison) -> Section:
    claims = [claim_of(group.first) for group in comparison.replicate_groups]
    numbers = [claim.accuracy if claim else None for claim in claims]
    chart = result_figures.accuracy_intervals(comparison.titles, comparison.replicate_groups, numbers)
    rows = [{**row, "Tags": ", ".join(row["Tags"])} for row in result_rows(comparison)]
    return Section("Results", [comparison_words(comparison), _data_words(comparison)], chart, rows)


def _data_words(comparison: Comparison) -> str:
    first = comparison.replicate_groups[0]
    return (
        f"All were tested on the {first.accuracy.n:,} test pictures of {first.first.dataset} "
        f"(fingerprint {first.first.fingerprint[:12]}). Accuracies come with their 95 % intervals: Wilson's for single "
        "runs, Student's for the mean of repeated runs."
    )


def _tests(comparison: Comparison) -> Section:
    words = [verdict_words(comparison.titles, test) for test in comparison.pairwise_tests[:10]]
    words.append(
        "Single runs are compared on the same pictures by McNemar's exact test (1947), repeated runs by Welch's t-test "
        "(1947); p-values are corrected for the number of pairs by Holm's method (1979)."
    )
    return Section(
        "Is it real?", words, rows=[pairwise_test_row(comparison, test) for test in comparison.pairwise_tests]
    )


def _mistakes(run: Run) -> Section:
    found = outcome(run.id)
    worst = misclassified.worst_mistakes(found)[:_PICTURES]
    here = dataset().fingerprint == run.fingerprint
    pictures = [_picture(found, int(place)) for place in worst] if here else []
    words = confusion_words(test_predictions.most_confused(found.confusion), found.accuracy)
    title = f"Where {title_of(run)} fails"
    return Section(title, [words], confusion_figures.confusion(found.confusion), pictures=pictures)


def _picture(found: test_predictions.TestPredictions, place: int) -> Picture:
    said = f"read as {found.predictions[place]}, {probability_words(float(found.highest[place]))} sure"
    return Picture(np.asarray(dataset().x_test[place]), [f"{found.labels[place]} · picture {place}", said])


def _sureness(runs: Sequence[Run]) -> Section:
    bins = [calibration.reliability(outcome(run.id)) for run in runs]
    chart = slice_figures.reliability([run.title for run in runs], [run.variant for run in runs], bins)
    words = "How often each network was right against how sure it was; on the diagonal both agree."
    return Section("How sure", [words], chart)
