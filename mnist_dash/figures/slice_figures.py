"""Figures of single qualities: digit by digit, how sure, and by what the digits look like."""

from collections.abc import Sequence
from typing import Any

import plotly.graph_objects as go

from mnist_dash.analysis.accuracies import Accuracy
from mnist_dash.analysis.calibration import Bin
from mnist_dash.analysis.misclassified import DigitScores
from mnist_dash.analysis.slices import TraitPart
from mnist_dash.figures.style import DASHES, GREY, styled, variant_colour

_SYMBOLS = ("diamond", "circle", "square", "triangle-up", "x", "star")  # tell runs of one network apart
_TRAITS = {
    "ink": "Ink (mean brightness, % of white)",
    "slant": "Slant (degrees, to the right)",
    "width": "Width (pixels)",
}


def scores_by_digit(
    titles: Sequence[str], variants: Sequence[str], scores: Sequence[Sequence[DigitScores]]
) -> go.Figure:
    """Draws every run's F1 for each digit with its 95 % interval.

    Args:
        titles: Names of the runs.
        variants: Their variants.
        scores: Their scores, digit by digit.
    """
    figure = go.Figure()
    for place, (title, variant, own) in enumerate(zip(titles, variants, scores, strict=True)):
        known = [(score.digit, score.f1) for score in own if score.f1]
        # Beside each other, so that intervals do not cover each other.
        shift = (place - (len(titles) - 1) / 2) * 0.8 / max(len(titles), 1)
        figure.add_scatter(
            x=[digit + shift for digit, _ in known],
            y=[100 * share.value for _, share in known],
            error_y=_interval([share for _, share in known]),
            mode="markers",
            marker={
                "size": 9,
                "symbol": _SYMBOLS[variants[:place].count(variant) % len(_SYMBOLS)],
                "color": variant_colour(variant),
            },
            name=title,
            customdata=[digit for digit, _ in known],
            hovertemplate="%{customdata}: F1 %{y:.1f} %",
        )
    figure.update_xaxes(dtick=1, range=[-0.6, 9.6], fixedrange=True)
    return _with_legend(styled(figure, height=360, x="Digit", y="F1 (%)"), len(titles))


def reliability(titles: Sequence[str], variants: Sequence[str], bins: Sequence[Sequence[Bin]]) -> go.Figure:
    """Draws how often runs were right against how sure they were; on the diagonal both agree.

    Args:
        titles: Names of the runs.
        variants: Their variants.
        bins: Their bins, from unsure to sure.
    """
    figure = go.Figure()
    line = {"color": GREY, "width": 1, "dash": "dot"}
    figure.add_scatter(x=[0, 100], y=[0, 100], mode="lines", line=line, hoverinfo="skip", name="As sure as right")
    for place, (title, variant, own) in enumerate(zip(titles, variants, bins, strict=True)):
        figure.add_scatter(
            x=[100 * each.confidence for each in own],
            y=[100 * each.accuracy.value for each in own],
            error_y=_interval([each.accuracy for each in own]),
            mode="lines+markers",
            marker={"size": 7},
            line=_line(variant, variants[:place].count(variant)),
            name=title,
            customdata=[each.accuracy.n for each in own],
            hovertemplate="%{x:.1f} % sure, right %{y:.1f} % of %{customdata:,} pictures",
        )
    figure.update_xaxes(range=[0, 101])
    figure.update_yaxes(range=[0, 103])
    figure = styled(figure, height=440, x="How sure (highest probability, %)", y="How often right (%)")
    return _with_legend(figure, len(titles) + 1)


def accuracy_by_trait(
    titles: Sequence[str], variants: Sequence[str], parts: Sequence[Sequence[TraitPart]], trait: str
) -> go.Figure:
    """Draws accuracies on parts of the test pictures, from little of a trait to much.

    Args:
        titles: Names of the runs.
        variants: Their variants.
        parts: Their accuracies, part by part.
        trait: The trait's name.
    """
    figure = go.Figure()
    for place, (title, variant, own) in enumerate(zip(titles, variants, parts, strict=True)):
        figure.add_scatter(
            x=[part.middle for part in own],
            y=[100 * part.accuracy.value for part in own],
            error_y=_interval([part.accuracy for part in own]),
            mode="lines+markers",
            marker={"size": 7},
            line=_line(variant, variants[:place].count(variant)),
            name=title,
            customdata=[f"{part.low:.1f} to {part.high:.1f}" for part in own],
            hovertemplate="%{customdata}: %{y:.1f} % right",
        )
    return _with_legend(styled(figure, height=380, x=_TRAITS[trait], y="Accuracy (%)"), len(titles))


def _line(variant: str, before: int) -> dict[str, Any]:
    return {"color": variant_colour(variant), "width": 2, "dash": DASHES[before % len(DASHES)]}


def _interval(shares: Sequence[Accuracy]) -> dict[str, Any]:
    return {
        "type": "data",
        "symmetric": False,
        "array": [100 * (share.high - share.value) for share in shares],
        "arrayminus": [100 * (share.value - share.low) for share in shares],
        "thickness": 1,
        "width": 3,
        "color": GREY,
    }


def _with_legend(figure: go.Figure, entries: int) -> go.Figure:
    return figure.update_layout(margin={"t": 12 + 24 * -(-entries // 2)}, showlegend=True)
