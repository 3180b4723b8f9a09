"""How soon the dashboard is there: `python -m benchmarks.opening [--rounds N]`.

From `streamlit run app.py` until the server answers, until the first page is drawn, and from
there until a digit drawn at once has been read by all models that ship. In turn with it, an app
that is nothing but a heading: what Streamlit itself takes.
"""

import argparse
import json
import statistics
import tempfile
import time
from pathlib import Path

from tests.browser.serving import SEVEN, chromium, draw_stroke, serving

_EMPTY = 'import streamlit as st\n\nst.title("Empty")\n'


def measure_empty() -> float:
    """Returns the seconds until the page of an empty Streamlit app is drawn."""
    with tempfile.TemporaryDirectory() as folder, chromium() as browser:
        script = Path(folder) / "empty.py"
        script.write_text(_EMPTY)
        page = browser.new_page()
        started = time.perf_counter()
        with serving({}, script=str(script)) as server:
            page.goto(f"{server.url}/")
            page.get_by_role("heading", level=1).wait_for()
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
            page.get_by_text("training and").wait_for()  # the last line
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
    rounds = [{**measure(), "empty_app_s": measure_empty()} for _ in range(parser.parse_args().rounds)]
    medians = {key: statistics.median(found[key] for found in rounds) for key in rounds[0]}
    medians["times_empty"] = medians["first_page_s"] / medians["empty_app_s"]
    print(json.dumps({key: round(value, 2) for key, value in medians.items()}))


if __name__ == "__main__":
    main()
