"""Likely label errors, found by confident learning from predictions of models that did not train on the images."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, eq=False)
class LabelErrors:
    """Images in the order of how likely their label is wrong.

    Attributes:
        order: Indices of all images, the most suspicious first; shape (n,), int64.
        suggested: Per image, the most probable class other than its label; shape (n,), int64.
        margin: Per image, the probability of its label minus that of the suggested class; shape
            (n,), float32 in [-1, 1].
        confident: Per image, whether confident learning counts its label as wrong; shape (n,), bool.
    """

    order: np.ndarray
    suggested: np.ndarray
    margin: np.ndarray
    confident: np.ndarray


def find_label_errors(probabilities: np.ndarray, labels: np.ndarray) -> LabelErrors:
    """Ranks images by how likely their label is wrong.

    An image counts as mislabeled if a class other than its label is at least as probable as
    it is on average for the images that have that class as their label.

    Args:
        probabilities: Shape (n, classes), each by a model that was not trained on that image.
        labels: Shape (n,), integers from 0.

    Source:
        Northcutt, Jiang and Chuang 2021, "Confident learning: estimating uncertainty in
        dataset labels": the off-diagonal of the confident joint, and the order by normalized margin.
    """
    chances, rows = probabilities.astype(np.float32), np.arange(len(labels))
    of_label = chances[rows, labels]
    others = chances.copy()
    others[rows, labels] = -1
    suggested = others.argmax(1)
    margin = of_label - others[rows, suggested]
    counts = np.bincount(labels, minlength=chances.shape[1])
    typical = np.bincount(labels, of_label, minlength=chances.shape[1]) / np.maximum(counts, 1)
    typical[counts == 0] = np.inf
    reaching = np.where(chances >= typical, chances, -1)
    confident = (reaching.max(1) >= 0) & (reaching.argmax(1) != labels)
    return LabelErrors(np.argsort(margin, kind="stable"), suggested, margin, confident)
