"""A class on one link: `python -m benchmarks.visitors [--visitors 50] [--seconds 120] [--think 5]`.

A real server in shared mode with a worker that trains the CNN, and visitors with real WebSocket sessions that speak
Streamlit's own protocol: they change pages, ask all networks about a drawing, queue runs, and poll as a browser would.
Printed are milliseconds from a click to the end of the script, what went wrong, the memory of the page process, and
what the training lost.
"""

import argparse
import asyncio
import json
import os
import random
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import psutil
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.WidgetStates_pb2 import WidgetState
from websockets.asyncio.client import ClientConnection, connect

from mnist_dash.config import load_settings
from mnist_dash.datasets.mnist import load_dataset
from mnist_dash.networks.variants import get_variant
from mnist_dash.store.records import RUNNING
from mnist_dash.store.run_store import RunStore
from tests.browser.serving import serving

PAGES = ("", "explore", "train", "curves", "compare", "draw", "inside")
_TIMEOUT_S = 60.0
_SHARE_OF_PREDICTIONS = 0.3
_QUEUEING = 5  # of the visitors; each queues one run of dense-32
_LEFT_S = 180.0  # Streamlit forgets a session two minutes after its connection broke
_MEGA = 1e6


@dataclass
class Measured:
    """What all visitors saw: milliseconds by action, and what went wrong."""

    milliseconds: dict[str, list[float]] = field(default_factory=dict)
    problems: Counter[str] = field(default_factory=Counter)

    def add(self, action: str, seconds: float) -> None:
        self.milliseconds.setdefault(action, []).append(1000 * seconds)


class Visitor:
    """One browser tab, as far as the server can tell.

    Args:
        socket: The open connection.
        measured: Hears how long everything took.
        seed: Decides what this visitor does.
    """

    def __init__(self, socket: ClientConnection, measured: Measured, seed: int):
        self._socket, self._measured, self._random = socket, measured, random.Random(seed)
        self._page, self._ids, self._polls = "", dict[str, str](), dict[str, float]()

    async def visit(self, until: float, think_s: float, *, queues: bool) -> None:
        """Does one thing after the other, with time to think between them."""
        await self._open("", "first page")
        while time.monotonic() < until:
            await self._think(self._random.expovariate(1 / think_s), until)
            if time.monotonic() >= until:
                return  # not one more click, which all would do at once
            if queues and "train_start" in self._ids:
                queues = False
                await self._press("train_start", "queue a run")
            elif self._random.random() < _SHARE_OF_PREDICTIONS:
                await self._predict()
            else:
                await self._open(self._random.choice([page for page in PAGES if page != self._page]))

    async def tour(self) -> None:
        """Opens every page once, so that what is loaded and computed only once is there."""
        for page in PAGES:
            await self._open(page)
        await self._predict()

    async def _open(self, page: str, action: str = "") -> None:
        self._page, self._ids, self._polls = page, {}, {}
        await self._run(action or f"to {page or 'overview'}")

    async def _predict(self) -> None:
        if self._page or "overview_example" not in self._ids:
            await self._open("")
        if "overview_example" in self._ids:
            await self._press("overview_example", "prediction")

    async def _press(self, key: str, action: str) -> None:
        await self._run(action, WidgetState(id=self._ids[key], trigger_value=True))

    async def _think(self, seconds: float, until: float) -> None:
        """Waits, and meanwhile runs fragments again as the server asked for."""
        end = min(time.monotonic() + seconds, until)
        while (left := end - time.monotonic()) > 0:
            interval = min(self._polls.values(), default=left)
            await asyncio.sleep(min(left, interval))
            if interval < left:
                for fragment in list(self._polls):
                    await self._run("poll", fragment=fragment)

    async def _run(self, action: str, pressed: WidgetState | None = None, *, fragment: str = "") -> None:
        message = BackMsg()
        message.rerun_script.page_name = self._page
        message.rerun_script.fragment_id = fragment
        message.rerun_script.is_auto_rerun = bool(fragment)
        message.rerun_script.context_info.timezone = "UTC"
        if pressed is not None:
            message.rerun_script.widget_states.widgets.append(pressed)
        started = time.monotonic()
        await self._socket.send(message.SerializeToString())
        try:
            await asyncio.wait_for(self._finished(), _TIMEOUT_S)
        except TimeoutError:
            self._measured.problems[f"{action}: no answer in {_TIMEOUT_S:.0f} s"] += 1
        self._measured.add(action, time.monotonic() - started)

    async def _finished(self) -> None:
        while True:
            message = ForwardMsg.FromString(await self._socket.recv(decode=False))
            kind = message.WhichOneof("type")
            if kind == "delta" and message.delta.HasField("new_element"):
                self._see(message.delta.new_element)
            elif kind == "auto_rerun":
                self._polls[message.auto_rerun.fragment_id] = message.auto_rerun.interval
            elif kind == "stop_auto_rerun":
                self._polls.clear()
            elif kind == "script_finished":
                if message.script_finished == ForwardMsg.FINISHED_EARLY_FOR_RERUN:
                    continue
                return

    def _see(self, element: object) -> None:
        kind = element.WhichOneof("type")  # type: ignore[attr-defined]
        shown = getattr(element, kind) if kind else None
        if kind == "exception":
            self._measured.problems[f"/{self._page}: {shown.type}: {shown.message[:80]}"] += 1
        elif kind == "alert" and shown.format == shown.ERROR:
            self._measured.problems[f"/{self._page}: {shown.body[:80]}"] += 1
        elif kind == "button":
            self._ids[shown.id.rpartition("-")[2]] = shown.id


async def first_visitor(url: str) -> None:
    """Opens every page once."""
    async with _connected(url) as socket:
        await Visitor(socket, Measured(), 0).tour()


def _connected(url: str) -> connect:
    address = url.replace("http", "ws", 1) + "/_stcore/stream"
    return connect(address, subprotocols=["streamlit"], max_size=None)  # type: ignore[list-item]


async def crowd(url: str, measured: Measured, *, visitors: int, seconds: float, think_s: float) -> None:
    """Lets visitors come within a few seconds of each other, and stay."""
    until = time.monotonic() + seconds

    async def one(number: int) -> None:
        await asyncio.sleep(min(5.0, seconds / 10) * number / visitors)
        try:
            async with _connected(url) as socket:
                await Visitor(socket, measured, number).visit(until, think_s, queues=number < _QUEUEING)
        except OSError as error:
            measured.problems[f"connection: {error}"] += 1

    await asyncio.gather(*(one(number) for number in range(visitors)))


def main() -> None:
    """Measures a crowd and prints what it found."""
    parser = argparse.ArgumentParser(description="A class on one link.")
    parser.add_argument("--visitors", type=int, default=50)
    parser.add_argument("--seconds", type=float, default=120)
    parser.add_argument("--think", type=float, default=5.0, help="mean seconds between clicks")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{Path(folder) / 'runs.sqlite'}"
        store, data = RunStore(url), load_dataset(load_settings())
        settings = get_variant("cnn").check({"epochs": 1_000})
        run = store.create_run("cnn", settings, dataset=data.name, fingerprint=data.fingerprint)
        with serving({"MNIST_DASH_DATABASE_URL": url, "MNIST_DASH_SHARED": "1"}) as server:
            asyncio.run(first_visitor(server.url))
            _wait_until_training(store, run.id)
            alone = _steps_a_second(store, run.id, seconds=20)
            page = psutil.Process(server.process.pid)
            before, worked, measured = page.memory_info().rss, sum(page.cpu_times()[:2]), Measured()
            crowd_worked = time.process_time()
            beside = _Watched(store, run.id)
            asyncio.run(
                crowd(server.url, measured, visitors=given.visitors, seconds=given.seconds, think_s=given.think)
            )
            crowd_worked = time.process_time() - crowd_worked
            speed, during = beside.steps_a_second(), page.memory_info().rss
            worked = sum(page.cpu_times()[:2]) - worked
            time.sleep(_LEFT_S)
            found = _found(measured, worked, [before, during, page.memory_info().rss], alone, speed)
            found["cores_taken"] = {  # on one machine the visitors take their part of it from the training, too
                "by_pages": round(worked / given.seconds, 2),
                "by_the_visitors_themselves": round(crowd_worked / given.seconds, 2),
            }
        store.close()
    print(json.dumps(found) if given.json else _words(found, given.visitors))


def _wait_until_training(store: RunStore, run_id: int) -> None:
    while (run := store.get_run(run_id)).status != RUNNING or not run.progress or not run.progress.step:
        time.sleep(0.5)
    time.sleep(5)


class _Watched:
    """How fast a run is trained from now on."""

    def __init__(self, store: RunStore, run_id: int):
        self._store, self._run_id = store, run_id
        self._start = time.monotonic(), self._steps()

    def steps_a_second(self) -> float:
        started, steps = self._start
        return (self._steps() - steps) / (time.monotonic() - started)

    def _steps(self) -> int:
        progress = self._store.get_run(self._run_id).progress
        assert progress is not None
        return progress.steps * (progress.epoch - 1) + progress.step


def _steps_a_second(store: RunStore, run_id: int, *, seconds: float) -> float:
    watched = _Watched(store, run_id)
    time.sleep(seconds)
    return watched.steps_a_second()


def _found(measured: Measured, worked: float, memory: list[int], alone: float, beside: float) -> dict[str, object]:
    runs = sum(map(len, measured.milliseconds.values()))
    return {
        "cores": os.cpu_count(),
        "runs": runs,
        "processor_ms_a_run": round(1000 * worked / max(runs, 1)),
        "problems": dict(measured.problems),
        "memory_mb": [round(each / _MEGA) for each in memory],
        "training_steps_a_second": [round(alone, 2), round(beside, 2)],
        "page change": _figures(
            [time for action, times in measured.milliseconds.items() if action[:3] == "to " for time in times]
        ),
        **{action: _figures(times) for action, times in sorted(measured.milliseconds.items())},
    }


def _figures(times: list[float]) -> dict[str, int]:
    median, slow = (round(float(part)) for part in np.percentile(times, [50, 95]))
    return {"times": len(times), "median_ms": median, "p95_ms": slow}


def _words(found: dict[str, object], visitors: int) -> str:
    lines = [f"{visitors} visitors"]
    return "\n".join([*lines, *(f"  {name}: {value}" for name, value in found.items())])


if __name__ == "__main__":
    main()
