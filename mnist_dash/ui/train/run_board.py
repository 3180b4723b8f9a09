"""The Train page's board: runs and experiments, kept up to date while something is trained."""

import time
from collections.abc import Sequence

import streamlit as st

from mnist_dash.store.records import ACTIVE, CANCELLED, DONE, FAILED, PAUSED, UNFINISHED, Run, in_turn
from mnist_dash.ui.shared.controls import shows_errors
from mnist_dash.ui.shared.live_chart import load_charts_early
from mnist_dash.ui.shared.resources import poll_every, run_store
from mnist_dash.ui.train.experiment_card import experiment_card
from mnist_dash.ui.train.run_card import run_card

_POLL_INTERVAL_S = 1.0
_CARDS_SHOWN = 8
_SCROLL = "train_scroll_to"
_scroll = st.components.v2.component(
    "mnist_dash_scroll",
    html="<i></i>",
    js="""export default function ({ parentElement, data }) {
  if (!data.to || window.mdScrolledTo === data.to) return;
  window.mdScrolledTo = data.to;
  if (window.innerWidth < 768) parentElement.scrollIntoView({ behavior: "smooth" });
}""",
    isolate_styles=False,
)
_ENDED = (DONE, FAILED, CANCELLED)
_ENDED_READ = 250  # one experiment may have 200 runs


def run_board() -> None:
    """Shows runs in training, kept up to date, and those that ended last."""
    load_charts_early()
    _scroll(key="train_scroll", data={"to": st.session_state.get(_SCROLL, "")})
    busy = bool(run_store().list_runs(statuses=ACTIVE))
    st.fragment(shows_errors(_board), run_every=poll_every(_POLL_INTERVAL_S) if busy else None)(busy)


def scroll_to_runs() -> None:
    """Has a phone scroll to the runs, which are below the form there; once."""
    st.session_state[_SCROLL] = f"{time.monotonic()}"


def _board(busy: bool) -> None:
    store = run_store()
    unfinished = store.list_runs(statuses=UNFINISHED)
    active = in_turn([run for run in unfinished if run.status != PAUSED])
    if busy != bool(active):
        st.rerun()  # the whole page, which then polls every second, or no longer
    paused = [run for run in unfinished if run.status == PAUSED]
    ended = [run for run in store.list_runs(statuses=_ENDED, limit=_ENDED_READ) if not run.is_reference]
    cards = _cards([*active, *paused, *ended])
    if not cards:
        st.info("No runs yet. Choose a network and start training: its curves appear here.", icon=":material/info:")
    waiting = {run.id: ahead for ahead, run in enumerate(active)}
    shown = [card for index, card in enumerate(cards) if index < _CARDS_SHOWN or _is_unfinished(card)]
    newest = next((card.id for card in cards if card.status in _ENDED), None)
    titles = store.experiments([card.experiment_id for card in shown if card.experiment_id is not None])
    for run in shown:
        if run.experiment_id in titles:
            experiment_card(titles[run.experiment_id], store.list_runs(experiment_id=run.experiment_id))
        else:
            run_card(run, waiting=waiting.get(run.id, 0), curves=run.id == newest)
    if len(cards) > len(shown):
        st.caption("Older runs: see the Curves and Compare pages.")


def _cards(runs: Sequence[Run]) -> list[Run]:
    """Returns one run for every card: each single run, and the first of each experiment."""
    first: dict[object, Run] = {}
    for run in runs:
        first.setdefault(("experiment", run.experiment_id) if run.experiment_id is not None else run.id, run)
    return list(first.values())


def _is_unfinished(run: Run) -> bool:
    return run.status in UNFINISHED
