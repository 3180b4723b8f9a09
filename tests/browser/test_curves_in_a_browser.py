"""The Curves page in a real browser: what only a browser does."""

import csv
import io
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from xml.etree import ElementTree

import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, expect

from mnist_dash.networks.variants import VARIANTS
from mnist_dash.store.records import Epoch, Run
from mnist_dash.store.run_leases import RunLeases
from mnist_dash.store.run_store import RunStore
from tests.browser.serving import Server, open_page, serving
from tests.browser.test_in_a_browser import PHONE, page_in

LOSS = ".st-key-curves_loss .js-plotly-plot"
RANGE = f"() => document.querySelector('{LOSS}')._fullLayout.xaxis.range"
POINTS = f"() => Math.max(...document.querySelector('{LOSS}').data.map((line) => (line.x ?? []).length))"


@pytest.fixture
def server(browser: Browser, database: str) -> Iterator[Server]:
    """A dashboard without workers: no scheduler answers there, and nothing is trained."""
    with serving({"MNIST_DASH_DATABASE_URL": database, "MNIST_DASH_SCHEDULER": "tcp://127.0.0.1:9"}) as started:
        yield started


@contextmanager
def in_training(database: str) -> Iterator[tuple[RunStore, Run]]:
    """A run of which this test is the worker: it is heard of until the test ends."""
    store, ended = RunStore(database), threading.Event()
    settings = VARIANTS["cnn"].check({"epochs": 50})
    run = store.create_run("cnn", settings, dataset="mnist", fingerprint="0", leased=True)

    def beat() -> None:
        while not ended.wait(1):
            RunLeases(store).beat(run.id, str(run.lease), None)

    heart = threading.Thread(target=beat)
    heart.start()
    try:
        yield store, run
    finally:
        ended.set()
        heart.join()
        store.close()


def record(store: RunStore, run: Run, numbers: range) -> None:
    for number in numbers:
        epoch = Epoch(number, 1 / number, 0.9, 1.2 / number, 0.9, 0.5)
        RunLeases(store).record_epoch(run.id, str(run.lease), epoch, {})


def wait_for_points(page: Page, count: int) -> None:
    page.wait_for_function(f"{POINTS.removeprefix('() => ')} >= {count}", timeout=20_000)


def open_run(page: Page, server: Server, run: Run) -> None:
    open_page(page, f"{server.url}/curves?runs=r{run.id}", "Learning curves")
    expect(page.get_by_text("Running, ")).to_be_visible()
    page.wait_for_function(f"() => document.querySelector('{LOSS}')?._fullLayout")


def drag_over(page: Page, *, start: float, end: float) -> None:
    """Zooms along the x axis of the chart of losses, from one part of its width to another."""
    box = page.locator(f"{LOSS} .nsewdrag").first.bounding_box()
    assert box
    middle = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + start * box["width"], middle)
    page.mouse.down()
    page.mouse.move(box["x"] + end * box["width"], middle, steps=8)
    page.mouse.up()


def test_a_zoom_stays_and_nothing_is_taken_down_while_a_running_run_grows(
    browser: Browser, server: Server, database: str
):
    page = page_in(browser)
    with in_training(database) as (store, run):
        record(store, run, range(1, 11))
        open_run(page, server, run)
        before = page.evaluate(RANGE)
        page.evaluate(f"document.querySelector('{LOSS}').dataset.mark = 'the same'")
        drag_over(page, start=0.2, end=0.6)
        page.wait_for_function(f"(before) => ({RANGE.removeprefix('() => ')})[0] != before[0]", arg=before)
        zoomed = page.evaluate(RANGE)

        for epochs in (11, 12, 13):
            record(store, run, range(epochs, epochs + 1))
            wait_for_points(page, epochs)

            assert page.evaluate(RANGE) == zoomed
            assert page.locator(LOSS).get_attribute("data-mark") == "the same"


def test_pointing_at_a_chart_reads_all_curves_at_one_epoch(browser: Browser, server: Server):
    page = page_in(browser)
    open_page(page, f"{server.url}/curves?curves_show=loss", "Learning curves")
    page.locator(f"{LOSS} .nsewdrag").first.wait_for()
    box = page.locator(f"{LOSS} .nsewdrag").first.bounding_box()
    assert box
    at_three = page.evaluate(f"() => document.querySelector('{LOSS}')._fullLayout.xaxis.d2p(3)")

    page.mouse.move(box["x"] + at_three, box["y"] + box["height"] / 2)

    label = page.locator(f"{LOSS} .hoverlayer")
    expect(label).to_contain_text("Epoch 3")
    for variant in ("sigmoid-100", "dense-512", "cnn", "cnn-augmented"):
        expect(label).to_contain_text(f"{VARIANTS[variant].title}, training")
    expect(label).not_to_contain_text("Dense 32")  # it has two epochs


def taken(page: Page, button: str, folder: Path) -> Path:
    with page.expect_download(timeout=30_000) as download:
        page.get_by_role("button", name=button).filter(visible=True).click()
    path = folder / download.value.suggested_filename
    download.value.save_as(path)
    return path


@pytest.mark.parametrize(("dark", "paper"), [(False, (0xFB, 0xFA, 0xF7)), (True, (0x0F, 0x11, 0x16))])
def test_a_chart_is_taken_away_as_picture_drawing_page_and_table(
    browser: Browser, server: Server, tmp_path: Path, dark: bool, paper: tuple[int, int, int]
):
    page = page_in(browser, dark=dark)
    open_page(page, f"{server.url}/curves", "Learning curves")
    page.locator(f"{LOSS} .nsewdrag").first.wait_for()
    page.get_by_role("button", name="Export").first.click()

    picture = Image.open(taken(page, "PNG image", tmp_path)).convert("RGB")
    drawing = ElementTree.parse(taken(page, "SVG image", tmp_path))
    alone = taken(page, "HTML page", tmp_path)
    table = taken(page, "CSV table", tmp_path)

    assert picture.width >= 1_800
    assert picture.getpixel((2, 2)) == paper
    darkest, lightest = picture.convert("L").getextrema()
    assert lightest - darkest > 200  # text can be read on it
    words = " ".join(drawing.getroot().itertext())
    assert "Epoch" in words
    assert "CNN" in words
    rows = list(csv.DictReader(io.StringIO(table.read_text("utf-8-sig"))))
    assert {row["series"] for row in rows} >= {"training loss", "validation accuracy", "test accuracy"}
    stand_alone = page.context.new_page()
    stand_alone.goto(alone.as_uri())
    expect(stand_alone.locator(".js-plotly-plot .main-svg").first).to_be_visible()


def swipe_up(page: Page, x: float, y: float) -> None:
    touch = page.context.new_cdp_session(page)
    touch.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": [{"x": x, "y": y}]})
    for step in range(1, 16):
        touch.send("Input.dispatchTouchEvent", {"type": "touchMove", "touchPoints": [{"x": x, "y": y - 10 * step}]})
        page.wait_for_timeout(16)
    touch.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    page.wait_for_timeout(500)


def test_on_a_phone_a_finger_scrolls_over_a_chart_and_everything_is_reached(browser: Browser, server: Server):
    page = page_in(browser, phone=True)
    open_page(page, f"{server.url}/curves", "Learning curves")
    plot = page.locator(f"{LOSS} .nsewdrag").first
    plot.wait_for()
    plot.scroll_into_view_if_needed()
    page.wait_for_timeout(500)
    scroll = "document.querySelector('[data-testid=stMain]').scrollTop"
    before, box = page.evaluate(scroll), plot.bounding_box()
    assert box

    swipe_up(page, box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)

    assert page.evaluate(scroll) > before + 80
    page.get_by_role("button", name="Export").first.click()
    for name in ("PNG image", "SVG image", "HTML page", "CSV table"):
        place = page.get_by_role("button", name=name).filter(visible=True).bounding_box()
        assert place
        assert 0 <= place["x"] <= PHONE["width"] - place["width"]


def test_pointing_at_the_label_at_a_lines_end_brings_it_forward(browser: Browser, server: Server):
    page = page_in(browser)
    open_page(page, f"{server.url}/curves?curves_show=accuracy", "Learning curves")
    chart = page.locator(".st-key-curves_accuracy .js-plotly-plot")
    label = chart.locator(".annotation", has_text="Sigmoid 100")

    label.hover()

    faded = chart.locator(".scatterlayer .trace[style*='opacity: 0.12']")
    expect(faded.first).to_be_attached()
    assert 0 < faded.count() < chart.locator(".scatterlayer .trace").count()
    page.mouse.move(2, 2)
    expect(faded).to_have_count(0)


def test_back_undoes_what_the_charts_show(browser: Browser, server: Server):
    page = page_in(browser)
    open_page(page, f"{server.url}/curves", "Learning curves")
    page.get_by_role("radio", name="Loss", exact=True).click()
    expect(page.locator(".st-key-curves_accuracy")).to_have_count(0)
    page.wait_for_timeout(2_500)  # a run requested sooner after a change is not taken for Back

    page.go_back()

    expect(page.locator(".st-key-curves_accuracy .js-plotly-plot")).to_be_visible()
