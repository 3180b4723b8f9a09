"""Grey values → where there is ink, on whatever paper and in whatever light."""

import cv2
import numpy as np

_SMALL = 256  # pixels, the longer side of the copy in which paper and polarity are estimated
_TINY = 96  # pixels, the longer side of the copy in which ink is told from paper
_UNIFORM_TOLERANCE, _UNIFORM_SHARE = 0.03, 0.8  # paper is of one brightness if most of the picture's edge is
_TWO_LEVELS, _EXACT = 0.85, 0.01  # or if so many of all pixels have one of two values; a photo's are noisier
_MOST, _FRAME = 0.5, 0.3  # of the picture: paper inside a frame has more, the frame less
_COARSE = 0.35  # of the shorter side: wider than any stroke
_STROKES = 4  # the finer window, in widths of the strokes found with the coarse one
_DARK = 0.05  # darker differences are not seen
_MIN_INK = 0.07  # part of the paper's brightness that ink takes away at least
_FULL_INK = 90  # percentile of the inked pixels' values that counts as full ink
PART_OF_FULL = 0.3  # ink is what has this part of full ink …
_SURE_PART = 0.6  # … and is connected to what has this part


def to_grey(colours: np.ndarray) -> np.ndarray:
    """Returns the picture in the mixture of red, green and blue in which its details differ most.

    Black, blue and red ink on any paper all come out dark or light against it, also
    where a colour is as bright as its paper.

    Args:
        colours: Shape (height, width, 3), uint8.

    Returns:
        Shape (height, width), float32 in [0, 1].
    """
    small = _reduced(colours, _TINY)
    side = 2 * (min(small.shape[:2]) // 4) + 1
    details = (small.astype(np.float32) - cv2.blur(small, (side, side))).reshape(-1, 3)
    strength = (details**2).sum(1)
    most = details[strength >= np.percentile(strength, 95)]
    direction = np.linalg.eigh(most.T @ most)[1][:, -1].astype(np.float32)
    direction *= np.sign(direction.sum()) or 1
    low, high = direction.clip(None, 0).sum(), direction.clip(0).sum()
    mixed = cv2.transform(colours.astype(np.float32), direction[None] / (255 * (high - low)))
    return np.asarray(mixed.reshape(colours.shape[:2]) - low / (high - low))


def _reduced(picture: np.ndarray, longest: int) -> np.ndarray:
    scale = longest / max(picture.shape[:2])
    height, width = (max(1, round(side * scale)) for side in picture.shape[:2])
    return cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA) if scale < 1 else picture


def ink_of(grey: np.ndarray, background: float | None) -> np.ndarray:
    """Returns how much ink is on the paper, dark on light or light on dark, under uneven light.

    Args:
        grey: Shape (height, width), float32 in [0, 1].
        background: Its brightness from `uniform_background`; None if it is not uniform.

    Returns:
        Shape (height, width), float32: about 0 on paper, more where there is ink; not
        scaled to full ink yet.
    """
    if background is not None:
        difference = grey - background
        return difference if _is_mostly_lighter(difference) else -difference
    small = _reduced(grey, _SMALL)
    light, window = _is_light_on_dark(small), _COARSE * min(small.shape)
    if light:
        grey, small = 1 - grey, 1 - small
    coarse = _strength(small, paper_of(small, window), light)
    width = stroke_width(coarse > PART_OF_FULL * full_ink(coarse))
    fine = paper_of(small, min(window, max(_STROKES * width, 9)))
    paper = cv2.resize(fine, grey.shape[::-1], interpolation=cv2.INTER_LINEAR)
    strength = _strength(grey, paper, light)
    return np.asarray(strength - np.median(strength[::3, ::3]))


def uniform_background(grey: np.ndarray) -> float | None:
    """Returns the paper's brightness if it is the same everywhere, as in drawings on a screen.

    That is so if it is the same along most of the edge, unless a frame runs there, or if nearly all pixels
    have one of two values; then paper is what there is more of, in the picture and its edge.
    """
    edge = np.concatenate([grey[0], grey[-1], grey[:, 0], grey[:, -1]])
    usual = float(np.median(edge))
    if _share(edge, usual, _UNIFORM_TOLERANCE) > _UNIFORM_SHARE:
        if _share(grey[::3, ::3], usual, _UNIFORM_TOLERANCE) >= _FRAME:
            return usual
        inside = _mode(grey)  # a frame along the edge is not what a digit stands on
        return inside if _share(grey, inside, _UNIFORM_TOLERANCE) > _MOST else usual
    first = _mode(grey)
    rest = grey[np.abs(grey - first) >= _UNIFORM_TOLERANCE]
    levels = [first, _mode(rest)] if rest.size else [first]
    if sum(_share(grey, level, _EXACT) for level in levels) < _TWO_LEVELS:
        return None
    return max(levels, key=lambda level: _share(grey, level, _EXACT) + _share(edge, level, _EXACT))


def _share(values: np.ndarray, level: float, tolerance: float) -> float:
    return float((np.abs(values - level) < tolerance).mean())


def _mode(values: np.ndarray) -> float:
    counts, limits = np.histogram(values, bins=64, range=(0, 1))
    most = int(counts.argmax())
    return float(np.median(values[(values >= limits[most]) & (values <= limits[most + 1])]))


def _strength(grey: np.ndarray, paper: np.ndarray, light: bool) -> np.ndarray:
    # Ink takes away a part of the light that falls on the paper; chalk adds to it.
    return np.asarray((paper - grey) / (1.0 if light else np.maximum(paper, 0.1)))


def _is_light_on_dark(grey: np.ndarray) -> bool:
    """Tells ink lighter than the paper from ink darker than it: ink is what there is less of all around."""
    tiny = _reduced(grey, _TINY)
    side = min(tiny.shape) // 3
    framed = cv2.copyMakeBorder(np.rint(255 * tiny).astype(np.uint8), side, side, side, side, cv2.BORDER_REFLECT)
    around = cv2.medianBlur(framed, 2 * side + 1)[side : side + tiny.shape[0], side : side + tiny.shape[1]]
    light, usual = (np.log(np.maximum(values, _DARK)) for values in (tiny, around.astype(np.float32) / 255))
    # Strokes have sharp edges; the light of a lamp fades slowly.
    sharpness = cv2.morphologyEx(light, cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8))
    return _is_mostly_lighter((light - usual) * np.sqrt(sharpness))


def _is_mostly_lighter(difference: np.ndarray) -> bool:
    return float((difference.clip(0) ** 2).sum()) > float((difference.clip(None, 0) ** 2).sum())


def paper_of(grey: np.ndarray, window: float) -> np.ndarray:
    """Estimates the paper's brightness everywhere, also under dark ink narrower than the window.

    Source:
        Grey-scale closing: Serra 1982, "Image Analysis and Mathematical Morphology".
    """
    size = 2 * int(window / 2) + 1
    border = size  # as if the paper went on outside: it may be narrow between ink and edge
    framed = cv2.copyMakeBorder(grey, border, border, border, border, cv2.BORDER_REFLECT)
    closed = cv2.morphologyEx(framed, cv2.MORPH_CLOSE, np.ones((size, size), np.uint8))
    return closed[border:-border, border:-border]


def full_ink(strength: np.ndarray) -> float:
    """Returns what a pixel full of ink has; at least `_MIN_INK`."""
    noise = 1.5 * float(np.median(np.abs(strength[::3, ::3])))
    inked = strength[strength > max(_MIN_INK, 4 * noise)]
    return float(np.percentile(inked, _FULL_INK)) if inked.size else _MIN_INK


def stroke_width(inked: np.ndarray) -> float:
    """Returns the mean width of the strokes in a mask, in pixels.

    In a strip the mean distance to the edge is a quarter of its width.
    """
    framed = cv2.copyMakeBorder(inked.astype(np.uint8), 1, 1, 1, 1, cv2.BORDER_CONSTANT)
    distance = cv2.distanceTransform(framed, cv2.DIST_L2, 3)
    return 4 * float(distance[framed > 0].mean()) - 1 if inked.any() else 1.0


def likely_ink(strength: np.ndarray, full: float) -> np.ndarray:
    """Returns where there may be ink: shape (height, width), bool."""
    return strength > PART_OF_FULL * full


def sure_ink(likely: np.ndarray, strength: np.ndarray, full: float) -> np.ndarray:
    """Returns the pieces of likely ink that have ink for sure somewhere: shape (height, width), bool.

    Source:
        Hysteresis: Canny 1986, "A computational approach to edge detection".
    """
    count, labels = cv2.connectedComponents(likely.astype(np.uint8), connectivity=8)
    sure = np.zeros(count, bool)
    sure[labels[likely & (strength > _SURE_PART * full)]] = True
    return np.asarray(sure[labels] & likely)
