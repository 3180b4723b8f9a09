"""Settings: parallel coordinates of a sweep, and the effect of each setting."""

from collections.abc import Sequence

import streamlit as st

from mnist_dash.analysis import importance
from mnist_dash.analysis.importance import Effect
from mnist_dash.analysis.words.comparison_words import effect_words
from mnist_dash.figures import parallel_coordinates
from mnist_dash.networks.experiments import differing
from mnist_dash.networks.setting_words import setting_label, value_words
from mnist_dash.store.records import Run
from mnist_dash.ui.compare.compare_chart import compare_chart
from mnist_dash.ui.compare.comparison import Comparison
from mnist_dash.ui.shared.controls import title_of

_RESULTS = {
    "test_accuracy": "Test accuracy (%)",
    "test_loss": "Test loss",
    "weights": "Parameters",
    "fit_seconds": "Training (s)",
    "prediction_ms": "Prediction (ms)",
}


def sweep_view(comparison: Comparison) -> None:
    """Shows every chosen run as a line through its settings to its results."""
    runs = comparison.runs
    names = differing(runs)
    if len(runs) < 3 or not names:
        st.info(
            "Choose three or more runs with different settings. To start a sweep, enter several values in one field "
            "of the Train page.",
            icon=":material/tune:",
        )
        st.page_link("pages/train.py", label="Start a sweep", icon=":material/model_training:")
        return
    titles = {name: _RESULTS.get(name) or setting_label(name) for name in [*names, *_RESULTS]}
    axes, logarithmic, reverse = _choose_axes(runs, names, titles)
    if len(axes) < 2:
        st.info("Choose two or more axes.", icon=":material/tune:")
        return
    values = {titles[name]: parallel_coordinates.axis_values(runs, name) for name in axes}
    compare_chart(
        parallel_coordinates.parallel_coordinates(
            runs, {name: titles[name] for name in axes}, logarithmic=logarithmic, reverse=reverse
        ),
        [
            {"Run": title_of(run)} | {title: values_of_runs[index] for title, values_of_runs in values.items()}
            for index, run in enumerate(runs)
        ],
        name="sweep",
        alt="Parallel coordinates: each run as a line through its settings and results",
    )
    st.caption("Colour: test accuracy, violet low and red high. Drag on an axis to filter runs.")
    _show_effects(importance.effects_of(runs), titles)


def _choose_axes(
    runs: Sequence[Run], names: Sequence[str], titles: dict[str, str]
) -> tuple[list[str], list[str], list[str]]:
    """Returns the chosen axes, those on a logarithmic scale, and those that are reversed."""
    which, scales, ends = st.columns([2, 1, 1])
    axes = which.multiselect(
        "Axes", list(titles), default=[*names, "test_accuracy"], format_func=titles.__getitem__, key="compare_axes"
    )
    values = {name: parallel_coordinates.axis_values(runs, name) for name in axes}
    logarithmic = scales.multiselect(
        "Logarithmic",
        [name for name in axes if parallel_coordinates.is_numeric(values[name])],
        default=[name for name in names if name in axes and parallel_coordinates.spans_decades(values[name])],
        format_func=titles.__getitem__,
        key="compare_log",
        placeholder="None",
    )
    reverse = ends.multiselect(
        "Reverse axis", axes, format_func=titles.__getitem__, key="compare_reversed", placeholder="None"
    )
    return axes, logarithmic, reverse


def _show_effects(effects: Sequence[Effect], titles: dict[str, str]) -> None:
    if not effects:
        return
    st.markdown(
        "\n".join(f"- {effect_words(titles[effect.name], value_words(effect.best), effect)}" for effect in effects[:5])
    )
    st.caption("Main effects only: each setting averaged over the others, without interactions.")
