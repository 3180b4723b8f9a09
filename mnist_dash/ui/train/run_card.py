"""One run on the Train page: its progress and its actions."""

from collections.abc import Callable

import streamlit as st

from mnist_dash.analysis.learning_curves import ACCURACY, LOSS
from mnist_dash.analysis.words.number_words import percent, seconds_words
from mnist_dash.figures.live_figures import live_curve
from mnist_dash.networks.experiments import PlannedRun
from mnist_dash.networks.hyperparameters import COSINE
from mnist_dash.networks.scripts.writing import keras_notebook, keras_script
from mnist_dash.networks.variants import get_variant
from mnist_dash.store.continuation import continue_run
from mnist_dash.store.records import CANCELLED, CHECKPOINT, DONE, FAILED, PAUSED, QUEUED, RUNNING, Run
from mnist_dash.ui.shared.controls import as_text, attempt, title_of
from mnist_dash.ui.shared.live_chart import chart
from mnist_dash.ui.shared.notices import result_words
from mnist_dash.ui.shared.resources import check_epochs, job_queue, max_unfinished_runs, may_change, run_store, visitor
from mnist_dash.ui.train.training_form import changed_settings, fill_form

NOT_YOURS = "Only the owner of this run can do that."
_STATES = {
    DONE: ":material/check_circle:",
    FAILED: ":material/error:",
    PAUSED: ":material/pause_circle:",
    CANCELLED: ":material/cancel:",
}
_MAX_EPOCHS = 1_000


def run_card(run: Run, *, waiting: int) -> None:
    """Shows a run with its progress and its buttons.

    Args:
        run: The run.
        waiting: How many runs are trained before it.
    """
    with st.container(border=True, key=f"train_card_{run.id}_{run.status}"):
        with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
            icon = f"{_STATES[run.status]} " if run.status in _STATES else ""
            state = f" · {run.status}{result_words(run)}" if run.status in _STATES else ""
            st.markdown(f"{icon}**{title_of(run)}**{state}", width="content")
            with st.container(horizontal=True, vertical_alignment="center", width="content"):
                run_buttons(run)
                if run.status not in (QUEUED, RUNNING, PAUSED):
                    _more(run)
        if run.error:
            st.markdown(as_text(run.error))
        if run.status in (QUEUED, RUNNING, PAUSED):
            st.progress(*progress_of(run, waiting))
            _live(run)


def run_buttons(run: Run, *, small: bool = False) -> None:
    """Offers what can be done at once with a run: pause, resume, cancel, look at it."""
    if run.status in (QUEUED, RUNNING) and run.requested_status != PAUSED:
        _button("Pause", "pause", run, run_store().pause_run, disabled=run.requested_status is not None, small=small)
    elif run.status == PAUSED or run.requested_status == PAUSED:
        _button("Resume", "play_arrow", run, resume, small=small)
    elif run.status == FAILED:
        _button("Try again", "replay", run, resume, small=small)
    if run.status in (QUEUED, RUNNING, PAUSED):
        stopping = run.requested_status == CANCELLED
        name = "Stopping …" if stopping else "Cancel"
        _button(name, "stop", run, run_store().cancel_run, disabled=stopping, small=small, key="cancel")
    if run.status == DONE and not small:
        chosen = {"runs": f"r{run.id}"}
        st.page_link("pages/curves.py", label="Curves", icon=":material/show_chart:", query_params=chosen)
        st.page_link("pages/compare.py", label="Compare", icon=":material/balance:", query_params=chosen)
        st.page_link("pages/draw.py", label="Draw", icon=":material/draw:")


def _button(
    name: str,
    icon: str,
    run: Run,
    action: Callable[[int], object],
    *,
    disabled: bool = False,
    small: bool = False,
    key: str = "",
) -> None:
    allowed = may_change(run)
    st.button(
        "" if small else name,
        key=f"train_{key or name.lower().replace(' ', '_')}_{run.id}",
        icon=f":material/{icon}:",
        type="tertiary" if small else "secondary",
        disabled=disabled or not allowed,
        help=(f"{name} {run.title}" if small else None) if allowed else NOT_YOURS,
        on_click=attempt,
        args=(action, run.id),
    )


def resume(run_id: int) -> None:
    """Lets a paused or failed run go on."""
    run_store().resume_run(run_id, max_unfinished=max_unfinished_runs())
    job_queue().wake()


def _more(run: Run) -> None:
    with st.popover("More", type="tertiary", icon=":material/more_horiz:"):
        planned = PlannedRun(run.variant, run.settings)
        st.button(
            "Edit and start again",
            key=f"train_again_{run.id}",
            icon=":material/edit:",
            help="Copies this run's settings into the form above.",
            on_click=fill_form,
            args=(run.variant, changed_settings(planned)),
        )
        if run.status == DONE:
            _continue(run)
        downloads(planned, key=f"train_{run.id}")
        st.markdown("Delete the run with its model and curves? This cannot be undone.")
        allowed = may_change(run)
        st.button(
            "Delete",
            key=f"train_delete_{run.id}",
            icon=":material/delete:",
            disabled=not allowed,
            help=None if allowed else NOT_YOURS,
            on_click=attempt,
            args=(run_store().delete_run, run.id),
        )


def _continue(run: Run) -> None:
    trained = int(run.settings["epochs"])
    if run.settings["schedule"] == COSINE:
        st.caption(
            "This run cannot be continued: its learning rate has decayed to 0. Start a new run with more epochs."
        )
        return
    if trained >= _MAX_EPOCHS or not run_store().has_artifact(run.id, CHECKPOINT):
        return
    key = f"train_further_{run.id}"
    epochs = st.number_input("Total epochs", trained + 1, _MAX_EPOCHS, min(2 * trained, _MAX_EPOCHS), key=key)
    st.button(
        "Continue training",
        key=f"train_continue_{run.id}",
        icon=":material/fast_forward:",
        help="Queues a new run that continues from this run's last epoch.",
        on_click=attempt,
        args=(_train_further, run.id, int(epochs)),
    )


def _train_further(run_id: int, epochs: int) -> None:
    check_epochs(epochs)
    run = continue_run(run_store(), run_id, epochs, owner=visitor(), max_unfinished=max_unfinished_runs())
    job_queue().wake()
    st.toast(f"{run.title} is queued.", icon=":material/playlist_add_check:")


def downloads(planned: PlannedRun, *, key: str) -> None:
    """Offers a run as a script and as a notebook of plain Keras."""
    variant, name = get_variant(planned.variant), f"{planned.variant}-seed-{planned.settings['seed']}"
    for label, write, ending, mime in (
        ("Keras script", keras_script, "py", "text/x-python"),
        ("Notebook", keras_notebook, "ipynb", "application/x-ipynb+json"),
    ):
        st.download_button(
            label,
            write(variant, planned.settings),
            file_name=f"{name}.{ending}",
            mime=mime,
            key=f"{key}_{ending}",
            icon=":material/download:",
            on_click="ignore",
        )


def progress_of(run: Run, waiting: int) -> tuple[float, str]:
    """Returns the part done in [0, 1], and where the run is in words."""
    progress, total = run.progress, int(run.settings["epochs"])
    if run.status == QUEUED:
        ready = job_queue().ready
        ahead = f", {waiting} ahead" if waiting else ""
        return 0.0, f"Queued{ahead}" if ready else "Queued; workers are starting (a few seconds)"
    done = 0.0
    if progress and progress.steps:
        done = min(1.0, (progress.epoch - 1 + progress.step / progress.steps) / total)
    if run.status == PAUSED:
        return done, "Paused"
    if progress is None:
        return 0.0, "Starting"
    if not progress.steps:
        return 0.0, f"{progress.doing[0].upper()}{progress.doing[1:]} …"
    if progress.doing != "training":
        return 1.0, f"{progress.doing[0].upper()}{progress.doing[1:]} …"
    words = f"Epoch {progress.epoch} of {total} · batch {progress.step:,} of {progress.steps:,}"
    if progress.loss is not None and progress.accuracy is not None:
        words += f" · loss {progress.loss:.3f} · accuracy {percent(progress.accuracy)}"
    if progress.seconds_left is not None:
        words += f" · {seconds_words(progress.seconds_left)} left"
    return done, words


def _live(run: Run) -> None:
    epochs, total = run_store().list_epochs(run.id), int(run.settings["epochs"])
    if not epochs and (run.progress is None or run.progress.accuracy is None):
        return
    for column, quantity in zip(st.columns(2), (ACCURACY, LOSS), strict=True):
        figure = live_curve(epochs, run.progress, variant=run.variant, total=total, quantity=quantity)
        with column:
            chart(
                figure,
                key=f"train_live_{quantity}_{run.id}",
                alt=f"{quantity.capitalize()} of {run.title} so far",
            )
