"""Reports: pages that open anywhere, with nothing in them that was not meant."""

import base64
import io
import re
from html.parser import HTMLParser

import numpy as np
import pytest
from PIL import Image

from mnist_dash.analysis.replicates import ReplicateGroup
from mnist_dash.figures.confusion_figures import confusion
from mnist_dash.figures.html_report import ReportImage, Section, as_page
from mnist_dash.figures.result_figures import accuracy_intervals
from tests.support.histories import run_with

HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>&amp; **bold**"
LINK = "http://127.0.0.1:8501/compare?runs=r1%2Cr2"


class Page(HTMLParser):
    """What a browser would find in a page: elements with their attributes, and the text outside of scripts."""

    def __init__(self, page: str):
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attributes)))

    def handle_data(self, data: str) -> None:
        if not self.elements or self.elements[-1][0] not in ("script", "style"):
            self.texts.append(data)

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]


def page_of(*sections: Section, title: str = "Comparison") -> str:
    return as_page(title, sections, link=LINK, made="22 November 2026, 08:00 UTC")


def figure():
    return accuracy_intervals(["CNN"], [ReplicateGroup((run_with(1, test_accuracy=0.99),))], [None])


def test_a_report_fetches_nothing_from_anywhere():
    picture = ReportImage(np.zeros((28, 28), np.uint8), ["7 · image 3"])
    found = Page(page_of(Section("Results", ["Words"], figure(), [{"Run": "CNN"}], [picture])))

    links = {attributes["href"] for attributes in found.all("a")}
    sources = {
        attributes[name]
        for _, attributes in found.elements
        for name in ("src", "srcset", "poster", "data", "action")
        if attributes.get(name)
    }
    assert links == {LINK}
    assert sources
    assert all(str(source).startswith("data:image/png;base64,") for source in sources)
    assert found.all("link") == found.all("iframe") == found.all("object") == []
    assert "@import" not in page_of(Section("A")).split("</style>")[0]


def test_the_library_of_charts_is_in_a_report_once():
    page = page_of(Section("A", figure=figure()), Section("B"), Section("C", figure=confusion(np.eye(10, dtype=int))))

    assert page.count("* plotly.js v") == 1
    assert page.count('class="plotly-graph-div"') == 2
    assert 3_000_000 < len(page) < 8_000_000


@pytest.mark.parametrize(
    "section",
    [
        Section(HOSTILE),
        Section("A", [HOSTILE]),
        Section("A", rows=[{HOSTILE: HOSTILE}]),
        Section("A", images=[ReportImage(np.zeros((28, 28), np.uint8), [HOSTILE, HOSTILE])]),
        Section("A", figure=accuracy_intervals([HOSTILE], [ReplicateGroup((run_with(1, test_accuracy=0.9),))], [None])),
    ],
    ids=["title", "words", "table", "picture", "chart"],
)
def test_what_people_wrote_is_text(section: Section):
    found = Page(page_of(section, title=HOSTILE))

    plain = Page(page_of(Section("A", figure=section.figure and figure())))
    assert len(found.all("script")) == len(plain.all("script"))
    assert all("onerror" not in attributes for _, attributes in found.elements)
    assert "<script>alert(1)" in "".join(found.texts)


def test_two_stars_make_bold_and_nothing_else_does():
    page = page_of(Section("A", ["**CNN** is better than **<b>Dense</b>** by 2 * 3"]))

    assert "<b>CNN</b> is better than <b>&lt;b&gt;Dense&lt;/b&gt;</b> by 2 * 3" in page


def test_numbers_of_a_table_are_written_as_people_read_them():
    rows = [{"Run": "CNN", "Weights": 370026, "Loss": 0.0312345, "Claim": None}]

    page = page_of(Section("A", rows=rows))

    assert '<td>CNN</td><td class="number">370,026</td><td class="number">0.03123</td><td>–</td>' in page


def test_a_picture_is_inside_as_it_is():
    pixels = np.arange(784, dtype=np.uint8).reshape(28, 28)

    page = page_of(Section("A", images=[ReportImage(pixels, ["7 · image 3", "predicted 1"])]))

    [encoded] = re.findall(r"data:image/png;base64,([^\"]+)", page)
    np.testing.assert_array_equal(np.asarray(Image.open(io.BytesIO(base64.b64decode(encoded)))), pixels)
    assert 'alt="7 · image 3"' in page


def test_a_report_says_when_it_was_made_and_where_it_opens():
    texts = "".join(Page(page_of(Section("A"))).texts)

    assert "22 November 2026, 08:00 UTC" in texts
    assert "Open in the dashboard" in texts
