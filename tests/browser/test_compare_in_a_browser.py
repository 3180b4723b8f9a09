"""The Compare page in a real browser: clicks on a matrix, the table of tags, the report."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from mnist_dash.store.run_store import RunStore
from mnist_dash.store.search import RunFinder
from tests.browser.serving import Server, open_page, wait_until_idle
from tests.browser.test_in_a_browser import page_in, wait_until

FRAMED = """([x, y]) => {
    const charts = [...document.querySelectorAll("[class*=st-key-compare_matrix] .js-plotly-plot")];
    const frames = charts.map((chart) => chart._fullLayout?.shapes?.[0]);
    return frames.length === 2 && frames.every((frame) => frame?.x0 === x && frame.y0 === y);
}"""


def click_cell(page: Page, true: int, predicted: int, *, matrix: str = "first") -> None:
    """Clicks where a matrix has the pictures of one digit that were predicted as another."""
    area = page.locator(f"[class*=st-key-compare_matrix_{matrix}] .nsewdrag").first
    area.scroll_into_view_if_needed()
    box = area.bounding_box()
    assert box
    page.mouse.click(box["x"] + (predicted + 0.5) / 10 * box["width"], box["y"] + (true + 0.5) / 10 * box["height"])


def expect_cell(page: Page, true: int, predicted: int) -> None:
    """Waits until the cell is chosen, stands in the link, and is framed in both matrices."""
    words = f"{true} predicted {predicted}" if true != predicted else f"{true} predicted correctly"
    expect(page.get_by_role("combobox", name="Images of")).to_have_value(words)
    expect(page).to_have_url(re.compile(f"compare_cell={true}-{predicted}"))
    page.wait_for_function(FRAMED, arg=[predicted - 0.5, true - 0.5])
    wait_until_idle(page)


@pytest.mark.parametrize("phone", [False, True], ids=["wide", "narrow"])
def test_a_click_on_a_cell_shows_its_pictures_whatever_was_clicked_before(
    browser: Browser, server: Server, phone: bool
):
    page = page_in(browser, phone=phone)
    open_page(page, f"{server.url}/compare?compare_show=where&compare_cell=5-3", "Compare")
    expect_cell(page, 5, 3)

    for matrix, (true, predicted) in (("first", (4, 9)), ("second", (7, 1)), ("first", (4, 9)), ("second", (3, 3))):
        click_cell(page, true, predicted, matrix=matrix)
        expect_cell(page, true, predicted)

    runs = page.locator("[class*=st-key-compare_first]").get_by_role("combobox")
    runs.scroll_into_view_if_needed()
    page.wait_for_timeout(500)  # a list that opens closes again when the page still scrolls
    runs.click()
    page.get_by_role("option", name="Dense 32").click()
    expect(page.get_by_text("549 of 10,000 misclassified")).to_be_visible()
    expect_cell(page, 3, 3)
    click_cell(page, 9, 4)
    expect_cell(page, 9, 4)


def test_tags_typed_into_the_table_are_kept(browser: Browser, server: Server, database: str):
    page = page_in(browser)
    open_page(page, f"{server.url}/compare?runs=r1,r2", "Compare")
    page.wait_for_function("() => document.querySelectorAll('.js-plotly-plot .main-svg').length > 1")
    table = page.locator("[data-testid=stDataFrame]").first
    table.locator("canvas").first.wait_for()  # until its own script has come, a skeleton stands in its place
    table.scroll_into_view_if_needed()
    wait_until_idle(page)
    page.wait_for_timeout(1_000)  # the charts around it have taken their height
    box = table.bounding_box()
    assert box

    page.mouse.click(box["x"] + 60, box["y"] + 52)  # the first row
    for _ in range(3):  # past accuracy and interval
        page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Add...")).to_be_visible()
    page.keyboard.type("homework")
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")

    store = RunStore(database)
    wait_until(lambda: RunFinder(store).tags() == ["homework"])
    assert sorted(RunFinder(store).tags_of([1, 2]).values()) == [[], ["homework"]]
    store.close()


def test_a_run_that_was_found_is_added_and_the_page_drawn_anew(browser: Browser, server: Server):
    page = page_in(browser)
    open_page(page, f"{server.url}/compare?runs=r1", "Compare")
    page.get_by_role("button", name="Find", exact=True).click()
    page.get_by_role("textbox", name="Search").fill("dense-512")
    page.keyboard.press("Enter")
    expect(page.get_by_text("1 run. Select rows")).to_be_visible()
    wait_until_idle(page)  # until then the table of all runs may stand beside that of those found
    table = page.locator("[class*=st-key-compare_found] [data-testid=stDataFrame]")
    expect(table).to_have_count(1)
    box = table.bounding_box()
    assert box

    page.mouse.click(box["x"] + 20, box["y"] + 52)  # the first row's tick
    page.get_by_role("button", name="Add 1 run").click()

    expect(page.get_by_test_id("stMultiSelect").get_by_text("Dense 512", exact=True)).to_be_visible()
    expect(page.get_by_text("significantly better than")).to_be_visible()
    expect(page).to_have_url(re.compile(r"runs=r1%2Cr\d"))


def test_the_report_opens_without_a_server(browser: Browser, server: Server, tmp_path: Path):
    page = page_in(browser)
    open_page(page, f"{server.url}/compare?compare_show=real", "Compare")
    with page.expect_download() as started:
        page.get_by_role("button", name="Export report").click()
    file = tmp_path / "comparison.html"
    started.value.save_as(file)

    alone = browser.new_context(offline=True).new_page()
    problems: list[str] = []
    alone.on("requestfailed", lambda request: problems.append(request.url))
    alone.on("pageerror", lambda error: problems.append(str(error)))
    alone.goto(file.as_uri())

    expect(alone.get_by_role("heading", name="Significance")).to_be_visible()
    expect(alone.locator(".plotly-graph-div .main-svg").first).to_be_visible()
    assert problems == []
    link = alone.get_by_role("link", name="Open in the dashboard").get_attribute("href")
    assert link == f"{server.url}/compare?compare_show=real"


@pytest.mark.parametrize("view", ["results", "real", "where"])
def test_the_first_screen_holds_the_main_chart(browser: Browser, server: Server, view: str):
    page = page_in(browser)
    open_page(page, f"{server.url}/compare?compare_show={view}", "Compare")

    chart = page.locator(".js-plotly-plot .main-svg" if view != "real" else ".md-pairs table").first
    expect(chart).to_be_in_viewport(ratio=0.95)
    box = chart.bounding_box()
    assert box
    assert box["y"] <= 470


def test_back_undoes_a_view_and_a_choice_of_runs(browser: Browser, server: Server):
    page = page_in(browser)
    open_page(page, f"{server.url}/compare", "Compare")
    page.get_by_role("button", name="Remove Dense 32").click()
    expect(page).to_have_url(re.compile("runs="))
    page.wait_for_timeout(2_500)  # a run requested sooner after a change is not taken for Back
    page.get_by_role("radio", name="Significance").click()
    expect(page.locator(".md-pairs")).to_be_visible()
    page.wait_for_timeout(2_500)

    page.go_back()
    expect(page.locator(".md-pairs")).to_have_count(0)
    expect(page.get_by_role("button", name="Remove Dense 32")).to_have_count(0)
    wait_until_idle(page)
    page.wait_for_timeout(2_500)
    page.go_back()

    expect(page.get_by_role("button", name="Remove Dense 32")).to_be_visible()
    expect(page).to_have_url(re.compile("compare$"))


def test_a_click_on_a_pair_says_what_its_test_found(browser: Browser, server: Server):
    page = page_in(browser)
    open_page(page, f"{server.url}/compare?compare_show=real", "Compare")

    page.get_by_role("button", name="Dense 512 is significantly better than Sigmoid 100").click()

    expect(page.get_by_text("Dense 512 is significantly better than Sigmoid 100: p < 10")).to_be_visible()
