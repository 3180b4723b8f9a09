import json

import plotly.graph_objects as go
import pytest
from hypothesis import given
from hypothesis import settings as of_hypothesis
from hypothesis import strategies as st

from mnist_dash.figures.network_diagram import drawing_words, network_drawing, shape_words
from mnist_dash.networks.hyperparameters import ACTIVATIONS
from mnist_dash.networks.summary import LayerSummary, summarise
from mnist_dash.networks.variants import VARIANTS

MARGIN = 96  # pixels left of the plot, where the pictograms are


def summary_of(name, **settings):
    return summarise(VARIANTS[name], VARIANTS[name].check(settings))


def shapes_in(figure, row, kind):
    return [shape for shape in figure.layout.shapes if shape.yanchor == row and shape.type == kind]


def labels_in(figure):
    return [label.text for label in figure.layout.annotations]


def width_of(shape):
    return shape.x1 - shape.x0


@pytest.mark.parametrize("name", VARIANTS)
def test_every_layer_has_a_row_with_its_name_and_output(name):
    summary = summary_of(name)

    figure = network_drawing(summary)

    assert len(labels_in(figure)) == len(summary)
    for layer, label in zip(summary, labels_in(figure), strict=True):
        assert layer.title in label
        assert f"{layer.output_shape[0]:,}" in label
        assert (f"{layer.weights:,} weights" in label) == (layer.weights > 0)


def test_the_rows_of_dense_32_say_what_the_layers_do():
    assert labels_in(network_drawing(summary_of("dense-32"))) == [
        "<b>Input</b><br>784 values",
        "<b>Dense, relu</b><br>32 values · 25,120 weights",
        "<b>Dense, softmax</b><br>10 values · 330 weights",
    ]


def test_a_bar_is_the_layers_share_of_all_weights():
    track, bars = network_drawing(summary_of("dense-32")).data

    assert list(bars.x) == [25_120, 330]
    assert list(track.x) == [25_450, 25_450]
    assert [row[1] for row in bars.customdata] == ["98.7 %", "1.3 %"]
    assert [row[2] for row in bars.customdata] == [784 * 32, 32 * 10]


def test_a_share_that_rounds_to_nothing_is_not_shown_as_nothing():
    _, bars = network_drawing(summary_of("cnn")).data

    assert bars.customdata[0][1] == "< 0.1 %"


def test_a_feature_map_is_a_square_and_more_maps_are_a_deeper_stack():
    figure = network_drawing(summary_of("cnn"))

    stacks = [shapes_in(figure, row, "rect") for row in range(4)]

    assert [len(stack) for stack in stacks] == [1, 5, 6, 6]  # 1, 16, 32 and 32 maps
    assert [width_of(stack[0]) for stack in stacks] == pytest.approx([33.2, 31.4, 31.4, 19.7])
    assert all(width_of(shape) == pytest.approx(shape.y1 - shape.y0) for stack in stacks for shape in stack)


@pytest.mark.parametrize(("units", "full", "small"), [(1, 1, 0), (5, 5, 0), (12, 12, 0), (13, 8, 3), (512, 8, 3)])
def test_a_row_of_numbers_is_a_row_of_dots_with_an_ellipsis_where_they_are_many(units, full, small):
    figure = network_drawing(summary_of("dense-32", hidden_units=units))

    widths = [width_of(dot) for dot in shapes_in(figure, 1, "circle")]

    assert [width for width in widths if width > 3] == pytest.approx([4.4] * full)
    assert [width for width in widths if width < 3] == pytest.approx([2.2] * small)


def test_what_only_training_does_is_drawn_hollow():
    figure = network_drawing(summary_of("dense-32", dropout=0.5))

    filled = [shapes_in(figure, row, "circle")[0].fillcolor is not None for row in range(4)]

    assert filled == [True, True, False, True]


@of_hypothesis(max_examples=25, deadline=None)
@given(
    name=st.sampled_from(list(VARIANTS)),
    hidden_layers=st.integers(0, 5),
    hidden_units=st.integers(1, 4_096),
    filters=st.integers(1, 64),
    dropout=st.sampled_from([0, 0.5]),
    activation=st.sampled_from(ACTIVATIONS),
)
def test_pictograms_stay_in_their_column_and_arrows_between_them(name, filters, **settings):
    known = {"filters": filters} if name.startswith("cnn") else {}
    summary = summary_of(name, **settings, **known)

    layout = network_drawing(summary).to_dict()["layout"]  # figures themselves are slow to read

    pictograms = [shape for shape in layout["shapes"] if shape["type"] in ("rect", "circle")]
    lines = {shape["yanchor"]: shape for shape in layout["shapes"] if shape["type"] == "line"}
    assert min(shape["x0"] for shape in pictograms) >= -MARGIN
    assert max(shape["x1"] for shape in pictograms) < -4
    assert layout["margin"]["l"] == MARGIN
    for row in range(1, len(summary)):
        above = min(shape["y0"] for shape in pictograms if shape["yanchor"] == row - 1)
        below = max(shape["y1"] for shape in pictograms if shape["yanchor"] == row)
        assert above + layout["height"] / len(summary) > lines[row]["y0"] > lines[row]["y1"] > below


@pytest.mark.parametrize("name", VARIANTS)
def test_all_that_has_a_size_is_in_pixels_so_that_it_looks_the_same_on_a_phone(name):
    figure = network_drawing(summary_of(name))

    assert {(shape.xsizemode, shape.ysizemode) for shape in figure.layout.shapes} == {("pixel", "pixel")}
    assert {(label.xref, label.x) for label in figure.layout.annotations} == {("paper", 0)}


@pytest.mark.parametrize("name", VARIANTS)
def test_a_drawing_suits_light_and_dark_pages(name):
    figure = network_drawing(summary_of(name))

    assert figure.layout.paper_bgcolor == figure.layout.plot_bgcolor == "rgba(0,0,0,0)"
    assert all(label.font.color is None for label in figure.layout.annotations)  # the theme's own
    assert (figure.layout.xaxis.visible, figure.layout.yaxis.visible) == (False, False)
    assert len(json.loads(figure.to_json())["data"]) == 2


def test_a_network_without_weights_can_be_drawn():
    figure = network_drawing([LayerSummary("Input", "Input", "linear", (784,))])

    assert isinstance(figure, go.Figure)
    assert labels_in(figure) == ["<b>Input</b><br>784 values"]


def test_the_drawing_in_words():
    assert drawing_words(summary_of("dense-32", dropout=0.25)) == (
        "A network with 25,450 weights. The input, 784 values, goes through 3 layers: Dense, relu with output 32 "
        "values and 25,120 weights; Dropout 25 % with output 32 values; Dense, softmax with output 10 values and "
        "330 weights."
    )


def test_one_layer_is_not_called_layers():
    assert "goes through 1 layer: Dense, softmax" in drawing_words(summary_of("dense-32", hidden_layers=0))


@pytest.mark.parametrize(
    ("shape", "words"),
    [((26, 26, 16), "26 × 26 × 16"), ((784,), "784 values"), ((1,), "1 value"), ((4096,), "4,096 values")],
)
def test_shapes_in_words(shape, words):
    assert shape_words(shape) == words
