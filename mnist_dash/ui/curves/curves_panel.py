"""The Curves page's panel: choices, charts and their summary, updated while a run is training."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

import streamlit as st

from mnist_dash.analysis import curve_lines, learning_curves
from mnist_dash.analysis.curve_lines import Line
from mnist_dash.analysis.learning_curves import Curve, History
from mnist_dash.analysis.words.learning_words import curve_words, different_data_words
from mnist_dash.analysis.words.number_words import count_words
from mnist_dash.figures import curve_figures
from mnist_dash.figures.curve_colours import SYMBOLS, curve_colours
from mnist_dash.figures.curve_figures import DrawnCurve
from mnist_dash.networks.experiments import differing
from mnist_dash.networks.setting_words import setting_label, setting_value, value_words
from mnist_dash.networks.variants import VARIANTS
from mnist_dash.store.records import ACTIVE, Epoch, Run
from mnist_dash.ui.curves.legend import curves_legend
from mnist_dash.ui.shared.controls import as_text, choice, note, shows_errors, title_of
from mnist_dash.ui.shared.export_menu import export_menu
from mnist_dash.ui.shared.live_chart import chart
from mnist_dash.ui.shared.resources import poll_every, run_store

_POLL_S = 2.0
_QUANTITIES = {learning_curves.LOSS: "Loss", learning_curves.ACCURACY: "Accuracy"}
_SHOWN = {"both": "Both", **_QUANTITIES}
_AXES = {
    learning_curves.EPOCHS: "Epochs",
    learning_curves.SECONDS: "Seconds",
    learning_curves.IMAGES: "Training images",
}
_REPEATS = {"mean": "Mean with band", "each": "Individual runs"}
_BANDS = {
    curve_lines.SD: "Standard deviation",
    curve_lines.SE: "Standard error",
    curve_lines.INTERVAL: "95 % interval",
    curve_lines.MIN_MAX: "Min to max",
}
_LOGARITHMIC = {"auto": "Auto", "none": "None", "y": "Y axis", "x": "X axis", "xy": "Both axes"}
_RANGES = {"framed": "What matters", "all": "Everything"}
_MAX_SMOOTHING = 0.99
_WIDE = 20  # a loss that falls to less than one of so many parts is drawn on a logarithmic axis


@dataclass(frozen=True)
class View:
    """What the reader chose to show.

    Attributes:
        quantities: Charts, in this order.
        axis: Quantity of the x axis.
        together: Whether replicates are averaged.
        band: Band around their mean.
        smoothing: Strength in [0, 1).
        logarithmic: Which axes are: letters of “xy”, “none”, or “auto”.
        framed: Whether the y axes leave out what fails.
    """

    quantities: tuple[str, ...]
    axis: str
    together: bool
    band: str
    smoothing: float
    logarithmic: str
    framed: bool


def curves_panel(runs: Sequence[Run]) -> None:
    """Shows the learning curves of runs; updated every two seconds while one is queued or running."""
    differences = different_data_words(runs)
    if len({run.fingerprint for run in runs}) > 1:
        note(differences.pop(0))
    epochs = run_store().epochs_of([run.id for run in runs])
    busy = any(run.status in ACTIVE for run in runs)
    # A fragment: a choice, or an epoch that ends, redraws the charts without choosing runs again.
    st.fragment(shows_errors(_panel), run_every=poll_every(_POLL_S) if busy else None)(runs, epochs)
    if differences:
        st.caption(as_text(" ".join(differences)))


def _panel(runs: Sequence[Run], epochs: Mapping[int, Sequence[Epoch]]) -> None:
    runs_now, epochs_now = _up_to_date(runs, epochs)
    if any(run.status in ACTIVE for run in runs) and not any(run.status in ACTIVE for run in runs_now):
        st.rerun()  # the whole page, which then no longer polls
    histories = [History(run, tuple(epochs_now[run.id])) for run in runs_now]
    view = _view(repeated=any(curve.n > 1 for curve in learning_curves.curves_of(histories)))
    curves = learning_curves.curves_of(histories, together=view.together)
    drawn = {quantity: _drawn(curves, quantity, view) for quantity in view.quantities}
    if any(curve.epochs for curve in curves):
        _charts(drawn, histories, view)
    curves_legend(drawn[view.quantities[0]], [curve_words(curve) for curve in curves])


def _up_to_date(
    runs: Sequence[Run], epochs: Mapping[int, Sequence[Epoch]]
) -> tuple[Sequence[Run], Mapping[int, Sequence[Epoch]]]:
    """Reloads what may have changed since the page was opened: unfinished runs, and their epochs."""
    active = [run.id for run in runs if run.status in ACTIVE]
    if not active:
        return runs, epochs
    changed = {run.id: run for run in run_store().get_runs(active)}
    known = [changed.get(run.id, run) for run in runs if run.id in changed or run.id not in active]
    return known, {**epochs, **run_store().epochs_of(active)}


def _view(*, repeated: bool) -> View:
    with st.container(horizontal=True, gap="medium", vertical_alignment="center"):
        shown = choice("Show", _SHOWN, key="curves_show", label_visibility="collapsed")
        with st.popover("Options", icon=":material/tune:", key="curves_more", width="content"):
            axis = choice("X axis", _AXES, key="curves_x")
            together = not repeated or choice("Replicates", _REPEATS, key="curves_repeats") == "mean"
            band = choice("Band", _BANDS, key="curves_band") if repeated and together else curve_lines.SD
            framed = choice("Y range", _RANGES, key="curves_range") == "framed"
            logarithmic = choice("Log scale", _LOGARITHMIC, key="curves_log")
            smoothing = st.slider(
                "Smoothing", 0.0, _MAX_SMOOTHING, 0.0, 0.01, key="curves_smoothing", bind="query-params"
            )
    quantities = tuple(_QUANTITIES) if shown == "both" else (shown,)
    return View(quantities, axis, together, band, float(smoothing), logarithmic, framed)


def _charts(drawn: Mapping[str, Sequence[DrawnCurve]], histories: Sequence[History], view: View) -> None:
    titles = {history.run.id: title_of(history.run) for history in histories}
    swept, _ = _swept(learning_curves.curves_of(histories, together=view.together))
    for column, (quantity, curves) in zip(st.columns(len(drawn), gap="medium"), drawn.items(), strict=True):
        figure = curve_figures.learning_curves(
            curves,
            quantity,
            axis=view.axis,
            logarithmic=_is_logarithmic(curves, quantity, view),
            logarithmic_x="x" in view.logarithmic,
            framed=view.framed,
            heading=", ".join(map(setting_label, swept)).capitalize(),
        )
        key = f"curves_{quantity}"
        with column:
            chart(figure, key=key, alt=f"{_QUANTITIES[quantity]} of {count_words(len(curves), 'curve')}")
            rows = partial(learning_curves.tidy_rows, histories, titles)
            export_menu(figure, rows, name=f"learning-curves-{quantity}", chart_key=key)


def _is_logarithmic(curves: Sequence[DrawnCurve], quantity: str, view: View) -> bool:
    """Tells whether the y axis is; by itself that of a loss which falls far."""
    if view.logarithmic != "auto":
        return view.logarithmic in ("y", "xy")
    values = [value for curve in curves for line in curve.lines for value in line.y if value]
    return quantity == learning_curves.LOSS and bool(values) and max(values) > _WIDE * min(values)


def _drawn(curves: Sequence[Curve], quantity: str, view: View) -> list[DrawnCurve]:
    names, values = _swept(curves)
    colours = curve_colours([curve.run.variant for curve in curves], values)
    drawn = []
    for number, (curve, colour) in enumerate(zip(curves, colours, strict=True)):
        lines = [_line(curve, quantity, part, view) for part in (learning_curves.TRAINING, learning_curves.VALIDATION)]
        marks = curve_lines.marks_of(curve, quantity, axis=view.axis)
        swept = [value_words(setting_value(curve.run, name)) for name in names]
        label = ", ".join(swept) or _label(curve)
        symbol = SYMBOLS[number % len(SYMBOLS)]
        drawn.append(DrawnCurve(curve_title(curve), label, colour, symbol, [*filter(None, lines)], marks))
    return drawn


def _swept(curves: Sequence[Curve]) -> tuple[list[str], list[float] | None]:
    """Returns what a sweep of one network varies, which names its curves, and the values if those are numbers.

    Returns:
        Names of settings, empty if the curves are no sweep; and the one setting's values.
    """
    runs = [curve.run for curve in curves]
    if len(runs) < 2 or len({run.variant for run in runs}) > 1:
        return [], None
    names = [name for name in differing(runs) if name not in ("seed", "fold")]
    found = [tuple(setting_value(run, name) for name in names) for run in runs]
    if not names or len(set(found)) < len(runs):
        return [], None
    values = [value for (value, *_) in found if isinstance(value, int | float)]
    return names, values if len(names) == 1 and len(values) == len(runs) else None


def _line(curve: Curve, quantity: str, part: str, view: View) -> Line | None:
    return curve_lines.line_of(curve, quantity, part, axis=view.axis, smoothing=view.smoothing, band=view.band)


def curve_title(curve: Curve) -> str:
    """Returns a curve's title: that of its run, or the settings that its replicates share."""
    if curve.n == 1:
        return title_of(curve.run)
    variant = VARIANTS[curve.run.variant]
    defaults = {name: variant.default(name) for name in ("seed", "fold")}
    shared = title_of(replace(curve.run, settings={**curve.run.settings, **defaults}))
    return f"{shared.replace(curve.run.title, variant.title)} · mean of {curve.n} runs"


def _label(curve: Curve) -> str:
    """Returns the shortest name that no other curve has."""
    numbers = sorted(history.run.id for history in curve.histories)
    variant = VARIANTS[curve.run.variant].title if curve.run.variant in VARIANTS else curve.run.variant
    if curve.n == 1:
        return variant if curve.run.is_reference else curve.run.title
    return f"{variant} · {curve.n} runs from {numbers[0]}"
