"""Figures of errors: F1 by class, calibration, accuracy by slice."""

from collections.abc import Iterator, Sequence
from typing import Any

import plotly.graph_objects as go

from mnist_dash.analysis.accuracies import Accuracy
from mnist_dash.analysis.calibration import Bin
from mnist_dash.analysis.misclassified import ClassScores
from mnist_dash.analysis.slices import Slice
from mnist_dash.datasets.mnist import DIGITS
from mnist_dash.figures.style import DASHES, GREY, styled, variant_colour

_SYMBOLS = ("diamond", "circle", "square", "triangle-up", "x", "star")  # tell runs of one variant apart
_X_TITLES = {
    "ink": "Ink (mean brightness, % of white)",
    "slant": "Slant (degrees, to the right)",
    "width": "Width (pixels)",
    "height": "Height (pixels)",
    "stroke": "Stroke width (pixels)",
}


def f1_by_class(
    titles: Sequence[str],
    variants: Sequence[str],
    scores: Sequence[Sequence[ClassScores]],
    *,
    classes: Sequence[str] = DIGITS,
) -> go.Figure:
    """Draws every run's F1 for each class with its 95 % interval.

    Args:
        titles: Names of the runs.
        variants: Their variants.
        scores: Their scores, class by class.
        classes: The names of the ten classes.
    """
    figure = go.Figure()
    for index, (of_run, number) in enumerate(zip(scores, _numbers(variants), strict=True)):
        known = [(score.digit, score.f1) for score in of_run if score.f1]
        # Side by side, so that intervals do not cover each other.
        shift = (index - (len(titles) - 1) / 2) * 0.8 / max(len(titles), 1)
        figure.add_scatter(
            x=[digit + shift for digit, _ in known],
            **_with_interval([f1 for _, f1 in known]),
            mode="markers",
            marker={
                "size": 9,
                "symbol": _SYMBOLS[number % len(_SYMBOLS)],
                "color": variant_colour(variants[index]),
            },
            name=titles[index],
            customdata=[classes[digit] for digit, _ in known],
            hovertemplate="%{customdata}: F1 %{y:.1f} %",
        )
    names = {"tickvals": list(range(len(classes))), "ticktext": list(classes)}
    figure.update_xaxes(**names, range=[-0.6, 9.6], fixedrange=True)
    return _with_legend(styled(figure, height=360, x="Class", y="F1 (%)"), len(titles))


def reliability(titles: Sequence[str], variants: Sequence[str], bins: Sequence[Sequence[Bin]]) -> go.Figure:
    """Draws a reliability diagram: accuracy against confidence; on the diagonal both are equal.

    Args:
        titles: Names of the runs.
        variants: Their variants.
        bins: Their bins, from low confidence to high.
    """
    figure = go.Figure()
    line = {"color": GREY, "width": 1, "dash": "dot"}
    figure.add_scatter(x=[0, 100], y=[0, 100], mode="lines", line=line, hoverinfo="skip", name="Perfect calibration")
    for title, of_run, style in zip(titles, bins, _line_styles(variants), strict=True):
        figure.add_scatter(
            x=[100 * each.confidence for each in of_run],
            **_with_interval([each.accuracy for each in of_run]),
            **style,
            name=title,
            customdata=[each.accuracy.n for each in of_run],
            hovertemplate="confidence %{x:.1f} %: accuracy %{y:.1f} % on %{customdata:,} images",
        )
    figure.update_xaxes(range=[0, 101])
    figure.update_yaxes(range=[0, 103])
    figure = styled(figure, height=440, x="Confidence (highest probability, %)", y="Accuracy (%)")
    return _with_legend(figure, len(titles) + 1)


def accuracy_by_slice(
    titles: Sequence[str], variants: Sequence[str], slices: Sequence[Sequence[Slice]], name: str
) -> go.Figure:
    """Draws accuracies on slices of the test images, from low values of a property to high.

    Args:
        titles: Names of the runs.
        variants: Their variants.
        slices: Their accuracies, slice by slice.
        name: The property.
    """
    figure = go.Figure()
    for title, of_run, style in zip(titles, slices, _line_styles(variants), strict=True):
        figure.add_scatter(
            x=[each.middle for each in of_run],
            **_with_interval([each.accuracy for each in of_run]),
            **style,
            name=title,
            customdata=[f"{each.low:.1f} to {each.high:.1f}" for each in of_run],
            hovertemplate="%{customdata}: %{y:.1f} %",
        )
    return _with_legend(styled(figure, height=380, x=_X_TITLES[name], y="Accuracy (%)"), len(titles))


def _numbers(variants: Sequence[str]) -> Iterator[int]:
    """Yields for each run how many runs of its variant come before it."""
    return (variants[:index].count(variant) for index, variant in enumerate(variants))


def _line_styles(variants: Sequence[str]) -> Iterator[dict[str, Any]]:
    for variant, number in zip(variants, _numbers(variants), strict=True):
        line = {"color": variant_colour(variant), "width": 2, "dash": DASHES[number % len(DASHES)]}
        yield {"mode": "lines+markers", "marker": {"size": 7}, "line": line}


def _with_interval(shares: Sequence[Accuracy]) -> dict[str, Any]:
    return {
        "y": [100 * share.value for share in shares],
        "error_y": {
            "type": "data",
            "symmetric": False,
            "array": [100 * (share.high - share.value) for share in shares],
            "arrayminus": [100 * (share.value - share.low) for share in shares],
            "thickness": 1,
            "width": 3,
            "color": GREY,
        },
    }


def _with_legend(figure: go.Figure, entries: int) -> go.Figure:
    return figure.update_layout(margin={"t": 12 + 24 * -(-entries // 2)}, showlegend=True)
