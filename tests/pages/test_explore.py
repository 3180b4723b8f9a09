"""Explore: what is chosen in one view stays chosen in the others, is in the link, and is lifted with one click."""

import re

import numpy as np
import pytest

from mnist_dash.analysis import slices
from mnist_dash.datasets.custom_data import as_npz
from mnist_dash.datasets.mnist import DIGITS
from mnist_dash.networks.variants import VARIANTS
from mnist_dash.store.records import MODEL_TFLITE, TEST_LABELS, TEST_PROBABILITIES, Result
from mnist_dash.store.run_leases import RunLeases
from mnist_dash.store.visitors import Visitor
from mnist_dash.ui.explore.image_choice import REGION
from mnist_dash.ui.shared import resources
from tests.pages.opening import opened, texts, url_of
from tests.support.datasets import custom_dataset

VIEWS = ("images", "distributions", "map", "quality")
CLASSES = ("cat", "dog", *DIGITS[2:])


@pytest.mark.parametrize("view", VIEWS)
def test_every_view_opens_by_its_link(view):
    app = opened("explore", explore_view=view)

    assert not app.exception
    assert app.segmented_control(key="explore_view").value == view


def test_an_image_is_opened_by_a_link_and_by_its_index(sample):
    app = opened("explore", explore_part="test", picture="947")

    assert f"label **{sample.y_test[947]}**" in texts(app)
    app.number_input(key="explore_index_test_947").set_value(12).run()
    assert f"label **{sample.y_test[12]}**" in texts(app)
    assert url_of(app) == {"explore_part": "test", "picture": "12"}


@pytest.mark.parametrize("picture", ["1000", "-1", "1e3", "9" * 30, "<b>"])
def test_a_link_to_an_image_that_is_not_there_opens_the_first_one(picture, sample):
    app = opened("explore", explore_part="test", picture=picture)

    assert not app.exception
    assert f"label **{sample.y_test[0]}**" in texts(app)


def test_a_range_filters_all_views_until_it_is_lifted(sample):
    app = opened("explore", explore_view="distributions", explore_part="test")
    app.slider(key=f"explore_ends_{sample.fingerprint}_test_ink").set_value((20.0, 25.0)).run()

    ink = slices.measure_property(sample.x_test, slices.INK)
    passing = int(((ink >= 20) & (ink <= 25)).sum())
    assert url_of(app)["range"] == "ink:20:25"
    for view in ("distributions", "map", "images"):
        app.segmented_control(key="explore_view").set_value(view).run()
        assert not app.exception
        assert f"{passing} images of 1,000 pass." in texts(app)
    app.button(key="explore_range_lift").click().run()
    assert "pass." not in texts(app)
    assert "range" not in url_of(app)


@pytest.mark.parametrize("linked", ["ink", "ink:5", "ink:9:5", "ink:a:b", "ink:nan:nan", "age:1:2", "ink:1:2:3"])
def test_a_range_in_a_link_that_means_nothing_filters_nothing(linked):
    app = opened("explore", explore_part="test", range=linked)

    assert not app.exception
    assert "pass." not in texts(app)


def test_a_range_that_no_image_is_in_says_what_to_do():
    app = opened("explore", explore_part="test", range="width:27:28")

    assert not app.exception
    assert "No image passes all filters. Lift one above." in texts(app)


def test_a_region_of_the_map_filters_its_own_split_only(sample):
    app = opened("explore", explore_part="test")
    app.session_state[REGION] = ((sample.fingerprint, "test"), [3, 5, 8])
    app.run()

    assert "3 images of 1,000 pass." in texts(app)
    app.segmented_control(key="explore_part").set_value("training").run()
    assert "pass." not in texts(app)


@pytest.mark.parametrize("colour", ["label", "wrong"])
def test_a_network_places_the_images_on_the_map(colour):
    app = opened("explore", explore_view="map", explore_part="test", explore_map="r1", explore_colour=colour)

    assert not app.exception
    assert "the last hidden layer" in texts(app)


def test_the_lesson_of_the_ones_counts_them(sample):
    from mnist_dash.analysis.handwriting import has_stroke

    app = opened("explore", explore_view="distributions", explore_part="test")

    ones = sample.x_test[sample.y_test == 1]
    found = int(np.count_nonzero(has_stroke(ones, 1)))
    assert f"**{found} images** of {len(ones)} of a 1 in the test split" in texts(app)


def test_marked_images_are_a_list_that_filters_and_can_be_taken_back(sample):
    app = opened("explore", explore_part="test", picture="12")
    app.button(key="explore_mark_test_12").click().run()
    app.number_input(key="explore_index_test_12").set_value(40).run()
    app.button(key="explore_mark_test_40").click().run()
    app.checkbox(key="explore_only_marked").check().run()

    assert "2 images of 1,000 pass." in texts(app)
    app.segmented_control(key="explore_view").set_value("distributions").run()
    assert "2 images of 1,000 pass." in texts(app)
    app.segmented_control(key="explore_view").set_value("images").run()
    assert app.button(key="explore_mark_test_40").label == "Unmark"
    app.button(key="explore_mark_test_40").click().run()
    assert "1 image of 1,000 pass." in texts(app)
    app.segmented_control(key="explore_part").set_value("training").run()
    assert not app.exception
    assert "pass." not in texts(app)


def test_the_list_of_images_is_exported_as_csv(sample):
    from mnist_dash.ui.explore.image_choice import Chosen
    from mnist_dash.ui.explore.images_view import rows_of

    chosen = Chosen(sample, "test", sample.x_test, sample.y_test, np.arange(1_000), np.array([3, 8]))
    ink = slices.measure_property(sample.x_test, slices.INK)

    rows = rows_of(chosen)

    assert [(row["index"], row["label"]) for row in rows] == [(3, int(sample.y_test[3])), (8, int(sample.y_test[8]))]
    assert rows[0]["ink"] == pytest.approx(ink[3], abs=0.01)


@pytest.fixture
def folds_done(sample):
    """Two finished runs, the folds of one cross-validation, with the weights of a model that ships."""
    store = resources.run_store()
    model = store.read_artifact(store.find_run("dense-32").id, MODEL_TFLITE)
    probabilities = np.full((1_000, 10), 0.1, np.float16).tobytes()
    artifacts = {MODEL_TFLITE: model, TEST_PROBABILITIES: probabilities, TEST_LABELS: sample.y_test.tobytes()}
    for fold in (1, 2):
        settings = VARIANTS["dense-32"].check({"validation": "kfold:2", "fold": fold})
        data = {"dataset": sample.name, "fingerprint": sample.fingerprint}
        run = store.create_run("dense-32", settings, **data, leased=True)
        RunLeases(store).finish(run.id, run.lease, Result(0.1, 0.1, 1.0, 1, 0.1), artifacts)


def add_pets(classes=CLASSES):
    added = custom_dataset("Pets", classes=classes)
    resources.custom_datasets().add(added, Visitor("ann"))
    return added


@pytest.mark.parametrize("view", VIEWS)
def test_custom_data_is_explored_in_every_view_with_the_names_of_its_classes(view):
    add_pets()

    app = opened("explore", explore_view=view, data="Pets", explore_part="test", picture="1")

    assert not app.exception
    assert app.selectbox(key="data_choice").value == "Pets"
    assert "dog" in app.segmented_control(key="explore_digit").options
    if view != "quality":
        assert "dog" in texts(app)
    assert url_of(app)["data"] == "Pets"


def test_files_are_added_explored_and_removed(monkeypatch):
    app = opened("explore")
    content = as_npz(custom_dataset("Pets"))
    app.get("file_uploader")[0].upload("pets.npz", content).run()
    app.text_input(key="explore_add_name").set_value("Pets")
    app.text_input(key="explore_add_classes").set_value(", ".join(CLASSES))
    app.button(key="explore_add_button").click().run()

    assert not app.exception
    assert app.selectbox(key="data_choice").value == "Pets"
    assert "cat" in app.segmented_control(key="explore_digit").options
    app.button(key="explore_data_remove").click().run()
    assert not app.exception
    assert resources.custom_datasets().list() == []
    assert "0" in app.segmented_control(key="explore_digit").options


def test_a_wrong_file_is_refused_in_a_sentence_on_the_page():
    app = opened("explore")
    app.get("file_uploader")[0].upload("own.npz", b"PK\x03\x04").run()
    app.text_input(key="explore_add_name").set_value("Mine")
    app.button(key="explore_add_button").click().run()

    assert not app.exception
    assert "“own.npz” is a damaged .npz file" in app.error[0].value


@pytest.mark.parametrize("linked", ["Nothing", "<b>", "pets", "x" * 500])
def test_data_in_a_link_that_is_not_there_is_mnist(linked):
    add_pets()

    app = opened("explore", data=linked)

    assert not app.exception
    assert app.selectbox(key="data_choice").value == ""
    assert "data" not in url_of(app)


def test_on_a_shared_dashboard_only_the_owner_may_remove_data(monkeypatch):
    monkeypatch.setenv("MNIST_DASH_SHARED", "1")
    add_pets()

    app = opened("explore", data="Pets")

    assert not app.exception
    assert "explore_data_remove" not in [button.key for button in app.button]


def test_images_are_shuffled_by_the_seed_in_the_link(sample):
    orders = {}
    for seed in ("", "7", "7 again", "8"):
        app = opened("explore", explore_part="test", shuffle=seed[:1], explore_size="16")
        assert not app.exception
        orders[seed] = re.findall(r"label \*\*(\d)\*\*", texts(app)), app.number_input(key="shuffle_seed").value
        assert app.checkbox(key="shuffle").value == bool(seed)
    assert orders["7"] == orders["7 again"]
    expected = sample.y_test[np.random.default_rng(7).permutation(1_000)[0]]
    assert orders["7"] == ([str(expected)], 7)


def test_pixel_values_are_shown_from_0_to_1_on_demand(sample):
    app = opened("explore", explore_part="test", explore_scale="scaled")

    value = next(value for value in sample.x_test[0].ravel() if 30 < value < 200)
    assert f">{value / 255:.2f}<".replace("0.", ".") in texts(app)


def test_two_maps_stand_side_by_side_and_neighbors_are_those_of_a_network(sample):
    app = opened("explore", explore_view="map", explore_part="test", explore_map_beside="r1", picture="3", near="r1")

    assert not app.exception
    assert len(app.get("plotly_chart")) == 2
    assert "activations of the last hidden layer" in texts(app)


def test_label_errors_are_ranked_from_the_folds_of_a_cross_validation(sample, folds_done):
    app = opened("explore", explore_view="quality", explore_part="training")

    assert not app.exception
    assert "2 folds" in app.selectbox(key="explore_by").options[0]
    assert "confident learning counts" in texts(app)


def test_without_held_out_predictions_the_page_says_how_to_get_them():
    app = opened("explore", explore_view="quality", explore_part="training")

    assert not app.exception
    assert "Train a model with k folds" in texts(app)


def test_marked_test_images_are_shown_on_compare_with_every_runs_prediction(folds_done):
    app = opened("explore", explore_part="test", picture="12")
    app.button(key="explore_mark_test_12").click().run()
    app.switch_page("pages/compare.py")
    link = {"compare_show": "where", "compare_look": "marked", "runs": "r6,r7", "compare_repeats": "single"}
    for name, value in link.items():
        app.query_params[name] = value
    app.run()

    assert not app.exception
    assert "1 test image marked on Explore." in texts(app)
    assert "· image 12" in texts(app)
