"""What learning curves show, in words."""

from collections.abc import Sequence

from mnist_dash.analysis.accuracies import spread
from mnist_dash.analysis.learning_curves import ACCURACY, Curve, over_fitting, pictures_learned
from mnist_dash.analysis.test_predictions import of_run
from mnist_dash.analysis.words.number_words import accuracy_words, count_words, listed, percent, spread_words
from mnist_dash.datasets.mnist import KNOWN
from mnist_dash.store.records import CANCELLED, DONE, FAILED, PAUSED, QUEUED, RUNNING, Epoch, Run, best_epoch

_UNDER_WAY = {
    QUEUED: "Queued; its curve begins with its first epoch.",
    RUNNING: "Running; its curve begins with its first epoch.",
}
_STATES = {RUNNING: "Running", PAUSED: "Paused", QUEUED: "Queued", CANCELLED: "Cancelled", FAILED: "Failed"}


def over_fitting_words(epochs: Sequence[Epoch]) -> str:
    """Says where the validation loss was lowest and whether over-fitting begins there; empty without validation."""
    found = over_fitting(epochs)
    if found is None:
        return ""
    best, last = found.best, found.last
    words = f"Lowest validation loss, {best.val_loss:.4f}, in epoch {best.number} of {last.number}"
    if best == last:
        return f"{words}: it was still falling." if len(epochs) > 1 else f"{words}."
    if found.is_clear:
        levels = f" (medians of {found.window} epochs)" if found.window > 1 else ""
        return (
            f"{words}. Over-fitting begins there: since then the validation loss has risen by "
            f"{percent(found.risen, decimals=0)}, to {found.validation[1]:.4f}, while the training loss went on "
            f"falling, from {found.training[0]:.4f} to {found.training[1]:.4f}{levels}."
        )
    return f"{words}; no clear over-fitting."


def curve_words(curve: Curve) -> str:
    """Says what a learning curve shows: how far it is, where over-fitting begins, what the test said."""
    parts = [_state_words(curve), _early_words(curve)]
    if curve.epochs:
        parts += [over_fitting_words(curve.epochs) or _unvalidated_words(curve), _mean_words(curve), _test_words(curve)]
    return " ".join(filter(None, parts))


def _state_words(curve: Curve) -> str:
    run, done = curve.run, len(curve.epochs)
    if run.status == DONE:
        return ""
    total = int(run.settings.get("epochs", 0))
    if run.status == FAILED:
        where = f"in epoch {done + 1} of {total}" if done else "before its first epoch ended"
        return f"Failed {where}: {run.error or 'the reason is not known.'}"
    if not done:
        return _UNDER_WAY.get(run.status, f"{_STATES[run.status]} before its first epoch ended.")
    return f"{_STATES[run.status]}, {done} of {count_words(total, 'epoch')} done."


def _early_words(curve: Curve) -> str:
    """Says where early stopping ended runs, and whose weights they have."""
    stopped = [history.epochs for history in curve.histories if history.stopped_early]
    if not stopped:
        return ""
    total = curve.run.settings["epochs"]
    if curve.n == 1:
        best = best_epoch(stopped[0])
        restored = f" and restored the weights of epoch {best.number}" if best else ""
        return f"Early stopping ended it after epoch {len(stopped[0])} of {total}{restored}."
    ends = sorted({len(epochs) for epochs in stopped})
    span = f"{ends[0]} to {ends[-1]} epochs" if len(ends) > 1 else count_words(ends[0], "epoch")
    return f"Early stopping ended {len(stopped)} of {curve.n} runs after {span} of {total}."


def _mean_words(curve: Curve) -> str:
    """Says what a mean is the mean of, and where it ends before its runs do."""
    longest = max(len(history.epochs) for history in curve.histories)
    words = []
    if longest > len(curve.epochs):
        words.append(
            f"The mean ends at epoch {len(curve.epochs)}, the last that all {curve.n} runs have; "
            f"the longest has {longest}: look at them one by one."
        )
    if curve.left_out:
        words.append(
            f"{count_words(curve.left_out, 'more run')} with the seed and fold of another left out: "
            "the same numbers twice would make the spread too small."
        )
    return " ".join(words)


def _unvalidated_words(curve: Curve) -> str:
    last = curve.epochs[-1]
    return (
        f"Training loss {last.loss:.4f}, training accuracy {percent(last.accuracy)} in epoch {last.number}; "
        "no pictures were kept back for validation, so over-fitting cannot be seen as it begins."
    )


def _test_words(curve: Curve) -> str:
    if curve.test(ACCURACY) is None:
        return ""
    if curve.n == 1:
        return f"Test accuracy {accuracy_words(of_run(curve.run))}."
    found = spread([history.run.test_accuracy or 0.0 for history in curve.histories])
    return f"Test accuracy {spread_words(found)} (mean and standard deviation of {curve.n} runs)."


def different_data_words(runs: Sequence[Run]) -> list[str]:
    """Says in which ways runs saw different pictures, the gravest first; empty if all saw the same."""
    words = []
    if len({run.fingerprint for run in runs}) > 1:
        names = listed(sorted({KNOWN[run.dataset].title for run in runs}))
        words.append(
            f"These runs were trained and tested on different data ({names}), so their numbers cannot be compared "
            "with each other. Runs on the bundled sample are marked."
        )
    kept = _validation_words(runs)
    if kept:
        words.append(f"Validation curves come from different pictures: {kept}.")
    learned = sorted({pictures_learned(run) for run in runs})
    if len(learned) > 1:
        words.append(f"They learn from different numbers of pictures: {listed([f'{n:,}' for n in learned])}.")
    return words


def _validation_words(runs: Sequence[Run]) -> str:
    """Says which pictures validate, “folds 1 and 2 of 4 and the last twelfth”; empty if no two runs differ in that."""
    folds: dict[str, set[int]] = {}
    for run in runs:
        validation = str(run.settings.get("validation", "none"))
        if validation != "none":
            folds.setdefault(validation, set()).add(int(run.settings.get("fold", 1)) if ":" in validation else 0)
    if sum(map(len, folds.values())) < 2:
        return ""
    return listed([_kept_back_words(validation, sorted(numbers)) for validation, numbers in sorted(folds.items())])


def _kept_back_words(validation: str, folds: Sequence[int]) -> str:
    kind, _, of = validation.partition(":")
    if not of:
        return "the last twelfth"
    names = f"fold {folds[0]}" if len(folds) == 1 else f"folds {listed([str(fold) for fold in folds])}"
    return f"{names} of {of}{' (stratified)' if kind == 'stratified' else ''}"
