"""Ruled lines, squares, frames and the paper's own edges → not ink."""

from dataclasses import dataclass

import cv2
import numpy as np

_SMALL = 320  # pixels, the longer side of the copy in which lines are looked for
_REACH, _ONE_REACH = 0.75, 0.97  # printed lines reach over so much of the picture's side; one alone over more
_TOO_SMALL = 64  # pixels: in a smaller picture a straight stroke and a line look the same
_MAX_FOUND = 500  # best ones first, each several times
_THIN = 0.02  # of the picture's longer side: a printed line is thinner
_BEND = 0.008  # of the picture's longer side: how far a line may leave the straight one
_AROUND = 20  # columns to either side that agree on where the line is
_SLOPE = 0.12  # rise over run, at most


def without_lines(mask: np.ndarray) -> np.ndarray:
    """Removes lines that reach over most of the picture, level or upright, and keeps digits that cross them.

    Args:
        mask: Where there is ink, shape (height, width), bool.

    Returns:
        The mask without them. If nothing else is left, it was no printed line: the mask as it was.
    """
    if max(mask.shape) < _TOO_SMALL:
        return mask
    cleaned = _without_level_lines(mask)
    cleaned = np.ascontiguousarray(_without_level_lines(np.ascontiguousarray(cleaned.T)).T)
    enough = cleaned.sum() > 0.02 * mask.sum()
    return cleaned if enough else mask


def _without_level_lines(mask: np.ndarray) -> np.ndarray:
    lines = _level_lines(mask)
    if not lines:
        return mask
    runs = _run_heights(mask)
    for line in lines:
        mask = _without_line(mask, runs, line)
    return mask


def _without_line(mask: np.ndarray, runs: np.ndarray, line: "Line") -> np.ndarray:
    """Follows a line, which may be bent a little, and removes it between the strokes that cross it."""
    columns = np.arange(mask.shape[1])
    bend = max(3, round(_BEND * max(mask.shape)))
    offsets = np.arange(-bend, bend + 1)[:, None]
    rows = np.rint(line.at(columns)).astype(int) + offsets
    inside = (rows >= 0) & (rows < mask.shape[0])
    rows = rows.clip(0, mask.shape[0] - 1)
    heights = np.where(inside & mask[rows, columns], runs[rows, columns], 0)
    if not heights.any():
        return mask
    thickness = float(np.median(heights.max(0)[heights.any(0)]))
    if thickness > _THIN * max(mask.shape) + 2:
        return mask  # strokes of a large digit
    # A stroke that crosses the line makes a higher run of ink than the line alone.
    thin = (heights > 0) & (heights <= 1.6 * thickness + 2)
    path = _path(thin, offsets)
    on_line = thin & (np.abs(offsets - path) <= thickness / 2 + 2)
    cleaned = mask.copy()
    found_rows, found_columns = np.nonzero(on_line)
    cleaned[rows[found_rows, found_columns], found_columns] = False
    return cleaned


def _path(thin: np.ndarray, offsets: np.ndarray) -> np.ndarray:
    """Returns the line's offset in each column: the median over the columns around."""
    count = thin.sum(0)
    known = np.flatnonzero(count)
    if not known.size:
        return np.zeros(thin.shape[1])
    centres = (thin * offsets).sum(0)[known] / count[known]
    framed = np.pad(centres, _AROUND, mode="edge")
    smooth = np.median(np.lib.stride_tricks.sliding_window_view(framed, 2 * _AROUND + 1), axis=1)
    return np.asarray(np.interp(np.arange(thin.shape[1]), known, smooth))


@dataclass(frozen=True)
class Line:
    """A straight line that is nearly level: its height in the first column, and its rise a column."""

    start: float
    slope: float

    def at(self, columns: np.ndarray) -> np.ndarray:
        """Returns the rows in which it runs through these columns."""
        return self.start + self.slope * columns


def _level_lines(mask: np.ndarray) -> list[Line]:
    """Returns the lines that reach from edge to edge, each once."""
    scale = min(1.0, _SMALL / max(mask.shape))
    height, width = (max(1, round(side * scale)) for side in mask.shape)
    small = (cv2.resize(mask.astype(np.uint8) * 255, (width, height), interpolation=cv2.INTER_AREA) > 38).astype(
        np.uint8
    )
    if small.any(0).mean() < _REACH:  # where a line runs from side to side nearly every column has ink
        return []
    turn = np.arctan(_SLOPE)
    found = cv2.HoughLines(
        small, 1, np.pi / 720, round(0.6 * _REACH * width), min_theta=np.pi / 2 - turn, max_theta=np.pi / 2 + turn
    )
    lines: list[Line] = []
    for distance, angle in [] if found is None else found.reshape(-1, found.shape[-1])[:_MAX_FOUND, :2]:
        line = Line(float(distance / np.sin(angle)), float(-1 / np.tan(angle)))
        middle = line.at(width / 2)
        if all(abs(other.at(width / 2) - middle) > 2.5 for other in lines) and _reach(small, line) >= _REACH:
            lines.append(line)
    places = [line.at(width / 2) for line in lines]
    if not lines or max(places) - min(places) < 0.1 * height:  # one alone may be a stroke
        lines = [line for line in lines if _reach(small, line) >= _ONE_REACH]
    return [Line((line.start + 0.5) / scale, line.slope) for line in lines]


def _reach(small: np.ndarray, line: Line) -> float:
    """Returns over how much of the width there is ink along a line."""
    columns = np.arange(small.shape[1])
    rows = np.rint(line.at(columns)).astype(int)
    inside = (rows >= 1) & (rows < small.shape[0] - 1)
    if not inside.any():
        return 0.0
    columns, rows = columns[inside], rows[inside]
    near = small[rows, columns] | small[rows - 1, columns] | small[rows + 1, columns]
    return float(near.sum() / small.shape[1])


def _run_heights(mask: np.ndarray) -> np.ndarray:
    """Returns for each inked pixel how many inked pixels are in one piece above and below it."""
    height = mask.shape[0]
    rows = np.arange(height)[:, None]
    last_paper = np.maximum.accumulate(np.where(mask, -1, rows), axis=0)
    next_paper = np.minimum.accumulate(np.where(mask, height, rows)[::-1], axis=0)[::-1]
    return np.where(mask, next_paper - last_paper - 1, 0)
