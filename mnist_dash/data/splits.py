"""Which training pictures are learned from and which validate."""

from dataclasses import dataclass

import numpy as np

KEPT_BACK = 12  # the tutorials keep 5,000 of 60,000 training pictures for validation: one in twelve


@dataclass(frozen=True, eq=False)
class Split:
    """Which training pictures are learned from and which are kept back to validate.

    Attributes:
        train: Positions in the training pictures, shape (n,), int32.
        validation: Positions of those kept back, shape (m,), int32; empty for none.
    """

    train: np.ndarray
    validation: np.ndarray


def split(n: int, validation: str, *, fold: int = 1) -> Split:
    """Divides `n` training pictures as the tutorials do, in the order of the file.

    Args:
        n: Number of training pictures.
        validation: "none"; "holdout" (the last twelfth: 5,000 of MNIST's 60,000); or
            "kfold:K", where part `fold` of `K` equal parts validates and a remainder
            of fewer than K pictures is always trained on.
        fold: Which part validates, 1 to K.

    Returns:
        The split; together its two parts hold each picture exactly once.

    Raises:
        ValueError: If `validation` or `fold` is not one of these.

    Source:
        Tutorial 000 (55,000 / 5,000) and tutorial 002 (k-fold).
    """
    everything = np.arange(n, dtype=np.int32)
    if validation == "none":
        return Split(everything, everything[:0])
    if validation == "holdout":
        return Split(everything[: n - n // KEPT_BACK], everything[n - n // KEPT_BACK :])
    kind, _, folds = validation.partition(":")
    if kind != "kfold" or not folds.isdecimal() or not 1 <= fold <= int(folds):
        raise ValueError(f"No such split: validation={validation!r}, fold={fold}.")
    size = n // int(folds)
    kept = slice((fold - 1) * size, fold * size)
    return Split(np.delete(everything, kept), everything[kept])
