"""Takes the README's pictures of the real pages: `make pictures`."""

import re
import tempfile
from pathlib import Path

from playwright.sync_api import Browser, Page

from tests.browser.serving import chromium, draw_stroke, open_page, serving

FOLDER = Path(__file__).resolve().parent
SIZE = {"width": 1180, "height": 930}
THREE = [(0.32, 0.2), (0.6, 0.17), (0.66, 0.33), (0.45, 0.46), (0.68, 0.58), (0.62, 0.8), (0.3, 0.8)]
TRAINING = "train?train_variant=dense-512&epochs=100&validation=holdout"
_TRAINED_MS = 180_000  # TensorFlow is loaded first
_WELL_UNDER_WAY = re.compile(r"Epoch [3-9]\d of 100")


def main() -> None:
    """Takes a picture of four pages of a new dashboard, whose data is the bundled sample."""
    with (
        tempfile.TemporaryDirectory() as folder,
        serving({"MNIST_DASH_DATABASE_URL": f"sqlite:///{Path(folder) / 'runs.sqlite'}"}) as server,
        chromium() as browser,
    ):
        take_overview(browser, server.url)
        take_compare(browser, server.url)
        take_draw(browser, server.url)
        take_train(browser, server.url)


def take_overview(browser: Browser, url: str) -> None:
    """A drawn digit with what all models predict, and the tutorials' claims beside what was measured."""
    page = browser.new_page(viewport=SIZE)
    open_page(page, url, "MNIST Dash")
    page.get_by_role("button", name="Draw an example").click()
    page.locator(".md-answer").first.wait_for()
    _take(page, "overview")


def take_compare(browser: Browser, url: str) -> None:
    """The models that ship, with their intervals."""
    page = browser.new_page(viewport=SIZE)
    open_page(page, f"{url}/compare", "Compare")
    page.locator(".js-plotly-plot .main-svg").first.wait_for()
    _take(page, "compare")


def take_draw(browser: Browser, url: str) -> None:
    """A drawn digit and what each model predicts."""
    page = browser.new_page(viewport=SIZE)
    open_page(page, f"{url}/draw", "Draw a digit")
    draw_stroke(page, THREE)
    page.locator(".md-answer").first.wait_for()
    _take(page, "draw")


def take_train(browser: Browser, url: str) -> None:
    """A run in training, beside the form that started it."""
    page = browser.new_page(viewport=SIZE)
    open_page(page, f"{url}/{TRAINING}", "Train a network")
    page.locator(".st-key-train_start button").click()
    page.get_by_text(_WELL_UNDER_WAY).wait_for(timeout=_TRAINED_MS)
    _take(page, "train")


def _take(page: Page, name: str) -> None:
    page.mouse.move(2, 2)  # away from the canvas, whose toolbar shows while the pointer is on it
    page.wait_for_timeout(1500)  # what fades in has come, and notices have gone
    page.screenshot(path=FOLDER / f"{name}.png")
    page.close()


if __name__ == "__main__":
    main()
