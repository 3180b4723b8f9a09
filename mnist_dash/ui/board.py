"""The Train page's board: starting runs, watching them, taking them back."""

import streamlit as st

from mnist_dash import evaluation, wording
from mnist_dash.errors import VariantError
from mnist_dash.figures import live_curve
from mnist_dash.models import Value, Variant
from mnist_dash.runs import DONE, FAILED, QUEUED, UNFINISHED, Run, in_turn
from mnist_dash.ui.controls import CHART, as_text, shows_errors, title_of
from mnist_dash.ui.resources import dataset, job_queue, run_store, settings, visitor

_LOOK_EVERY_S = 1.0
_ENDED_SHOWN = 8
_NOT_YOURS = "Only the visitor who queued this run may do that."
_STATES = {
    DONE: (":material/check_circle:", "done"),
    FAILED: (":material/error:", "failed"),
}


@shows_errors
def start_run(variant: Variant, entered: dict[str, Value]) -> None:
    """Queues a run with these settings, or says why not."""
    checked, limits, data = variant.check(entered), settings(), dataset()
    if limits.shared and int(checked["epochs"]) > limits.max_epochs:
        raise VariantError(
            f"epochs is {checked['epochs']}, but {limits.max_epochs} is the most on this shared dashboard. "
            "Choose fewer."
        )
    run = run_store().create_run(
        variant.name,
        checked,
        dataset=data.name,
        fingerprint=data.fingerprint,
        owner=visitor(),
        max_unfinished=limits.max_queued if limits.shared else None,
    )
    job_queue().look()
    st.toast(f"{run.title} is queued.", icon=":material/playlist_add_check:")


def run_board() -> None:
    """Shows runs in training, kept up to date, and those that ended last."""
    busy = bool(run_store().list_runs(statuses=UNFINISHED))
    st.fragment(shows_errors(_board), run_every=_LOOK_EVERY_S if busy else None)(busy)


def _board(busy: bool) -> None:
    runs = [run for run in run_store().list_runs() if not run.is_reference]
    unfinished = in_turn([run for run in runs if run.status in UNFINISHED])
    ended = [run for run in runs if run.status not in UNFINISHED]
    if busy and not unfinished:
        st.rerun()  # the whole page, which then stops looking every second
    if not runs:
        st.info("No runs of your own yet. Choose a network above and press Start training.", icon=":material/info:")
    for place, run in enumerate(unfinished):
        _unfinished(run, waiting=place)
    for run in ended[:_ENDED_SHOWN]:
        _ended(run)
    if len(ended) > _ENDED_SHOWN:
        st.caption(f"{len(ended) - _ENDED_SHOWN:,} older runs are on the Curves and Compare pages.")


def _unfinished(run: Run, *, waiting: int) -> None:
    with st.container(border=True, key=f"train_card_{run.id}_{run.status}"):
        with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
            st.markdown(f"**{title_of(run)}**", width="content")
            cancel = st.button(
                "Stopping …" if run.cancel_wanted else "Cancel",
                key=f"train_cancel_{run.id}",
                icon=":material/stop:",
                disabled=run.cancel_wanted or not _may_change(run),
                help=_NOT_YOURS if not _may_change(run) else None,
            )
        if cancel:
            run_store().cancel_run(run.id)
            st.rerun(scope="fragment")
        done, words = _progress_of(run, waiting)
        st.progress(done, words)
        epochs, total = run_store().list_epochs(run.id), int(run.settings["epochs"])
        if epochs or (run.progress and run.progress.accuracy is not None):
            st.plotly_chart(
                live_curve(epochs, run.progress, variant=run.variant, total=total),
                key=f"train_live_{run.id}",
                config=CHART,
                alt=f"Accuracy of {run.title} so far",
            )


def _progress_of(run: Run, waiting: int) -> tuple[float, str]:
    """Returns the part done in [0, 1], and where the run is in words."""
    progress, total = run.progress, int(run.settings["epochs"])
    if run.status == QUEUED:
        ready = job_queue().ready
        ahead = f", {waiting} before it" if waiting else ""
        return 0.0, f"Queued{ahead}" if ready else "Queued; the workers are starting (a few seconds)"
    if progress is None:
        return 0.0, "Starting"
    if not progress.steps:
        return 0.0, f"{progress.doing[0].upper()}{progress.doing[1:]} …"
    done = (progress.epoch - 1 + progress.step / progress.steps) / total
    if progress.doing != "training":
        return 1.0, f"{progress.doing[0].upper()}{progress.doing[1:]} …"
    words = f"Epoch {progress.epoch} of {total} · batch {progress.step:,} of {progress.steps:,}"
    if progress.loss is not None and progress.accuracy is not None:
        words += f" · loss {progress.loss:.3f} · accuracy {wording.percent(progress.accuracy)}"
    if progress.seconds_left is not None:
        words += f" · {wording.seconds_words(progress.seconds_left)} left"
    return min(done, 1.0), words


def _ended(run: Run) -> None:
    icon, state = _STATES.get(run.status, (":material/cancel:", run.status))
    with st.container(border=True, key=f"train_card_{run.id}_{run.status}"):
        with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
            st.markdown(f"{icon} **{title_of(run)}** · {state}{_result_words(run)}", width="content")
            with st.container(horizontal=True, vertical_alignment="center", width="content"):
                if run.status == DONE:
                    st.page_link("pages/curves.py", label="Curves", icon=":material/show_chart:")
                    st.page_link("pages/draw.py", label="Draw", icon=":material/draw:")
                _delete(run)
        if run.error:
            st.markdown(as_text(run.error))


def _delete(run: Run) -> None:
    if not _may_change(run):
        st.button("Delete", key=f"train_delete_{run.id}", type="tertiary", disabled=True, help=_NOT_YOURS)
        return
    with st.popover("Delete", type="tertiary", icon=":material/delete:"):
        st.markdown(f"Delete {run.title} with its model and curves? This cannot be undone.")
        if st.button("Delete for good", key=f"train_delete_{run.id}"):
            run_store().delete_run(run.id)
            st.rerun(scope="fragment")


def _result_words(run: Run) -> str:
    if run.status != DONE or run.fit_seconds is None:
        return ""
    accuracy = wording.accuracy_words(evaluation.of_run(run))
    return f" · test accuracy {accuracy} · {wording.seconds_words(run.fit_seconds)} of training"


def _may_change(run: Run) -> bool:
    return not settings().shared or run.owner == visitor()
