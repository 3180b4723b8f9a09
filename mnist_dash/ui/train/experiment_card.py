"""One experiment on the Train page: its runs, their progress and their results."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial

import streamlit as st

from mnist_dash.analysis import test_predictions
from mnist_dash.analysis.accuracies import Spread, spread
from mnist_dash.analysis.cross_validation import validation_spread
from mnist_dash.analysis.learning_curves import History
from mnist_dash.analysis.words.number_words import accuracy_words, seconds_words, spread_words
from mnist_dash.figures.live_figures import RunSoFar, runs_so_far
from mnist_dash.networks.experiments import differing, group_replicates
from mnist_dash.networks.setting_words import setting_label, setting_value, settings_words, value_words
from mnist_dash.store.records import ACTIVE, CANCELLED, DONE, PAUSED, UNFINISHED, Epoch, Experiment, Run
from mnist_dash.ui.shared.controls import attempt
from mnist_dash.ui.shared.live_chart import chart
from mnist_dash.ui.shared.notices import result_words
from mnist_dash.ui.shared.resources import job_queue, run_store, settings, visitor
from mnist_dash.ui.train.run_card import NOT_YOURS, progress_of, resume, run_buttons
from mnist_dash.ui.train.time_left import seconds_left

_ROWS = 20
_REPLICATED = ("seed", "fold")


def experiment_card(experiment: Experiment, runs: Sequence[Run]) -> None:
    """Shows an experiment with its progress, its curves, its results and its runs."""
    if not runs:
        return  # deleted in another tab
    runs = sorted(runs, key=lambda run: run.id)
    ended = [run for run in runs if run.status not in UNFINISHED]
    with st.container(border=True, key=f"train_experiment_{experiment.id}"):
        st.markdown(f"**{experiment.title}** · {_state_words(runs)}")
        if len(ended) < len(runs):
            st.progress(_part_done(runs), _progress_words(runs))
        epochs = run_store().epochs_of([run.id for run in runs])
        _curves(experiment, runs, epochs)
        _results(runs, epochs)
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            _buttons(experiment, runs)
        rows = st.expander(
            f"The {len(runs)} runs", key=f"train_rows_{experiment.id}", on_change="rerun", icon=":material/list:"
        )
        if rows.open:
            with rows:
                _rows(runs)


def _state_words(runs: Sequence[Run]) -> str:
    counts = {status: sum(run.status == status for run in runs) for status in dict.fromkeys(run.status for run in runs)}
    if set(counts) == {DONE}:
        return f"all {len(runs)} runs done"
    return ", ".join(f"{count} {status}" for status, count in counts.items())


def _part_done(runs: Sequence[Run]) -> float:
    parts = [progress_of(run, 0)[0] if run.status in UNFINISHED else 1.0 for run in runs]
    return sum(parts) / len(parts)


def _progress_words(runs: Sequence[Run]) -> str:
    active = [run for run in runs if run.status in ACTIVE]
    if not active:
        return "Paused"
    done = sum(run.status not in UNFINISHED for run in runs)
    words = f"{done} of {len(runs)} runs finished"
    left = seconds_left(runs, runs[0].train_images, workers=settings().workers)
    return f"{words} · about {seconds_words(left)} left" if left else f"{words} · {progress_of(active[0], 0)[1]}"


def _buttons(experiment: Experiment, runs: Sequence[Run]) -> None:
    active = [run for run in runs if run.status in ACTIVE and run.requested_status is None]
    paused = [run for run in runs if run.status == PAUSED or run.requested_status == PAUSED]
    unfinished = [run for run in runs if run.status in UNFINISHED and run.requested_status != CANCELLED]
    store = run_store()
    if active:
        _all_of("Pause", "pause", experiment, active, store.pause_run)
    if paused:
        _all_of("Resume", "play_arrow", experiment, paused, resume)
    if unfinished:
        _all_of("Cancel", "stop", experiment, unfinished, store.cancel_run)
        return
    chosen = {"runs": f"e{experiment.id}"}
    st.page_link("pages/curves.py", label="Curves", icon=":material/show_chart:", query_params=chosen)
    st.page_link("pages/compare.py", label="Compare", icon=":material/balance:", query_params=chosen)
    with st.popover("More", type="tertiary", icon=":material/more_horiz:"):
        st.markdown(f"Delete all {len(runs)} runs with their models and curves? This cannot be undone.")
        _all_of("Delete", "delete", experiment, runs, store.delete_run)


def _all_of(name: str, icon: str, experiment: Experiment, runs: Sequence[Run], action: Callable[..., object]) -> None:
    allowed = all(visitor().may_change(run.owner) for run in runs)
    st.button(
        f"{name} all" if len(runs) > 1 and name != "Delete" else name,
        key=f"train_all_{name.split()[0].lower()}_{experiment.id}",
        icon=f":material/{icon}:",
        disabled=not allowed,
        help=None if allowed else NOT_YOURS,
        on_click=_for_all,
        args=(partial(action, by=visitor()), [run.id for run in runs]),
    )


def _for_all(action: Callable[[int], object], run_ids: Sequence[int]) -> None:
    for run_id in run_ids:
        attempt(action, run_id)
    job_queue().wake()


def _curves(experiment: Experiment, runs: Sequence[Run], epochs: Mapping[int, Sequence[Epoch]]) -> None:
    names = differing(runs)
    drawn = [
        RunSoFar(run_words(run, names), run.variant, epochs[run.id], run.progress) for run in runs if epochs[run.id]
    ]
    if drawn:
        total = max(int(run.settings["epochs"]) for run in runs)
        chart(
            runs_so_far(drawn, total=total),
            key=f"train_curves_{experiment.id}",
            alt=f"Accuracy of the runs of {experiment.title} so far",
        )


def _results(runs: Sequence[Run], epochs: Mapping[int, Sequence[Epoch]]) -> None:
    groups = group_replicates(run for run in runs if run.status == DONE)
    if not groups:
        return
    names = [name for name in differing(runs) if name not in _REPLICATED]
    validated = {group[0].id: _validation_words(group, epochs) for group in groups}
    if not names:
        [group] = groups
        of = f" (mean ± standard deviation of {len(group)} runs)" if len(group) > 1 else ""
        folds = (
            f"Validation accuracy **{validated[group[0].id]}** over the folds, test"
            if any(validated.values())
            else "Test"
        )
        st.markdown(f"{folds} accuracy **{_accuracy_words(group)}**{of}")
        return
    st.table(
        [
            {
                **{setting_label(name): value_words(setting_value(group[0], name)) for name in names},
                "Runs": str(len(group)),
                **({"Validation accuracy (folds)": validated[group[0].id] or "–"} if any(validated.values()) else {}),
                "Test accuracy": _accuracy_words(group),
            }
            for group in sorted(groups, key=lambda group: -_test_spread(group).mean)[:_ROWS]
        ],
        border="horizontal",
        hide_index=True,
        alt="Test accuracy by setting",
    )


def _validation_words(runs: Sequence[Run], epochs: Mapping[int, Sequence[Epoch]]) -> str:
    """Returns the accuracy over the held-out folds; empty without cross-validation."""
    validated = validation_spread([History(run, tuple(epochs[run.id])) for run in runs])
    return spread_words(validated) if validated else ""


def _test_spread(runs: Sequence[Run]) -> Spread:
    return spread([run.test_accuracy or 0.0 for run in runs])


def _accuracy_words(runs: Sequence[Run]) -> str:
    return spread_words(_test_spread(runs)) if len(runs) > 1 else accuracy_words(test_predictions.of_run(runs[0]))


def _rows(runs: Sequence[Run]) -> None:
    names = differing(runs)
    first = sorted(runs, key=lambda run: (run.status not in UNFINISHED, run.id))
    for run in first[:_ROWS]:
        with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
            words = progress_of(run, 0)[1] if run.status in UNFINISHED else f"{run.status}{result_words(run)}"
            st.markdown(f"{run_words(run, names)} · {words}", width="content")
            with st.container(horizontal=True, width="content"):
                run_buttons(run, small=True)
    if len(runs) > _ROWS:
        st.caption(f"{len(runs) - _ROWS} more runs: see the Curves and Compare pages.")


def run_words(run: Run, names: Sequence[str]) -> str:
    """Returns the settings in which a run differs from others of its experiment: “fold 2” or “CNN, seed 3”."""
    return settings_words(run, names) or f"run {run.id}"
