"""Inside: every view of every network by its link, numbers as the network has them, one network or two."""

import re

import numpy as np
import pytest

from mnist_dash.analysis import units
from mnist_dash.inference.snapshots import first_snapshot
from mnist_dash.networks.variants import VARIANTS
from mnist_dash.store.records import MODEL_KERAS, MODEL_TFLITE, SNAPSHOTS, TEST_LABELS, TEST_PROBABILITIES, Result
from mnist_dash.store.run_leases import RunLeases
from mnist_dash.ui.inside import network_choice
from mnist_dash.ui.shared import resources
from mnist_dash.ui.shared.image_predictions import LAST_DIGIT
from tests.pages.opening import opened, texts, url_of

VIEWS = ("learned", "image", "why")


def run_of(variant: str) -> int:
    return resources.run_store().find_run(variant).id


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("view", VIEWS)
def test_every_view_of_every_network_opens_by_its_link(view, variant):
    opened("overview")
    app = opened("inside", inside_run=str(run_of(variant)), inside_view=view, inside_image="4")

    assert not app.exception
    assert not app.error
    assert app.segmented_control(key="inside_view").value == view


@pytest.mark.parametrize("layer", ["convolution_1", "convolution_3", "pooling_2", "hidden", "probabilities"])
@pytest.mark.parametrize("view", ["learned", "image"])
def test_every_kind_of_layer_opens_by_its_link(view, layer):
    opened("overview")
    app = opened("inside", inside_run=str(run_of("cnn")), inside_view=view, inside_layer=layer)

    assert not app.exception
    assert url_of(app).get("inside_layer", "convolution_1") == layer


@pytest.mark.parametrize(
    "link",
    [
        {"inside_layer": "<b>"},
        {"inside_layer": "hidden_9"},
        {"inside_0_unit": "99999"},
        {"inside_0_unit": "0"},
        {"inside_0_unit": "-1"},
        {"inside_view": "image", "inside_image": "9999"},
        {"inside_view": "image", "inside_image": "1e3"},
        {"inside_view": "why", "inside_why": "x", "inside_against": "17"},
        {"inside_view": "why", "inside_why": "3", "inside_against": "3"},
        {"inside_beside": "999"},
        {"inside_view": "image", "inside_0_row": "99"},
    ],
)
def test_a_link_that_means_nothing_opens_what_is_there(link):
    app = opened("inside", **link)

    assert not app.exception


def test_the_way_of_an_image_has_the_logits_and_the_loss_of_the_network(sample):
    app = opened("inside", inside_view="image", inside_image="7")

    trace = network_choice.network_of(app.selectbox(key="inside_run").value).forward(sample.x_test[7:8])
    words = texts(app)
    for logit in trace.logits[0]:
        assert f"<td>{logit:.2f}</td>" in words
    loss = trace.cross_entropy(sample.y_test[7:8])[0]
    assert any(f"= {loss:.4f}" in latex.value for latex in app.latex)


def test_a_convolution_is_worked_out_to_what_the_network_gives(sample):
    opened("overview")
    app = opened("inside", inside_run=str(run_of("cnn")), inside_view="image", inside_image="3", inside_0_row="12")

    column = app.slider(key="inside_0_column").value
    found = network_choice.network_of(run_of("cnn")).forward(sample.x_test[3:4]).outputs[2][0, 12, column, 0]
    assert f"After relu: **{found:.3f}**" in texts(app)


def test_neurons_are_ordered_by_the_strength_of_their_weights_and_one_is_chosen_by_link():
    opened("overview")
    run = run_of("dense-512")
    app = opened("inside", inside_run=str(run), inside_0_order="norm")

    kernel = network_choice.network_of(run).layers[2].weights.kernel
    strongest = int(units.norms(kernel).argmax())
    assert f"**Neuron {strongest + 1}**" in texts(app)
    assert "100 of 512" in texts(app) or "512 neurons" in texts(app)
    assert "**Neuron 7**" in texts(opened("inside", inside_run=str(run), inside_0_unit="7"))


def test_two_networks_stand_side_by_side_in_every_view():
    for view in VIEWS:
        opened("overview")
        cnn, dense = run_of("cnn"), run_of("dense-32")
        app = opened("inside", inside_run=str(cnn), inside_beside=str(dense), inside_view=view)

        assert not app.exception
        assert [heading.value for heading in app.subheader] == ["CNN", "Dense 32"]
        assert url_of(app)["inside_beside"] == str(dense)


def test_what_was_drawn_last_is_looked_at(sample):
    app = opened("inside", inside_view="why")
    app.session_state[LAST_DIGIT] = sample.x_test[3]
    app.run()
    app.toggle(key="inside_drawn").set_value(True).run()

    assert not app.exception
    assert "drawn" in texts(app)


def test_the_smallest_change_and_both_classes_are_said_in_words():
    app = opened("inside", inside_view="why", inside_why="4", inside_against="9")

    words = texts(app)
    assert not app.exception
    assert "Red ink speaks for 4, blue for 9." in words
    total, difference = re.search(r"add up to (-?[\d.]+); .*? by (-?[\d.]+)\.", words).groups()
    assert float(total) == pytest.approx(float(difference), abs=0.02)
    assert "Euclidean size" in words


def test_a_run_that_kept_its_weights_shows_them_over_the_epochs(sample):
    opened("overview")
    store, settings = resources.run_store(), VARIANTS["dense-32"].check({})
    reference = store.find_run("dense-32").id
    kernel = network_choice.network_of(reference).layers[2].weights.kernel
    artifacts = {name: store.read_artifact(reference, name) for name in (MODEL_KERAS, MODEL_TFLITE)}
    artifacts |= {TEST_PROBABILITIES: np.full((1_000, 10), 0.1, np.float16).tobytes()}
    artifacts |= {TEST_LABELS: sample.y_test.tobytes()}
    artifacts[SNAPSHOTS] = first_snapshot(0, 0 * kernel).with_epoch(1, kernel / 2).with_epoch(2, kernel).as_bytes()
    data = {"dataset": sample.name, "fingerprint": sample.fingerprint}
    run = store.create_run("dense-32", settings, **data, leased=True)
    RunLeases(store).finish(run.id, run.lease, Result(0.1, 0.9, 1.0, 1, 0.1), artifacts)

    app = opened("inside", inside_run=str(run.id))

    assert not app.exception
    assert app.select_slider(key=f"inside_0_epoch_{run.id}").options == ["0", "1", "2"]
    app.select_slider(key=f"inside_0_epoch_{run.id}").set_value(0).run()
    assert not app.exception
