import numpy as np
import pytest
from scipy import stats

from mnist_dash.analysis.corruption_accuracy import (
    accuracy_by_level,
    clean_accuracy,
    lead,
    mean_accuracy,
    mean_by_strength,
    robustness,
)
from mnist_dash.analysis.words.robustness_words import robustness_words
from mnist_dash.corruptions.kinds import CORRUPTIONS, KINDS
from mnist_dash.errors import ComparisonError
from mnist_dash.figures.robustness_figures import RobustnessLine, robustness_lines, robustness_sheet
from mnist_dash.store.corruption_counts import CorruptionCounts
from tests.pages.opening import plain


def plain_words(titles, counts):
    return plain(robustness_words(titles, counts))


def readings(hits, *, right=None):
    """Readings of pictures that were read right at so many of the 75 strengths each."""
    per_level = int(np.sum(hits)) // 75
    counts = {kind.name: (per_level,) * len(kind.levels) for kind in KINDS.values()}
    return CorruptionCounts(
        len(hits), {"clean": (len(hits),), **counts, **(right or {})}, np.array(hits, np.uint8).tobytes()
    )


# What readings say


def test_robustness_is_a_mean_over_pictures_with_its_interval():
    hits = np.random.default_rng(1).integers(0, 76, 400)

    found = robustness(readings(hits))

    shares = hits / 75
    low, high = stats.norm.interval(0.95, shares.mean(), shares.std(ddof=1) / 20)
    assert (found.value, found.low, found.high) == pytest.approx((shares.mean(), low, high))
    assert found.n == 400


def test_one_network_is_ahead_of_another_if_it_is_so_on_the_same_pictures():
    hits = np.random.default_rng(2).integers(5, 71, 400)
    better = hits + np.random.default_rng(3).integers(-2, 4, 400)

    found = lead(readings(better), readings(hits))

    differences = (better - hits) / 75
    test = stats.ttest_1samp(differences, 0)
    assert found.value == pytest.approx(differences.mean())
    assert found.is_significant == (test.pvalue < 0.05)
    assert lead(readings(hits), readings(better)).high == pytest.approx(-found.low)
    # Their own intervals overlap: only the pairs show it.
    assert robustness(readings(hits)).high > robustness(readings(better)).low


def test_networks_that_read_different_pictures_are_not_compared():
    with pytest.raises(ComparisonError, match="measured on 2 images, of the other on 3"):
        lead(readings([1, 2]), readings([1, 2, 3]))


def test_accuracies_under_a_kind_are_counts_over_pictures():
    found = readings([75] * 200, right={"fog": (200, 150, 100, 50, 0)})

    assert [accuracy.value for accuracy in accuracy_by_level(found, "fog")] == [1, 0.75, 0.5, 0.25, 0]
    assert mean_accuracy(found, "fog") == 0.5
    assert clean_accuracy(found).value == 1
    expected = [(14 + share) / 15 for share in (1, 0.75, 0.5, 0.25, 0)]
    assert mean_by_strength(found) == pytest.approx(expected)


# Words


def test_words_name_the_best_and_by_how_much_it_is_ahead():
    rng = np.random.default_rng(4)
    hits = rng.integers(30, 60, 500)
    best, near, far = (
        readings(hits + 3),
        readings(hits + 3 + rng.permutation(np.tile([-1, 1], 250))),
        readings(hits - 20),
    )

    words = plain_words(["Near", "Best", "Far"], [near, best, far])

    assert words.count("**") == 2
    assert words.startswith(("**Best**: ", "**Near**: "))
    assert "Statistically tied with " in words
    assert "Significantly better than Far (" in words


def test_words_name_five_of_many():
    weak = [readings([10 * index + digit for digit in range(5)] * 20) for index in range(7)]

    words = plain_words([f"Run {index}" for index in range(7)], weak)

    assert words.startswith("**Run 6**: ")
    assert "Run 1 (16.0 %) and 1 more." in words


def test_words_of_a_single_run_do_not_compare():
    words = plain_words(["CNN"], [readings([75] * 60 + [60] * 40)])

    assert words == (
        "**CNN**: 92.0 % (± 1.9) mean accuracy over 15 corruptions at five strengths, "
        "100.0 % on the same 100 clean images."
    )


# Charts


def test_lines_show_percent_against_strength_in_the_colour_of_the_variant():
    lines = [
        RobustnessLine("CNN", "cnn", [0, 1, 2], [0.99, 0.9, 0.5], ["a", "b", "c"]),
        RobustnessLine("CNN · run 7", "cnn", [0, 1, 2], [0.98, 0.8, 0.4], ["d", "e", "f"]),
    ]

    figure = robustness_lines(lines, unit="Strength")

    first, second = figure.data
    assert list(first.y) == pytest.approx([99, 90, 50])
    assert list(first.x) == [0, 1, 2]
    assert first.line.color == second.line.color == "#0072B2"
    assert (first.line.dash, second.line.dash) == ("solid", "dash")
    assert (figure.layout.xaxis.title.text, figure.layout.yaxis.title.text) == ("Strength", "Accuracy (%)")


def test_the_sheet_is_darker_where_more_is_lost_and_every_cell_is_a_number():
    shares = np.array([[0.99, 0.2], [0.5, 0.75]])

    figure = robustness_sheet(["A", "B"], ["Fog", "Shear"], shares)

    np.testing.assert_allclose(figure.data[0].z, [[1, 80], [50, 25]])
    np.testing.assert_allclose(figure.data[0].customdata, [[99, 20], [50, 75]])
    assert [list(row) for row in figure.data[0].text] == [["99", "20"], ["50", "75"]]
    assert figure.data[0].texttemplate == "%{text}"
    assert list(figure.layout.xaxis.ticktext) == ["A", "B"]


def test_the_axis_of_a_move_has_its_unit():
    assert {kind.unit for kind in CORRUPTIONS} == {"Strength"}
    assert [KINDS[name].unit for name in ("shift", "turn", "size")] == [
        "Shift (pixels)",
        "Turn (degrees, clockwise)",
        "Size (factor)",
    ]
