"""The few flows that matter most, in a real browser against a real server."""

import itertools
import re
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import psutil
import pytest
from axe_playwright_python.sync_playwright import Axe
from PIL import Image
from playwright.sync_api import Browser, Locator, Page, expect

from mnist_dash.config import load_settings
from mnist_dash.datasets.mnist import load_dataset
from mnist_dash.store.records import CANCELLED, PAUSED, QUEUED, RUNNING
from mnist_dash.store.run_store import RunStore
from tests.browser.serving import SEVEN, Server, draw_stroke, open_page, serving, wait_until_idle

PAGES = {
    "": "MNIST Dash",
    "explore": "Explore the data",
    "train": "Train a network",
    "curves": "Learning curves",
    "compare": "Compare",
    "draw": "Draw a digit",
    "inside": "Inside a network",
    "status": "Status",
}
VIEWS = ("real", "where", "robustness", "settings")
LIBRARIES = ("libtensorflow", "tensorflow/python", "_pywrap_tensorflow", "keras")
PHONE = {"width": 360, "height": 740}
# Playwright's own five seconds are not enough where two other test runs share the cores.
expect.set_options(timeout=20_000)


def page_in(browser: Browser, *, phone: bool = False, dark: bool = False) -> Page:
    context = browser.new_context(
        viewport=PHONE if phone else {"width": 1280, "height": 900},
        has_touch=phone,
        is_mobile=phone,
        color_scheme="dark" if dark else "light",
    )
    return context.new_page()


def loaded_libraries(server: Server) -> set[str]:
    return {mapped.path for mapped in server.process.memory_maps()}


def test_the_page_process_never_loads_tensorflow(browser: Browser, server: Server):
    page = page_in(browser)

    for path, title in PAGES.items():
        open_page(page, f"{server.url}/{path}", title)
        expect(page.locator("[data-testid=stException]")).to_have_count(0)
    open_page(page, f"{server.url}/draw", PAGES["draw"])
    draw_stroke(page, SEVEN)
    page.locator(".md-answer").first.wait_for()

    found = loaded_libraries(server)
    assert any("ai_edge_litert" in path for path in found), "the maps do not show what was loaded"
    assert [path for path in found if any(library in path for library in LIBRARIES)] == []


def test_a_digit_drawn_on_a_new_server_is_read_by_all_reference_models(browser: Browser, server: Server):
    page = page_in(browser)
    open_page(page, f"{server.url}/draw", PAGES["draw"])
    expect(page.get_by_text("The canvas is empty")).to_be_visible()

    draw_stroke(page, SEVEN)

    expect(page.locator(".md-answer b")).to_have_text(["7"] * len(list(references())))
    page.get_by_role("button", name="Clear", exact=True).click()
    expect(page.get_by_text("The canvas is empty")).to_be_visible()


def test_a_drawing_is_still_there_after_a_look_elsewhere(browser: Browser, server: Server):
    page = page_in(browser)
    open_page(page, f"{server.url}/draw", PAGES["draw"])
    draw_stroke(page, SEVEN)
    page.locator(".md-answer").first.wait_for()

    page.get_by_role("radio", name="Upload").click()
    expect(page.get_by_text("Upload images of digits")).to_be_visible()
    page.get_by_role("radio", name="Draw", exact=True).click()

    expect(page.locator(".md-answer b").first).to_have_text("7")

    page.get_by_role("link", name="Compare", exact=True).first.click()
    page.get_by_role("heading", level=1, name=PAGES["compare"], exact=True).wait_for()
    page.get_by_role("link", name="Draw", exact=True).first.click()

    expect(page.locator(".md-answer b").first).to_have_text("7")


def test_a_photo_of_several_digits_is_read_and_one_of_them_kept(browser: Browser, server: Server, tmp_path: Path):
    page = page_in(browser)
    open_page(page, f"{server.url}/draw?draw_way=upload", PAGES["draw"])

    page.locator("input[type=file]").first.set_input_files(sheet(tmp_path / "sheet.jpg"))

    expect(page.get_by_text("sheet.jpg: 3 digits")).to_be_visible()
    tiles = page.locator(".md-tiles button")
    expect(tiles).to_have_count(3)
    tiles.nth(2).click()
    expect(page.locator(".md-head > b")).to_have_text(tiles.nth(2).locator("b").inner_text())
    expect(tiles.nth(2)).to_have_attribute("aria-pressed", "true")
    page.get_by_role("button", name="Add to My digits").click()
    expect(page.get_by_text("Added 1 digit to My digits")).to_be_visible()
    second_tab = page.context.new_page()
    open_page(second_tab, f"{server.url}/draw", PAGES["draw"])
    second_tab.get_by_text("My digits", exact=True).click()
    expect(second_tab.get_by_role("cell", name=re.compile("of 1$")).first).to_be_visible()


def test_the_frame_stays_when_a_notice_is_shown(browser: Browser, server: Server):
    page = page_in(browser)
    open_page(page, f"{server.url}/draw", PAGES["draw"])
    draw_stroke(page, SEVEN)
    page.locator(".md-answer").first.wait_for()
    assert frame_width(page) == "1180px"

    page.get_by_role("button", name="Add to My digits").click()
    expect(page.get_by_text("Added 1 digit to My digits")).to_be_visible()
    wait_until_idle(page)

    assert frame_width(page) == "1180px"


@pytest.mark.parametrize("path", ["", "draw"])
def test_on_a_phone_the_answer_to_a_stroke_is_seen_without_scrolling(browser: Browser, server: Server, path: str):
    page = page_in(browser, phone=True)
    open_page(page, f"{server.url}/{path}", PAGES[path])

    draw_stroke(page, SEVEN)

    answer = page.locator(".md-head > b")
    expect(answer).to_have_text("7")
    expect(answer).to_be_in_viewport(ratio=1)
    assert page.evaluate("document.querySelector('[data-testid=stMain]').scrollTop") == 0


def test_a_phone_has_a_link_to_every_page_in_one_row(browser: Browser, server: Server):
    page = page_in(browser, phone=True)
    open_page(page, server.url, PAGES[""])

    page.locator(".st-key-md_tabs").get_by_role("link", name="Inside").click()

    page.get_by_role("heading", level=1, name=PAGES["inside"], exact=True).wait_for()
    boxes = [link.bounding_box() for link in page.locator(".st-key-md_tabs a").all()]
    assert len(boxes) == len(PAGES) - 1  # Status is not in the menu
    assert all(box and box["x"] >= 0 and box["x"] + box["width"] <= PHONE["width"] + 1 for box in boxes)
    assert len({box["y"] for box in boxes if box}) == 1


def frame_width(page: Page) -> str:
    return str(page.locator(".block-container").first.evaluate("element => getComputedStyle(element).maxWidth"))


def test_back_returns_to_the_choice_before(browser: Browser, server: Server):
    page = page_in(browser)
    open_page(page, f"{server.url}/explore", PAGES["explore"])
    page.get_by_role("radio", name="Test", exact=True).click()
    expect(page).to_have_url(re.compile("explore_part=test"))
    page.wait_for_timeout(2_500)  # a run requested sooner after a change is not taken for Back

    page.go_back()

    expect(page.get_by_role("radio", name="Training", exact=True)).to_be_checked()
    expect(page).to_have_url(re.compile("explore$"))


def sheet(path: Path) -> Path:
    """Three digits of MNIST's in ink on yellowish paper, darker towards one side."""
    digits = load_dataset(load_settings()).x_test[:3]
    ink = np.zeros((400, 900))
    for place, digit in enumerate(digits):
        large = np.asarray(Image.fromarray(digit).resize((196, 196), Image.Resampling.BICUBIC)) / 255
        ink[100:296, 60 + 280 * place : 256 + 280 * place] = large
    light = np.linspace(1, 0.6, 900)[None, :, None] * np.array([250, 245, 215])
    Image.fromarray((light * (1 - 0.75 * ink[..., None])).astype(np.uint8)).save(path, quality=85)
    return path


def references() -> list[Path]:
    return sorted(Path(__file__).parents[2].glob("mnist_dash/assets/reference/*/run.json"))


def test_a_link_to_a_page_is_framed_though_it_is_the_first_that_a_server_shows(browser: Browser, server: Server):
    page = page_in(browser)

    open_page(page, f"{server.url}/compare", PAGES["compare"])

    expect(page.get_by_role("link", name="Overview")).to_be_visible()
    expect(page.get_by_role("link", name="app")).to_have_count(0)


def test_the_variant_stands_in_the_link(browser: Browser, server: Server):
    page = page_in(browser)

    open_page(page, f"{server.url}/train?train_variant=cnn", PAGES["train"])

    expect(page.get_by_role("textbox", name="Epochs")).to_have_value("60")


def test_a_stroke_by_touch_arrives_on_a_phone_and_the_page_does_not_scroll(browser: Browser, server: Server):
    page = page_in(browser, phone=True)
    open_page(page, f"{server.url}/draw", PAGES["draw"])
    canvas = page.locator("canvas").last
    canvas.scroll_into_view_if_needed()
    page.wait_for_timeout(500)
    box = canvas.bounding_box()
    assert box
    scroll = "document.querySelector('[data-testid=stMain]').scrollTop"
    before = page.evaluate(scroll)

    touch = page.context.new_cdp_session(page)
    points = [{"x": box["x"] + x * box["width"], "y": box["y"] + y * box["height"]} for x, y in SEVEN]
    touch.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": points[:1]})
    for start, end in itertools.pairwise(points):
        for part in range(1, 9):
            between = {axis: start[axis] + (end[axis] - start[axis]) * part / 8 for axis in "xy"}
            touch.send("Input.dispatchTouchEvent", {"type": "touchMove", "touchPoints": [between]})
    touch.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})

    expect(page.locator(".md-answer b").first).to_have_text("7")
    assert page.evaluate(scroll) == before


@pytest.mark.parametrize("dark", [False, True])
def test_no_page_is_wider_than_a_phone_or_has_a_serious_fault_for_a_screen_reader(
    browser: Browser, server: Server, dark: bool
):
    page = page_in(browser, phone=True, dark=dark)

    for path, title in [*PAGES.items(), *((f"compare?compare_show={view}", "Compare") for view in VIEWS)]:
        open_page(page, f"{server.url}/{path}", title)
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"], path
        main = "document.querySelector('[data-testid=stMain]')"
        assert page.evaluate(f"{main}.scrollWidth - {main}.clientWidth") <= 0, path
        found = Axe().run(page).response["violations"]
        assert [fault for fault in found if fault["impact"] in ("serious", "critical")] == [], path


def start(page: Page, server: Server, link: str, button: str) -> None:
    """Opens the Train page by a link that fills its form, and presses the button."""
    open_page(page, f"{server.url}/train?{link}", PAGES["train"])
    page.get_by_role("button", name=button).click()


@pytest.mark.parametrize("phone", [False, True], ids=["wide", "narrow"])
def test_a_started_run_is_seen_to_learn_without_scrolling_and_can_be_drawn_with(
    browser: Browser, server: Server, phone: bool
):
    page = page_in(browser, phone=phone)
    start(page, server, "epochs=3", "Start training")

    chart = page.locator("[class*=st-key-train_live_accuracy] .js-plotly-plot").first
    chart.locator(".scatterlayer path.point").first.wait_for(timeout=90_000)
    expect(chart).to_be_in_viewport(ratio=0.9)
    page.get_by_role("link", name="Draw with it").click(timeout=60_000)

    page.get_by_role("heading", level=1, name=PAGES["draw"], exact=True).wait_for()
    page.get_by_role("button", name="Models").click()
    expect(page.get_by_role("button", name=re.compile("Remove Dense 32 · run"))).to_be_visible()
    expect(page.get_by_role("button", name=re.compile("^Remove "))).to_have_count(2)


def run_buttons(page: Page, name: str) -> Locator:
    """The buttons of single runs with this name that are in view."""
    return page.locator(f"[class*=st-key-train_{name}_] button").filter(visible=True)


def test_a_run_goes_on_over_a_reload_and_can_be_cancelled(browser: Browser, server: Server, database: str):
    page = page_in(browser)
    start(page, server, "epochs=1000", "Start training")
    expect(page.get_by_text(re.compile(r"Epoch \d+ of 1000"))).to_be_visible(timeout=90_000)

    page.reload()
    expect(page.get_by_text(re.compile(r"Epoch \d+ of 1000"))).to_be_visible(timeout=30_000)
    page.get_by_role("button", name="Cancel").click()

    expect(page.get_by_text("cancelled")).to_be_visible(timeout=10_000)
    store = RunStore(database)
    assert store.list_runs()[0].status == CANCELLED
    store.close()


def test_a_sweep_goes_on_while_its_tab_is_closed_one_run_paused_another_cancelled(
    browser: Browser, server: Server, database: str
):
    page = page_in(browser)
    start(page, server, "epochs=300&learning_rate=0.01+0.001+0.0001&batch_size=8", "Start 3 runs")
    expect(page.get_by_text("1 running, 2 queued")).to_be_visible(timeout=90_000)
    page.get_by_text("The 3 runs").click()
    expect(page.get_by_text(re.compile(r"Epoch \d+ of 300")).filter(visible=True)).to_be_visible(timeout=90_000)
    run_buttons(page, "pause").first.click()
    expect(page.get_by_text("1 paused")).to_be_visible()
    run_buttons(page, "cancel").last.click()
    expect(page.get_by_text("1 cancelled")).to_be_visible()
    context = page.context
    page.close()

    back = context.new_page()
    open_page(back, f"{server.url}/train", PAGES["train"])
    expect(back.get_by_text("1 paused")).to_be_visible()
    back.get_by_role("button", name="Resume").first.click()
    store = RunStore(database)
    wait_until(lambda: PAUSED not in statuses(store))
    back.get_by_role("button", name="Cancel all").click()

    wait_until(lambda: set(statuses(store)) == {CANCELLED})
    expect(back.get_by_text("3 cancelled")).to_be_visible(timeout=10_000)
    store.close()


def test_the_time_left_of_a_sweep_counts_its_queued_runs(browser: Browser, server: Server):
    page = page_in(browser)
    start(page, server, "train_variant=dense-512&epochs=50&learning_rate=0.01+0.001+0.0001", "Start 3 runs")
    told = page.get_by_text(re.compile(r"0 of 3 runs finished · about [\d.,]+.s left"))
    told.wait_for(timeout=90_000)
    page.wait_for_timeout(2_000)  # the first epochs of a run are slower

    found = re.search(r"about ([\d.,]+).s left", told.inner_text())
    assert found
    began, expected = time.monotonic(), float(found[1])
    expect(page.get_by_text("all 3 runs done")).to_be_visible(timeout=120_000)

    assert 0.5 <= (time.monotonic() - began) / expected <= 2


def statuses(store: RunStore) -> list[str]:
    return [run.status for run in store.list_runs() if not run.is_reference]


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline, "waited too long"
        time.sleep(0.05)


def test_a_picture_that_is_none_is_answered_with_a_sentence(browser: Browser, server: Server, tmp_path: Path):
    page = page_in(browser)
    open_page(page, f"{server.url}/draw?draw_way=upload", PAGES["draw"])
    fake = tmp_path / "digit.png"
    fake.write_text("no picture at all")

    page.locator("input[type=file]").first.set_input_files(fake)

    expect(page.get_by_text("not an image that can be read")).to_be_visible()
    expect(page.locator("[data-testid=stException]")).to_have_count(0)


def test_on_a_shared_host_a_browser_keeps_its_runs_and_nobody_else_gets_them(browser: Browser, database: str):
    with serving({"MNIST_DASH_DATABASE_URL": database, "MNIST_DASH_SHARED": "1"}) as server:
        page = page_in(browser)
        open_page(page, f"{server.url}/train?train_variant=cnn", PAGES["train"])
        page.get_by_role("button", name="Start training").click()
        cancel = page.get_by_role("button", name="Cancel")
        expect(cancel).to_be_enabled(timeout=30_000)

        page.reload()
        expect(cancel).to_be_enabled(timeout=30_000)
        stranger = page_in(browser)
        open_page(stranger, f"{server.url}/train", PAGES["train"])

        expect(stranger.get_by_role("button", name="Cancel")).to_be_disabled()


FOCUSED = """() => {
  let element = document.activeElement;
  while (element?.shadowRoot?.activeElement) element = element.shadowRoot.activeElement;
  if (["MAIN", "BODY"].includes(element?.tagName)) return ""; // it contains everything
  const labels = [...(element?.labels ?? [])].map((label) => label.textContent);
  return [element?.getAttribute("aria-label"), ...labels, element?.textContent].filter(Boolean).join(" | ");
}"""


def tab_to(page: Page, name: str) -> None:
    """Presses Tab until what has this name has the focus, which can be seen."""
    for _ in range(120):
        page.keyboard.press("Tab")
        if re.search(name, str(page.evaluate(FOCUSED))):
            return
    pytest.fail(f"Tab does not lead to {name}")


def test_a_run_is_trained_compared_exported_and_a_picture_read_by_keyboard_alone(
    browser: Browser, server: Server, tmp_path: Path
):
    page = page_in(browser)
    open_page(page, f"{server.url}/train", PAGES["train"])
    tab_to(page, "^Epochs")
    page.keyboard.press("Control+A")
    page.keyboard.type("1")
    tab_to(page, "Start training")
    outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    page.keyboard.press("Enter")
    expect(page.get_by_role("link", name="Compare with reference")).to_be_visible(timeout=90_000)
    wait_until_idle(page)

    tab_to(page, "Compare with reference")
    page.keyboard.press("Enter")
    page.get_by_role("heading", level=1, name=PAGES["compare"], exact=True).wait_for()
    wait_until_idle(page)
    tab_to(page, "Export report")
    with page.expect_download(timeout=60_000) as download:
        page.keyboard.press("Enter")
    tab_to(page, r"Draw$")
    page.keyboard.press("Enter")
    page.get_by_role("heading", level=1, name=PAGES["draw"], exact=True).wait_for()
    wait_until_idle(page)
    tab_to(page, "^Draw$")  # the choices of input: Tab leads to the chosen one, arrows to the others
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Upload images of digits")).to_be_visible()
    tab_to(page, "^uploadUpload$")  # icon and label
    with page.expect_file_chooser() as chooser:
        page.keyboard.press("Enter")
    chooser.value.set_files(sheet(tmp_path / "sheet.jpg"))

    expect(page.locator(".md-tiles button")).to_have_count(3)
    assert outline == "solid"
    assert download.value.suggested_filename == "comparison.html"


def test_a_server_that_is_told_to_end_queues_its_run_again_and_leaves_no_process(browser: Browser, database: str):
    with serving({"MNIST_DASH_DATABASE_URL": database}) as server:
        page = page_in(browser)
        start(page, server, "epochs=1000&batch_size=2", "Start training")
        store = RunStore(database)
        wait_until(lambda: statuses(store) == [RUNNING])
        [run] = [run for run in store.list_runs() if not run.is_reference]
        wait_until(lambda: store.list_epochs(run.id))
        family = server.process.children(recursive=True)

        server.process.terminate()
        server.process.wait(timeout=30)

        gone, alive = psutil.wait_procs(family, timeout=10)
        left = store.get_run(run.id)
        store.close()
    assert gone
    assert not alive
    assert (left.status, left.lost) == (QUEUED, 0)
