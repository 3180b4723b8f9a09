"""What learning curves show, in words."""

import pytest

from mnist_dash.analysis.learning_curves import curves_of
from mnist_dash.analysis.words.learning_words import curve_words, different_data_words, over_fitting_words
from mnist_dash.store.records import CANCELLED, FAILED, PAUSED, QUEUED, RUNNING
from tests.support.histories import history, run_with


def words_of(*histories):
    [curve] = curves_of(histories)
    return curve_words(curve)


def test_over_fitting_begins_where_the_validation_loss_is_lowest():
    run = history(1, losses=[0.3, 0.2, 0.1], val_losses=[0.3, 0.2, 0.25])

    assert over_fitting_words(run.epochs) == (
        "Lowest validation loss, 0.2000, in epoch 2 of 3. Over-fitting begins there: since then the validation loss "
        "has risen by 25 %, to 0.2500, while the training loss went on falling, from 0.2000 to 0.1000."
    )


def test_levels_of_several_epochs_are_called_so():
    run = history(1, losses=[1 / n for n in range(1, 12)], val_losses=[4, 3, 2, 1, 2, 3, 4, 4, 4, 4, 4])

    assert over_fitting_words(run.epochs).endswith("(medians of 5 epochs).")


def test_a_validation_loss_that_hardly_rises_is_not_called_over_fitting():
    run = history(1, losses=[0.3, 0.2, 0.1], val_losses=[0.3, 0.2, 0.219])

    assert over_fitting_words(run.epochs) == "Lowest validation loss, 0.2000, in epoch 2 of 3; no clear over-fitting."


def test_a_validation_loss_that_is_lowest_at_the_end_was_still_falling():
    run = history(1, losses=[0.3, 0.2], val_losses=[0.3, 0.2])

    assert over_fitting_words(run.epochs) == "Lowest validation loss, 0.2000, in epoch 2 of 2: it was still falling."


@pytest.mark.parametrize("epochs", [(), history(1).epochs])
def test_without_validation_nothing_is_said_of_over_fitting(epochs):
    assert over_fitting_words(epochs) == ""


def test_a_run_without_validation_says_what_it_reached_and_what_cannot_be_seen():
    assert words_of(history(1, losses=[0.3, 0.2], test_accuracy=0.975, test_loss=0.1)) == (
        "Training loss 0.2000, training accuracy 98.0 % in epoch 2; no pictures were kept back for validation, so "
        "over-fitting cannot be seen as it begins. Test accuracy 97.5 % (± 0.3)."
    )


@pytest.mark.parametrize(
    ("status", "epochs", "words"),
    [
        (QUEUED, None, "Queued; its curve begins with its first epoch."),
        (RUNNING, None, "Running; its curve begins with its first epoch."),
        (CANCELLED, None, "Cancelled before its first epoch ended."),
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

    assert words_of(run).startswith("Early stopping ended it after epoch 4 of 9 and restored the weights of epoch 2.")


def test_a_mean_says_where_it_ends_and_why():
    short = history(1, losses=[3, 2, 1], val_losses=[3, 2, 3], patience=1, planned=9, seed=1)
    long = history(2, losses=[3, 2, 1, 1], val_losses=[3, 2, 1, 2], patience=1, planned=9, seed=2)

    found = words_of(short, long)

    assert "Early stopping ended 2 of 2 runs after 3 to 4 epochs of 9." in found
    assert "The mean ends at epoch 3, the last that all 2 runs have; the longest has 4" in found


def test_repeats_say_how_far_their_test_results_spread():
    found = words_of(
        *(history(seed, seed=seed, test_loss=0.1, test_accuracy=accuracy) for seed, accuracy in ((1, 0.97), (2, 0.98)))
    )

    assert found.endswith("Test accuracy 97.5 % ± 0.7 (mean and standard deviation of 2 runs).")


def test_a_mean_says_what_it_leaves_out():
    assert "1 more run with the seed and fold of another left out" in words_of(
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
        "Validation curves come from different pictures: the last twelfth, fold 2 of 4 and fold 2 of 4 (stratified).",
        "They learn from different numbers of pictures: 22,500, 45,000, 55,000 and 60,000.",
    ]


def test_folds_are_named_in_their_order():
    runs = [run_with(fold, validation="kfold:10", fold=fold) for fold in (10, 2, 1)]

    assert different_data_words(runs) == ["Validation curves come from different pictures: folds 1, 2 and 10 of 10."]


def test_one_kind_of_validation_beside_none_is_not_different():
    assert different_data_words([run_with(1, validation="holdout"), run_with(2, validation="holdout", seed=1)]) == []
