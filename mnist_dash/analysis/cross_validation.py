"""Cross-validation: the accuracy over the held-out folds."""

from collections.abc import Sequence

from mnist_dash.analysis.accuracies import Spread, spread
from mnist_dash.analysis.learning_curves import History
from mnist_dash.networks.hyperparameters import folds_of


def validation_spread(histories: Sequence[History]) -> Spread | None:
    """Returns mean and standard deviation of the validation accuracies of a cross-validation's runs.

    Each run counts with the epoch whose weights it has: the last one, or with early
    stopping the one with the lowest validation loss, which is restored.

    Args:
        histories: Finished runs, one a fold, or several where there are several seeds.

    Returns:
        None if a run was not validated in folds.

    Source:
        Stone 1974, "Cross-validatory choice and assessment of statistical predictions".
    """
    accuracies = [_validation_accuracy(history) for history in histories]
    known = [accuracy for accuracy in accuracies if accuracy is not None]
    return spread(known) if known and len(known) == len(accuracies) else None


def _validation_accuracy(history: History) -> float | None:
    kept = history.kept_epoch
    return kept.val_accuracy if kept and folds_of(history.run.settings) else None
