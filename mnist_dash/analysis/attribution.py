"""Why a network said that: which pixels carry the answer, what would change it, what each output responds to."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.ndimage import gaussian_filter

from mnist_dash.datasets.mnist import CLASSES
from mnist_dash.inference.numpy_network import NumpyNetwork

_BATCH = 32  # images whose gradients are computed at a time: 40 MB with the CNN
_OVERSHOOT = 0.02  # past the boundary, as in the paper
_HALVINGS = 10
_ASCENT_STEP = 0.04  # of white, for the pixel with the largest gradient
_DECAY, _BLUR, _BLUR_EVERY = 0.01, 0.5, 4  # keep what is drawn from becoming noise


@dataclass(frozen=True, eq=False)
class Attribution:
    """How much each pixel contributes to a difference of logits.

    Attributes:
        contributions: Shape (28, 28), float32, in units of the logits.
        difference: By how much the quantity differs between the image and a black one.
    """

    contributions: np.ndarray
    difference: float


@dataclass(frozen=True, eq=False)
class Flip:
    """The smallest change found that makes a network predict another class.

    Attributes:
        image: The changed image, shape (28, 28), float32, 0 to 255.
        predicted: What the network predicts for it.
        size: Euclidean size of the change; pixels from 0 to 1.
    """

    image: np.ndarray
    predicted: int
    size: float


def contrast(digit: int, against: int | None = None) -> np.ndarray:
    """Returns the weights of the logits in what is explained: one logit, or the difference of two; shape (10,)."""
    weights = np.zeros(CLASSES, np.float32)
    weights[digit] = 1
    if against is not None:
        weights[against] -= 1
    return weights


def saliency(network: NumpyNetwork, image: np.ndarray, of_logits: np.ndarray) -> np.ndarray:
    """Returns how fast a sum of logits grows with each pixel, shape (28, 28), float32; pixels from 0 to 1.

    Source:
        Simonyan, Vedaldi and Zisserman 2014, "Deep inside convolutional networks".
    """
    return np.asarray(network.input_gradients(network.forward(image[None]), of_logits[None])[0] * np.float32(255))


def integrated_gradients(
    network: NumpyNetwork, image: np.ndarray, of_logits: np.ndarray, *, steps: int = 64
) -> Attribution:
    """Divides the difference that an image makes, compared with a black one, among its pixels.

    Args:
        network: The network.
        image: Shape (28, 28), 0 to 255.
        of_logits: From `contrast`.
        steps: Points between black and the image, in the middle of equal parts. The more, the more
            exactly the contributions add up to the difference: with ReLU, whose gradients jump, the
            error falls as 1 / steps, and parts of unequal length were not better.

    Source:
        Sundararajan, Taly and Yan 2017, "Axiomatic attribution for deep networks".
    """
    pixels = image.astype(np.float32)
    shares = ((np.arange(steps) + 0.5) / steps).astype(np.float32)
    total = np.zeros_like(pixels, np.float64)
    for start in range(0, steps, _BATCH):
        part = shares[start : start + _BATCH, None, None] * pixels
        gradients = network.input_gradients(network.forward(part), np.tile(of_logits, (len(part), 1)))
        total += gradients.sum(0, dtype=np.float64)
    of_image, of_black = network.forward(np.stack([pixels, np.zeros_like(pixels)])).logits @ of_logits
    return Attribution((total / steps * pixels).astype(np.float32), float(of_image - of_black))


def occlusion(
    probabilities: Callable[[np.ndarray], np.ndarray], image: np.ndarray, digit: int, *, size: int = 6, stride: int = 2
) -> np.ndarray:
    """Returns how much less probable a class becomes where a black square covers the image.

    Args:
        probabilities: Of images, shape (n, 28, 28), uint8: shape (n, 10).
        image: Shape (28, 28), uint8.
        digit: The class.
        size: The square's side, pixels.
        stride: Pixels between its positions.

    Returns:
        Shape (28, 28), float32, in [-1, 1]: for each pixel the mean over the squares that cover it.

    Source:
        Zeiler and Fergus 2014, "Visualizing and understanding convolutional networks".
    """
    corners = [(row, column) for row in _starts(size, stride) for column in _starts(size, stride)]
    covered = np.repeat(image[None], len(corners), axis=0)
    for one, (row, column) in zip(covered, corners, strict=True):
        one[row : row + size, column : column + size] = 0
    change = covered != image
    asked = change.any((1, 2))  # a square that covers only black changes nothing
    drops = np.zeros(len(corners), np.float32)
    if asked.any():
        drops[asked] = probabilities(image[None])[0, digit] - probabilities(covered[asked])[:, digit]
    sums, counts = np.zeros((2, *image.shape), np.float32)
    for drop, (row, column) in zip(drops, corners, strict=True):
        sums[row : row + size, column : column + size] += drop
        counts[row : row + size, column : column + size] += 1
    return np.asarray(sums / counts)


def _starts(size: int, stride: int) -> list[int]:
    last = 28 - size
    return sorted({*range(0, last + 1, stride), last})


def smallest_change(network: NumpyNetwork, image: np.ndarray, *, rounds: int = 30) -> Flip | None:
    """Returns the smallest change found that flips the prediction, every pixel staying between black and white.

    Args:
        network: The network.
        image: Shape (28, 28), 0 to 255.
        rounds: How often the nearest boundary is approached.

    Returns:
        None if none was found.

    Source:
        Moosavi-Dezfooli, Fawzi and Frossard 2016, "DeepFool: a simple and accurate method to fool
        deep neural networks"; with pixels kept in their range.
    """
    start = image.astype(np.float32)
    first = int(network.forward(start[None]).logits[0].argmax())
    changed = start.copy()
    for _ in range(rounds):
        trace = network.forward(np.repeat(changed[None], CLASSES, axis=0))
        logits, gradients = trace.logits[0], network.input_gradients(trace, np.eye(CLASSES, dtype=np.float32))
        if int(logits.argmax()) != first:
            return _shortened(network, start, changed, first)
        changed = np.clip(changed + (1 + _OVERSHOOT) * _to_nearest_boundary(logits, gradients, first, changed), 0, 255)
    return None


def _shortened(network: NumpyNetwork, start: np.ndarray, changed: np.ndarray, first: int) -> Flip:
    """Goes back towards the image as far as the prediction stays flipped: rounds may have gone a longer way."""
    short, long = 0.0, 1.0
    for _ in range(_HALVINGS):
        middle = (short + long) / 2
        flips = int(network.forward((start + middle * (changed - start))[None]).logits[0].argmax()) != first
        short, long = (short, middle) if flips else (middle, long)
    flipped = start + np.float32(long) * (changed - start)
    predicted = int(network.forward(flipped[None]).logits[0].argmax())
    return Flip(flipped, predicted, float(np.linalg.norm(flipped - start)) / 255)


def _to_nearest_boundary(logits: np.ndarray, gradients: np.ndarray, first: int, image: np.ndarray) -> np.ndarray:
    """Returns the smallest step that would make another logit as large as the first, were the network linear."""
    steps = []
    for other in range(CLASSES):
        if other == first:
            continue
        direction = gradients[other] - gradients[first]
        # A pixel that is black cannot become darker, nor a white one lighter.
        direction = np.where((image <= 0) & (direction < 0) | (image >= 255) & (direction > 0), 0, direction)
        gap, squared = logits[first] - logits[other], float((direction**2).sum())
        if squared > 0:
            steps.append((gap / squared**0.5, (gap + 1e-4) / squared * direction))
    return min(steps, key=lambda step: step[0])[1] if steps else np.zeros_like(image)


def preferred_images(network: NumpyNetwork, *, steps: int = 60) -> np.ndarray:
    """Returns for each class an image that its logit responds to strongly, found by following the gradient.

    Returns:
        Shape (10, 28, 28), float32, 0 to 255. They need not look like digits: nothing taught the
        network what a digit looks like, only how to tell ten of them apart.

    Source:
        Erhan and others 2009, "Visualizing higher-layer features of a deep network"; decay and
        blur as in Yosinski and others 2015, "Understanding neural networks through deep visualization".
    """
    images = np.zeros((CLASSES, 28, 28), np.float32)
    images[:, 8:20, 8:20] = 25  # not quite black: from black, many neurons give no gradient
    others = np.full((CLASSES, CLASSES), -1 / (CLASSES - 1), np.float32)
    np.fill_diagonal(others, 1)
    for step in range(1, steps + 1):
        gradients = network.input_gradients(network.forward(images), others)
        largest = np.maximum(np.abs(gradients).max((1, 2), keepdims=True), 1e-12)
        images = np.clip((1 - _DECAY) * images + 255 * _ASCENT_STEP * gradients / largest, 0, 255)
        if step % _BLUR_EVERY == 0 and step < steps:
            images = gaussian_filter(images, (0, _BLUR, _BLUR))
    return images
