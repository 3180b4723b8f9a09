"""Explore: what is chosen in one view stays chosen in the others, is in the link, and is lifted with one click."""

import numpy as np
import pytest

from mnist_dash.analysis import slices
from mnist_dash.ui.explore.image_choice import REGION
from tests.pages.opening import opened, texts, url_of

VIEWS = ("images", "distributions", "map", "quality")


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
    app.slider(key="explore_ends_test_ink").set_value((20.0, 25.0)).run()

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


def test_a_region_of_the_map_filters_its_own_split_only():
    app = opened("explore", explore_part="test")
    app.session_state[REGION] = ("test", [3, 5, 8])
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

    chosen = Chosen("test", sample.x_test, sample.y_test, np.arange(1_000), np.array([3, 8]))
    ink = slices.measure_property(sample.x_test, slices.INK)

    rows = rows_of(chosen)

    assert [(row["index"], row["label"]) for row in rows] == [(3, int(sample.y_test[3])), (8, int(sample.y_test[8]))]
    assert rows[0]["ink"] == pytest.approx(ink[3], abs=0.01)
