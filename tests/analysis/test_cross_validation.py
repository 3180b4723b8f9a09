"""Cross-validation, against numbers worked out by hand."""

import pytest

from mnist_dash.analysis.cross_validation import validation_spread
from tests.support.histories import history


def fold(number: int, *val_losses: float, validation: str = "kfold:3", **settings):
    """A run of one fold; its validation accuracies are 1 - loss / 10."""
    losses = [0.3] * len(val_losses)
    return history(number, losses=losses, val_losses=val_losses, validation=validation, fold=number, **settings)


def test_the_last_epoch_of_each_fold_counts():
    spread = validation_spread([fold(1, 0.1, 0.4), fold(2, 0.1, 0.2), fold(3, 0.1, 0.6)])

    # 0.96, 0.98 and 0.94: their mean is 0.96, their variance (0 + 4 + 4) · 10⁻⁴ / 2.
    assert spread is not None
    assert (spread.n, spread.mean, spread.sd) == (3, pytest.approx(0.96), pytest.approx(0.02))


def test_with_early_stopping_the_restored_epoch_of_each_fold_counts():
    spread = validation_spread([fold(1, 0.4, 0.1, 0.3, patience=1), fold(2, 0.3, 0.5, 0.6, patience=1)])

    # The lowest losses are 0.1 and 0.3: 0.99 and 0.97, of which the standard deviation is 0.02 / √2.
    assert spread is not None
    assert (spread.mean, spread.sd) == (pytest.approx(0.98), pytest.approx(0.0141421, abs=1e-7))


def test_the_test_accuracy_plays_no_part():
    spread = validation_spread([fold(1, 0.4, test_accuracy=0.1), fold(2, 0.2, test_accuracy=0.2)])

    assert spread is not None
    assert spread.mean == pytest.approx(0.97)


def test_a_single_fold_has_no_standard_deviation():
    spread = validation_spread([fold(2, 0.4, validation="stratified:4")])

    assert spread is not None
    assert (spread.mean, spread.sd) == (pytest.approx(0.96), None)


@pytest.mark.parametrize(
    "histories",
    [
        [],
        [history(1), history(2)],
        [history(1, val_losses=[0.3, 0.2])],
        [fold(1, 0.2), history(2)],
        [fold(1, 0.2), fold(2)],
    ],
    ids=["nothing", "no validation", "hold-out", "only one in folds", "a fold without epochs"],
)
def test_without_folds_there_is_no_cross_validated_accuracy(histories):
    assert validation_spread(histories) is None
