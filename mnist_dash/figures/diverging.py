"""Numbers as colours: blue below zero, red above, symmetric; small enough for a hundred images of weights."""

import numpy as np

from mnist_dash.figures.style import DIVERGING, DIVERGING_DARK


def limit_of(values: np.ndarray) -> float:
    """Returns where the scale of colours ends: the few largest values saturate, or they would pale all others."""
    return float(np.percentile(np.abs(values), 99.5)) or 1.0


def coloured(values: np.ndarray, limit: float, *, dark: bool) -> np.ndarray:
    """Returns values as colours.

    Args:
        values: Any shape.
        limit: The value of the strongest red; its negative is the strongest blue.
        dark: Whether they are shown on dark paper, where zero is dark.

    Returns:
        Their shape and 3 more, uint8.
    """
    scale = DIVERGING_DARK if dark else DIVERGING
    stops = np.array([float(str(stop)) for stop, _ in scale])
    colours = np.array([[int(str(colour)[at : at + 2], 16) for at in (1, 3, 5)] for _, colour in scale])
    at = np.clip(values / limit, -1, 1) / 2 + 0.5
    return np.stack([np.interp(at, stops, channel) for channel in colours.T], axis=-1).astype(np.uint8)
