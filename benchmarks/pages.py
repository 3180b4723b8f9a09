"""How long the server takes for a page: `python -m benchmarks.pages [--runs 1000 10000] [--rounds 5]`.

For each number of runs: a new SQLite store with so many finished ones (see `many_runs`), the real server, and a
real browser that opens Curves and Compare and changes their choices. Printed are medians and 95th percentiles
of the milliseconds that Streamlit's script took, until nothing was left to be done: as they passed, and as the
processor worked on them, which other programs on the same machine change little. `--flame-graph FILE` has py-spy,
if it is installed, draw where the server's time goes, which makes it a little slower.
"""

import argparse
import json
import re
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import numpy as np
from playwright.sync_api import Page

from benchmarks.many_runs import fill
from benchmarks.timed_streamlit import TIMES
from mnist_dash.config import load_settings
from mnist_dash.datasets.mnist import load_dataset
from mnist_dash.store.run_store import RunStore
from tests.browser.serving import Server, chromium, open_page, serving, wait_until_idle

TITLES = {"curves": "Learning curves", "compare": "Compare"}
REFERENCES = 5  # runs that come first in every store
VIEWS = ("Significance", "Errors", "Settings", "Results")
ERROR_VIEWS = ("Per class", "Disagreements", "Most confident errors", "Calibration", "Ink, slant, size")
NO_WORKERS = {"MNIST_DASH_SCHEDULER": "tcp://127.0.0.1:9"}  # nobody answers there: nothing is trained meanwhile


@dataclass
class Watch:
    """Attributes to each action in the browser what the server did meanwhile.

    Attributes:
        page: The browser's page.
        file: Where the server writes its times.
        found: Milliseconds that passed and that the processor worked, by page and action.
    """

    page: Page
    file: Path
    found: dict[str, list[tuple[float, float]]] = field(default_factory=dict)

    def time(self, name: str, action: Callable[[], object]) -> None:
        """Does something and adds up the runs of scripts that followed, until the page is still."""
        before = self._times()
        action()
        self._settle(len(before))
        passed, worked = zip(*self._times()[len(before) :], strict=True)
        self.found.setdefault(name, []).append((1000 * sum(passed), 1000 * sum(worked)))

    def _times(self) -> list[tuple[float, ...]]:
        lines = self.file.read_text().splitlines() if self.file.exists() else []
        return [tuple(map(float, line.split())) for line in lines]

    def _settle(self, before: int) -> None:
        for _ in range(100):
            wait_until_idle(self.page)
            self.page.wait_for_timeout(150)
            if len(self._times()) > before:
                wait_until_idle(self.page)
                return
        raise RuntimeError("The server did nothing.")


def measure(server: Server, watch: Watch, runs: int) -> None:
    """Opens the pages and changes their choices once."""
    _choose_on_compare(server, watch, runs)
    _choose_on_curves(server, watch, runs)


def _choose_on_compare(server: Server, watch: Watch, runs: int) -> None:
    page = watch.page
    watch.time("compare: open", lambda: open_page(page, f"{server.url}/compare", TITLES["compare"]))
    for view in VIEWS:
        watch.time("compare: another view", lambda view=view: _press(page, view))
    _press(page, "Errors")
    wait_until_idle(page)
    for view in ERROR_VIEWS:
        watch.time("compare: another view of errors", lambda view=view: _press(page, view))
    watch.time("compare: a run more", lambda: _choose(page, f"run {runs + REFERENCES}"))
    watch.time("compare: an experiment more", lambda: _choose(page, "5 seeds"))
    _find(watch, "compare")
    link = f"{server.url}/compare?runs=e3,e7,e11,r{runs // 2}&compare_show="
    for view in ("results", "real", "where", "settings"):
        watch.time("compare: a link to 23 runs", lambda view=view: open_page(page, link + view, TITLES["compare"]))


def _choose_on_curves(server: Server, watch: Watch, runs: int) -> None:
    page = watch.page
    watch.time("curves: open", lambda: open_page(page, f"{server.url}/curves", TITLES["curves"]))
    for part in ("Accuracy", "Loss", "Both"):
        watch.time("curves: another view", lambda part=part: _press(page, part))
    watch.time("curves: a run more", lambda: _choose(page, f"run {runs + REFERENCES}"))
    watch.time("curves: an experiment more", lambda: _choose(page, "5 seeds"))
    page.get_by_role("button", name="Options").click()
    watch.time("curves: another band", lambda: _press(page, "95 % interval"))
    slider = page.get_by_role("slider")
    watch.time("curves: smoother", lambda: (slider.focus(), page.keyboard.press("ArrowRight")))
    page.keyboard.press("Escape")
    _find(watch, "curves")


def _find(watch: Watch, name: str) -> None:
    page = watch.page
    watch.time(f"{name}: open the finder", page.get_by_role("button", name="Find", exact=True).click)
    for words in ("dense-512", "homework", "4 folds"):
        watch.time(f"{name}: search", lambda words=words: _type(page, words))


def _press(page: Page, name: str) -> None:
    page.get_by_role("radio", name=name, exact=True).first.click()


def _choose(page: Page, name: str) -> None:
    page.get_by_role("combobox").first.click()
    page.keyboard.type(name)  # the list shows only some of its options
    page.get_by_role("option", name=name).first.click()
    page.keyboard.press("Escape")


def _type(page: Page, words: str) -> None:
    page.get_by_role("textbox", name="Search").fill(words)
    page.keyboard.press("Enter")


def main() -> None:
    """Prints one JSON object a number of runs."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, nargs="+", default=[1000, 10_000])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--flame-graph", type=Path, help="an SVG file to write, of the last number of runs")
    arguments = parser.parse_args()
    for runs in arguments.runs:
        with tempfile.TemporaryDirectory() as folder, chromium() as browser:
            url, file = f"sqlite:///{Path(folder) / 'runs.sqlite'}", Path(folder) / "times"
            store = RunStore(url)
            fill(store, load_dataset(load_settings()), runs)
            store.close()
            watch = Watch(browser.new_page(), file)
            environment = {"MNIST_DASH_DATABASE_URL": url, TIMES: str(file), **NO_WORKERS}
            with serving(environment, module="benchmarks.timed_streamlit") as server:
                for name, title in TITLES.items():
                    watch.time(f"{name}: first opening", partial(open_page, watch.page, f"{server.url}/{name}", title))
                watching = flame_graph(server, arguments.flame_graph) if arguments.flame_graph else nullcontext()
                with watching:
                    for _ in range(arguments.rounds):
                        measure(server, watch, runs)
        print(json.dumps({"runs": runs, "milliseconds": summary(watch.found)}))


@contextmanager
def flame_graph(server: Server, file: Path) -> Iterator[None]:
    """Has the server's functions sampled, and draws them as a flame graph."""
    command = [Path(sys.executable).with_name("py-spy"), "record", "--pid", str(server.process.pid)]
    command += ["--output", str(file), "--format", "flamegraph", "--rate", "250", "--function", "--nonblocking"]
    sampler = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    yield
    sampler.send_signal(signal.SIGINT)
    sampler.wait()
    # Its title is the command that it was called by.
    file.write_text(
        re.sub(r">[^<>]*py-spy record[^<>]*<", ">What the server does for Curves and Compare<", file.read_text())
    )


def summary(found: dict[str, list[tuple[float, float]]]) -> dict[str, dict[str, float]]:
    """Returns median and 95th percentile of each action and of each page without its first opening."""
    pages = {
        page: [value for name, own in found.items() if name.startswith(page) and "first" not in name for value in own]
        for page in TITLES
    }
    return {name: _figures(np.array(values)) for name, values in {**found, **pages}.items() if values}


def _figures(values: np.ndarray) -> dict[str, float]:
    (passed, passed_p95), (worked, worked_p95) = np.quantile(values, [0.5, 0.95], axis=0).T.round(1).tolist()
    return {
        "n": len(values),
        "median": passed,
        "p95": passed_p95,
        "processor_median": worked,
        "processor_p95": worked_p95,
    }


if __name__ == "__main__":
    main()
