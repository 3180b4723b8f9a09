import ast
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import plotly.graph_objects as go
import pytest
from streamlit.elements.lib import streamlit_plotly_theme

from mnist_dash.analysis.accuracies import accuracy
from mnist_dash.analysis.calibration import Bin
from mnist_dash.analysis.curve_lines import Line
from mnist_dash.analysis.learning_curves import ACCURACY, LOSS, TRAINING
from mnist_dash.analysis.misclassified import class_scores
from mnist_dash.analysis.projection import Projection
from mnist_dash.analysis.replicates import ReplicateGroup
from mnist_dash.analysis.slices import Slice
from mnist_dash.datasets.mnist import DIGITS
from mnist_dash.figures import diverging, style
from mnist_dash.figures.confusion_figures import confusion, confusion_difference
from mnist_dash.figures.curve_figures import DrawnCurve, learning_curves
from mnist_dash.figures.data_figures import class_balance, image_map, trait_histogram, value_histogram
from mnist_dash.figures.live_figures import RunSoFar, live_curve, runs_so_far
from mnist_dash.figures.network_diagram import network_drawing
from mnist_dash.figures.parallel_coordinates import parallel_coordinates
from mnist_dash.figures.result_figures import accuracy_against, accuracy_intervals
from mnist_dash.figures.slice_figures import accuracy_by_slice, f1_by_class, reliability
from mnist_dash.figures.style import variant_colour
from mnist_dash.figures.weight_figures import activations, outgoing_weights, weight_histogram
from mnist_dash.networks.summary import summarise
from mnist_dash.networks.variants import VARIANTS
from mnist_dash.store.records import Epoch, Progress
from tests.support.histories import run_with

LABELS = np.array(["0", "1", "2"])
MAP = Projection(np.array([[0, 1], [2, 3], [4, 5]], np.float32), np.array([0.3, 0.2]))

# As the design names them, after Okabe and Ito.
COLOURS = {
    "dense-32": "#E69F00",
    "sigmoid-100": "#56B4E9",
    "dense-512": "#009E73",
    "cnn": "#0072B2",
    "cnn-augmented": "#CC79A7",
}
EPOCHS = [Epoch(1, 0.36, 0.90, 0.25, 0.92, 0.4), Epoch(2, 0.21, 0.94, 0.22, 0.935, 0.3)]
UNVALIDATED = [Epoch(1, 0.36, 0.90, None, None, 0.4), Epoch(2, 0.21, 0.94, None, None, 0.3)]
RANDOM = np.random.default_rng(1)
RUN = replace(run_with(1, variant="cnn", test_accuracy=0.99), weights=370_026)
CONTENDERS = [ReplicateGroup((RUN,))]
DRAWN = DrawnCurve("CNN", "CNN", "#0072B2", "circle", [Line(TRAINING, (1, 2), (1, 2), (0.3, 0.2), (0.3, 0.2))])


def trace(figure, name):
    [found] = [trace for trace in figure.data if trace.name == name]
    return found


def names_of(figure):
    return [trace.name for trace in figure.data]


def axis_titles(figure):
    return figure.layout.xaxis.title.text, figure.layout.yaxis.title.text


# A run in training


def test_the_live_curve_ends_in_the_epoch_under_way():
    progress = Progress(epoch=3, step=25, steps=100, loss=0.2, accuracy=0.95)

    figure = live_curve(EPOCHS, progress, variant="dense-512", total=10)

    assert list(trace(figure, "Training").x) == [1, 2, 2.25]
    assert list(trace(figure, "Training").y) == pytest.approx([90, 94, 95])
    assert list(trace(figure, "Validation").x) == [1, 2]
    assert list(trace(figure, "Validation").y) == pytest.approx([92, 93.5])
    assert trace(figure, "Training").line.color == COLOURS["dense-512"]


@pytest.mark.parametrize(
    "progress",
    [
        None,
        Progress(epoch=3, step=0, steps=100),
        Progress(epoch=3, step=0, steps=0, accuracy=0.9),
        Progress(epoch=2, step=100, steps=100, accuracy=0.9),
    ],
    ids=["nothing known", "no accuracy yet", "no steps yet", "an epoch that has ended"],
)
def test_the_live_curve_shows_only_what_is_known(progress):
    figure = live_curve(UNVALIDATED, progress, variant="cnn", total=10)

    assert names_of(figure) == ["Training"]
    assert list(trace(figure, "Training").x) == [1, 2]


def test_the_live_curve_keeps_its_width_while_it_grows():
    early = live_curve([], None, variant="cnn", total=60)
    late = live_curve(EPOCHS, None, variant="cnn", total=60)

    assert early.layout.xaxis.range == late.layout.xaxis.range
    assert late.layout.xaxis.range[0] == 0
    assert late.layout.xaxis.range[1] > 60


# Data


def test_the_class_balance_is_a_bar_a_digit():
    figure = class_balance(np.arange(1_000, 1_010), names=DIGITS, part="training")

    [bars] = figure.data
    assert list(bars.x) == list(DIGITS)
    assert list(bars.y) == list(range(1_000, 1_010))
    assert bars.text[0] == "1,000"
    assert axis_titles(figure) == ("Class", "Images (training)")


def test_a_trait_is_a_bar_a_value_and_what_is_outside_of_the_range_is_faint():
    figure = trait_histogram(np.array([3, 3, 4, 6]), label="Width, pixels", chosen=(4, 6))

    [bars] = figure.data
    assert dict(zip(bars.x, bars.y, strict=True)) == {3: 2, 4: 1, 5: 0, 6: 1}
    assert [opacity > 0.5 for opacity in bars.marker.opacity] == [False, True, True, True]
    assert sum(trait_histogram(np.linspace(0, 1, 99), label="Ink", chosen=(0, 1)).data[0].y) == 99


def test_a_map_has_a_trace_a_name_with_the_images_indices():
    names = np.array(["1", "0", "1"])
    figure = image_map(MAP, np.array([5, 6, 9]), names, names, order=DIGITS, shown=np.array([1, 1, 0]) > 0, framed=6)

    zeros, ones, frame = figure.data
    assert (zeros.name, list(zeros.customdata), list(zeros.x)) == ("0", [6], [2])
    assert (ones.name, list(ones.customdata), list(ones.x)) == ("1", [5], [0])
    assert (list(frame.x), frame.customdata) == ([2], None)


def test_pixel_values_are_counted_in_bins_without_black():
    counts = np.zeros(256, int)
    counts[[0, 1, 15, 16, 255]] = 9_000, 1, 2, 4, 8

    [bars] = value_histogram(counts).data

    assert list(bars.y) == [3, 4, *[0] * 14, 8]
    assert (bars.customdata[0], bars.customdata[-1]) == ("1 to 15", "241 to 255")


# Weights


@pytest.mark.parametrize("dark", [False, True])
def test_the_colours_of_weights_are_symmetric_about_zero_and_end_at_the_limit(dark):
    colours = diverging.coloured(np.array([-9.0, -0.5, 0, 0.5, 9]), 0.5, dark=dark).tolist()

    scale = [[int(colour[at : at + 2], 16) for at in (1, 3, 5)] for _, colour in SCALES[dark]]
    assert colours == [scale[0], scale[0], scale[2], scale[4], scale[4]]


def test_the_scale_of_weights_ends_before_the_few_largest_and_never_at_zero():
    weights = np.append(np.full(999, -0.25), 80.0)

    assert diverging.limit_of(weights) == pytest.approx(0.25)
    assert diverging.limit_of(np.zeros(9)) == 1


def test_weights_and_biases_are_counted_in_the_same_bins():
    weights, biases = weight_histogram(np.linspace(-1, 1, 600).reshape(60, 10), np.full(10, 0.5)).data

    assert (sum(weights.y), sum(biases.y)) == (600, 10)
    assert list(weights.x) == list(biases.x)


def test_outgoing_weights_are_red_above_zero_and_blue_below():
    [bars] = outgoing_weights(np.linspace(-0.9, 0.9, 10), DIGITS).data

    assert len(set(bars.marker.color[:5])) == len(set(bars.marker.color[5:])) == 1
    assert bars.marker.color[0] != bars.marker.color[9]
    assert list(bars.x) == list(DIGITS)


def test_a_live_curve_of_losses_has_the_epoch_under_way_as_its_last_point():
    validated = [Epoch(1, 0.4, 0.9, 0.3, 0.92, 1.0)]

    figure = live_curve(validated, Progress(2, 50, 100, 0.25, 0.95), variant="cnn", total=4, quantity=LOSS)

    training, validation = figure.data
    assert (list(training.x), list(training.y)) == ([1, 1.5], [0.4, 0.25])
    assert (list(validation.x), list(validation.y)) == ([1], [0.3])
    assert figure.layout.yaxis.range[0] == 0
    assert figure.layout.yaxis.range[1] > 0.4


def test_runs_of_an_experiment_are_drawn_by_validation_where_there_is_one():
    validated = [Epoch(1, 0.4, 0.9, 0.3, 0.92, 1.0), Epoch(2, 0.3, 0.93, 0.2, 0.95, 1.0)]

    figure = runs_so_far(
        [RunSoFar("fold 1", "cnn", validated, None), RunSoFar("fold 2", "cnn", validated[:1], None)], total=4
    )

    assert [list(line.y) for line in figure.data] == [[92.0, 95.0], [92.0]]
    assert [line.name for line in figure.data] == ["fold 1", "fold 2"]
    assert figure.layout.yaxis.title.text == "Validation accuracy (%)"
    assert figure.layout.xaxis.range[1] > 4  # the whole way, so that nothing jumps


# All figures


def test_text_has_the_colour_that_streamlits_theme_gives_to_text():
    assert live_curve(EPOCHS, None, variant="cnn", total=5).layout.font.color == streamlit_plotly_theme.GRAY_90


ALL = {
    "learning_curves of losses": learning_curves([DRAWN], LOSS),
    "learning_curves of accuracies": learning_curves([DRAWN], ACCURACY),
    "live_curve": live_curve(EPOCHS, None, variant="cnn", total=5),
    "live_curve of losses": live_curve(EPOCHS, None, variant="cnn", total=5, quantity=LOSS),
    "runs_so_far": runs_so_far([RunSoFar("seed 1", "cnn", EPOCHS, None)], total=5),
    "network_drawing": network_drawing(summarise(VARIANTS["cnn"], VARIANTS["cnn"].check({}))),
    "class_balance": class_balance(np.arange(10), names=DIGITS, part="test"),
    "trait_histogram": trait_histogram(np.arange(9), label="Width, pixels", chosen=(0, 8)),
    "image_map": image_map(MAP, np.arange(3), LABELS, LABELS, order=DIGITS, shown=np.ones(3, bool)),
    "value_histogram": value_histogram(np.arange(256)),
    "accuracy_intervals": accuracy_intervals(["A"], CONTENDERS, [0.9]),
    "accuracy_against": accuracy_against(["A"], CONTENDERS, "weights"),
    "accuracy_by_slice": accuracy_by_slice(["A"], ["cnn"], [[Slice(1, 5, 3, accuracy(9, 10))]], "width"),
    "reliability": reliability(["A"], ["cnn"], [[Bin(0.9, accuracy(9, 10))]]),
    "f1_by_class": f1_by_class(["A"], ["cnn"], [class_scores(np.eye(10, dtype=int))]),
    "parallel_coordinates": parallel_coordinates([RUN], {"epochs": "Epochs", "test_accuracy": "Test accuracy (%)"}),
    "confusion": confusion(np.eye(10, dtype=int)),
    "confusion_difference": confusion_difference(np.eye(10, dtype=int)),
    "weight_histogram": weight_histogram(np.arange(20).reshape(2, 10), np.arange(10)),
    "outgoing_weights": outgoing_weights(np.arange(10), DIGITS),
    "activations": activations(np.arange(32)),
}
SHEETS = {"network_drawing", "parallel_coordinates"}  # without a pair of axes
SCALES = {False: style.DIVERGING, True: style.DIVERGING_DARK}
MODULES = sorted(Path(style.__file__).parent.glob("*.py"))
NOT_DRAWN = {"styled", "robustness_lines", "robustness_sheet"}  # what figures are made of; drawn in other tests


def test_all_functions_that_draw_are_tested_here():
    drawn = {
        node.name
        for file in MODULES
        for node in ast.parse(file.read_text(encoding="utf-8")).body
        if isinstance(node, ast.FunctionDef) and node.returns and not node.name.startswith("_")
        if ast.unparse(node.returns) == "go.Figure" and node.name not in NOT_DRAWN
    }

    assert drawn == {name.split()[0] for name in ALL}


@pytest.mark.parametrize("name", ALL)
def test_a_figure_has_titles_on_its_axes_or_no_axes(name):
    figure = ALL[name]

    if name in SHEETS:
        assert (figure.layout.xaxis.visible, figure.layout.yaxis.visible) == (False, False)
    else:
        named_rows = name.startswith("accuracy_intervals")
        assert all(axis_titles(figure)) or (named_rows and axis_titles(figure)[0])


@pytest.mark.parametrize(
    ("name", "unit"),
    [
        ("learning_curves of losses", "(cross-entropy, nats)"),
        ("learning_curves of accuracies", "(%)"),
        ("live_curve", "(%)"),
        ("accuracy_intervals", "(%)"),
        ("accuracy_against", "(%)"),
        ("accuracy_by_slice", "(pixels)"),
        ("reliability", "(%)"),
        ("f1_by_class", "(%)"),
    ],
)
def test_measured_quantities_name_their_unit(name, unit):
    assert any(unit in title for title in axis_titles(ALL[name]))


@pytest.mark.parametrize("name", ALL)
def test_a_figure_can_be_sent_to_a_browser_and_has_no_background_of_its_own(name):
    figure = ALL[name]

    assert isinstance(figure, go.Figure)
    assert len(json.loads(figure.to_json())["data"]) == len(figure.data)
    assert figure.layout.paper_bgcolor == figure.layout.plot_bgcolor == "rgba(0,0,0,0)"


@pytest.mark.parametrize("variant", COLOURS)
def test_each_variant_has_its_colour(variant):
    assert variant_colour(variant) == COLOURS[variant]


def test_an_unknown_variant_has_a_colour_that_no_other_has():
    assert variant_colour("something else") not in COLOURS.values()


@pytest.mark.parametrize("file", MODULES, ids=lambda file: file.name)
def test_no_figure_reads_a_store_or_a_file(file):
    tree = ast.parse(file.read_text(encoding="utf-8"))
    from_runs = {
        alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("mnist_dash.store")
        for alias in node.names
    }
    called = {node.func.id for node in ast.walk(tree) if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)}

    assert from_runs <= {"Epoch", "Progress", "Run"}
    assert "open" not in called
