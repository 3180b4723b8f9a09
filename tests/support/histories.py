"""Runs with epochs, made up for tests of learning curves."""

from collections.abc import Sequence
from typing import Any

from mnist_dash.analysis.learning_curves import History
from mnist_dash.datasets.mnist import DIGITS, KNOWN
from mnist_dash.networks.variants import VARIANTS
from mnist_dash.store.records import DONE, Epoch, Run

_RUN = dict.fromkeys(Run.__dataclass_fields__)


def run_with(
    number: int = 1,
    *,
    variant: str = "dense-32",
    dataset: str = "mnist",
    fingerprint: str = "0",
    status: str = DONE,
    reference: str | None = None,
    error: str | None = None,
    test_loss: float | None = None,
    test_accuracy: float | None = None,
    **settings: Any,
) -> Run:
    """A run with the variant's own settings but for those given."""
    given = {
        "id": number,
        "variant": variant,
        "settings": VARIANTS[variant].check(settings),
        "dataset": dataset,
        "fingerprint": fingerprint,
        "train_images": KNOWN[dataset].train,
        "test_images": KNOWN[dataset].test,
        "classes": DIGITS,
        "status": status,
        "reference": reference,
        "error": error,
        "test_loss": test_loss,
        "test_accuracy": test_accuracy,
    }
    return Run(**{**_RUN, **given})  # type: ignore[arg-type]


def history(
    number: int,
    *,
    losses: Sequence[float] = (0.3, 0.2),
    val_losses: Sequence[float] | None = None,
    seconds: Sequence[float] | None = None,
    epochs: Sequence[Epoch] | None = None,
    planned: int | None = None,
    **run: Any,
) -> History:
    """A run with an epoch for each training loss."""
    if val_losses is not None or run.get("patience"):
        run.setdefault("validation", "holdout")
    made = [
        Epoch(
            place,
            loss,
            round(1 - loss / 10, 6),
            val_losses[place - 1] if val_losses else None,
            round(1 - val_losses[place - 1] / 10, 6) if val_losses else None,
            seconds[place - 1] if seconds else 0.5,
        )
        for place, loss in enumerate(losses, start=1)
    ]
    found = made if epochs is None else list(epochs)
    return History(run_with(number, epochs=planned or max(len(found), 1), **run), tuple(found))
