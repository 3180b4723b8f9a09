"""How soon the dashboard is there: `python -m benchmarks.opening [--rounds N]`.

From `streamlit run app.py` until the server answers, until the first page is drawn, and from
there until a digit drawn at once has been read by all models that ship. Then the same first page
of a server that was started some seconds before. In turn with both, an app that is nothing but a
heading: what Streamlit itself takes.
"""

import argparse
import json
import statistics
import tempfile
import time
from pathlib import Path

from tests.browser.serving import SEVEN, chromium, draw_stroke, serving

_EMPTY = 'import streamlit as st\n\nst.title("Empty")\n'
_LAST_WORDS = {"ours": "training and", "empty": "Empty"}
_LATER_S = 4.0


def measure_first_page(app: str, *, after_s: float = 0.0) -> float:
    """Returns the seconds until the first page of ours or of an empty app is drawn.

    Args:
        app: "ours" or "empty".
        after_s: How long the server has been up when the page is opened; if it is 0, its start counts, too.
    """
    with tempfile.TemporaryDirectory() as folder, chromium() as browser:
        script = Path(folder) / "empty.py"
        script.write_text(_EMPTY)
        environment = {"MNIST_DASH_DATABASE_URL": f"sqlite:///{Path(folder) / 'runs.sqlite'}"}
        page = browser.new_page()
        started = time.perf_counter()
        with serving(environment, script=str(script) if app == "empty" else "app.py") as server:
            if after_s:
                time.sleep(after_s)
                started = time.perf_counter()
            page.goto(f"{server.url}/")
            page.get_by_text(_LAST_WORDS[app]).wait_for()
            return time.perf_counter() - started


def measure() -> dict[str, float]:
    """Opens a new dashboard with a new database once; returns seconds."""
    with tempfile.TemporaryDirectory() as folder, chromium() as browser:
        page = browser.new_page()
        started = time.perf_counter()
        with serving({"MNIST_DASH_DATABASE_URL": f"sqlite:///{Path(folder) / 'runs.sqlite'}"}) as server:
            served = time.perf_counter()
            page.goto(f"{server.url}/")
            page.get_by_role("heading", level=1).wait_for()
            page.get_by_text(_LAST_WORDS["ours"]).wait_for()
            painted = time.perf_counter()
            page.get_by_role("link", name="Draw", exact=True).first.click()
            page.get_by_text("The canvas is empty").wait_for()
            page.wait_for_timeout(300)
            drawable = time.perf_counter()
            draw_stroke(page, SEVEN)
            drawn = time.perf_counter()
            page.locator(".md-answer").first.wait_for()
            read = time.perf_counter()
            memory = server.process.memory_info().rss / 1e6
    return {
        "server_up_s": served - started,
        "first_page_s": painted - started,
        "draw_page_s": drawable - painted,
        "stroke_to_reading_s": read - drawn,
        "page_process_mb": memory,
    }


def main() -> None:
    """Prints the medians of some rounds as JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    rounds = [
        {
            **measure(),
            "empty_app_s": measure_first_page("empty"),
            "later_s": measure_first_page("ours", after_s=_LATER_S),
            "empty_app_later_s": measure_first_page("empty", after_s=_LATER_S),
        }
        for _ in range(parser.parse_args().rounds)
    ]
    medians = {key: statistics.median(found[key] for found in rounds) for key in rounds[0]}
    medians["times_empty"] = medians["first_page_s"] / medians["empty_app_s"]
    medians["times_empty_later"] = medians["later_s"] / medians["empty_app_later_s"]
    print(json.dumps({key: round(value, 2) for key, value in medians.items()}))


if __name__ == "__main__":
    main()
