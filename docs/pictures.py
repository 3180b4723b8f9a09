"""Makes the README's pictures from the real pages: `python -m docs.pictures`."""

import tempfile
from dataclasses import replace
from pathlib import Path

from playwright.sync_api import Page

from mnist_dash.config import load_settings
from mnist_dash.datasets.mnist import load_dataset
from mnist_dash.networks.experiments import plan_runs
from mnist_dash.store.run_store import RunStore
from mnist_dash.worker.groups import train_all
from tests.browser.serving import chromium, draw_stroke, open_page, serving

FOLDER = Path(__file__).resolve().parent
WIDTH, HEIGHT = 1180, 860
THREE = [(0.32, 0.2), (0.6, 0.17), (0.66, 0.33), (0.45, 0.46), (0.68, 0.58), (0.62, 0.8), (0.3, 0.8)]
PAGES = {"overview": "MNIST Dash", "train": "Train a network", "compare": "Compare", "draw": "Draw a digit"}


def main() -> None:
    """Trains a few small networks, opens the pages of a new dashboard and takes their pictures."""
    with tempfile.TemporaryDirectory() as folder:
        database_url = f"sqlite:///{Path(folder) / 'runs.sqlite'}"
        _train(database_url)
        with serving({"MNIST_DASH_DATABASE_URL": database_url}) as server, chromium() as browser:
            page = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT}, device_scale_factor=1)
            for name, title in PAGES.items():
                open_page(page, f"{server.url}/{'' if name == 'overview' else name}", title)
                if name == "draw":
                    page.locator("canvas").last.wait_for()
                    draw_stroke(page, THREE)
                    page.locator(".md-answer").first.wait_for()
                _settle(page)
                page.screenshot(path=FOLDER / f"{name}.png")


def _train(database_url: str) -> None:
    settings = replace(load_settings(), database_url=database_url)
    data, store = load_dataset(settings), RunStore(database_url)
    planned = plan_runs(["dense-32"], {"epochs": 8, "validation": "holdout"}, repeats=3)
    runs = store.create_runs(planned, dataset=data.name, fingerprint=data.fingerprint, leased=True)
    train_all(runs, settings)
    store.close()


def _settle(page: Page) -> None:
    page.mouse.move(2, 2)  # away from the canvas, whose toolbar shows while the pointer is on it
    page.wait_for_timeout(1500)


if __name__ == "__main__":
    main()
