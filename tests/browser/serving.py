"""A real server and a real browser, for tests, benchmarks and the README's pictures."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil
from playwright.sync_api import Browser, Page, sync_playwright

PROJECT = Path(__file__).resolve().parent.parent.parent
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
_ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
_START_TIMEOUT_S = 60


@dataclass(frozen=True)
class Server:
    """A running dashboard."""

    url: str
    process: psutil.Process


@contextmanager
def serving(
    environment: Mapping[str, str], *, module: str = "streamlit", script: str = "app.py", port: int | None = None
) -> Iterator[Server]:
    """Runs `streamlit run app.py` on a free port, or another module or script; nothing of it is left behind."""
    port = port or free_port()
    command = [sys.executable, "-m", module, "run", script, "--server.headless", "true"]
    process = psutil.Popen(
        command,
        cwd=PROJECT,
        env={
            **os.environ,
            "STREAMLIT_SERVER_PORT": str(port),
            "STREAMLIT_SERVER_ADDRESS": "127.0.0.1",
            **environment,
        },
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        url = f"http://127.0.0.1:{port}"
        _wait_for(f"{url}/_stcore/health")
        yield Server(url, process)
    finally:
        family = [*process.children(recursive=True), process] if process.is_running() else []
        for member in family:
            member.send_signal(signal.SIGKILL)
        psutil.wait_procs(family, timeout=10)
        process.wait()


def free_port() -> int:
    """Returns a port of this machine that nothing listens on."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def _wait_for(url: str) -> None:
    deadline = time.monotonic() + _START_TIMEOUT_S
    while True:
        try:
            with urllib.request.urlopen(url, timeout=1):
                return
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)


@contextmanager
def chromium() -> Iterator[Browser]:
    """Starts Chromium without a window."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=_ARGUMENTS)
        try:
            yield browser
        finally:
            browser.close()


def open_page(page: Page, url: str, title: str) -> None:
    """Goes to a page and waits until it is drawn whole."""
    page.goto(url)
    page.get_by_role("heading", level=1, name=title, exact=True).wait_for(timeout=30_000)
    wait_until_idle(page)


def wait_until_idle(page: Page) -> None:
    """Waits until the script has run and nothing is left of an earlier page."""
    page.wait_for_function(
        "() => document.querySelector('[data-testid=stApp]')?.dataset.testScriptState === 'notRunning'"
        " && !document.querySelector('[data-stale=true]')",
        timeout=30_000,
    )


def draw_stroke(page: Page, points: list[tuple[float, float]]) -> None:
    """Draws one stroke on the canvas with the mouse; points are parts of its width and height."""
    canvas, before = page.locator("canvas").last, None
    # A busy machine still lays the page out when the script has run; a stroke beside the canvas is lost.
    while (box := canvas.bounding_box()) != before or not box:
        before = box
        page.wait_for_timeout(300)
    places = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in points]
    page.mouse.move(*places[0])
    page.mouse.down()
    for place in places[1:]:
        page.mouse.move(*place, steps=8)
    page.mouse.up()


SEVEN = [(0.3, 0.22), (0.7, 0.22), (0.62, 0.45), (0.5, 0.8)]
