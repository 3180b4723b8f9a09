"""From the end of a stroke to the answers of all networks on screen: `python -m benchmarks.strokes [--json]`.

A real server and a real Chromium. The clock runs in the browser: from the pointer's release to the
change of the answers in the page. 200 ms of it are the canvas's own, which waits for a next stroke.
"""

import json
import random
import sys

import numpy as np
from playwright.sync_api import Page

from tests.browser.serving import SEVEN, chromium, draw_stroke, open_page, serving

_STROKES = 60
_SHAKE = 0.04  # of the canvas
_WATCH = """() => {
  window.answered = [];
  let released = null;
  addEventListener("pointerup", event => { released = event.composedPath().some(
    element => element.tagName === "CANVAS") ? performance.now() : null; }, true);
  new MutationObserver(() => {
    if (released !== null && document.querySelector(".md-models")) {
      window.answered.push(performance.now() - released);
      released = null;
    }
  }).observe(document.body, { subtree: true, childList: true, characterData: true });
}"""


def main() -> None:
    """Measures strokes and prints their median and 95th percentile."""
    with serving({"MNIST_DASH_SHARED": "0"}) as server, chromium() as browser:
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        open_page(page, f"{server.url}/draw", "Draw a digit")
        page.wait_for_timeout(2_000)
        draw_stroke(page, _points())  # the first one loads the networks
        page.locator(".md-models").wait_for()
        page.wait_for_timeout(1_000)
        cards = page.locator(".md-model").count()
        page.evaluate(_WATCH)
        times = [_milliseconds(page) for _ in range(_STROKES)]
    median, slow = (float(part) for part in np.percentile(times, [50, 95]))
    found = {"networks": cards, "strokes": len(times), "median_ms": round(median), "p95_ms": round(slow)}
    if "--json" in sys.argv:
        print(json.dumps(found))
    else:
        print(f"{cards} networks, {len(times)} strokes: median {median:.0f} ms, 95th percentile {slow:.0f} ms")


def _milliseconds(page: Page) -> float:
    page.get_by_role("button", name="Clear", exact=True).click()
    page.locator(".md-models").wait_for(state="detached")
    page.wait_for_timeout(300)
    before = page.evaluate("answered.length")
    draw_stroke(page, _points())
    page.wait_for_function(f"answered.length > {before}", timeout=10_000)
    return float(page.evaluate("answered.at(-1)"))


def _points() -> list[tuple[float, float]]:
    return [(x + random.uniform(-_SHAKE, _SHAKE), y + random.uniform(-_SHAKE, _SHAKE)) for x, y in SEVEN]


if __name__ == "__main__":
    main()
