"""Robustness: requesting measurements, their progress, and the results."""

from collections import Counter
from collections.abc import Mapping, Sequence
from functools import partial

import numpy as np
import streamlit as st

from mnist_dash.analysis.corruption_accuracy import accuracy_by_level, clean_accuracy, mean_accuracy, mean_by_strength
from mnist_dash.analysis.words.number_words import accuracy_words, count_words, percent
from mnist_dash.analysis.words.robustness_words import robustness_words
from mnist_dash.corruptions.corruption import Kind, corrupt
from mnist_dash.corruptions.kinds import CORRUPTIONS, KINDS
from mnist_dash.figures.robustness_figures import RobustnessLine, robustness_lines, robustness_sheet
from mnist_dash.store.corruption_counts import CorruptionCounts, Measurement
from mnist_dash.store.measurements import Measurements
from mnist_dash.store.records import ACTIVE, DONE, FAILED, Run
from mnist_dash.ui.compare.corruption_strip import StripRow, prediction_strip
from mnist_dash.ui.shared.controls import CHART, as_text, attempt, note, select, shows_errors, title_of
from mnist_dash.ui.shared.digit_html import digit_grid
from mnist_dash.ui.shared.resources import (
    dataset,
    dataset_of,
    images_of,
    job_queue,
    poll_every,
    predictor,
    run_store,
    visitor,
)

_ALL = "all"
_POLL_S = 1.0
_MAX_SHOWN = 12  # more lines could not be distinguished
_STEPS = 1 + len(KINDS)
_CONDITIONS = sum(len(kind.levels) for kind in KINDS.values())
_MIDDLE = 3  # the strength at which all kinds are shown side by side


def robustness_panel(runs: Sequence[Run], *, key: str) -> None:
    """Shows the accuracy of finished runs on corrupted images, and offers to measure it.

    Args:
        runs: Finished runs, at least one.
        key: The page's name, with which the keys of the widgets begin.
    """
    runs = _of_same_data(runs)
    measurements = Measurements(run_store()).read([run.id for run in runs])
    _offer(
        [run for run in runs if run.id not in measurements or measurements[run.id].status == FAILED], measurements, key
    )
    busy = {run.id: title_of(run) for run in runs if run.id in measurements and measurements[run.id].status in ACTIVE}
    if busy:
        st.fragment(shows_errors(_follow), run_every=poll_every(_POLL_S))(busy, key)
    measured = [
        (run, measurements[run.id].counts)
        for run in runs
        if run.id in measurements and measurements[run.id].status == DONE
    ]
    if measured:
        _results(sorted(measured, key=lambda pair: -(pair[1].mean or 0.0))[:_MAX_SHOWN], key)


def robustness_of(runs: Sequence[Run]) -> dict[int, float]:
    """Returns the mean accuracy under corruption, in [0, 1], of those of these runs that were measured."""
    measurements = Measurements(run_store()).read([run.id for run in runs])
    return {run_id: row.counts.mean for run_id, row in measurements.items() if row.status == DONE and row.counts.mean}


def _of_same_data(runs: Sequence[Run]) -> list[Run]:
    """Returns the runs of the data that most of them have, and says so if some have other data."""
    [(fingerprint, count)] = Counter(run.fingerprint for run in runs).most_common(1)
    if count < len(runs):
        note(f"Only runs on the same data can be compared: {count} of the {len(runs)} chosen runs are shown.")
    return [run for run in runs if run.fingerprint == fingerprint]


def _offer(runs: Sequence[Run], measurements: Mapping[int, Measurement], key: str) -> None:
    """Offers to measure runs that are not measured yet."""
    for run in runs:
        if run.id in measurements:
            note(f"{title_of(run)} could not be measured. {measurements[run.id].error}")
    allowed = [run for run in runs if visitor().may_change(run.owner) or run.is_reference]
    if allowed:
        st.button(
            f"Measure {count_words(len(allowed), 'run')}",
            key=f"{key}_measure",
            icon=":material/shield:",
            help=f"Test images under {_CONDITIONS} corruptions; less than a minute a run",
            on_click=attempt,
            args=(_request, [run.id for run in allowed]),
        )
    if len(allowed) < len(runs):
        others = count_words(len(runs) - len(allowed), "run")
        st.caption(f"{others} of other visitors not measured: only who started a run can have it measured.")


def _request(run_ids: Sequence[int]) -> None:
    Measurements(run_store()).request(run_ids, by=visitor())
    job_queue().wake()


def _follow(busy: Mapping[int, str], key: str) -> None:
    """Shows the progress of measurements; reruns the page when one has ended."""
    measurements = Measurements(run_store()).read(list(busy))
    if any(run_id not in measurements or measurements[run_id].status not in ACTIVE for run_id in busy):
        st.rerun()
    done = sum(len(row.counts.correct) for row in measurements.values())
    mine = [run_id for run_id, row in measurements.items() if visitor().may_change(row.owner)]
    with st.container(horizontal=True, vertical_alignment="center"):
        st.progress(done / (_STEPS * len(busy)), _progress_words(busy, list(measurements.values())))
        st.button(
            "Cancel",
            key=f"{key}_withdraw",
            icon=":material/stop:",
            disabled=not mine,
            on_click=attempt,
            args=(partial(Measurements(run_store()).withdraw, by=visitor()), mine),
        )


def _progress_words(titles: Mapping[int, str], measurements: Sequence[Measurement]) -> str:
    first = max(measurements, key=lambda row: (row.lease is not None, len(row.counts.correct)))
    if first.lease is None and not first.counts.correct:
        waits = "Waiting for a worker" if job_queue().ready else "The workers are starting (a few seconds)"
        return f"{waits} · {count_words(len(measurements), 'run')} to measure"
    kinds = f"{max(0, len(first.counts.correct) - 1)} of {len(KINDS)} kinds measured"
    others = f" · {count_words(len(measurements) - 1, 'more run')} to follow" if len(measurements) > 1 else ""
    return f"{as_text(titles[first.run_id])}: {kinds}{others}"


def _results(measured: Sequence[tuple[Run, CorruptionCounts]], key: str) -> None:
    runs, counts = zip(*measured, strict=True)
    st.markdown(robustness_words([title_of(run) for run in runs], counts))
    with st.container(horizontal=True, vertical_alignment="bottom"):
        kinds = {_ALL: "Mean of all 15 kinds", **{name: kind.title for name, kind in KINDS.items()}}
        name = select("Corruption", kinds, key=f"{key}_kind")
        digit = int(st.selectbox("Example digit", range(10), index=2, key=f"{key}_example", width=140))
    shown_data = (dataset_of(runs[0].fingerprint) or dataset()).fingerprint
    # What was measured of a run never changes, and figures take long to make.
    known = (run_store().database_url, tuple(run.id for run in runs))
    what = "All 15 kinds" if name == _ALL else KINDS[name].title
    st.plotly_chart(
        _lines(*known, name, measured),
        key=f"{key}_lines_{name}",
        config=CHART,
        alt=f"{what}: accuracy of each run against strength",
    )
    if name == _ALL:
        _all_kinds(shown_data, digit)
    else:
        _strip(shown_data, KINDS[name], digit, runs)
    st.subheader("By corruption", anchor=False)
    st.caption("Mean accuracy (%) over the five strengths, the least harmful first.")
    st.plotly_chart(
        _sheet(*known, measured),
        key=f"{key}_sheet",
        config=CHART,
        alt="Mean accuracy of each run under each kind of corruption",
    )


def _all_kinds(fingerprint: str, digit: int) -> None:
    st.caption("Each kind at its middle strength. Choose one above to see all strengths with their predictions.")
    images = [_examples(fingerprint, kind.name, digit)[_MIDDLE] for kind in CORRUPTIONS]
    digit_grid(np.stack(images), [kind.title for kind in CORRUPTIONS], size=96)


def _strip(fingerprint: str, kind: Kind, digit: int, runs: Sequence[Run]) -> None:
    st.caption(f"{kind.does} Wrong predictions are red.")
    url = run_store().database_url
    predicted = [_predicted_digits(url, run.id, fingerprint, kind.name, digit) for run in runs]
    rows = [StripRow(title_of(run), run.variant, digits) for run, digits in zip(runs, predicted, strict=True)]
    prediction_strip(_examples(fingerprint, kind.name, digit), _axis(kind), rows, unit=kind.unit, label=digit)


def _axis(kind: Kind) -> list[float]:
    """Returns the levels of a kind and that of the clean image, in order."""
    return sorted([kind.untouched, *(level.value for level in kind.levels)])


@st.cache_data(show_spinner=False, max_entries=512)
def _examples(fingerprint: str, name: str, digit: int) -> np.ndarray:
    """Returns a digit at every level of a kind, shape (levels + 1, 28, 28), uint8."""
    kind, (images, labels) = KINDS[name], images_of(fingerprint, "test")
    image = images[np.flatnonzero(labels == digit)[:1]]
    corrupted = {level.value: corrupt(kind, level, image) for level in kind.levels}
    return np.concatenate([corrupted.get(at, image) for at in _axis(kind)])


@st.cache_data(show_spinner=False, max_entries=4096)
def _predicted_digits(database_url: str, run_id: int, fingerprint: str, name: str, digit: int) -> list[int]:
    """Returns a run's prediction for each image of `_examples`."""
    return [int(digit) for digit in predictor(run_id).probabilities(_examples(fingerprint, name, digit)).argmax(1)]


@st.cache_resource(show_spinner=False, max_entries=128)
def _lines(
    database_url: str, run_ids: tuple[int, ...], name: str, _measured: Sequence[tuple[Run, CorruptionCounts]]
) -> object:
    lines = [_line(run, counts, name) for run, counts in _measured]
    return robustness_lines(lines, unit="Strength" if name == _ALL else KINDS[name].unit)


def _line(run: Run, counts: CorruptionCounts, name: str) -> RobustnessLine:
    clean = clean_accuracy(counts)
    if name == _ALL:
        means = [clean.value, *mean_by_strength(counts)]
        return RobustnessLine(title_of(run), run.variant, range(6), means, [percent(mean) for mean in means])
    kind = KINDS[name]
    accuracies = dict(zip((level.value for level in kind.levels), accuracy_by_level(counts, name), strict=True))
    points = [accuracies.get(at, clean) for at in _axis(kind)]
    words = [accuracy_words(point) for point in points]
    return RobustnessLine(title_of(run), run.variant, _axis(kind), [point.value for point in points], words)


@st.cache_resource(show_spinner=False, max_entries=32)
def _sheet(database_url: str, run_ids: tuple[int, ...], _measured: Sequence[tuple[Run, CorruptionCounts]]) -> object:
    shares = np.array([[mean_accuracy(counts, kind.name) for _, counts in _measured] for kind in CORRUPTIONS])
    order = np.argsort(-shares.mean(1), kind="stable")
    return robustness_sheet(
        [_short(run) for run, _ in _measured],
        ["<b>All 15 kinds</b>", *(CORRUPTIONS[index].title for index in order)],
        np.concatenate([shares.mean(0, keepdims=True), shares[order]]),
    )


def _short(run: Run) -> str:
    return run.title.replace(" · ", "<br>")
