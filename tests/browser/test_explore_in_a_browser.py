"""Explore in Chromium: a lasso on the map filters the images, a click on one opens it, and a link keeps it."""

import re

from playwright.sync_api import Browser, expect

from tests.browser.serving import Server, open_page, wait_until_idle


def test_a_lasso_on_the_map_filters_the_grid_and_a_click_opens_an_image(browser: Browser, server: Server):
    page = browser.new_page(viewport={"width": 1280, "height": 1000})
    open_page(page, f"{server.url}/explore?explore_view=map&explore_part=test", "Explore the data")
    drawn = page.locator(".js-plotly-plot .nsewdrag").first
    drawn.wait_for()
    box = drawn.bounding_box()
    assert box
    left, top = box["x"] + 0.2 * box["width"], box["y"] + 0.2 * box["height"]
    page.mouse.move(left, top)
    page.mouse.down()
    for across, down in ((0.35, 0), (0.35, 0.5), (0, 0.5), (0, 0.02)):
        page.mouse.move(left + across * box["width"], top + down * box["height"], steps=6)
    page.mouse.up()
    expect(page.get_by_text(re.compile(r"images? of 1,000 pass\."))).to_be_visible()

    page.get_by_role("radio", name="Images").click()
    expect(page.get_by_label("Image, its index in the test split")).to_be_visible()
    wait_until_idle(page)
    expect(page.get_by_text(re.compile(r"images? of 1,000 pass\."))).to_be_visible()
    page.locator(".md-images button").nth(2).click()
    expect(page).to_have_url(re.compile(r"picture=\d+"))
    url = page.url
    page.locator(".md-images").last.locator("button").first.click()  # the nearest neighbor
    expect(page).not_to_have_url(url)
    wait_until_idle(page)
    index = page.url.rpartition("picture=")[2].partition("&")[0]
    expect(page.get_by_label("Image, its index in the test split")).to_have_value(index)
    page.get_by_role("button", name=re.compile("A region of the map")).click()
    expect(page.get_by_text(re.compile(r"of 1,000 pass\."))).to_have_count(0)
    expect(page).to_have_url(re.compile(r"picture=\d+"))
