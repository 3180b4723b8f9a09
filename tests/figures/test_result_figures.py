"""Figures of runs side by side: results, confusion, single qualities, sweeps."""

from dataclasses import replace

import numpy as np
import pytest

from mnist_dash.analysis.accuracies import accuracy
from mnist_dash.analysis.calibration import Bin
from mnist_dash.analysis.misclassified import class_scores
from mnist_dash.analysis.replicates import ReplicateGroup
from mnist_dash.analysis.slices import Slice
from mnist_dash.figures.confusion_figures import confusion, confusion_difference
from mnist_dash.figures.parallel_coordinates import axis_values, is_numeric, parallel_coordinates
from mnist_dash.figures.result_figures import accuracy_against, accuracy_intervals
from mnist_dash.figures.slice_figures import accuracy_by_slice, f1_by_class, reliability
from mnist_dash.figures.standalone import as_fragment
from mnist_dash.figures.style import TEXT, variant_colour
from tests.support.histories import run_with

RANDOM = np.random.default_rng(1)
COUNTS = RANDOM.integers(0, 2_000, (10, 10))


def trace(figure, name):
    [found] = [trace for trace in figure.data if trace.name == name]
    return found


def single(number, reached, *, variant="dense-32", **costs):
    return ReplicateGroup((replace(run_with(number, variant=variant, test_accuracy=reached), **costs),))


# Results


def test_accuracies_stand_with_their_intervals_and_claims():
    found = [single(1, 0.9451), single(2, 0.9767, variant="dense-512")]

    figure = accuracy_intervals(["Dense 32", "Dense 512"], found, [None, 0.9785])

    points = trace(figure, "Measured, with 95 % interval")
    measured = [accuracy(9_451, 10_000), accuracy(9_767, 10_000)]
    assert list(points.y) == ["Dense 32", "Dense 512"]
    assert list(points.x) == pytest.approx([94.51, 97.67])
    assert np.add(points.x, points.error_x.array) == pytest.approx([100 * one.high for one in measured])
    assert np.subtract(points.x, points.error_x.arrayminus) == pytest.approx([100 * one.low for one in measured])
    assert list(points.marker.color) == [variant_colour("dense-32"), variant_colour("dense-512")]
    claims = trace(figure, "Reported in the tutorial")
    assert (list(claims.y), list(claims.x)) == (["Dense 512"], pytest.approx([97.85]))


def test_repeats_are_a_mean_and_a_small_dot_each():
    runs = tuple(run_with(seed, seed=seed, test_accuracy=0.97 + seed / 1000) for seed in (1, 2, 3))

    figure = accuracy_intervals(["CNN", "Dense 32 · 3 seeds"], [single(9, 0.99), ReplicateGroup(runs)], [None, None])

    dots = trace(figure, "Single run")
    assert list(dots.x) == pytest.approx([97.1, 97.2, 97.3])
    assert set(dots.y) == {"Dense 32 · 3 seeds"}
    assert list(trace(figure, "Measured, with 95 % interval").x) == pytest.approx([99.0, 97.2])
    # The dots come first, and must not change the order of the names.
    assert list(figure.layout.yaxis.categoryarray) == ["CNN", "Dense 32 · 3 seeds"]


def test_without_claims_the_legend_has_none():
    figure = accuracy_intervals(["A"], [single(1, 0.9)], [None])

    assert [trace.name for trace in figure.data] == ["Measured, with 95 % interval"]


def test_long_names_are_written_in_up_to_four_lines():
    title = "Dense 512 · run 118 · epochs 4, dropout 0.1, seed 20, batch size 64, learning rate 0.01 · sample"

    figure = accuracy_intervals([title, "CNN"], [single(1, 0.9), single(2, 0.8)], [None, None])

    long, short = figure.layout.yaxis.ticktext
    assert short == "CNN"
    assert len(long.split("<br>")) == 4
    assert max(map(len, long.split("<br>"))) <= 24
    assert long.endswith("…")


def test_rows_are_as_high_as_their_names():
    groups, claims = [single(1, 0.9), single(2, 0.8)], [None, None]

    low = accuracy_intervals(["CNN", "Dense 32"], groups, claims)
    high = accuracy_intervals(
        ["CNN", "Dense 512 · run 118 · epochs 4, dropout 0.1, seed 20, batch size 64"], groups, claims
    )

    assert high.layout.height > low.layout.height


def test_labels_that_would_say_the_same_are_left_out():
    titles = [f"Dense 32 · epochs 5, batch size 64, learning rate {rate}" for rate in (0.1, 0.2)]
    groups = [single(number, 0.9, weights=25_450) for number in (1, 2)]

    assert len(accuracy_against(titles, groups, "weights").layout.annotations) == 0
    assert len(accuracy_against(["A", "B"], groups, "weights").layout.annotations) == 2


def test_a_logarithmic_axis_has_ticks_that_can_be_read():
    figure = accuracy_against(["A", "B"], [single(1, 0.9, weights=25_450), single(2, 0.9, weights=407_050)], "weights")

    ticks = list(figure.layout.xaxis.tickvals)
    assert {50_000, 100_000, 200_000} <= set(ticks)
    assert [tick for tick in ticks if 25_450 < tick < 407_050] == [50_000, 100_000, 200_000]


def test_accuracy_stands_against_the_mean_cost_on_a_logarithmic_axis():
    repeats = [run_with(number, seed=number, test_accuracy=0.97) for number in (1, 2)]
    together = ReplicateGroup(tuple(replace(run, fit_seconds=s) for run, s in zip(repeats, (2.0, 4.0), strict=True)))

    figure = accuracy_against(["Repeats", "Unknown"], [together, single(3, 0.9)], "fit_seconds")

    [points] = figure.data
    assert list(points.x) == [3.0, None]
    assert list(points.y) == pytest.approx([97.0, 90.0])
    assert figure.layout.xaxis.type == "log"
    [name] = figure.layout.annotations  # only of what has a place
    assert (name.text, name.x) == ("Repeats", pytest.approx(np.log10(3.0)))


# Confusion


def written(figure):
    """Returns what is written into each cell, and in which colour."""
    return {
        (true, read): (word, trace.textfont.color)
        for trace in figure.select_traces({"mode": "text"})
        for true, read, word in zip(trace.y, trace.x, trace.text, strict=True)
    }


def test_a_confusion_matrix_colours_mistakes_alone():
    counts = np.diag(np.full(10, 970))
    counts[4, 9], counts[9, 4] = 30, 6

    squares = confusion(counts).data[0]

    assert np.isnan(np.diag(squares.z)).all()
    assert (squares.z[4][9], squares.z[9][4], squares.z[0][1]) == (30, 6, 0)
    assert (squares.zmin, squares.zmax) == (0, 30)


@pytest.mark.parametrize("draw", [confusion, confusion_difference])
def test_every_cell_of_a_matrix_has_a_marker_to_click(draw):
    figure = draw(COUNTS)

    [markers] = [trace for trace in figure.data if trace.customdata is not None]
    counted = dict(zip(zip(markers.y, markers.x, strict=True), markers.customdata, strict=True))
    assert counted == {(true, read): COUNTS[true, read] for true in range(10) for read in range(10)}
    assert "select" in figure.layout.clickmode


def test_a_confusion_matrix_writes_every_number_in_its_square():
    words = written(confusion(COUNTS))

    assert {cell: word for cell, (word, _) in words.items()} == {
        (true, read): f"{COUNTS[true, read]:,}" for true in range(10) for read in range(10)
    }


def test_a_confusion_matrix_without_mistakes_can_be_drawn():
    assert confusion(np.diag(np.full(10, 100))).data[0].zmax == 1


def test_the_counts_given_to_a_confusion_matrix_are_left_alone():
    counts = np.diag(np.full(10, 100))

    confusion(counts)
    confusion_difference(counts)

    np.testing.assert_array_equal(counts, np.diag(np.full(10, 100)))


def test_the_difference_of_two_matrices_turns_round_with_them():
    one, other = COUNTS, RANDOM.integers(0, 2_000, (10, 10))

    forth, back = confusion_difference(one - other).data[0], confusion_difference(other - one).data[0]

    np.testing.assert_array_equal(forth.z, np.negative(back.z))
    assert forth.zmin == -forth.zmax == back.zmin == -back.zmax
    colours = [colour for _, colour in forth.colorscale]
    assert colours[len(colours) // 2] == "#F7F7F7"


def test_a_difference_is_written_with_its_sign():
    counts = np.zeros((10, 10), int)
    counts[4, 9], counts[9, 4] = 12, -3

    words = written(confusion_difference(counts))

    assert (words[4, 9][0], words[9, 4][0], words[0, 0][0]) == ("+12", "-3", "0")


def test_numbers_can_be_read_on_dark_and_on_light_squares():
    counts = np.zeros((10, 10), int)
    counts[4, 9], counts[9, 4] = 100, -100

    words = written(confusion_difference(counts))

    assert words[4, 9][1] == words[9, 4][1] == "white"
    assert words[0, 1][1] == "#16181D"  # on white, also on a dark page
    assert words[0, 0][1] == TEXT  # on the page itself


def test_the_chosen_cell_is_framed_and_no_click_makes_numbers_fade():
    figure = confusion(COUNTS, chosen=(4, 9))

    [frame] = figure.layout.shapes
    assert (frame.x0, frame.x1, frame.y0, frame.y1) == (8.5, 9.5, 3.5, 4.5)
    for trace in figure.select_traces({"mode": "text"}):
        assert trace.textfont.color == trace.selected.textfont.color == trace.unselected.textfont.color


# Single qualities


def test_f1_of_several_runs_stands_beside_each_other():
    scores = class_scores(COUNTS)

    figure = f1_by_class(["A", "B"], ["cnn", "dense-32"], [scores, scores])

    first, second = figure.data
    assert list(first.y) == pytest.approx([100 * score.f1.value for score in scores])
    assert list(np.round(first.x)) == list(np.round(second.x)) == list(range(10))
    assert (np.subtract(second.x, first.x) > 0.1).all()
    assert np.add(first.y, first.error_y.array) == pytest.approx([100 * score.f1.high for score in scores])


def test_runs_of_one_network_have_different_markers():
    scores = class_scores(COUNTS)

    first, second, other = f1_by_class(["A", "B", "C"], ["cnn", "cnn", "dense-32"], [scores] * 3).data

    assert first.marker.color == second.marker.color != other.marker.color
    assert first.marker.symbol == other.marker.symbol != second.marker.symbol


def test_a_digit_that_is_never_read_has_no_f1():
    counts = np.zeros((10, 10), int)
    counts[1, 1] = 5

    [points] = f1_by_class(["A"], ["cnn"], [class_scores(counts)]).data

    assert list(points.customdata) == ["1"]


def test_sureness_stands_against_how_often_it_was_right():
    bins = [Bin(0.55, accuracy(6, 10)), Bin(0.99, accuracy(95, 100))]

    figure = reliability(["A", "B"], ["cnn", "cnn"], [bins, bins])

    diagonal, first, second = figure.data
    assert list(diagonal.x) == list(diagonal.y) == [0, 100]
    assert (list(first.x), list(first.y)) == (pytest.approx([55, 99]), pytest.approx([60, 95]))
    assert first.line.dash != second.line.dash


def test_accuracy_by_a_trait_stands_at_the_middle_of_each_part():
    parts = [Slice(4, 9, 7, accuracy(90, 100)), Slice(9, 20, 12, accuracy(80, 100))]

    [line] = accuracy_by_slice(["A"], ["cnn"], [parts], "width").data

    assert (list(line.x), list(line.y)) == ([7, 12], pytest.approx([90, 80]))
    assert line.customdata[0] == "4.0 to 9.0"


# Sweeps

SWEEP = [
    replace(
        run_with(number, variant=variant, learning_rate=rate, test_accuracy=0.9 + number / 100),
        weights=weights,
        fit_seconds=seconds,
    )
    for number, (variant, rate, weights, seconds) in enumerate(
        [("dense-32", 0.001, 25_450, 2.0), ("dense-512", 0.01, 407_050, None), ("dense-32", 0.1, 25_450, 4.0)]
    )
]


def dimension(figure, label):
    [found] = [dimension for dimension in figure.data[0].dimensions if dimension.label == label]
    return found


def test_what_runs_have_on_an_axis():
    assert axis_values(SWEEP, "variant") == ["Dense 32", "Dense 512", "Dense 32"]
    assert axis_values(SWEEP, "test_accuracy") == pytest.approx([90.0, 91.0, 92.0])
    assert axis_values(SWEEP, "fit_seconds") == [2.0, None, 4.0]
    assert axis_values(SWEEP, "learning_rate") == [0.001, 0.01, 0.1]


@pytest.mark.parametrize(
    ("values", "can_be"),
    [([1, 2], True), ([1, 1], False), ([0, 1], False), ([-1, 1], False), (["a", "b"], False), ([None, 1, 2], True)],
)
def test_only_different_positive_numbers_can_be_logarithmic(values, can_be):
    assert is_numeric(values) == can_be


def test_every_run_is_a_line_through_all_axes():
    figure = parallel_coordinates(SWEEP, {"variant": "Network", "learning_rate": "Rate", "test_accuracy": "Test"})

    assert [dimension.label for dimension in figure.data[0].dimensions] == ["Network", "Rate", "Test"]
    assert list(dimension(figure, "Network").values) == [0, 1, 0]
    assert list(dimension(figure, "Network").ticktext) == ["Dense 32", "Dense 512"]
    assert list(dimension(figure, "Test").values) == pytest.approx([90.0, 91.0, 92.0])
    assert list(figure.data[0].line.color) == pytest.approx([90.0, 91.0, 92.0])


def test_an_axis_may_be_logarithmic_with_its_own_numbers_beside_it():
    rate = dimension(
        parallel_coordinates(SWEEP, {"learning_rate": "Rate", "weights": "W"}, logarithmic=["learning_rate"]), "Rate"
    )

    assert list(rate.values) == pytest.approx([-3, -2, -1])
    assert dict(zip(rate.ticktext, rate.tickvals, strict=True)) == pytest.approx({"0.001": -3, "0.01": -2, "0.1": -1})


def test_many_values_have_round_numbers_beside_them():
    runs = [run_with(number, test_accuracy=0.86 + 0.0061 * number) for number in range(11)]

    test = dimension(parallel_coordinates(runs, {"test_accuracy": "Test", "epochs": "Epochs"}), "Test")

    assert list(test.ticktext) == ["86", "88", "90", "92", "94"]
    assert list(test.tickvals) == pytest.approx([86, 88, 90, 92, 94])
    assert list(test.range) == pytest.approx([86, 94])


def test_an_axis_may_stand_upside_down():
    axes = {"learning_rate": "Rate", "variant": "Network"}

    up, down = parallel_coordinates(SWEEP, axes), parallel_coordinates(SWEEP, axes, reverse=list(axes))

    for label in axes.values():
        assert list(dimension(up, label).range) == list(dimension(down, label).range)[::-1]
        assert list(dimension(up, label).values) == list(dimension(down, label).values)


def test_logarithms_are_left_out_where_there_are_none():
    runs = [run_with(number, dropout=part, test_accuracy=0.9) for number, part in enumerate((0.0, 0.2, 0.5))]

    drop = dimension(parallel_coordinates(runs, {"dropout": "Dropout"}, logarithmic=["dropout"]), "Dropout")

    assert list(drop.values) == [0.0, 0.2, 0.5]


def test_what_is_not_known_of_a_run_is_not_drawn_as_zero():
    seconds = dimension(parallel_coordinates(SWEEP, {"fit_seconds": "Seconds", "weights": "W"}), "Seconds")

    assert (seconds.values[0], seconds.values[2]) == (2.0, 4.0)
    assert seconds.values[1] == seconds.range[0] < 2.0
    assert dict(zip(seconds.tickvals, seconds.ticktext, strict=True))[seconds.range[0]] == "–"


def test_a_figure_of_a_report_brings_its_library_once():
    figure = confusion(COUNTS)

    whole, part = as_fragment(figure, with_library=True), as_fragment(figure, with_library=False)

    assert len(whole) > 1_000_000 > len(part)
    assert "<html" not in part
    assert "#000037" not in part  # only Streamlit's pages put a colour in its place
