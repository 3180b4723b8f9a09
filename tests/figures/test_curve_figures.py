"""Learning curves as they are drawn: lines, bands, marks and axes."""

import json
import re
from collections.abc import Sequence

import plotly.graph_objects as go
import pytest

from mnist_dash.analysis.curve_lines import BEST, STOPPED, TESTED, Line, Mark
from mnist_dash.analysis.learning_curves import ACCURACY, EPOCHS, IMAGES, LOSS, SECONDS, TRAINING, VALIDATION
from mnist_dash.figures.curve_figures import DrawnCurve, learning_curves, shade
from mnist_dash.figures.standalone import as_html
from mnist_dash.figures.style import variant_colour
from mnist_dash.networks.variants import VARIANTS


def line(part: str = TRAINING, y: Sequence[float | None] = (0.4, 0.2), **other) -> Line:
    numbers = tuple(range(1, len(y) + 1))
    return Line(part, numbers, **{"x": numbers, "y": tuple(y), "raw": tuple(y), **other})


def drawn(*lines: Line, title: str = "CNN", variant: str = "cnn", number: int = 0, marks: Sequence[Mark] = ()):
    return DrawnCurve(title, title, variant, number, lines, marks)


def trace(figure, name):
    [found] = [trace for trace in figure.data if trace.name == name]
    return found


def unnamed(figure):
    return [trace for trace in figure.data if trace.name is None]


def test_accuracies_are_percent_and_losses_are_not():
    curve = drawn(line(y=[0.9, 0.94]))

    assert list(trace(learning_curves([curve], ACCURACY), "CNN, training").y) == pytest.approx([90, 94])
    assert list(trace(learning_curves([curve], LOSS), "CNN, training").y) == [0.9, 0.94]


def test_training_is_dotted_and_faint_and_validation_solid():
    figure = learning_curves([drawn(line(TRAINING), line(VALIDATION))], LOSS)

    training, validation = trace(figure, "CNN, training"), trace(figure, "CNN, validation")
    assert (training.line.dash, validation.line.dash) == ("dot", "solid")
    assert training.opacity < validation.opacity == 1


@pytest.mark.parametrize("variant", VARIANTS)
def test_the_first_run_of_a_variant_has_its_colour(variant):
    figure = learning_curves([drawn(line(), variant=variant)], LOSS)

    assert trace(figure, "CNN, training").line.color == variant_colour(variant)


def test_further_runs_of_a_variant_are_shades_of_its_colour_with_other_symbols():
    curves = [drawn(line(), title=f"run {number}", number=number) for number in range(6)]

    figure = learning_curves(curves, LOSS)

    lines = [trace(figure, f"run {number}, training") for number in range(6)]
    assert len({line.line.color for line in lines}) == len({line.marker.symbol for line in lines}) == 6


@pytest.mark.parametrize(("part", "colour"), [(0, "#0072B2"), (1, "#FFFFFF"), (-1, "#000000"), (0.5, "#80B8D8")])
def test_a_shade_is_a_mixture_with_white_or_black(part, colour):
    assert shade("#0072B2", part) == colour


def test_a_line_that_was_smoothed_has_the_measured_one_faint_behind_it():
    figure = learning_curves([drawn(line(y=[0.4, 0.3], raw=(0.4, 0.2)))], LOSS)

    [raw] = unnamed(figure)
    assert list(raw.y) == [0.4, 0.2]
    assert raw.opacity < 0.5
    assert list(trace(figure, "CNN, training").y) == [0.4, 0.3]


def test_a_line_that_was_not_smoothed_is_drawn_once():
    assert unnamed(learning_curves([drawn(line())], LOSS)) == []


def test_a_mean_has_a_band_from_its_lower_to_its_upper_edge():
    figure = learning_curves([drawn(line(low=(0.3, 0.1), high=(0.5, 0.3)))], LOSS)

    [band] = unnamed(figure)
    assert (list(band.x), list(band.y)) == ([1, 2, 2, 1], [0.5, 0.3, 0.1, 0.3])
    assert band.fill == "toself"
    assert list(trace(figure, "CNN, training").customdata) == [" (0.3 to 0.5)", " (0.1 to 0.3)"]


@pytest.mark.parametrize(
    ("quantity", "edges", "expected"),
    [(LOSS, (-0.1, 0.5), [0, 0.5]), (ACCURACY, (0.9, 1.02), [90, 100])],
)
def test_a_band_ends_where_no_value_can_be(quantity, edges, expected):
    figure = learning_curves([drawn(line(y=[0.2], low=edges[:1], high=edges[1:]))], quantity)

    [band] = unnamed(figure)
    assert sorted(band.y) == pytest.approx(expected)


def test_a_band_on_a_logarithmic_axis_does_not_reach_zero():
    figure = learning_curves([drawn(line(y=[0.2], low=(-0.1,), high=(0.5,)))], LOSS, logarithmic=True)

    [band] = unnamed(figure)
    assert min(band.y) > 0


def test_on_a_logarithmic_axis_an_accuracy_is_drawn_as_its_error_rate():
    curve = drawn(line(y=[0.9, 0.99], low=(0.88, 0.98), high=(0.92, 1.0)))

    figure = learning_curves([curve], ACCURACY, logarithmic=True)

    assert figure.layout.yaxis.title.text == "Error rate (%)"
    assert figure.layout.yaxis.type == "log"
    assert list(trace(figure, "CNN, training").y) == pytest.approx([10, 1])
    assert trace(figure, "CNN, training").customdata[0] == " (8.00 to 12.00)"


@pytest.mark.parametrize(
    ("axis", "title", "note"),
    [
        (EPOCHS, "Epoch", ""),
        (SECONDS, "Training time (s)", " · epoch 2"),
        (IMAGES, "Training images seen", " · epoch 2"),
    ],
)
def test_a_value_off_the_axis_of_epochs_says_its_epoch(axis, title, note):
    figure = learning_curves([drawn(line())], LOSS, axis=axis)

    assert figure.layout.xaxis.title.text == title
    assert trace(figure, "CNN, training").customdata[1] == note


@pytest.mark.parametrize(("axis", "whole"), [(EPOCHS, True), (SECONDS, False)])
def test_the_page_is_told_that_epochs_are_read_one_at_a_time(axis, whole):
    assert learning_curves([drawn(line())], LOSS, axis=axis).layout.meta["whole_numbers"] is whole


@pytest.mark.parametrize(("count", "reading"), [(1, "x unified"), (10, "x unified"), (11, "closest")])
def test_all_lines_are_read_at_one_x_as_long_as_their_values_find_room(count, reading):
    assert learning_curves([drawn(line())] * count, LOSS).layout.hovermode == reading


def test_marks_stand_at_their_epochs():
    marks = [Mark(BEST, 1, 1, 0.3), Mark(STOPPED, 2, 2, 0.4), Mark(TESTED, 1, 1, 0.35)]

    figure = learning_curves([drawn(line(), marks=marks)], LOSS)

    places = {kind: (trace(figure, f"CNN, {kind}").x[0], trace(figure, f"CNN, {kind}").y[0]) for kind in NAMES}
    assert places == {"lowest validation loss": (1, 0.3), "early stopping": (2, 0.4), "test": (1, 0.35)}
    assert trace(figure, "CNN, test").marker.symbol == "diamond"
    assert trace(figure, "CNN, lowest validation loss").hoverinfo == "skip"


NAMES = ("lowest validation loss", "early stopping", "test")


def test_a_zoom_is_forgotten_only_when_the_axis_becomes_another():
    def revisions(**view):
        layout = learning_curves([drawn(line())], ACCURACY, **view).layout
        return layout.xaxis.uirevision, layout.yaxis.uirevision

    first = revisions()
    assert revisions() == first
    assert revisions(axis=SECONDS)[0] != first[0]
    assert revisions(logarithmic_x=True)[0] != first[0]
    assert revisions(logarithmic=True) == (first[0], "error log")


def test_the_legend_has_an_entry_a_curve_and_one_for_each_kind_of_line():
    curves = [drawn(line(TRAINING), line(VALIDATION), title=title) for title in ("One", "Two")]

    figure = learning_curves(curves, LOSS)

    assert [trace.name for trace in figure.data if trace.showlegend is not False] == [
        "One",
        "Two",
        "training",
        "validation",
    ]
    assert figure.layout.showlegend is False  # on the page the key stands outside the chart, and wraps


@pytest.mark.parametrize("quantity", [LOSS, ACCURACY])
@pytest.mark.parametrize("axis", [EPOCHS, SECONDS, IMAGES])
@pytest.mark.parametrize("logarithmic", [False, True])
def test_plotly_finds_nothing_wrong_with_a_figure(quantity, axis, logarithmic):
    smooth = line(VALIDATION, raw=(0.5, 0.1), low=(0.3, 0.1), high=(0.5, 0.3))
    marks = [Mark(BEST, 1, 1, 0.3), Mark(STOPPED, 2, 2, 0.4), Mark(TESTED, 1, 1, 0.35)]
    curves = [drawn(line(), smooth, title=str(number), number=number, marks=marks) for number in range(7)]

    figure = learning_curves(curves, quantity, axis=axis, logarithmic=logarithmic, logarithmic_x=logarithmic)

    assert json.loads(go.Figure(figure.to_dict()).to_json()) == json.loads(figure.to_json())


def test_a_figure_taken_away_needs_nothing_else_and_has_its_legend():
    figure = learning_curves([drawn(line())], LOSS)

    page = as_html(figure, title="Curves of <CNN>")

    assert "plotly.js v" in page
    assert not re.search(r"<script[^>]*\ssrc=", page)
    assert '"showlegend":true' in page
    assert "#000037" not in page
    assert figure.layout.showlegend is False
