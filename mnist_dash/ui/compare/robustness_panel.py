"""How well runs read corrupted pictures: asked for, followed, and shown."""

from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np
import streamlit as st

from mnist_dash.analysis.corruption_accuracy import mean_by_strength, mean_under, under, untouched
from mnist_dash.analysis.words.number_words import accuracy_words, count_words, percent
from mnist_dash.analysis.words.robustness_words import robustness_words
from mnist_dash.corruptions.corruption import Kind, corrupt
from mnist_dash.corruptions.kinds import CORRUPTIONS, KINDS
from mnist_dash.figures.robustness_figures import RobustnessLine, robustness_lines, robustness_sheet
from mnist_dash.store.corruption_counts import CorruptionCounts, Measurement
from mnist_dash.store.measurements import Measurements
from mnist_dash.store.records import ACTIVE, DONE, FAILED, Run
from mnist_dash.ui.compare.corruption_strip import StripRow, reading_strip
from mnist_dash.ui.shared.controls import CHART, as_text, attempt, explain, note, shows_errors, title_of
from mnist_dash.ui.shared.digit_html import digit_grid
from mnist_dash.ui.shared.resources import (
    dataset,
    job_queue,
    max_unfinished_runs,
    may_change,
    predictor,
    run_store,
    visitor,
)

_ALL = "all"
_LOOK_EVERY_S = 1.0
_MOST_SHOWN = 12  # more lines could not be told apart
_STEPS = 1 + len(KINDS)
_CONDITIONS = sum(len(kind.levels) for kind in KINDS.values())
_MIDDLE = 3  # the strength at which all kinds are shown side by side


def robustness_panel(runs: Sequence[Run], *, key: str) -> None:
    """Shows how well finished runs read corrupted pictures, and lets the reader have them measured.

    Args:
        runs: Finished runs, at least one.
        key: The page's name, with which the keys of the widgets begin.
    """
    explain("robustness")
    runs = _of_same_data(runs)
    found = Measurements(run_store()).read([run.id for run in runs])
    _offer([run for run in runs if run.id not in found or found[run.id].status == FAILED], found, key)
    busy = {run.id: title_of(run) for run in runs if run.id in found and found[run.id].status in ACTIVE}
    if busy:
        st.fragment(shows_errors(_follow), run_every=_LOOK_EVERY_S)(busy, key)
    measured = [(run, found[run.id].readings) for run in runs if run.id in found and found[run.id].status == DONE]
    if measured:
        _results(sorted(measured, key=lambda one: -(one[1].mean or 0.0))[:_MOST_SHOWN], key)


def robustness_of(runs: Sequence[Run]) -> dict[int, float]:
    """Returns the mean accuracy under corruption, in [0, 1], of those of these runs that were measured."""
    found = Measurements(run_store()).read([run.id for run in runs])
    return {run_id: row.readings.mean for run_id, row in found.items() if row.status == DONE and row.readings.mean}


def _of_same_data(runs: Sequence[Run]) -> list[Run]:
    """Returns the runs of the data that most of them have, and says so if some have other data."""
    [(fingerprint, count)] = Counter(run.fingerprint for run in runs).most_common(1)
    if count < len(runs):
        note(
            f"Only runs of the same data can be compared. Shown are the {count} of {len(runs)} chosen runs that "
            "were tested on the same pictures."
        )
    return [run for run in runs if run.fingerprint == fingerprint]


def _offer(runs: Sequence[Run], found: Mapping[int, Measurement], key: str) -> None:
    """Offers to measure what is not measured yet."""
    for run in runs:
        if run.id in found:
            note(f"{title_of(run)} could not be measured. {found[run.id].error}")
    allowed = [run for run in runs if may_change(run) or run.is_reference]
    if allowed:
        st.button(
            f"Measure {count_words(len(allowed), 'run')}",
            key=f"{key}_measure",
            icon=":material/shield:",
            help=f"A worker reads test pictures corrupted in {_CONDITIONS} ways, in less than a minute a run.",
            on_click=attempt,
            args=(_ask, [run.id for run in allowed]),
        )
    if len(allowed) < len(runs):
        others = count_words(len(runs) - len(allowed), "run")
        st.caption(f"{others} of other visitors not measured yet; only who queued a run can have it measured.")


def _ask(run_ids: Sequence[int]) -> None:
    Measurements(run_store()).request(run_ids, owner=visitor(), max_unfinished=max_unfinished_runs())
    job_queue().look()


def _follow(busy: Mapping[int, str], key: str) -> None:
    """Shows how far measurements are; draws the whole page anew when one has ended."""
    found = Measurements(run_store()).read(list(busy))
    if any(run_id not in found or found[run_id].status not in ACTIVE for run_id in busy):
        st.rerun()
    done = sum(len(row.readings.right) for row in found.values())
    mine = [run_id for run_id, row in found.items() if row.owner == visitor() or max_unfinished_runs() is None]
    with st.container(horizontal=True, vertical_alignment="center"):
        st.progress(done / (_STEPS * len(busy)), _progress_words(busy, list(found.values())))
        st.button(
            "Cancel",
            key=f"{key}_withdraw",
            icon=":material/stop:",
            disabled=not mine,
            on_click=attempt,
            args=(Measurements(run_store()).withdraw, mine),
        )


def _progress_words(titles: Mapping[int, str], found: Sequence[Measurement]) -> str:
    begun = max(found, key=lambda row: (row.claim is not None, len(row.readings.right)))
    if begun.claim is None and not begun.readings.right:
        waits = "Waiting for a worker" if job_queue().ready else "The workers are starting (a few seconds)"
        return f"{waits} · {count_words(len(found), 'run')} to measure"
    kinds = f"{max(0, len(begun.readings.right) - 1)} of {len(KINDS)} kinds measured"
    others = f" · {count_words(len(found) - 1, 'more run')} to follow" if len(found) > 1 else ""
    return f"{as_text(titles[begun.run_id])}: {kinds}{others}"


def _results(measured: Sequence[tuple[Run, CorruptionCounts]], key: str) -> None:
    runs, readings = zip(*measured, strict=True)
    st.markdown(robustness_words([title_of(run) for run in runs], readings))
    with st.container(horizontal=True, vertical_alignment="bottom"):
        name = _kind_choice(key)
        digit = int(st.selectbox("Example digit", range(10), index=2, key=f"{key}_example", width=140))
    if name == _ALL:
        _all_kinds(digit)
    else:
        _strip(KINDS[name], digit, runs)
    # What was measured of a run never changes, and figures take long to make.
    known = (run_store().database_url, tuple(run.id for run in runs))
    what = "All 15 kinds" if name == _ALL else KINDS[name].title
    st.plotly_chart(
        _lines(*known, name, measured),
        key=f"{key}_lines_{name}",
        config=CHART,
        alt=f"{what}: accuracy of each run against strength",
    )
    st.subheader("Every kind at a glance", anchor=False)
    st.caption(
        "Mean accuracy (%) over the five strengths; the stronger the colour, the more is lost. The kinds that hurt "
        "most are last."
    )
    st.plotly_chart(
        _sheet(*known, measured),
        key=f"{key}_sheet",
        config=CHART,
        alt="Mean accuracy of each run under each kind of corruption",
    )


def _kind_choice(key: str) -> str:
    """Lets the reader choose a kind; the choice stands in the page's link."""
    options = {_ALL: "All 15 kinds of MNIST-C, on average", **{name: kind.title for name, kind in KINDS.items()}}
    key = f"{key}_kind"
    linked = st.query_params.get(key, _ALL)
    chosen = st.selectbox(
        "Kind of corruption",
        list(options),
        index=list(options).index(linked) if linked in options else 0,
        format_func=lambda name: options.get(name, name),
        key=key,
    )
    if chosen != _ALL:
        st.query_params[key] = chosen
    elif key in st.query_params:
        del st.query_params[key]
    return str(chosen)


def _all_kinds(digit: int) -> None:
    st.caption("Each kind at its middle strength. Choose one above to see all its strengths and what is read.")
    pictures = [_examples(dataset().fingerprint, kind.name, digit)[_MIDDLE] for kind in CORRUPTIONS]
    digit_grid(np.stack(pictures), [kind.title for kind in CORRUPTIONS], size=96)


def _strip(kind: Kind, digit: int, runs: Sequence[Run]) -> None:
    st.caption(f"{kind.does} These are the pictures that the networks see; red is read wrong.")
    fingerprint, url = dataset().fingerprint, run_store().database_url
    read = [_digits_read(url, run.id, fingerprint, kind.name, digit) for run in runs]
    rows = [StripRow(title_of(run), run.variant, digits) for run, digits in zip(runs, read, strict=True)]
    reading_strip(_examples(fingerprint, kind.name, digit), _axis(kind), rows, unit=kind.unit, label=digit)


def _axis(kind: Kind) -> list[float]:
    """Returns the levels of a kind with the untouched picture among them, as they stand on an axis."""
    return sorted([kind.untouched, *(level.value for level in kind.levels)])


@st.cache_data(show_spinner=False, max_entries=512)
def _examples(fingerprint: str, name: str, digit: int) -> np.ndarray:
    """Returns a digit at every place of a kind's axis, shape (levels + 1, 28, 28), uint8."""
    data, kind = dataset(), KINDS[name]
    picture = data.x_test[np.flatnonzero(data.y_test == digit)[:1]]
    corrupted = {level.value: corrupt(kind, level, picture) for level in kind.levels}
    return np.concatenate([corrupted.get(at, picture) for at in _axis(kind)])


@st.cache_data(show_spinner=False, max_entries=4096)
def _digits_read(database_url: str, run_id: int, fingerprint: str, name: str, digit: int) -> list[int]:
    """Returns what a run reads in each picture of `_examples`."""
    return [int(read) for read in predictor(run_id).probabilities(_examples(fingerprint, name, digit)).argmax(1)]


@st.cache_resource(show_spinner=False, max_entries=128)
def _lines(
    database_url: str, run_ids: tuple[int, ...], name: str, _measured: Sequence[tuple[Run, CorruptionCounts]]
) -> object:
    lines = [_line(run, readings, name) for run, readings in _measured]
    return robustness_lines(lines, unit="Strength" if name == _ALL else KINDS[name].unit)


def _line(run: Run, readings: CorruptionCounts, name: str) -> RobustnessLine:
    clean = untouched(readings)
    if name == _ALL:
        means = [clean.value, *mean_by_strength(readings)]
        return RobustnessLine(title_of(run), run.variant, range(6), means, [percent(mean) for mean in means])
    kind = KINDS[name]
    found = dict(zip((level.value for level in kind.levels), under(readings, name), strict=True))
    points = [found.get(at, clean) for at in _axis(kind)]
    words = [accuracy_words(point) for point in points]
    return RobustnessLine(title_of(run), run.variant, _axis(kind), [point.value for point in points], words)


@st.cache_resource(show_spinner=False, max_entries=32)
def _sheet(database_url: str, run_ids: tuple[int, ...], _measured: Sequence[tuple[Run, CorruptionCounts]]) -> object:
    shares = np.array([[mean_under(readings, kind.name) for _, readings in _measured] for kind in CORRUPTIONS])
    order = np.argsort(-shares.mean(1), kind="stable")
    return robustness_sheet(
        [_short(run) for run, _ in _measured],
        ["<b>All 15 kinds</b>", *(CORRUPTIONS[place].title for place in order)],
        np.concatenate([shares.mean(0, keepdims=True), shares[order]]),
    )


def _short(run: Run) -> str:
    return run.title.removesuffix(" (reference)").replace(" · ", "<br>")
