"""What is compared on the page: the chosen runs that are done, on one kind of data."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import streamlit as st

from mnist_dash.analysis import replicates, test_predictions
from mnist_dash.analysis.replicates import PairwiseTest, ReplicateGroup
from mnist_dash.analysis.words.comparison_words import ranking_words
from mnist_dash.analysis.words.number_words import count_words, listed
from mnist_dash.datasets.mnist import KNOWN
from mnist_dash.networks.experiments import differing
from mnist_dash.networks.hyperparameters import Value, folds_of
from mnist_dash.networks.variants import VARIANTS
from mnist_dash.store.records import CANCELLED, DONE, FAILED, Run
from mnist_dash.ui.shared.controls import as_text, choice, option_name
from mnist_dash.ui.shared.resources import outcome, settings

MOST = 24  # contenders: each is compared with each
_TOGETHER = "together"


@dataclass(frozen=True)
class Comparison:
    """Contenders with their names and what the tests say of each pair; the best comes first."""

    replicate_groups: tuple[ReplicateGroup, ...]
    titles: tuple[str, ...]
    pairwise_tests: tuple[PairwiseTest, ...]

    @property
    def runs(self) -> list[Run]:
        """All runs of all contenders."""
        return [run for group in self.replicate_groups for run in group.runs]


def compare(chosen: Sequence[Run]) -> Comparison | None:
    """Returns what can be compared of the chosen runs, and says what cannot and why.

    Returns:
        None if nothing can; then the page has said what to do.
    """
    _say_what_is_missing(chosen)
    done = [run for run in chosen if run.status == DONE]
    if not done:
        st.info("Choose one or more finished runs above.", icon=":material/balance:")
        st.page_link("pages/train.py", label="Train a network", icon=":material/model_training:")
        return None
    runs = _on_one_data(done)
    together = _together(runs)
    found = replicates.replicate_groups(runs, together=together)
    if len(found) > MOST:
        st.caption(
            f":material/info: Each is compared with each, so only the best {MOST} of {len(found)} are. Choose fewer."
        )
    ids = tuple(tuple(run.id for run in group.runs) for group in found[:MOST])
    return Comparison(
        tuple(found[:MOST]),
        tuple(_titles(found[:MOST])),
        _verdicts(settings().database_url, ids, tuple(found[:MOST])),
    )


@st.cache_resource(show_spinner=False, max_entries=64)
def _verdicts(
    database_url: str, ids: tuple[tuple[int, ...], ...], _contenders: tuple[ReplicateGroup, ...]
) -> tuple[PairwiseTest, ...]:
    """Returns the verdicts; finished runs never change, so their numbers are enough to know them by."""
    single = [group.first.id for group in _contenders if len(group.runs) == 1]
    return tuple(replicates.pairwise_tests(_contenders, {run_id: outcome(run_id) for run_id in single}))


def _say_what_is_missing(chosen: Sequence[Run]) -> None:
    for run in chosen:
        if run.status == FAILED:
            st.caption(f":material/error: {run.title} failed: {as_text(run.error or 'no reason is known')}")
    waiting = [run.title for run in chosen if run.status not in (DONE, FAILED, CANCELLED)]
    if waiting:
        verb = "have" if len(waiting) > 1 else "has"
        st.caption(f":material/hourglass: {listed(waiting[:6])} {verb} not finished; only finished runs are compared.")
    cancelled = [run.title for run in chosen if run.status == CANCELLED]
    if cancelled:
        st.caption(f":material/cancel: {listed(cancelled[:6])}: cancelled, so never tested.")


def _on_one_data(runs: Sequence[Run]) -> list[Run]:
    """Returns runs that were tested on the same pictures; of several kinds the reader chooses one."""
    names = {run.fingerprint: KNOWN[run.dataset].title if run.dataset in KNOWN else run.dataset for run in runs}
    if len(names) == 1:
        return list(runs)
    counts = {known: sum(run.fingerprint == known for run in runs) for known in names}
    st.caption(
        ":material/info: The chosen runs were tested on different data. Their numbers cannot be compared with each "
        "other, so each kind is shown by itself."
    )
    of_kinds = {
        known[:12]: f"{names[known]} ({count_words(counts[known], 'run')})"
        for known in sorted(names, key=lambda known: -counts[known])
    }
    kind = choice("Tested on", of_kinds, key="compare_data")
    return [run for run in runs if run.fingerprint.startswith(kind)]


def _together(runs: Sequence[Run]) -> bool:
    """Returns whether repeats are taken together; asked only where there are some."""
    if len(replicates.replicate_groups(runs)) == len(runs):
        return True
    ways = {_TOGETHER: "Together, as a mean", "single": "Run by run"}
    return choice("Repeats with other seeds or folds", ways, key="compare_repeats") == _TOGETHER


def _titles(found: Sequence[ReplicateGroup]) -> list[str]:
    titles = [
        _title(group, [other for other in found if other.first.variant == group.first.variant]) for group in found
    ]
    return [
        title if titles.count(title) == 1 else f"{title} · no. {titles[: place + 1].count(title)}"
        for place, title in enumerate(titles)
    ]


def _title(group: ReplicateGroup, alike: Sequence[ReplicateGroup]) -> str:
    """Names a contender by what sets it apart from others of its network; by all its changes if there are none."""
    run, repeats = group.first, len(group.runs)
    if run.is_reference or run.variant not in VARIANTS:
        return run.title
    variant = VARIANTS[run.variant]
    if len(alike) > 1:
        names = differing([each for other in alike for each in other.runs])
    else:
        names = [name for name, value in run.settings.items() if value != variant.default(name)]
    if repeats == 1:
        return " · ".join([run.title, *filter(None, [_settings_words(run, names)])])
    kind = "folds" if len({each.settings.get("fold") for each in group.runs}) > 1 else "seeds"
    shared = [name for name in names if name not in ("seed", "fold") and (name, kind) != ("validation", "folds")]
    return " · ".join([variant.title, *filter(None, [_settings_words(run, shared)]), f"{repeats} {kind}"])


def _settings_words(run: Run, names: Sequence[str]) -> str:
    meant = set(names) if folds_of(run.settings) else set(names) - {"fold"}
    own = [setting for setting in VARIANTS[run.variant].settings if setting.name in meant]
    return ", ".join(f"{setting.label.lower()} {_value_words(run.settings[setting.name])}" for setting in own)


def _value_words(value: Value) -> str:
    return option_name(value).lower() if isinstance(value, str) else f"{value:g}"


def comparison_words(comparison: Comparison) -> str:
    """Says in one paragraph what the comparison shows: best, what is tied with it, its cost, where it fails."""
    confusions = [outcome(run.id).confusion for run in comparison.replicate_groups[0].runs]
    mistakes = test_predictions.most_confused(np.sum(confusions, axis=0))
    return ranking_words(comparison.titles, comparison.replicate_groups, comparison.pairwise_tests, mistakes)
