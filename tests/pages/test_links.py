"""A page's link opens the same view, the URL follows the widgets, and Back returns to the view before."""

from collections.abc import Callable
from urllib.parse import parse_qsl

import pytest
from streamlit.testing.v1 import AppTest

from mnist_dash.ui.shared import drawing_canvas, links
from tests.pages.opening import opened, texts, url_of

pytestmark = pytest.mark.usefixtures("nothing_is_trained")


def visit(app: AppTest, url: dict[str, str]) -> AppTest:
    """Runs the page with another URL and the widgets as they are, as the browser's Back does."""
    for name in list(app.query_params):
        del app.query_params[name]
    for name, value in url.items():
        app.query_params[name] = value
    return app.run()


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> None:
    """Back is pressed some time after the change before it."""
    monkeypatch.setattr(links, "_IN_FLIGHT_S", 0.0)


@pytest.mark.usefixtures("later")
def test_back_returns_to_the_choice_before():
    app = opened("explore")
    app.segmented_control(key="explore_part").set_value("test").run()
    app.segmented_control(key="explore_digit").set_value("7").run()
    assert url_of(app) == {"explore_part": "test", "explore_digit": "7"}

    visit(app, {"explore_part": "test"})

    assert app.segmented_control(key="explore_part").value == "test"
    assert app.segmented_control(key="explore_digit").value == "all"
    assert url_of(app) == {"explore_part": "test"}


@pytest.mark.usefixtures("later")
def test_forward_returns_to_the_choice_after():
    app = opened("explore")
    app.segmented_control(key="explore_digit").set_value("7").run()
    visit(app, {})

    visit(app, {"explore_digit": "7"})

    assert app.segmented_control(key="explore_digit").value == "7"


@pytest.mark.usefixtures("later")
def test_a_choice_after_back_is_kept():
    app = opened("explore")
    app.segmented_control(key="explore_digit").set_value("7").run()
    visit(app, {})

    app.segmented_control(key="explore_digit").set_value("3").run()

    assert app.segmented_control(key="explore_digit").value == "3"
    assert url_of(app) == {"explore_digit": "3"}


@pytest.mark.usefixtures("later")
def test_back_returns_to_the_runs_before():
    app = opened("curves")
    first = app.multiselect(key="curves_runs").value
    app.multiselect(key="curves_runs").set_value(first[:2]).run()
    assert url_of(app) == {"runs": ",".join(first[:2])}

    visit(app, {})

    assert app.multiselect(key="curves_runs").value == first


@pytest.mark.usefixtures("later")
def test_a_link_to_inside_opens_its_run_and_back_returns_to_the_one_before():
    app = opened("inside", inside_run="2")
    assert app.selectbox(key="inside_run").value == 2
    app.selectbox(key="inside_run").set_value(3).run()
    assert url_of(app) == {"inside_run": "3"}

    visit(app, {"inside_run": "2"})

    assert app.selectbox(key="inside_run").value == 2


def test_a_link_to_draw_opens_its_models(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(drawing_canvas, "canvas", lambda **_: (None, None))

    app = opened("draw", runs="r3,r1,r999")

    assert app.multiselect(key="draw_runs").value == [3, 1]
    assert url_of(app) == {"runs": "r3,r1"}


@pytest.mark.parametrize("linked", ["999", "x2"])
def test_a_link_to_a_run_that_does_not_exist_shows_the_default(linked: str):
    app = opened("inside", inside_run=linked)

    assert not app.exception
    assert app.selectbox(key="inside_run").value == opened("inside").selectbox(key="inside_run").value
    assert url_of(app) == {}


@pytest.mark.usefixtures("later")
def test_back_returns_to_the_network_before_with_its_settings():
    app = opened("train")
    app.text_input(key="train_epochs").set_value("7").run()
    before = url_of(app)
    app.segmented_control(key="train_variant").set_value("cnn").run()
    assert url_of(app) == {"train_variant": "cnn"}

    visit(app, before)

    assert app.segmented_control(key="train_variant").value == "dense-32"
    assert app.text_input(key="train_epochs").value == "7"
    assert app.text_input(key="train_batch_size").value == "32"
    assert url_of(app) == before


@pytest.mark.usefixtures("later")
def test_back_empties_a_setting_that_was_entered():
    app = opened("train", train_variant="cnn", epochs="3")
    app.text_input(key="train_batch_size").set_value("64").run()

    visit(app, {"train_variant": "cnn", "epochs": "3"})

    assert app.text_input(key="train_batch_size").value == "512"
    assert app.text_input(key="train_epochs").value == "3"


def test_a_run_requested_before_the_browser_knew_the_new_url_does_not_undo_the_change():
    app = opened("train")
    app.text_input(key="train_epochs").set_value("7").run()

    visit(app, {})  # what a click right after leaving the field brings along

    assert app.text_input(key="train_epochs").value == "7"
    assert url_of(app) == {"epochs": "7"}


def test_another_page_does_not_take_its_empty_url_for_a_change():
    app = opened("train")
    app.text_input(key="train_epochs").set_value("7").run()
    visit(app.switch_page("pages/explore.py"), {})

    visit(app.switch_page("pages/train.py"), {})

    assert app.text_input(key="train_epochs").value == "7"


def widget(kind: str, key: str) -> Callable[[AppTest], object]:
    return lambda app: getattr(app, kind)(key=key).value


# Made by version 0.4.0.
KEPT = [
    ("explore", "explore_part=validation&explore_digit=4", widget("segmented_control", "explore_part"), "validation"),
    ("explore", "explore_part=validation&explore_digit=4", widget("segmented_control", "explore_digit"), "4"),
    ("train", "train_variant=cnn&epochs=2&validation=kfold%3A4", widget("segmented_control", "train_variant"), "cnn"),
    (
        "train",
        "train_variant=cnn&epochs=2&validation=kfold%3A4",
        widget("multiselect", "train_validation"),
        ["kfold:4"],
    ),
    ("train", "learning_rate=0%2C1+0.01", widget("text_input", "train_learning_rate"), "0,1 0.01"),
    ("train", "repeats=3&also=dense-512%2Ccnn", widget("text_input", "train_repeats"), "3"),
    ("train", "repeats=3&also=dense-512%2Ccnn", widget("multiselect", "train_also"), ["dense-512", "cnn"]),
    ("curves", "runs=r2%2Cr1&curves_x=seconds", widget("multiselect", "curves_runs"), ["r2", "r1"]),
    ("curves", "runs=r2%2Cr1&curves_x=seconds", widget("segmented_control", "curves_x"), "seconds"),
    ("compare", "runs=r1%2Cr3", widget("multiselect", "compare_runs"), ["r1", "r3"]),
    ("compare", "compare_show=real", widget("segmented_control", "compare_show"), "real"),
    ("compare", "compare_show=where&compare_cell=4-9", widget("selectbox", "compare_cell"), "4-9"),
    ("compare", "compare_show=where&compare_look=sureness", widget("segmented_control", "compare_look"), "sureness"),
    ("compare", "compare_show=robustness&compare_kind=fog", widget("selectbox", "compare_kind"), "fog"),
    ("draw", "draw_way=upload", widget("segmented_control", "draw_way"), "upload"),
]


@pytest.mark.parametrize(("page", "link", "value_in", "value"), KEPT)
def test_a_link_of_version_0_4_opens_the_same_view(page: str, link: str, value_in: Callable, value: object):
    app = opened(page, **dict(parse_qsl(link)))

    assert not app.exception
    assert value_in(app) == value


def test_a_link_with_an_option_that_does_not_exist_shows_the_default():
    app = opened("explore", explore_part="all", explore_digit="17")

    assert not app.exception
    assert app.segmented_control(key="explore_digit").value == "all"
    assert url_of(app) == {}
    assert "label" in texts(app)
