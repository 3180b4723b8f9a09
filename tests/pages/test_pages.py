"""Every page, run by Streamlit's own test harness on real stores."""

import io

import numpy as np
import pytest
from PIL import Image, ImageDraw
from streamlit.testing.v1 import AppTest

from mnist_dash.datasets.digit_files import as_npz
from mnist_dash.datasets.mnist import Dataset
from mnist_dash.networks.variants import VARIANTS
from mnist_dash.store.records import Result
from mnist_dash.store.run_leases import RunLeases
from mnist_dash.store.run_store import RunStore
from mnist_dash.ui.shared import drawing_canvas
from tests.pages.opening import PAGES, opened, texts, unfolds


@pytest.mark.parametrize("page", [page for page in PAGES if page != "train"])
def test_a_page_opens_without_an_error_and_says_which_data_is_in_use(page: str):
    app = opened(page)

    assert not app.exception
    assert not app.error
    assert len(app.title) == 1
    assert "bundled sample" in texts(app)


@pytest.mark.usefixtures("empty_database")
@pytest.mark.parametrize("page", ["curves", "compare", "draw", "inside"])
def test_a_page_without_any_run_leads_to_the_train_page(page: str):
    app = opened(page)

    assert not app.exception
    assert len(app.info) == 1
    assert any(element.type == "page_link" and element.proto.page == "train" for element in all_elements(app))


def all_elements(app: AppTest) -> list:
    return [element for block in (app.main, app.sidebar) for element in block]


def test_the_overview_shows_claims_beside_what_the_reference_models_reached():
    app = opened("overview")

    shown = texts(app)
    dense = shown[shown.index("<b>Dense 512</b>") :]
    assert (
        dense.index("97.7 % (± 0.3)") < dense.index("tutorial: 97.85 % after 5 epochs") < dense.index("</span></div>")
    )
    assert shown.count('role="listitem"><b>') == 5


@pytest.mark.usefixtures("own_database")
def test_the_overviews_example_is_read_by_all_models_and_still_there_on_the_draw_page(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(drawing_canvas, "canvas", lambda **_: (None, None))
    app = opened("overview")

    app.button(key="overview_example").click().run()

    assert not app.exception
    assert "models predict 9" in texts(app)
    app.switch_page("pages/draw.py").run()
    assert "models predict 9" in texts(app)


def test_explore_shows_the_digit_and_part_that_were_chosen():
    app = opened("explore")

    app.segmented_control(key="explore_part").set_value("test")
    app.segmented_control(key="explore_digit").set_value("7").run()

    assert not app.exception
    assert "label **7**" in texts(app)


def finished_on_the_sample(store: RunStore, sample: Dataset) -> int:
    """Adds a finished run whose probabilities are those of one that always says 3."""
    run = store.create_run(
        "dense-32", VARIANTS["dense-32"].check({}), dataset=sample.name, fingerprint=sample.fingerprint, leased=True
    )
    probabilities = np.tile(np.eye(10, dtype=np.float16)[3], (1000, 1))
    artifacts = {"test_probabilities": probabilities.tobytes(), "test_labels": sample.y_test.tobytes()}
    RunLeases(store).finish(run.id, str(run.lease), Result(9.0, 0.1, 1.0, 25_450, 0.1), artifacts)
    return run.id


def test_curves_of_runs_on_different_data_come_with_a_warning(own_database: str, sample: Dataset):
    store = RunStore(own_database)
    run_id = finished_on_the_sample(store, sample)
    store.close()
    app = opened("curves")
    picker = app.multiselect(key="curves_runs")

    picker.set_value([*picker.value, f"r{run_id}"]).run()

    assert "different data" in app.warning[0].value


def draws(monkeypatch: pytest.MonkeyPatch, picture: Image.Image | None) -> None:
    """Puts a drawing onto the page's canvas, white on black; None leaves it empty."""
    drawn = None if picture is None else np.asarray(picture.convert("RGBA"))
    monkeypatch.setattr(drawing_canvas, "canvas", lambda **_: (drawn, {}))


def a_one(size: int = 280) -> Image.Image:
    picture = Image.new("L", (size, size))
    ImageDraw.Draw(picture).line([(size / 2, size / 7), (size / 2, size * 6 / 7)], fill=255, width=size // 12)
    return picture


def as_file(picture: Image.Image) -> bytes:
    file = io.BytesIO()
    picture.save(file, format="PNG")
    return file.getvalue()


def test_an_empty_canvas_says_so(monkeypatch: pytest.MonkeyPatch):
    draws(monkeypatch, None)

    app = opened("draw")

    assert "The canvas is empty" in texts(app)


def test_a_drawn_digit_is_read_by_all_reference_models(monkeypatch: pytest.MonkeyPatch):
    draws(monkeypatch, a_one())

    app = opened("draw")

    assert not app.exception
    assert "All 5 models predict 1" in texts(app)


def test_several_drawn_digits_are_read_as_a_number(monkeypatch: pytest.MonkeyPatch):
    both = Image.new("L", (280, 280))
    for left in (20, 150):
        both.paste(a_one(100), (left, 80))
    draws(monkeypatch, both)

    app = opened("draw")

    assert not app.exception
    assert "All 5 models predict 11" in texts(app)


def test_what_is_no_digit_is_refused_instead_of_guessed(monkeypatch: pytest.MonkeyPatch):
    star = Image.new("L", (280, 280))
    turns, radii = np.pi * np.arange(10) / 5, np.where(np.arange(10) % 2, 110, 45)
    corners = np.stack([140 + radii * np.cos(turns), 140 + radii * np.sin(turns)], axis=1)
    ImageDraw.Draw(star).polygon([tuple(map(float, corner)) for corner in corners], fill=255)
    draws(monkeypatch, star)

    app = opened("draw")

    assert not app.exception
    assert "This does not look like a digit" in texts(app)
    assert app.selectbox[0].value is None


def test_a_text_file_named_png_is_answered_with_a_sentence(monkeypatch: pytest.MonkeyPatch):
    draws(monkeypatch, None)
    app = opened("draw")
    app.segmented_control(key="draw_way").set_value("upload").run()

    app.file_uploader(key="draw_upload").upload("digit.png", b"this is not a picture", "image/png").run()

    assert not app.exception
    assert "not an image" in app.warning[0].value


def test_a_bad_picture_does_not_hold_up_the_good_ones(monkeypatch: pytest.MonkeyPatch):
    draws(monkeypatch, None)
    app = opened("draw")
    app.segmented_control(key="draw_way").set_value("upload").run()
    files = [("bad.png", b"this is not a picture", "image/png"), ("one.png", as_file(a_one()), "image/png")]

    app.file_uploader(key="draw_upload").set_value(files).run()

    assert not app.exception
    assert "All 5 models predict 1" in texts(app)
    assert "bad.png" in app.warning[0].value


def test_a_kept_digit_counts_for_every_network_and_can_be_removed(monkeypatch: pytest.MonkeyPatch, own_database: str):
    draws(monkeypatch, a_one())
    app = opened("draw")

    app.button(key="draw_keep").click().run()
    unfolds(app, "draw_mine")

    assert not app.exception
    assert list(app.table[0].value["Correct"]) == ["1 of 1"] * 5

    app.button(key="draw_mine_remove").click().run()

    assert not app.table
    assert "No digits yet" in texts(app)


def test_kept_digits_are_loaded_from_a_file(monkeypatch: pytest.MonkeyPatch, own_database: str, sample: Dataset):
    draws(monkeypatch, None)
    app = opened("draw")
    unfolds(app, "draw_mine")
    content = as_npz(sample.x_test[:12], sample.y_test[:12])

    app.file_uploader(key="draw_mine_file").upload("mine.npz", content, "application/octet-stream").run()

    assert not app.exception
    assert all(correct.endswith("of 12") for correct in app.table[0].value["Correct"])


def test_a_file_that_holds_no_digits_is_answered_with_a_sentence(monkeypatch: pytest.MonkeyPatch, own_database: str):
    draws(monkeypatch, None)
    app = opened("draw")
    unfolds(app, "draw_mine")

    app.file_uploader(key="draw_mine_file").upload("mine.npz", b"nothing", "application/octet-stream").run()

    assert not app.exception
    assert "no archive of digits" in app.toast[0].value


def test_a_database_that_cannot_be_opened_is_said_in_one_sentence(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("MNIST_DASH_DATABASE_URL", "sqlite:////proc/nowhere/runs.sqlite")

    app = opened("curves")

    assert not app.exception
    assert "cannot be opened" in app.error[0].value


def test_a_setting_that_cannot_be_used_is_said_in_one_sentence(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("MNIST_DASH_WORKERS", "many")

    app = opened("overview")

    assert not app.exception
    assert "MNIST\\_DASH\\_WORKERS" in app.error[0].value
