"""Learning curves as they are drawn: lines, bands, marks and axes."""

import itertools
import json
import re
from collections.abc import Sequence

import plotly.graph_objects as go
import pytest

from mnist_dash.analysis.curve_lines import BEST, STOPPED, TESTED, Line, Mark
from mnist_dash.analysis.learning_curves import ACCURACY, EPOCHS, IMAGES, LOSS, SECONDS, TRAINING, VALIDATION
from mnist_dash.figures.curve_colours import curve_colours
from mnist_dash.figures.curve_figures import DrawnCurve, learning_curves
from mnist_dash.figures.standalone import as_html
from mnist_dash.figures.style import variant_colour
from mnist_dash.networks.variants import VARIANTS


def line(part: str = TRAINING, y: Sequence[float | None] = (0.4, 0.2), **other) -> Line:
    numbers = tuple(range(1, len(y) + 1))
    return Line(part, numbers, **{"x": numbers, "y": tuple(y), "raw": tuple(y), **other})


def drawn(*lines: Line, title: str = "CNN", colour: str = "#0072B2", marks: Sequence[Mark] = ()):
    return DrawnCurve(title, title, colour, "circle", lines, marks)


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


def test_a_network_alone_has_the_colour_that_it_has_in_all_charts():
    assert curve_colours(list(VARIANTS)) == [variant_colour(variant) for variant in VARIANTS]


def test_several_runs_of_a_network_have_hues_that_differ():
    assert len(set(curve_colours(["cnn"] * 8))) == 8


def test_a_sweeps_colours_follow_the_order_of_its_values():
    first, same, last, middle = curve_colours(["cnn"] * 4, [0.001, 0.001, 1.0, 0.01])

    assert first == same == curve_colours(["cnn"] * 2, [1, 2])[0]
    assert last == curve_colours(["cnn"] * 2, [1, 2])[1]
    assert middle not in (first, last)


def luminance(colour: str) -> float:
    """Relative luminance by WCAG 2, in [0, 1]."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("paper", ["#FBFAF7", "#0F1116"])
def test_colours_of_a_sweep_and_of_several_runs_stand_out_on_light_and_dark_paper(paper: str):
    for colour in [*curve_colours(["cnn"] * 30, list(range(30))), *curve_colours(["cnn"] * 8)]:
        dark, light = sorted((luminance(colour), luminance(paper)))
        assert (light + 0.05) / (dark + 0.05) >= 3, colour


# Labels and frame


def test_labels_stand_at_the_ends_of_lines_in_their_colours_and_do_not_cover_each_other():
    curves = [drawn(line(y=[0.4, last]), title=str(last)) for last in (0.2, 0.2001, 0.2002, 0.9)]

    labels = learning_curves(curves, LOSS, framed=True, height=400).layout.annotations

    assert [label.text for label in labels] == ["0.2", "0.2001", "0.2002", "0.9"]
    assert {label.x for label in labels} == {2}
    low, high = learning_curves(curves, LOSS, framed=True, height=400).layout.yaxis.range
    places = sorted(300 / (high - low) * label.y + label.yshift for label in labels)
    assert min(later - earlier for earlier, later in itertools.pairwise(places)) >= 14.9


def test_a_framed_accuracy_leaves_out_the_first_steps_and_a_run_that_failed_but_no_good_one():
    good = drawn(line(y=[0.3, 0.9, 0.95, 0.96, 0.965, 0.97, 0.975, 0.98]))
    failed = drawn(line(y=[0.1, 0.1]), title="failed")

    low, high = learning_curves([good, failed], ACCURACY, framed=True).layout.yaxis.range

    assert 90 <= low <= 95
    assert 98 <= high <= 101


def test_without_a_frame_everything_is_shown():
    assert learning_curves([drawn(line(y=[0.1, 0.9]))], ACCURACY).layout.yaxis.range is None


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
    curves = [drawn(line(), smooth, title=str(number), marks=marks) for number in range(7)]

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
