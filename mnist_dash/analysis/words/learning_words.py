"""What learning curves show, in words."""

from collections.abc import Sequence

from mnist_dash.analysis.accuracies import spread
from mnist_dash.analysis.cross_validation import validation_spread
from mnist_dash.analysis.learning_curves import ACCURACY, Curve, images_per_epoch, overfitting
from mnist_dash.analysis.test_predictions import of_run
from mnist_dash.analysis.words.number_words import accuracy_words, count_words, listed, percent, spread_words
from mnist_dash.store.records import CANCELLED, DONE, FAILED, PAUSED, QUEUED, RUNNING, Epoch, Run, best_epoch

_STATES = {RUNNING: "Running", PAUSED: "Paused", QUEUED: "Queued", CANCELLED: "Cancelled", FAILED: "Failed"}


def overfitting_words(epochs: Sequence[Epoch]) -> str:
    """Says where the validation loss was lowest and whether overfitting follows; empty without validation."""
    result = overfitting(epochs)
    if result is None:
        return ""
    best, last = result.best, result.last
    words = f"Lowest validation loss {best.val_loss:.4f} in epoch {best.number} of {last.number}"
    if best == last:
        return f"{words}, still falling." if len(epochs) > 1 else f"{words}."
    if not result.is_clear:
        return f"{words}; no clear overfitting."
    levels = f" (medians of {result.window} epochs)" if result.window > 1 else ""
    return (
        f"{words}. Overfitting since then: validation loss +{percent(result.risen, decimals=0)} to "
        f"{result.validation[1]:.4f}, training loss {result.training[0]:.4f} → {result.training[1]:.4f}{levels}."
    )


def curve_words(curve: Curve) -> str:
    """Summarises a learning curve: its state, overfitting, and the test result."""
    parts = [_state_words(curve), _early_words(curve)]
    if curve.epochs:
        parts += [
            overfitting_words(curve.epochs) or _unvalidated_words(curve),
            _mean_words(curve),
            _result_words(curve),
        ]
    return " ".join(filter(None, parts))


def _state_words(curve: Curve) -> str:
    run, done = curve.run, len(curve.epochs)
    if run.status == DONE:
        return ""
    total = int(run.settings.get("epochs", 0))
    if run.status == FAILED:
        return f"Failed in epoch {done + 1} of {total}: {run.error or 'unknown reason.'}"
    return f"{_STATES[run.status]}, {done} of {count_words(total, 'epoch')} done."


def _early_words(curve: Curve) -> str:
    """Says where early stopping ended runs, and which epoch's weights they have."""
    stopped = [history.epochs for history in curve.histories if history.stopped_early]
    if not stopped:
        return ""
    total = curve.run.settings["epochs"]
    if curve.n == 1:
        best = best_epoch(stopped[0])
        restored = f", weights of epoch {best.number} restored" if best else ""
        return f"Early stopping after epoch {len(stopped[0])} of {total}{restored}."
    ends = sorted({len(epochs) for epochs in stopped})
    span = f"{ends[0]} to {ends[-1]} epochs" if len(ends) > 1 else count_words(ends[0], "epoch")
    return f"Early stopping of {len(stopped)} of {curve.n} runs after {span} of {total}."


def _mean_words(curve: Curve) -> str:
    """Says where a mean ends before its runs do, and which runs it leaves out."""
    longest = max(len(history.epochs) for history in curve.histories)
    words = []
    if longest > len(curve.epochs):
        words.append(
            f"The mean ends at epoch {len(curve.epochs)}, the last of all {curve.n} runs; the longest has {longest}."
        )
    if curve.duplicates:
        words.append(f"{count_words(curve.duplicates, 'duplicate run')} (same seed and fold) left out.")
    return " ".join(words)


def _unvalidated_words(curve: Curve) -> str:
    last = curve.epochs[-1]
    training = f"Training loss {last.loss:.4f}, training accuracy {percent(last.accuracy)}"
    return f"{training} in epoch {last.number}; no validation."


def _result_words(curve: Curve) -> str:
    if curve.test(ACCURACY) is None:
        return ""
    if curve.n == 1:
        return f"Test accuracy {accuracy_words(of_run(curve.run))}."
    tested = spread([history.run.test_accuracy or 0.0 for history in curve.histories])
    validated = validation_spread(curve.histories)
    folds = f"validation accuracy {spread_words(validated)} over the folds, " if validated else ""
    words = f"{folds}test accuracy {spread_words(tested)} (mean ± standard deviation of {curve.n} runs)."
    return words[0].upper() + words[1:]


def different_data_words(runs: Sequence[Run]) -> list[str]:
    """Says in which ways the runs' images differ, the most important first; empty if they do not."""
    words = []
    if len({run.fingerprint for run in runs}) > 1:
        names = listed(sorted({run.data_title for run in runs}))
        words.append(
            f"These runs were trained and tested on different data ({names}), so their numbers cannot be compared."
        )
    held_out = _validation_words(runs)
    if held_out:
        words.append(f"Different validation images: {held_out}.")
    sizes = sorted({images_per_epoch(run) for run in runs})
    if len(sizes) > 1:
        words.append(f"Different numbers of training images: {listed([f'{n:,}' for n in sizes])}.")
    return words


def _validation_words(runs: Sequence[Run]) -> str:
    """Says which images validate, “folds 1 and 2 of 4 and the last 1/12”; empty if no two runs differ in that."""
    folds: dict[str, set[int]] = {}
    for run in runs:
        validation = str(run.settings.get("validation", "none"))
        if validation != "none":
            folds.setdefault(validation, set()).add(int(run.settings.get("fold", 1)) if ":" in validation else 0)
    if sum(map(len, folds.values())) < 2:
        return ""
    return listed([_held_out_words(validation, sorted(numbers)) for validation, numbers in sorted(folds.items())])


def _held_out_words(validation: str, folds: Sequence[int]) -> str:
    kind, _, of = validation.partition(":")
    if not of:
        return "the last 1/12"
    names = f"fold {folds[0]}" if len(folds) == 1 else f"folds {listed([str(fold) for fold in folds])}"
    return f"{names} of {of}{' (stratified)' if kind == 'stratified' else ''}"
