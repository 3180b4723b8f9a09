"""Which images are trained on and which are held out for validation."""

from dataclasses import dataclass

import numpy as np

HOLDOUT_DENOMINATOR = 12  # the tutorials hold out 5,000 of 60,000 training images


@dataclass(frozen=True, eq=False)
class Split:
    """Which images are trained on and which are held out for validation.

    Attributes:
        train: Indices of training images, shape (n,), int32.
        validation: Indices of those held out, shape (m,), int32; empty for none.
    """

    train: np.ndarray
    validation: np.ndarray


def split(labels: np.ndarray, validation: str, *, fold: int = 1, train_part: float = 1.0) -> Split:
    """Divides the training pictures as the tutorials do, in the order of the file.

    Args:
        labels: Their digits, shape (n,).
        validation: "none"; "holdout" (the last twelfth: 5,000 of MNIST's 60,000);
            "kfold:K", where part `fold` of `K` equal parts validates and a remainder
            of fewer than K pictures is always trained on; or "stratified:K", where
            the same is done to the pictures of each digit.
        fold: Which part validates, 1 to K.
        train_part: How much of what is left is learned from, in (0, 1]: its beginning,
            at least one picture.

    Returns:
        The split; no picture is in both parts, and with `train_part` 1 each is in one.

    Raises:
        ValueError: If `validation` or `fold` is not one of these.

    Source:
        Tutorial 000 (55,000 / 5,000) and tutorial 002 (k-fold).
    """
    held_out = _held_out(labels, validation, fold)
    learned = np.flatnonzero(~held_out).astype(np.int32)
    return Split(learned[: max(1, round(train_part * len(learned)))], np.flatnonzero(held_out).astype(np.int32))


def _held_out(labels: np.ndarray, validation: str, fold: int) -> np.ndarray:
    """Returns which pictures validate, shape (n,), bool."""
    n = len(labels)
    if validation == "none":
        return np.zeros(n, bool)
    if validation == "holdout":
        return np.arange(n) >= n - n // HOLDOUT_DENOMINATOR
    kind, _, folds = validation.partition(":")
    if kind not in ("kfold", "stratified") or not folds.isdecimal() or not 1 <= fold <= int(folds):
        raise ValueError(f"No such split: validation={validation!r}, fold={fold}.")
    held_out = np.zeros(n, bool)
    groups = [np.arange(n)] if kind == "kfold" else [np.flatnonzero(labels == digit) for digit in range(10)]
    for group in groups:
        size = len(group) // int(folds)
        held_out[group[(fold - 1) * size : fold * size]] = True
    return held_out
