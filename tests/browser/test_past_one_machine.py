"""The commands of docs/hosting.md for several dashboards and workers, executed: each line is a process of its own."""

import os
import re
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest
from playwright.sync_api import Browser, Page, expect

from mnist_dash.store.records import CANCELLED, PAUSED, QUEUED, RUNNING
from mnist_dash.store.run_store import RunStore
from tests.browser.serving import PROJECT, free_port, open_page
from tests.support.postgresql import empty_schema

SECTION = re.search(r"## Several workers.*?```sh\n(.*?)```", (PROJECT / "docs/hosting.md").read_text(), re.DOTALL)
PORTS = {"8786": "scheduler", "8501": "one", "8502": "two"}
PATIENCE_S = 60


@dataclass
class Machines:
    """What the page's commands started."""

    store: RunStore
    environment: dict[str, str]
    ports: dict[str, int]
    commands: list[list[str]]
    processes: list[psutil.Popen]

    def start(self, place: int) -> psutil.Popen:
        """Starts the process of a line."""
        command = self.commands[place]
        settings = dict(word.split("=", 1) for word in command if word.startswith("MNIST_DASH_"))
        words = [word for word in command if not word.startswith("MNIST_DASH_")]
        environment = {**self.environment, **settings}
        process = psutil.Popen(
            words, cwd=PROJECT, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        self.processes.append(process)
        return process

    def url(self, name: str) -> str:
        """Returns the address of a dashboard."""
        return f"http://127.0.0.1:{self.ports[name]}"


def waited(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.1)


def answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=1):
            return True
    except OSError:
        return False


@pytest.fixture
def machines(postgresql: str, tmp_path: Path) -> Iterator[Machines]:
    assert SECTION
    ports = {name: free_port() for name in PORTS.values()}
    store = RunStore(empty_schema(postgresql))
    text = SECTION[1].replace("postgresql+psycopg://user:password@host/database", store.database_url)
    for port, name in PORTS.items():
        text = text.replace(port, str(ports[name]))
    text = text.replace(".venv/bin/", f"{Path(sys.executable).parent}/")
    environment = {**os.environ, "STREAMLIT_SERVER_HEADLESS": "true", "STREAMLIT_SERVER_ADDRESS": "127.0.0.1"}
    made = Machines(store, environment, ports, [line.split() for line in text.splitlines()], [])
    try:
        for place in range(len(made.commands)):
            made.start(place)
        waited(lambda: answers(f"{made.url('one')}/_stcore/health") and answers(f"{made.url('two')}/_stcore/health"))
        yield made
    finally:
        family = [child for process in made.processes for child in (*children(process), process)]
        for process in family:
            if process.is_running():
                process.kill()
        psutil.wait_procs(family, timeout=10)
        store.close()


def children(process: psutil.Process) -> list[psutil.Process]:
    try:
        return process.children(recursive=True)
    except psutil.NoSuchProcess:
        return []


def in_training(store: RunStore, run_id: int) -> Callable[[], bool]:
    """Returns what says whether a run gets further."""
    before = len(store.list_epochs(run_id))
    return lambda: store.get_run(run_id).status == RUNNING and len(store.list_epochs(run_id)) > before


def card(page: Page, run_id: int, action: str):
    return page.locator(f".st-key-train_{action}_{run_id} button").first


def test_two_dashboards_share_runs_while_workers_and_the_scheduler_come_and_go(browser: Browser, machines: Machines):
    store = machines.store
    one, two = (browser.new_context().new_page() for _ in range(2))
    open_page(one, f"{machines.url('one')}/train?epochs=1000&batch_size=2", "Train a network")
    open_page(two, f"{machines.url('two')}/train", "Train a network")

    # Queued on one dashboard, seen and paused on the other, resumed on the first.
    one.get_by_role("button", name="Start training").click()
    waited(lambda: [run for run in store.list_runs() if not run.is_reference])
    run_id = max(run.id for run in store.list_runs())
    waited(in_training(store, run_id))
    two.reload()
    card(two, run_id, "pause").click()
    waited(lambda: store.get_run(run_id).status == PAUSED)
    expect(card(one, run_id, "resume")).to_be_visible(timeout=20_000)
    card(one, run_id, "resume").click()
    waited(in_training(store, run_id))

    # Both old workers leave in mid-run, one that has joined meanwhile goes on: nothing is lost.
    machines.start(1)
    time.sleep(2)
    for worker in machines.processes[1:3]:
        worker.send_signal(signal.SIGTERM)
    psutil.wait_procs(machines.processes[1:3], timeout=30)
    waited(in_training(store, run_id))
    assert store.get_run(run_id).lost == 0

    # The scheduler is killed: its workers queue what they had and end; the dashboards find the next one by themselves.
    machines.processes[0].kill()
    machines.processes[0].wait()
    waited(lambda: store.get_run(run_id).status == QUEUED)
    assert store.get_run(run_id).lost == 0
    for place in (0, 1, 2):
        machines.start(place)
    open_page(two, f"{machines.url('two')}/train?epochs=1000&batch_size=2&seed=5", "Train a network")
    two.get_by_role("button", name="Start training").click()
    waited(lambda: max(run.id for run in store.list_runs()) > run_id)
    second = max(run.id for run in store.list_runs())
    waited(in_training(store, second))
    waited(in_training(store, run_id))

    # Cancelled on the dashboard where it was not queued.
    one.reload()
    for each in (run_id, second):
        card(one, each, "cancel").click()
        waited(lambda each=each: store.get_run(each).status == CANCELLED)
    numbers = [epoch.number for epoch in store.list_epochs(run_id)]
    assert numbers == list(range(1, len(numbers) + 1))
