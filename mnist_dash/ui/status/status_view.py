"""Queue, workers, memory, size of the store, and what went wrong in the last day."""

import hmac
from collections.abc import Sequence
from datetime import UTC, datetime

import psutil
import streamlit as st

from mnist_dash.analysis.words.number_words import count_words, seconds_words
from mnist_dash.store.records import DONE, FAILED, PAUSED, QUEUED, RUNNING
from mnist_dash.store.status import Status, read_status
from mnist_dash.ui.shared.controls import shows_errors
from mnist_dash.ui.shared.resources import run_store, running_queue, settings

_EVERY_S = 5.0
_SHOWN = (RUNNING, QUEUED, PAUSED, DONE, FAILED)


def may_see(key: str) -> bool:
    """Says whether a link with this key may show the page: on a dashboard that is not shared, every one may."""
    found = settings()
    return not found.shared or bool(found.status_key and hmac.compare_digest(found.status_key.encode(), key.encode()))


@st.fragment(run_every=_EVERY_S)
@shows_errors
def status_view() -> None:
    """Shows everything, anew every five seconds."""
    status = read_status(run_store())
    _numbers(status)
    _workers()
    _events(status)


def _numbers(status: Status) -> None:
    waits = "" if status.oldest_queued_s is None else f", the oldest for {seconds_words(status.oldest_queued_s)}"
    free = "" if status.free_bytes is None else f", {_mb(status.free_bytes)} free on its disk"
    memory = psutil.Process().memory_info().rss
    rows = {
        "Runs": ", ".join(f"{status.runs.get(name, 0)} {name}" for name in _SHOWN) + waits,
        "Last 24 hours": f"{status.done_today} done, {status.failed_today} failed",
        "Database": f"{_mb(status.bytes)}, of these {_mb(status.checkpoint_bytes)} checkpoints{free}",
        "Kept by visitors": f"{count_words(status.kept_digits, 'digit')}, {count_words(status.datasets, 'dataset')}",
        "Page process": _mb(memory),
    }
    st.table({"": list(rows), "Now": list(rows.values())}, border="horizontal", hide_index=True, hide_header=True)


def _workers() -> None:
    st.subheader("Workers", anchor=False)
    queue = running_queue()
    if queue is None:
        st.caption("None: they start with the first run, or when Train is opened.")
        return
    if queue.problem:
        st.warning(queue.problem, icon=":material/warning:")
    workers = queue.workers()
    if not workers:
        st.caption("None is there now. They start when a run waits.")
        return
    rows = [
        (
            worker.address,
            worker.device.name if worker.device else "loading TensorFlow",
            _mb(worker.memory),
            ", ".join(worker.tasks) or "idle",
        )
        for worker in workers
    ]
    _table(("Worker", "Trains on", "Memory", "Task"), rows)


def _events(status: Status) -> None:
    st.subheader(f"What went wrong in the last 24 hours: {status.event_count:,}", anchor=False)
    if not status.events:
        st.caption("Nothing.")
        return
    rows = [
        (f"{datetime.fromtimestamp(each.created_at, UTC):%d %b %H:%M:%S}", each.run_id, each.message, each.source)
        for each in status.events
    ]
    _table(("Time (UTC)", "Run", "What", "Source"), rows)


def _table(names: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    columns = dict(zip(names, zip(*rows, strict=True), strict=True))
    st.dataframe(columns, hide_index=True, column_config={"What": st.column_config.TextColumn(width="large")})


def _mb(count: float) -> str:
    return f"{count / 1e6:,.0f}\u00a0MB" if count < 1e10 else f"{count / 1e9:,.0f}\u00a0GB"
