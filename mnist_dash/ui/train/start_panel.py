"""Below the Train page's form: start button, expected time, network."""

import streamlit as st

from mnist_dash.analysis.words.number_words import seconds_words
from mnist_dash.figures.network_diagram import drawing_words, network_drawing
from mnist_dash.networks.experiments import AnyRun, expected_seconds, steps_of
from mnist_dash.networks.summary import summarise, weights_in
from mnist_dash.store.records import DONE
from mnist_dash.ui.shared.controls import CHART, as_text, shows_errors
from mnist_dash.ui.shared.data_choice import chosen_data
from mnist_dash.ui.shared.resources import job_queue, poll_every, run_store, settings, visitor
from mnist_dash.ui.train.run_board import scroll_to_runs
from mnist_dash.ui.train.run_card import downloads
from mnist_dash.ui.train.time_left import SAVING_S
from mnist_dash.ui.train.training_form import Form, preset_buttons

_POLL_INTERVAL_S = 1.0
_LATEST = 50  # runs that are looked through for one of the same network


def start_panel(form: Form) -> None:
    """Shows what the form asks for, and starts it."""
    if form.problem:
        st.error(as_text(form.problem), icon=":material/error:")
        preset_buttons(form)
        return
    count = len(form.runs)
    with st.container(horizontal=True, vertical_alignment="center"):
        if st.button(
            "Start training" if count == 1 else f"Start {count} runs",
            type="primary",
            icon=":material/play_arrow:",
            key="train_start",
        ):
            _start(form)
        _expected(form)
    preset_buttons(form)
    network = st.expander(
        f"Network: {weights_in(summarise(form.variant, form.runs[0].settings)):,} parameters, and its code",
        key="train_network",
        on_change="rerun",
        icon=":material/account_tree:",
    )
    if network.open:
        with network:
            _network(form)
            st.caption("The same in plain Keras:")
            with st.container(horizontal=True):
                downloads(form.runs[0], data=chosen_data().name, key="train_form")


def _network(form: Form) -> None:
    summary = summarise(form.variant, form.runs[0].settings)
    st.plotly_chart(network_drawing(summary), key="train_network_drawing", config=CHART, alt=drawing_words(summary))


def _expected(form: Form) -> None:
    is_measured = _measured(form) is not None
    st.fragment(shows_errors(_expected_words), run_every=None if is_measured else poll_every(_POLL_INTERVAL_S))(
        form, is_measured
    )


def _measured(form: Form) -> tuple[AnyRun, float] | None:
    """Returns a run and how long its steps take: the form's, if a worker was free to measure it, or an earlier one."""
    first, data = form.runs[0], chosen_data()
    seconds = job_queue().seconds_per_step(first)
    if seconds is not None:
        return first, seconds
    for run in run_store().list_runs(statuses=[DONE], limit=_LATEST):
        alike = run.variant == first.variant and run.fingerprint == data.fingerprint and not run.is_reference
        if alike and run.fit_seconds:
            return run, run.fit_seconds / steps_of(run, data.info.train)
    return None


def _expected_words(form: Form, is_measured: bool) -> None:
    measured = _measured(form)
    if measured is None:
        waits = "waiting for a worker" if job_queue().ready else "workers are starting"
        st.caption(f":material/timer: Estimating time; {waits} …", width="content")
        return
    if not is_measured:
        st.rerun()  # the whole page, which then stops polling
    pictures, (like, seconds_per_step) = chosen_data().info.train, measured
    seconds = [
        expected_seconds(run, pictures, like=like, seconds_per_step=seconds_per_step) + SAVING_S for run in form.runs
    ]
    total = max(max(seconds), sum(seconds) / settings().workers)
    runs = "" if len(seconds) == 1 else f"{len(seconds)} runs, "
    st.caption(f":material/timer: {runs}about {seconds_words(total)} on this machine", width="content")


@shows_errors
def _start(form: Form) -> None:
    data = chosen_data()
    runs = run_store().create_runs(
        form.runs,
        dataset=data.name,
        fingerprint=data.fingerprint,
        info=data.info,
        by=visitor(),
    )
    job_queue().wake()
    scroll_to_runs()
    what = f"{runs[0].title} is queued." if len(runs) == 1 else f"{len(runs)} runs are queued."
    st.toast(what, icon=":material/playlist_add_check:")
