"""Ink that may be several touching digits, or a part of one → digits, with the help of a network.

More cuts than needed are tried, a network says of every piece between two of them how
likely it is one digit, and the best row of pieces is taken.
"""

from collections.abc import Callable, Sequence

import numpy as np

from mnist_dash.digitizer.components import Part, union

Judge = Callable[[Sequence[Part]], np.ndarray]  # how likely each is one digit, shape (n,), in (0, 1]
Ends = tuple[int, int, int]  # the edges that a piece lies between, and how much ink it shares

_SURE = 0.27  # so likely one digit that no cut is tried
_NARROWEST = 0.5  # width over height of what may be two digits
_ONE, _NARROW, _USUAL = (
    0.25,
    4.0,
    1.3,
)  # odds, in natural logarithms, for one digit; more where it is less wide than this
_STEP, _REACH = 0.08, 0.1  # of the height: from one cut to the next, and how far it may bend to either side
_SHARED = (0.0, 0.05, 0.1)  # of the height: where strokes overlap, the ink near a cut belongs to both sides
_CROSSED = 2.5  # what a cut through ink as long as the height costs, in natural logarithms
_SLIMMEST, _WIDEST, _LOWEST = 0.12, 1.25, 0.5  # width and height of a piece, of the height of all
_MAX_CUTS = 40
_OVER = 0.15  # of the height: so much must the parts of one digit stand above each other


def cut_by(judge: Judge, ink: Part) -> list[Part]:
    """Cuts touching digits apart where the pieces look most like digits.

    Args:
        judge: See above.
        ink: One piece of ink.

    Returns:
        The digits from left to right; `ink` alone if it is most likely one digit.

    Source:
        LeCun, Bottou, Bengio and Haffner 1998, "Gradient-based learning applied to
        document recognition", section VII: over-segmentation and the best path.
    """
    if ink.width < _NARROWEST * ink.height:
        return [ink]
    whole = float(judge([ink])[0])
    if whole >= _SURE:
        return [ink]
    edges, costs = _cuts(ink.mask)
    pieces = {(0, len(edges) - 1, 0): ink} | _pieces(ink, edges)
    ends, scores = list(pieces), [np.log(whole) + _odds(ink)]
    if len(pieces) > 1:
        scores += np.log(judge([pieces[piece] for piece in ends[1:]])).tolist()
    return [pieces[piece] for piece in _best_path(ends, scores, costs)]


def join_by(judge: Judge, row: Sequence[Part]) -> list[Part]:
    """Joins neighbours that are parts of one digit, as of a 4 of two strokes.

    Args:
        judge: See above.
        row: From left to right.
    """
    joined = list(row[:1])
    for part in row[1:]:
        both = union([joined[-1], part])
        is_one = joined[-1].right - part.left >= _OVER * both.height
        if is_one:
            together, *apart = np.log(judge([both, joined[-1], part]))
            is_one = together + _odds(both) > sum(apart)
        if is_one:
            joined[-1] = both
        else:
            joined.append(part)
    return joined


def _odds(ink: Part) -> float:
    """Returns the odds, in natural logarithms, that ink of these proportions is one digit rather than two."""
    return _ONE + _NARROW * max(0.0, _USUAL - ink.width / ink.height)


def _best_path(pieces: Sequence[Ends], scores: Sequence[float], costs: np.ndarray) -> list[Ends]:
    """Returns the row of pieces, from the first edge to the last, with the largest sum of scores less costs."""
    best: list[tuple[float, list[Ends]]] = [(0.0, []), *((-np.inf, []) for _ in costs[1:])]
    for piece, score in sorted(zip(pieces, scores, strict=True), key=lambda scored: scored[0][1]):
        first, last, _ = piece
        total = best[first][0] + score - costs[last]
        if total > best[last][0]:
            best[last] = (total, [*best[first][1], piece])
    return best[-1][1]


def _cuts(mask: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Returns paths from top to bottom through little ink, and what each costs.

    Returns:
        The first column right of each path in every row, shape (paths, height); the
        first path is the left edge and the last the right edge. And costs, shape (paths,).
    """
    height, width = mask.shape
    number = min(int(width / (_STEP * height)), _MAX_CUTS)
    middles = np.linspace(0, width, number + 1)[1:-1].round().astype(int)
    reach = max(2, round(_REACH * height))
    columns = middles[:, None] + np.arange(-reach, reach + 1)
    paths, crossed = _paths(mask, columns)
    edges = np.concatenate([np.zeros((1, height), int), paths, np.full((1, height), width)])
    return edges, np.concatenate([[0.0], _CROSSED * crossed / height, [0.0]])


def _paths(mask: np.ndarray, columns: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Returns the path through least ink within each row of columns, (n, height), and how many pixels it crosses, (n,).

    Args:
        mask: Where there is ink, shape (height, width).
        columns: Shape (n, places); what is outside of the mask is no place for a path.
    """
    outside = (columns < 1) | (columns >= mask.shape[1])
    ink = mask[:, columns.clip(0, mask.shape[1] - 1)].astype(float)
    aside = np.abs(np.linspace(-0.01, 0.01, columns.shape[1])) + np.where(outside, 1e6, 0)  # on paper, straight
    total = ink + aside
    for row in range(1, len(ink)):
        framed = np.pad(total[row - 1], ((0, 0), (1, 1)), constant_values=np.inf)
        total[row] += np.minimum(np.minimum(framed[:, :-2], framed[:, 2:]) + 0.005, framed[:, 1:-1])
    each = np.arange(len(columns))
    places = np.empty((len(ink), len(columns)), int)
    places[-1] = total[-1].argmin(1)
    for row in range(len(ink) - 1, 0, -1):
        near = (places[row][:, None] + np.arange(-1, 2)).clip(0, columns.shape[1] - 1)
        places[row - 1] = near[each, total[row - 1][each[:, None], near].argmin(1)]
    return columns[each, places].T, ink[np.arange(len(ink))[:, None], each, places].sum(0)


def _pieces(ink: Part, edges: np.ndarray) -> dict[Ends, Part]:
    """Returns what may be a digit between two edges, with less or more of the ink that it may share."""
    pieces: dict[Ends, Part] = {}
    for first in range(len(edges) - 1):
        for last in range(first + 1, len(edges)):
            if (edges[last] - edges[first]).min() > _WIDEST * ink.height:
                break
            for number, part in enumerate(_SHARED) if (first, last) != (0, len(edges) - 1) else ():
                shared = round(part * ink.height)
                piece = _between(ink, edges[first] - shared * (first > 0), edges[last] + shared)
                if piece is not None:
                    pieces[first, last, number] = piece
    return pieces


def _between(ink: Part, left: np.ndarray, right: np.ndarray) -> Part | None:
    """Returns the ink between two paths; None if that cannot be a digit."""
    columns = np.arange(ink.width)
    mask = ink.mask & (columns >= left[:, None]) & (columns < right[:, None])
    rows, inked = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    if not rows.size:
        return None
    top, bottom, start, stop = int(rows[0]), int(rows[-1]) + 1, int(inked[0]), int(inked[-1]) + 1
    if bottom - top < _LOWEST * ink.height or not _SLIMMEST <= (stop - start) / ink.height <= _WIDEST:
        return None
    return Part(ink.left + start, ink.top + top, stop - start, bottom - top, mask[top:bottom, start:stop])
