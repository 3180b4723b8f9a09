"""Choosing the runs and experiments that a page shows: one choice for Curves and Compare, also by link."""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import streamlit as st

from mnist_dash.analysis.words.number_words import count_words, seconds_words
from mnist_dash.networks.variants import VARIANTS
from mnist_dash.store.records import DONE, Experiment, Run
from mnist_dash.store.search import NEWEST, FoundExperiment, RunFinder, RunQuery
from mnist_dash.ui.shared import links
from mnist_dash.ui.shared.controls import in_order, shows_errors, title_of
from mnist_dash.ui.shared.resources import run_store

MAX_RUNS = 100
_MAX_CHOSEN = 40  # runs and experiments
_OFFERED = 30  # newest runs that are offered without a search
_EXPERIMENTS_OFFERED = 10
_FOUND = 100
_CHOSEN = "chosen_runs"  # what was chosen on the page before
_LINK = "runs"
_TOKEN = re.compile(r"[re][1-9][0-9]{0,8}")
_KINDS = {"run": "Runs", "experiment": "Experiments"}
_ORDERS = {
    NEWEST: "Newest first",
    "test_accuracy": "Highest test accuracy",
    "test_loss": "Lowest test loss",
    "weights": "Fewest parameters",
    "fit_seconds": "Shortest training",
    "prediction_ms": "Fastest prediction",
}


def choose_runs(*, key: str, statuses: Sequence[str]) -> list[Run]:
    """Lets the reader choose runs and whole experiments; the choice is in the URL.

    At first the models that ship with the project are chosen, or what was chosen on the
    other page.

    Args:
        key: The page's name, with which the keys of the widgets begin.
        statuses: States of the runs that are offered. What a link or another page chose may be in any state.

    Returns:
        The chosen runs, at most `MAX_RUNS`.
    """
    finder, widget, query = RunFinder(run_store()), f"{key}_runs", RunQuery(statuses=tuple(statuses))
    newest = finder.find(query, limit=_OFFERED)
    offered = {_token(run): run for run in [*in_order(finder.references()), *newest]}
    state, defaults = st.session_state, _defaults(list(offered.values()))
    links.restore(widget, lambda linked: _tokens(linked) or defaults, parameter=_LINK, initial=state.get(_CHOSEN))
    runs = offered | _known(state[widget], offered)
    titles = _titles(runs, _experiments(state[widget], finder.experiments(query, limit=_EXPERIMENTS_OFFERED)))
    gone = [token for token in state[widget] if token not in titles]
    state[widget] = [token for token in state[widget] if token in titles]
    row = st.container(horizontal=True, wrap=False, key="md_chooser")
    tokens = row.multiselect(
        "Runs and experiments",
        list(titles),
        format_func=lambda token: titles.get(token, token),
        key=widget,
        max_selections=_MAX_CHOSEN,
        placeholder="Select runs and experiments",
        label_visibility="collapsed",
    )
    with row:  # a fragment: a search does not draw the page anew
        st.fragment(shows_errors(_finder))(finder, key, widget, tuple(statuses))
    if gone:
        st.caption(f":material/info: {count_words(len(gone), 'selected item')} no longer available.")
    state[_CHOSEN] = tokens
    links.write({_LINK: "" if tokens == defaults else ",".join(tokens)})
    return _runs_of(tokens, runs)


def offered_runs(*, parameter: str = "") -> list[Run]:
    """Returns finished runs of which a page offers some: those that ship with the project, the newest, and linked ones.

    Args:
        parameter: The query parameter that names runs, such as “r7,r12” or “7”; empty if there is none.
    """
    finder = RunFinder(run_store())
    newest = finder.find(RunQuery(statuses=(DONE,)), limit=_OFFERED)
    linked = [f"r{text.removeprefix('r')}" for text in st.query_params.get(parameter, "").split(",")]
    named = run_store().get_runs(_numbers(_tokens(",".join(linked)), "r")) if any(linked) else []
    named = [run for run in named if run.status == DONE]
    return list({run.id: run for run in [*in_order(finder.references()), *newest, *named]}.values())


def _token(run: Run) -> str:
    return f"r{run.id}"


def _defaults(offered: Sequence[Run]) -> list[str]:
    return [_token(run) for run in offered if run.is_reference] or [_token(run) for run in offered[:1]]


def _tokens(linked: str) -> list[str]:
    return list(dict.fromkeys(token for token in linked.split(",")[:_MAX_CHOSEN] if _TOKEN.fullmatch(token)))


def _numbers(tokens: Sequence[str], kind: str) -> list[int]:
    return [int(token[1:]) for token in tokens if token[0] == kind]


def _known(tokens: Sequence[str], offered: dict[str, Run]) -> dict[str, Run]:
    """Returns those of the chosen single runs that there are."""
    missing = [token for token in tokens if token not in offered]
    found = run_store().get_runs(_numbers(missing, "r")) if missing else []
    return {_token(run): run for run in found}


def _experiments(tokens: Sequence[str], offered: Sequence[FoundExperiment]) -> list[Experiment]:
    """Returns the experiments that are offered, and those that are chosen."""
    numbers = _numbers(tokens, "e")
    chosen = run_store().experiments(numbers).values() if numbers else ()
    return [*(found.experiment for found in offered), *chosen]


def _titles(runs: Mapping[str, Run], experiments: Sequence[Experiment]) -> dict[str, str]:
    """Returns what can be chosen: reference runs, experiments, runs."""
    titles = {token: title_of(run) for token, run in runs.items()}
    first = {token: title for token, title in titles.items() if runs[token].is_reference}
    return {**first, **{f"e{each.id}": _experiment_title(each) for each in experiments}, **titles, **first}


def _experiment_title(experiment: Experiment) -> str:
    return f"Experiment {experiment.id}: {experiment.title}"


def _runs_of(tokens: Sequence[str], known: dict[str, Run]) -> list[Run]:
    found: dict[int, Run] = {}
    for token in tokens:
        one = known.get(token)
        runs = [one] if one else run_store().list_runs(experiment_id=int(token[1:])) if token[0] == "e" else []
        found |= {run.id: run for run in sorted(runs, key=lambda run: run.id)}
    if len(found) > MAX_RUNS:
        st.caption(f":material/info: Showing the first {MAX_RUNS} of {len(found):,} selected runs.")
    return list(found.values())[:MAX_RUNS]


def _finder(finder: RunFinder, key: str, widget: str, statuses: tuple[str, ...]) -> None:
    """Offers a search through all runs and experiments, computed only while it is open."""
    box = st.popover("Find", key=f"{key}_finder", on_change="rerun", icon=":material/search:")
    if not box.open:
        return
    with box.container(key=f"{key}_finder_body"):
        query, of = _query(finder, key, statuses)
        rows, count = (_found_runs if of == "run" else _found_experiments)(finder, query)
        if not rows:
            st.caption("No matches. Use fewer words, or select another network or tag.")
            return
        shown = f"{count_words(count, of)}, {len(rows)} shown" if count > len(rows) else ""
        st.caption(f"{shown or count_words(count, of)}. Select rows to add.")
        ticked = st.dataframe(
            list(rows.values()),
            hide_index=True,
            height=260,
            on_select="rerun",
            selection_mode="multi-row",
            key=f"{key}_found_{of}_{hash(query)}",
            alt="Search results",
        )
        tokens = [list(rows)[row] for row in ticked["selection"]["rows"] if row < len(rows)]
        if st.button(
            f"Add {count_words(len(tokens), of)}",
            key=f"{key}_add",
            on_click=_add,
            args=(widget, tokens),
            disabled=not tokens,
            icon=":material/add:",
        ):
            st.rerun()


def _query(finder: RunFinder, key: str, statuses: tuple[str, ...]) -> tuple[RunQuery, str]:
    """Returns what the reader looks for, and whether it is a “run” or an “experiment”."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        of = st.segmented_control(
            "Find", list(_KINDS), format_func=_KINDS.__getitem__, default="run", required=True, key=f"{key}_of"
        )
        words = st.text_input("Search", key=f"{key}_words", placeholder="number, network, tag or experiment")
        variant = st.selectbox(
            "Network",
            ["", *VARIANTS],
            format_func=lambda name: VARIANTS[name].title if name else "All",
            key=f"{key}_variant",
        )
        tag = st.selectbox("Tag", ["", *finder.tags()], format_func=lambda tag: tag or "All", key=f"{key}_tag")
        order = NEWEST
        if of == "run":
            order = st.selectbox("Sort by", list(_ORDERS), format_func=_ORDERS.__getitem__, key=f"{key}_order")
    return RunQuery(words[:200], statuses, variant, tag, order), of


def _found_runs(finder: RunFinder, query: RunQuery) -> tuple[dict[str, dict[str, Any]], int]:
    """Returns rows of the first runs that fit, by what stands for them in the link, and how many there are."""
    runs = finder.find(query, limit=_FOUND)
    tags = finder.tags_of([run.id for run in runs])
    rows = {
        _token(run): {
            "Run": title_of(run),
            "Test accuracy (%)": _or_dash(run.test_accuracy, lambda part: f"{100 * part:.2f}"),
            "Parameters": _or_dash(run.weights, lambda count: f"{count:,}"),
            "Training": _or_dash(run.fit_seconds, seconds_words),
            "Status": run.status,
            "Tags": ", ".join(tags[run.id]),
        }
        for run in runs
    }
    return rows, finder.count(query) if len(runs) == _FOUND else len(runs)


def _found_experiments(finder: RunFinder, query: RunQuery) -> tuple[dict[str, dict[str, Any]], int]:
    """Returns the same of experiments, the newest first."""
    rows = {
        f"e{found.experiment.id}": {
            "Experiment": _experiment_title(found.experiment),
            "Runs": found.runs,
            "Best test accuracy (%)": _or_dash(found.best, lambda part: f"{100 * part:.2f}"),
        }
        for found in finder.experiments(query, limit=_FOUND)
    }
    return rows, len(rows)


def _or_dash(value: Any, write: Callable[[Any], str]) -> str:
    return "–" if value is None else write(value)


def _add(widget: str, tokens: Sequence[str]) -> None:
    chosen = dict.fromkeys([*st.session_state.get(widget, []), *tokens])
    st.session_state[widget] = list(chosen)[:_MAX_CHOSEN]
