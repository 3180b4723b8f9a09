"""Makes the README's pictures from the real pages: `python -m docs.pictures`."""

import tempfile
from pathlib import Path

from playwright.sync_api import Page

from tests.browser.serving import chromium, draw_stroke, open_page, serving

FOLDER = Path(__file__).resolve().parent
WIDTH = 1180
THREE = [(0.32, 0.2), (0.6, 0.17), (0.66, 0.33), (0.45, 0.46), (0.68, 0.58), (0.62, 0.8), (0.3, 0.8)]


def main() -> None:
    """Draws a digit on the Draw page of a new dashboard and takes its picture."""
    with (
        tempfile.TemporaryDirectory() as folder,
        serving({"MNIST_DASH_DATABASE_URL": f"sqlite:///{Path(folder) / 'runs.sqlite'}"}) as server,
        chromium() as browser,
    ):
        page = browser.new_page(viewport={"width": WIDTH, "height": 930}, device_scale_factor=1)
        open_page(page, f"{server.url}/draw", "Draw a digit")
        draw_stroke(page, THREE)
        page.locator(".md-answer").first.wait_for()
        _settle(page)
        page.screenshot(path=FOLDER / "draw.png")


def _settle(page: Page) -> None:
    page.mouse.move(2, 2)  # away from the canvas, whose toolbar shows while the pointer is on it
    page.wait_for_timeout(1500)


if __name__ == "__main__":
    main()
