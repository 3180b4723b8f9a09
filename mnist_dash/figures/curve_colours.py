"""Colours of learning curves: an ordered scale for a sweep, hues that differ for everything else."""

from collections.abc import Sequence

from mnist_dash.figures.style import variant_colour

SYMBOLS = ("circle", "square", "triangle-up", "cross", "triangle-down", "hexagon")
# All have a contrast of at least 3 on light and on dark paper.
SCALE = ("#8A4FD3", "#4A6FE0", "#1F86B8", "#178F7A", "#4F8F2B", "#9A7D0A", "#D0601A", "#D13B5A")
_HUES = ("#0072B2", "#D55E00", "#008F68", "#B5529C", "#8F7A00", "#7A6BD8", "#C8423B", "#2F8FA8")


def curve_colours(variants: Sequence[str], values: Sequence[float] | None = None) -> list[str]:
    """Returns a colour for each curve.

    Args:
        variants: The curves' networks. If all differ, each has the colour that it has in all charts.
        values: What a sweep varies, one a curve: then colours follow their order; None for no sweep.

    Returns:
        Colours as #RRGGBB.
    """
    if values is not None:
        order = sorted(set(values))
        return [_on_scale(order.index(value) / max(len(order) - 1, 1)) for value in values]
    if len(set(variants)) == len(variants):
        return [variant_colour(variant) for variant in variants]
    return [_HUES[number % len(_HUES)] for number in range(len(variants))]


def _on_scale(part: float) -> str:
    """Returns a colour between two neighbours of the scale, of which `part` in [0, 1] lies below it."""
    place = part * (len(SCALE) - 1)
    index = min(int(place), len(SCALE) - 2)
    pairs = [[int(colour[at : at + 2], 16) for colour in SCALE[index : index + 2]] for at in (1, 3, 5)]
    return "#" + "".join(f"{round(low + (place - index) * (high - low)):02X}" for low, high in pairs)
