"""What the Compare page compares: replicate groups of the chosen finished runs on one data set."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import streamlit as st

from mnist_dash.analysis import replicates, test_predictions
from mnist_dash.analysis.replicates import PairwiseTest, ReplicateGroup
from mnist_dash.analysis.words.comparison_words import ranking_words, verdict_words
from mnist_dash.analysis.words.number_words import count_words, listed
from mnist_dash.networks.experiments import differing
from mnist_dash.networks.setting_words import changed_settings, settings_words
from mnist_dash.networks.variants import VARIANTS
from mnist_dash.store.records import CANCELLED, DONE, FAILED, Run
from mnist_dash.ui.shared.controls import as_text, choice
from mnist_dash.ui.shared.resources import predictions_of, settings

MAX_GROUPS = 24  # each is compared with each
_MAX_TITLES = 6
_TOGETHER = "together"


@dataclass(frozen=True)
class Comparison:
    """Replicate groups with their names and pairwise tests; the best comes first."""

    replicate_groups: tuple[ReplicateGroup, ...]
    titles: tuple[str, ...]
    pairwise_tests: tuple[PairwiseTest, ...]

    @property
    def runs(self) -> list[Run]:
        """All runs of all groups."""
        return [run for group in self.replicate_groups for run in group.runs]


def compare(chosen: Sequence[Run]) -> Comparison | None:
    """Returns what can be compared of the chosen runs, and shows what cannot and why.

    Returns:
        None if nothing can; then the page shows what to do.
    """
    _show_unfinished(chosen)
    done = [run for run in chosen if run.status == DONE]
    if not done:
        st.info("Choose one or more finished runs above.", icon=":material/balance:")
        st.page_link("pages/train.py", label="Train a model", icon=":material/model_training:")
        return None
    groups = _groups(_on_same_data(done))
    if len(groups) > MAX_GROUPS:
        st.caption(f":material/info: Only the best {MAX_GROUPS} of {len(groups)} are compared. Choose fewer.")
    compared = tuple(groups[:MAX_GROUPS])
    ids = tuple(tuple(run.id for run in group.runs) for group in compared)
    return Comparison(compared, tuple(_titles(compared)), _pairwise_tests(settings().database_url, ids, compared))


def _groups(runs: Sequence[Run]) -> list[ReplicateGroup]:
    """Returns the runs as replicate groups, or one by one; asked only where there are replicates."""
    groups = replicates.replicate_groups(runs)
    if len(groups) == len(runs):
        return groups
    options = {_TOGETHER: "Mean of seeds and folds", "single": "Individual runs"}
    label = "Replicates (seeds, folds)"
    together = choice(label, options, key="compare_repeats", label_visibility="collapsed") == _TOGETHER
    return groups if together else replicates.replicate_groups(runs, together=False)


@st.cache_resource(show_spinner=False, max_entries=64)
def _pairwise_tests(
    database_url: str, ids: tuple[tuple[int, ...], ...], _groups: tuple[ReplicateGroup, ...]
) -> tuple[PairwiseTest, ...]:
    """Returns the tests; cached by the runs' ids, as finished runs never change."""
    single = [group.first.id for group in _groups if len(group.runs) == 1]
    return tuple(replicates.pairwise_tests(_groups, {run_id: predictions_of(run_id) for run_id in single}))


def _show_unfinished(chosen: Sequence[Run]) -> None:
    for run in chosen:
        if run.status == FAILED:
            st.caption(f":material/error: {run.title} failed: {as_text(run.error or 'unknown reason')}")
    unfinished = [run.title for run in chosen if run.status not in (DONE, FAILED, CANCELLED)]
    if unfinished:
        st.caption(f":material/hourglass: Not finished, so not compared: {listed(unfinished[:_MAX_TITLES])}.")
    cancelled = [run.title for run in chosen if run.status == CANCELLED]
    if cancelled:
        st.caption(f":material/cancel: Cancelled, so not compared: {listed(cancelled[:_MAX_TITLES])}.")


def _on_same_data(runs: Sequence[Run]) -> list[Run]:
    """Returns runs that were tested on the same images; of several data sets the reader chooses one."""
    names = {run.fingerprint: run.data_title for run in runs}
    if len(names) == 1:
        return list(runs)
    counts = {fingerprint: sum(run.fingerprint == fingerprint for run in runs) for fingerprint in names}
    st.caption(":material/info: The chosen runs were tested on different data, so their numbers cannot be compared.")
    options = {
        fingerprint[:12]: f"{names[fingerprint]} ({count_words(counts[fingerprint], 'run')})"
        for fingerprint in sorted(names, key=lambda fingerprint: -counts[fingerprint])
    }
    chosen = choice("Test data", options, key="compare_data")
    return [run for run in runs if run.fingerprint.startswith(chosen)]


def _titles(groups: Sequence[ReplicateGroup]) -> list[str]:
    titles = [
        _title(group, [other for other in groups if other.first.variant == group.first.variant]) for group in groups
    ]
    return [
        title if titles.count(title) == 1 else f"{title} · no. {titles[: index + 1].count(title)}"
        for index, title in enumerate(titles)
    ]


def _title(group: ReplicateGroup, same_variant: Sequence[ReplicateGroup]) -> str:
    """Names a group by the settings in which it differs from others of its variant, else by its changed settings."""
    run, replicates = group.first, len(group.runs)
    if run.is_reference or run.variant not in VARIANTS:
        return run.title
    runs = [each for other in same_variant for each in other.runs]
    names = differing(runs) if len(same_variant) > 1 else changed_settings(run)
    if replicates == 1:
        return " · ".join([run.title, *filter(None, [settings_words(run, names)])])
    kind = "folds" if len({each.settings.get("fold") for each in group.runs}) > 1 else "seeds"
    shared = [name for name in names if name not in ("seed", "fold") and (name, kind) != ("validation", "folds")]
    parts = [VARIANTS[run.variant].title, settings_words(run, shared), f"{replicates} {kind}"]
    return " · ".join(filter(None, parts))


def verdict(comparison: Comparison) -> str:
    """Says in one sentence which is best."""
    return verdict_words(comparison.titles, comparison.replicate_groups, comparison.pairwise_tests)


def comparison_words(comparison: Comparison) -> str:
    """Summarises the comparison in one paragraph."""
    matrices = [predictions_of(run.id).confusion for run in comparison.replicate_groups[0].runs]
    confusions = test_predictions.most_confused(np.sum(matrices, axis=0))
    return ranking_words(comparison.titles, comparison.replicate_groups, comparison.pairwise_tests, confusions)
