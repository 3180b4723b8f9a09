"""Ones with an up-stroke or a foot and sevens with a bar, found by the widths of their rows."""

import numpy as np

_INKED = 128  # from this grey on a pixel is ink
_WIDER = 4  # pixels that a row with a further stroke is wider than the stem


def has_stroke(images: np.ndarray, digit: int) -> np.ndarray:
    """Tells which ones have an up-stroke or a foot, or which sevens have a bar.

    A row of a 1 with an up-stroke or a foot is at least four pixels wider than its stem, and
    so is one in the middle of a 7 with a bar. A first look, not a measurement: short strokes are
    missed, and a bent stem may count.

    Args:
        images: Of this digit alone, shape (n, 28, 28), uint8.
        digit: 1 or 7.

    Returns:
        Shape (n,), bool.
    """
    inked = images >= _INKED
    widths = np.where(inked.any(2), inked.shape[2] - inked[:, :, ::-1].argmax(2) - inked.argmax(2), 0)
    rows = np.asarray(inked.any(2))
    first, last = rows.argmax(1), rows.shape[1] - 1 - rows[:, ::-1].argmax(1)
    place = (np.arange(rows.shape[1]) - first[:, None]) / np.maximum(last - first, 1)[:, None]

    def widest(low: float, high: float) -> np.ndarray:
        return np.asarray(np.where((place >= low) & (place <= high), widths, 0).max(1))

    if digit == 7:
        return np.asarray(widest(0.4, 0.65) >= _typical(widths, (place >= 0.7) & (place <= 0.95)) + _WIDER)
    stem = _typical(widths, (place >= 0.55) & (place <= 0.8))
    return np.asarray((widest(0.85, 1) >= stem + _WIDER) | (widest(0.05, 0.45) >= stem + _WIDER))


def _typical(widths: np.ndarray, chosen: np.ndarray) -> np.ndarray:
    """Returns the (lower) median of the chosen rows' widths, shape (n,); 0 where no chosen row has ink."""
    valid = chosen & (widths > 0)
    ordered = np.sort(np.where(valid, widths, np.iinfo(np.int64).max), axis=1)
    middle = np.maximum(valid.sum(1) - 1, 0) // 2
    return np.where(valid.any(1), ordered[np.arange(len(ordered)), middle], 0)
