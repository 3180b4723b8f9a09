"""Notices on every page: a run of this visitor has ended."""

from collections.abc import Sequence

import streamlit as st

from mnist_dash.analysis import test_predictions
from mnist_dash.analysis.words.number_words import accuracy_words, seconds_words
from mnist_dash.store.records import ACTIVE, DONE, FAILED, UNFINISHED, Experiment, Run
from mnist_dash.ui.shared.controls import as_text, shows_errors
from mnist_dash.ui.shared.resources import poll_every, run_store, visitor

_POLL_INTERVAL_S = 3.0
_WATCHED = "notices_awaited"  # runs that were seen in training, and not yet as ended


def notices() -> None:
    """Shows a notice for each of the visitor's runs that finishes."""
    if _watched():
        st.fragment(shows_errors(_show_finished), run_every=poll_every(_POLL_INTERVAL_S))()


def _watched() -> set[int]:
    watched: set[int] = st.session_state.setdefault(_WATCHED, set())
    watched |= {run.id for run in run_store().list_runs(statuses=ACTIVE, owner=visitor().name)}
    return watched


def _show_finished() -> None:
    watched = _watched()
    if not watched:
        return
    store = run_store()
    runs = store.get_runs(watched)
    # Cancelled, paused or deleted runs need no notice: someone did that on purpose.
    watched &= {run.id for run in runs if run.status in ACTIVE}
    ended = [run for run in runs if run.status in (DONE, FAILED)]
    for run in ended:
        if run.experiment_id is None:
            _notify(run)
    for experiment in store.experiments({run.experiment_id for run in ended if run.experiment_id is not None}).values():
        _notify_experiment(experiment, store.list_runs(experiment_id=experiment.id))


def _notify_experiment(experiment: Experiment, runs: Sequence[Run]) -> None:
    if any(run.status in UNFINISHED for run in runs):
        return
    failed = sum(run.status == FAILED for run in runs)
    problem = f"; {failed} failed" if failed else ""
    st.toast(
        f"{experiment.title}: all {len(runs)} runs have finished{problem}.",
        icon=":material/error:" if failed else ":material/check_circle:",
        duration="long",
    )


def _notify(run: Run) -> None:
    if run.status == DONE:
        st.toast(f"{run.title} is done{result_words(run)}.", icon=":material/check_circle:", duration="long")
    else:
        st.toast(as_text(f"{run.title} failed: {run.error}"), icon=":material/error:", duration="long")


def result_words(run: Run) -> str:
    """Says what a finished run reached; empty for all others."""
    if run.status != DONE or run.fit_seconds is None:
        return ""
    accuracy = accuracy_words(test_predictions.of_run(run))
    return f" · test accuracy {accuracy} · {seconds_words(run.fit_seconds)} training time"
