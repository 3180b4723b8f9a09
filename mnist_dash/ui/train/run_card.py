"""One run on the Train page: its progress and its actions."""

from collections.abc import Callable
from functools import partial

import streamlit as st

from mnist_dash.analysis import test_predictions
from mnist_dash.analysis.learning_curves import ACCURACY, LOSS
from mnist_dash.analysis.words.comparison_words import claim_words
from mnist_dash.analysis.words.number_words import percent, seconds_words
from mnist_dash.figures.live_figures import live_curve
from mnist_dash.networks.experiments import PlannedRun
from mnist_dash.networks.hyperparameters import COSINE
from mnist_dash.networks.scripts.writing import keras_notebook, keras_script
from mnist_dash.networks.variants import get_variant
from mnist_dash.store.continuation import continue_run
from mnist_dash.store.records import CANCELLED, CHECKPOINT, DONE, FAILED, PAUSED, QUEUED, RUNNING, Run
from mnist_dash.store.search import RunFinder
from mnist_dash.store.visitors import Visitor
from mnist_dash.ui.shared.controls import as_text, attempt, claim_of, title_of
from mnist_dash.ui.shared.live_chart import chart
from mnist_dash.ui.shared.notices import result_words
from mnist_dash.ui.shared.resources import job_queue, run_store, visitor
from mnist_dash.ui.train.training_form import changed_settings, fill_form

NOT_YOURS = "Only the owner of this run can do that."
_STATES = {
    DONE: ":material/check_circle:",
    FAILED: ":material/error:",
    PAUSED: ":material/pause_circle:",
    CANCELLED: ":material/cancel:",
}
_MAX_EPOCHS = 1_000
_GUESSING = 0.2  # test accuracy; guessing has 0.1, and always predicting the most frequent digit little more


def run_card(run: Run, *, waiting: int, curves: bool) -> None:
    """Shows a run with its progress, its curves, its result and its buttons.

    Args:
        run: The run.
        waiting: How many runs are trained before it.
        curves: Whether the curves of an ended run are shown, too.
    """
    unfinished = run.status in (QUEUED, RUNNING, PAUSED)
    guesses = run.status == DONE and (run.test_accuracy or 0.0) < _GUESSING
    with st.container(border=True, key=f"train_card_{run.id}_{run.status}"):
        icon = ":material/warning: " if guesses else f"{_STATES[run.status]} " if run.status in _STATES else ""
        state = f" · {run.status}{result_words(run)}" if run.status in _STATES else ""
        st.markdown(f"{icon}**{title_of(run)}**{state}")
        if run.status == DONE:
            _result(run, guesses)
        if run.error:
            st.markdown(as_text(run.error))
        if unfinished:
            st.progress(*progress_of(run, waiting))
        if unfinished or curves:
            _curves(run)
        with st.container(horizontal=True, vertical_alignment="center", gap="xsmall"):
            if guesses or _diverged(run):
                _lower_rate(run)
            run_buttons(run)
            if not unfinished:
                _more(run)


def _result(run: Run, guesses: bool) -> None:
    """Says how a result is to be taken: beside the tutorial's, or beside guessing."""
    if guesses:
        st.caption("Hardly better than guessing (10\u00a0%).")
    elif claim := claim_words(claim_of(run), test_predictions.of_run(run)):
        st.caption(f"Tutorial: {claim}")


def _diverged(run: Run) -> bool:
    return run.status == FAILED and "diverged" in (run.error or "")


def _lower_rate(run: Run) -> None:
    """Offers to fill the form with a lower learning rate."""
    rate, usual = float(run.settings["learning_rate"]), float(get_variant(run.variant).default("learning_rate"))
    lower = f"{usual if rate > 1 else rate / 10:g}"
    st.button(
        f"Try learning rate {lower}",
        key=f"train_lower_{run.id}",
        icon=":material/south:",
        help="Fills the form with this run's settings and a lower learning rate.",
        on_click=fill_form,
        args=(run.variant, {**changed_settings(PlannedRun(run.variant, run.settings)), "learning_rate": lower}),
    )


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
        _ways_on(run)


def _ways_on(run: Run) -> None:
    """Links to what one may want to do with a finished run."""
    references = [each.id for each in RunFinder(run_store()).references() if each.variant == run.variant]
    own, both = f"r{run.id}", ",".join(f"r{run_id}" for run_id in (*references, run.id))
    label = "Compare with reference" if references else "Compare"
    st.page_link("pages/compare.py", label=label, icon=":material/balance:", query_params={"runs": both})
    st.page_link("pages/draw.py", label="Draw with it", icon=":material/draw:", query_params={"runs": both})
    inside = {"inside_run": str(run.id)}
    st.page_link("pages/inside.py", label="Look inside", icon=":material/visibility:", query_params=inside)
    st.page_link("pages/curves.py", label="Curves", icon=":material/show_chart:", query_params={"runs": own})


def _button(
    name: str,
    icon: str,
    run: Run,
    action: Callable[..., object],
    *,
    disabled: bool = False,
    small: bool = False,
    key: str = "",
) -> None:
    allowed = visitor().may_change(run.owner)
    st.button(
        "" if small else name,
        key=f"train_{key or name.lower().replace(' ', '_')}_{run.id}",
        icon=f":material/{icon}:",
        type="tertiary" if small else "secondary",
        disabled=disabled or not allowed,
        help=(f"{name} {run.title}" if small else None) if allowed else NOT_YOURS,
        on_click=attempt,
        args=(partial(action, by=visitor()), run.id),
    )


def resume(run_id: int, *, by: Visitor) -> None:
    """Lets a paused or failed run go on."""
    run_store().resume_run(run_id, by=by)
    job_queue().wake()


def _more(run: Run) -> None:
    with st.popover("More", type="tertiary", icon=":material/more_horiz:"):
        planned = PlannedRun(run.variant, run.settings)
        st.button(
            "Edit and start again",
            key=f"train_again_{run.id}",
            icon=":material/edit:",
            help="Copies this run's settings into the form.",
            on_click=fill_form,
            args=(run.variant, changed_settings(planned)),
        )
        if run.status == DONE:
            _continue(run)
        downloads(planned, data=run.dataset, key=f"train_{run.id}")
        if run.device:
            st.caption(as_text(f"Trained on {run.device}."))
        st.markdown("Delete the run with its model and curves? This cannot be undone.")
        allowed = visitor().may_change(run.owner)
        st.button(
            "Delete",
            key=f"train_delete_{run.id}",
            icon=":material/delete:",
            disabled=not allowed,
            help=None if allowed else NOT_YOURS,
            on_click=attempt,
            args=(partial(run_store().delete_run, by=visitor()), run.id),
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
    run = continue_run(run_store(), run_id, epochs, by=visitor())
    job_queue().wake()
    st.toast(f"{run.title} is queued.", icon=":material/playlist_add_check:")


def downloads(planned: PlannedRun, *, data: str, key: str) -> None:
    """Offers a run as a script and as a notebook of plain Keras."""
    variant, name = get_variant(planned.variant), f"{planned.variant}-seed-{planned.settings['seed']}"
    for label, write, ending, mime in (
        ("Keras script", keras_script, "py", "text/x-python"),
        ("Notebook", keras_notebook, "ipynb", "application/x-ipynb+json"),
    ):
        st.download_button(
            label,
            write(variant, planned.settings, data=data),
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


def _curves(run: Run) -> None:
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
