"""Settings in words."""

import pytest

from mnist_dash.networks.experiments import PlannedRun
from mnist_dash.networks.hyperparameters import Value
from mnist_dash.networks.setting_words import (
    changed_settings,
    setting_label,
    setting_value,
    settings_words,
    value_words,
)
from mnist_dash.networks.variants import VARIANTS


def run_with(variant: str = "dense-32", **settings: Value) -> PlannedRun:
    return PlannedRun(variant, VARIANTS[variant].check(settings))


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (5, "5"),
        (2**31 - 1, "2147483647"),
        (0.001, "0.001"),
        (1.0, "1"),
        ("momentum", "SGD with momentum"),
        ("kfold:4", "4 folds"),
        ("stratified:10", "10 folds, stratified"),
        ("cnn", VARIANTS["cnn"].title),
        ("a network of another version", "a network of another version"),
        (None, "–"),
    ],
)
def test_a_value_in_words(value: Value | None, words: str):
    assert value_words(value) == words


def test_every_choice_of_every_setting_has_words_of_its_own():
    choices = {choice for variant in VARIANTS.values() for setting in variant.settings for choice in setting.choices}

    assert len({value_words(choice) for choice in choices}) == len(choices)
    assert not any(value_words(choice).startswith(" ") for choice in choices)


def test_settings_are_a_phrase_in_the_order_of_the_form():
    run = run_with(seed=3, epochs=7, optimizer="adam")

    assert settings_words(run, ["seed", "optimizer", "epochs"]) == "epochs 7, optimizer adam, seed 3"
    assert settings_words(run, ["variant", "seed"]) == "Dense 32, seed 3"
    assert settings_words(run, []) == ""


def test_the_fold_is_named_in_cross_validation_only():
    assert settings_words(run_with(fold=2, validation="kfold:4"), ["fold"]) == "fold 2"
    assert settings_words(run_with(), ["fold"]) == ""


def test_changed_settings_are_those_that_are_not_the_networks_own():
    assert changed_settings(run_with()) == []
    assert changed_settings(run_with(seed=1, epochs=77)) == ["epochs", "seed"]
    assert changed_settings(PlannedRun("a network of another version", {"epochs": 1})) == []


def test_labels_and_values_of_the_network_itself_and_of_what_it_lacks():
    assert [setting_label(name) for name in ("batch_size", "variant", "unknown")] == [
        "Batch size",
        "Network",
        "unknown",
    ]
    assert setting_value(run_with(), "variant") == "dense-32"
    assert setting_value(run_with(), "filters") is None
