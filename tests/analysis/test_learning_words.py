"""What learning curves show, in words."""

from collections.abc import Sequence

import pytest

from mnist_dash.analysis.learning_curves import Curve, curves_of
from mnist_dash.analysis.words import learning_words
from mnist_dash.analysis.words.learning_words import different_data_words
from mnist_dash.store.records import CANCELLED, FAILED, PAUSED, QUEUED, RUNNING, Epoch
from tests.pages.opening import plain
from tests.support.histories import history, run_with


def curve_words(curve: Curve) -> str:
    return plain(learning_words.curve_words(curve))


def overfitting_words(epochs: Sequence[Epoch]) -> str:
    return plain(learning_words.overfitting_words(epochs))


def words_of(*histories):
    [curve] = curves_of(histories)
    return curve_words(curve)


def test_overfitting_begins_where_the_validation_loss_is_lowest():
    run = history(1, losses=[0.3, 0.2, 0.1], val_losses=[0.3, 0.2, 0.25])

    assert overfitting_words(run.epochs) == (
        "Lowest validation loss 0.2000 in epoch 2 of 3. Overfitting since then: validation loss +25 % to 0.2500, "
        "training loss 0.2000 → 0.1000."
    )


def test_levels_of_several_epochs_are_called_so():
    run = history(1, losses=[1 / n for n in range(1, 12)], val_losses=[4, 3, 2, 1, 2, 3, 4, 4, 4, 4, 4])

    assert overfitting_words(run.epochs).endswith("(medians of 5 epochs).")


def test_a_validation_loss_that_hardly_rises_is_not_called_overfitting():
    run = history(1, losses=[0.3, 0.2, 0.1], val_losses=[0.3, 0.2, 0.219])

    assert overfitting_words(run.epochs) == "Lowest validation loss 0.2000 in epoch 2 of 3; no clear overfitting."


def test_a_validation_loss_that_is_lowest_at_the_end_was_still_falling():
    run = history(1, losses=[0.3, 0.2], val_losses=[0.3, 0.2])

    assert overfitting_words(run.epochs) == "Lowest validation loss 0.2000 in epoch 2 of 2, still falling."


@pytest.mark.parametrize("epochs", [(), history(1).epochs])
def test_without_validation_nothing_is_said_of_overfitting(epochs):
    assert overfitting_words(epochs) == ""


def test_a_run_without_validation_says_what_it_reached_and_what_cannot_be_seen():
    assert words_of(history(1, losses=[0.3, 0.2], test_accuracy=0.975, test_loss=0.1)) == (
        "Training loss 0.2000, training accuracy 98.0 % in epoch 2; no validation. Test accuracy 97.5 % (± 0.3)."
    )


@pytest.mark.parametrize(
    ("status", "epochs", "words"),
    [
        (QUEUED, None, "Queued, 0 of 9 epochs done."),
        (RUNNING, None, "Running, 0 of 9 epochs done."),
        (CANCELLED, None, "Cancelled, 0 of 9 epochs done."),
        (PAUSED, 2, "Paused, 2 of 9 epochs done."),
        (RUNNING, 2, "Running, 2 of 9 epochs done."),
    ],
)
def test_a_run_that_has_not_finished_says_how_far_it_is(status, epochs, words):
    run = history(1, losses=[0.3, 0.2][: epochs or 0], status=status, planned=9)

    assert words_of(run).startswith(words)


def test_a_failed_run_gives_its_reason_and_shows_what_there_is():
    found = words_of(history(1, losses=[0.3, 0.2], status=FAILED, error="The loss became nan.", planned=9))

    assert found.startswith("Failed in epoch 3 of 9: The loss became nan. Training loss 0.2000")


def test_early_stopping_says_whose_weights_were_kept():
    run = history(1, losses=[0.3, 0.2, 0.1, 0.1], val_losses=[0.3, 0.2, 0.4, 0.5], patience=2, planned=9)

    assert words_of(run).startswith("Early stopping after epoch 4 of 9, weights of epoch 2 restored.")


def test_a_mean_says_where_it_ends_and_why():
    short = history(1, losses=[3, 2, 1], val_losses=[3, 2, 3], patience=1, planned=9, seed=1)
    long = history(2, losses=[3, 2, 1, 1], val_losses=[3, 2, 1, 2], patience=1, planned=9, seed=2)

    found = words_of(short, long)

    assert "Early stopping of 2 of 2 runs after 3 to 4 epochs of 9." in found
    assert "The mean ends at epoch 3, the last of all 2 runs; the longest has 4" in found


def test_repeats_say_how_far_their_test_results_spread():
    found = words_of(
        *(history(seed, seed=seed, test_loss=0.1, test_accuracy=accuracy) for seed, accuracy in ((1, 0.97), (2, 0.98)))
    )

    assert found.endswith("Test accuracy 97.5 % ± 0.7 (mean ± standard deviation of 2 runs).")


def test_folds_say_their_validation_accuracy_beside_the_test_accuracy():
    found = words_of(
        *(
            history(fold, fold=fold, validation="kfold:2", val_losses=[0.4, loss], test_loss=0.1, test_accuracy=0.97)
            for fold, loss in ((1, 0.2), (2, 0.4))
        )
    )

    # Validation accuracies of the last epochs are 1 - loss / 10: 0.98 and 0.96.
    assert found.endswith(
        "Validation accuracy 97.0 % ± 1.4 over the folds, test accuracy 97.00 % ± 0.00 "
        "(mean ± standard deviation of 2 runs)."
    )


def test_a_mean_says_what_it_leaves_out():
    assert "1 duplicate run (same seed and fold) left out" in words_of(
        history(1, seed=1), history(2, seed=2), history(3, seed=2)
    )


def test_runs_on_the_same_pictures_need_no_words():
    assert different_data_words([run_with(1, seed=1), run_with(2, seed=2, variant="cnn", validation="none")]) == []


def test_different_data_sets_are_named():
    [words, *_] = different_data_words([run_with(1), run_with(2, dataset="mnist-sample", fingerprint="1")])

    assert "trained and tested on different data" in words
    assert "MNIST" in words


def test_different_validation_pictures_and_parts_of_the_training_pictures_are_named():
    runs = [
        run_with(1),
        run_with(2, validation="holdout"),
        run_with(3, validation="kfold:4", fold=2),
        run_with(4, validation="stratified:4", fold=2, train_part=0.5),
    ]

    assert different_data_words(runs) == [
        "Different validation images: the last 1/12, fold 2 of 4 and fold 2 of 4 (stratified).",
        "Different numbers of training images: 22,500, 45,000, 55,000 and 60,000.",
    ]


def test_folds_are_named_in_their_order():
    runs = [run_with(fold, validation="kfold:10", fold=fold) for fold in (10, 2, 1)]

    assert different_data_words(runs) == ["Different validation images: folds 1, 2 and 10 of 10."]


def test_one_kind_of_validation_beside_none_is_not_different():
    assert different_data_words([run_with(1, validation="holdout"), run_with(2, validation="holdout", seed=1)]) == []
