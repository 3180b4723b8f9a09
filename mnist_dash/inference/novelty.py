"""Is this a digit at all? A scribble, a face or a letter should be refused, not guessed."""

import io
from pathlib import Path

import cv2
import numpy as np

from mnist_dash.inference.predictor import Predictor
from mnist_dash.networks.variants import RECOMMENDED_FOR_PICTURES
from mnist_dash.store.records import MODEL_TFLITE
from mnist_dash.store.reference_runs import REFERENCE_FOLDER

NOVELTY_NPZ = "novelty.npz"
REJECTED_DIGITS = 0.005  # part of the held-out digits; below 0.01 of MNIST's test images

_LAYER = 5  # the second pooling: strokes and their joints, 6 × 6 × 64, not yet which digit they make
_DIMENSIONS = 400  # principal components that are kept
_PROTOTYPES = 2_000
_NEAREST = 2  # prototypes that a digit has to be near to
_SAMPLE = 30_000  # pictures that prototypes are made of
_BATCH = 500
_NEAR, _DECAY = 0.5, 4.0  # of the limit: up to where a picture is surely a digit, and how fast that falls beyond


class NoveltyDetector:
    """Tells digits from other drawings by their distance to MNIST's training images.

    Distances are taken in the features of the recommended model's second pooling layer.

    Args:
        predictor: The network.
        content: What `fit` returned for it.

    Source:
        Tarassenko and others 1995, "Novelty detection for the identification of
        masses in mammograms", for distances to prototypes; Sun and others 2022,
        "Out-of-distribution detection with deep nearest neighbors", for a network's
        normalised features.
    """

    def __init__(self, predictor: Predictor, content: bytes):
        self._predictor = predictor
        with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
            self._mean, self._basis, self._prototypes = (
                arrays[name].astype(np.float32) for name in ("mean", "basis", "prototypes")
            )
            self._limit = float(arrays["limit"])

    @classmethod
    def shipped(cls, *, folder: Path = REFERENCE_FOLDER / RECOMMENDED_FOR_PICTURES) -> "NoveltyDetector":
        """Returns the detector that ships with the project."""
        return cls(Predictor((folder / MODEL_TFLITE).read_bytes()), (folder / NOVELTY_NPZ).read_bytes())

    def is_digit(self, pictures: np.ndarray) -> np.ndarray:
        """Tells which pictures look like digits.

        Args:
            pictures: Shape (n, 28, 28), uint8.

        Returns:
            Shape (n,), bool.
        """
        return self.distances(pictures) <= self._limit

    def likelihood(self, pictures: np.ndarray) -> np.ndarray:
        """Returns how likely each picture is one whole digit: how sure the network is, less if it is far from digits.

        Args:
            pictures: Shape (n, 28, 28), uint8.

        Returns:
            Shape (n,), in (0, 1].
        """
        features, probabilities = _read(self._predictor, pictures)
        beyond = np.maximum(self._distances_of(features) / self._limit - _NEAR, 0)
        return np.asarray(probabilities.max(1) * np.exp(-_DECAY * beyond))

    def distances(self, pictures: np.ndarray) -> np.ndarray:
        """Returns how far each picture is from what MNIST's digits look like, shape (n,), float32."""
        return self._distances_of(_read(self._predictor, pictures)[0])

    def _distances_of(self, features: np.ndarray) -> np.ndarray:
        return _distances((features - self._mean) @ self._basis, self._prototypes)


def fit(predictor: Predictor, learned: np.ndarray, held_out: np.ndarray) -> bytes:
    """Finds prototypes of MNIST's digits.

    Args:
        predictor: The network.
        learned: Training pictures, or such as people may write, shape (n, 28, 28), uint8.
        held_out: The like of images that the network did not learn from; they decide
            how far from the prototypes a digit may be.

    Returns:
        Contents of an .npz file for `NoveltyDetector`.
    """
    chosen = np.random.default_rng(0).permutation(len(learned))[:_SAMPLE]
    features, _ = _read(predictor, learned[chosen])
    mean = features.mean(0)
    variances, directions = np.linalg.eigh(np.cov((features - mean).T))
    # The square root of whitening: seldom used directions count more than by their size alone, but not as much as all.
    basis = directions[:, -_DIMENSIONS:] / variances[-_DIMENSIONS:] ** 0.25
    cv2.setRNGSeed(0)
    ends = (cv2.TERM_CRITERIA_EPS + cv2.TERM_CRITERIA_MAX_ITER, 10, 1e-4)
    projected = ((features - mean) @ basis).astype(np.float32)
    _, _, prototypes = cv2.kmeans(projected, min(_PROTOTYPES, len(projected)), None, ends, 1, cv2.KMEANS_PP_CENTERS)  # type: ignore[call-overload]
    distances = _distances(((_read(predictor, held_out)[0] - mean) @ basis).astype(np.float32), prototypes)
    file = io.BytesIO()
    np.savez_compressed(
        file,
        mean=mean.astype(np.float32),
        basis=basis.astype(np.float16),
        prototypes=prototypes.astype(np.float16),
        limit=np.quantile(distances, 1 - REJECTED_DIGITS),
    )
    return file.getvalue()


def _read(predictor: Predictor, pictures: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Returns each picture's features, of length 1, and probabilities."""
    parts = []
    for start in range(0, len(pictures), _BATCH):
        layers = predictor.activations(pictures[start : start + _BATCH])
        parts.append((layers[_LAYER].reshape(len(layers[-1]), -1), layers[-1]))
    features, probabilities = map(np.concatenate, zip(*parts, strict=True))
    return features / np.maximum(np.linalg.norm(features, axis=1, keepdims=True), 1e-6), probabilities


def _distances(projected: np.ndarray, prototypes: np.ndarray) -> np.ndarray:
    squares = (projected**2).sum(1)[:, None] + (prototypes**2).sum(1)[None] - 2 * projected @ prototypes.T
    return np.asarray(np.partition(squares, _NEAREST - 1, axis=1)[:, :_NEAREST].mean(1))
