"""What learning curves show, in words."""

from collections.abc import Sequence

from mnist_dash.runs import Epoch, best_epoch


def over_fitting_words(epochs: Sequence[Epoch]) -> str:
    """Says where the validation loss was lowest; empty without validation."""
    best = best_epoch(epochs)
    if best is None or best.val_loss is None:
        return ""
    words = f"lowest validation loss, {best.val_loss:.4f}, in epoch {best.number} of {epochs[-1].number}"
    last = epochs[-1].val_loss or 0.0
    if last > 1.1 * best.val_loss:
        return f"{words}; since then it has risen to {last:.4f} while training went on: over-fitting."
    return f"{words}; no clear over-fitting."
