"""What settings do: parallel coordinates of a sweep, and which setting mattered most."""

from collections.abc import Sequence

import streamlit as st

from mnist_dash.analysis import importance
from mnist_dash.analysis.importance import Effect
from mnist_dash.analysis.words.comparison_words import effect_words
from mnist_dash.figures import parallel_coordinates
from mnist_dash.networks.experiments import differing
from mnist_dash.networks.variants import get_variant
from mnist_dash.store.records import Run
from mnist_dash.ui.compare.compare_chart import compare_chart
from mnist_dash.ui.compare.comparison import Comparison
from mnist_dash.ui.shared.controls import option_name, title_of

_RESULTS = ("test_accuracy", "test_loss", "weights", "fit_seconds", "prediction_ms")
_TITLES = {
    "variant": "Network",
    "test_accuracy": "Test accuracy (%)",
    "test_loss": "Test loss",
    "weights": "Weights",
    "fit_seconds": "Training (s)",
    "prediction_ms": "Prediction (ms)",
}


def sweep_view(comparison: Comparison) -> None:
    """Shows every chosen run as a line through its settings to its results."""
    runs = comparison.runs
    names = differing(runs)
    if len(runs) < 3 or not names:
        st.info(
            "This view is for three or more runs that differ in their settings. Start a sweep on the Train page: "
            "several values in one field, separated by spaces.",
            icon=":material/tune:",
        )
        st.page_link("pages/train.py", label="Start a sweep", icon=":material/model_training:")
        return
    titles = {name: _title(name, runs) for name in [*names, *_RESULTS]}
    _effects(importance.effects_of(runs), titles)
    axes, logarithmic, upside_down = _axes(runs, names, titles)
    if len(axes) < 2:
        st.info("Choose two or more axes.", icon=":material/tune:")
        return
    values = {titles[name]: parallel_coordinates.axis_values(runs, name) for name in axes}
    compare_chart(
        parallel_coordinates.parallel_coordinates(
            runs, {name: titles[name] for name in axes}, logarithmic=logarithmic, reverse=upside_down
        ),
        [
            {"Run": title_of(run)} | {title: own[place] for title, own in values.items()}
            for place, run in enumerate(runs)
        ],
        name="sweep",
        alt="Each run as a line through its settings and results",
    )
    st.caption("Lines are coloured by test accuracy. Drag along an axis to see only the runs of that range.")


def _axes(runs: Sequence[Run], names: Sequence[str], titles: dict[str, str]) -> tuple[list[str], list[str], list[str]]:
    """Returns the axes that the reader wants, those on a logarithmic scale, and those upside down."""
    which, scales, ends = st.columns([2, 1, 1])
    axes = which.multiselect(
        "Axes", list(titles), default=[*names, _RESULTS[0]], format_func=titles.__getitem__, key="compare_axes"
    )
    numeric = [name for name in axes if parallel_coordinates.is_numeric(parallel_coordinates.axis_values(runs, name))]
    logarithmic = scales.multiselect(
        "Logarithmic", numeric, format_func=titles.__getitem__, key="compare_log", placeholder="None"
    )
    upside_down = ends.multiselect(
        "Upside down", axes, format_func=titles.__getitem__, key="compare_reversed", placeholder="None"
    )
    return axes, logarithmic, upside_down


def _title(name: str, runs: Sequence[Run]) -> str:
    if name in _TITLES:
        return _TITLES[name]
    labels = {setting.name: setting.label for run in runs for setting in get_variant(run.variant).settings}
    return labels.get(name, name)


def _value_words(effect: Effect) -> str:
    best = str(effect.best)
    if effect.name == "variant":
        return get_variant(best).title
    return option_name(best) if isinstance(effect.best, str) else f"{effect.best:g}"


def _effects(effects: Sequence[Effect], titles: dict[str, str]) -> None:
    if not effects:
        return
    st.markdown(
        "\n".join(f"- {effect_words(titles[effect.name], _value_words(effect), effect)}" for effect in effects[:5])
    )
    st.caption("Each setting by itself, over the values of all others; settings that work only together are not seen.")
