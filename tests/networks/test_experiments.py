import itertools
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mnist_dash.errors import VariantError
from mnist_dash.networks.experiments import (
    MAX_RUNS,
    PlannedRun,
    differing,
    expected_seconds,
    experiment_title,
    group_replicates,
    plan_runs,
    replicate_key,
)
from mnist_dash.networks.variants import VARIANTS, get_variant

MAX_SEED = 2**31 - 1


def chosen(runs, *names):
    """What planned runs have of some settings, in their order."""
    return [tuple(run.settings[name] for name in names) for run in runs]


# Planning


def test_one_network_without_choices_is_one_run_with_its_own_settings():
    assert plan_runs(["dense-32"], {}) == [PlannedRun("dense-32", get_variant("dense-32").check({}))]


def test_every_run_has_all_settings_with_what_was_chosen():
    [run] = plan_runs(["dense-32"], {"epochs": 7, "seed": 3})

    assert run.settings == {**get_variant("dense-32").check({}), "epochs": 7, "seed": 3}


def test_values_come_as_text_or_as_numbers():
    runs = plan_runs(["dense-32"], {"epochs": "7"}, vary={"learning_rate": ["0,01", "0.1", 1]})

    assert chosen(runs, "epochs", "learning_rate") == [(7, 0.01), (7, 0.1), (7, 1.0)]


def test_several_networks_are_a_run_each_in_their_order():
    runs = plan_runs(["cnn", "dense-32"], {"epochs": 2})

    assert [(run.variant, run.settings["epochs"]) for run in runs] == [("cnn", 2), ("dense-32", 2)]


def test_what_is_varied_is_combined_networks_first_then_in_the_order_given():
    runs = plan_runs(["dense-32", "dense-512"], {}, vary={"optimizer": ["sgd", "adam"], "hidden_layers": [2, 1]})

    combinations = [("sgd", 2), ("sgd", 1), ("adam", 2), ("adam", 1)]
    assert [run.variant for run in runs] == ["dense-32"] * 4 + ["dense-512"] * 4
    assert chosen(runs, "optimizer", "hidden_layers") == combinations * 2


def test_what_is_varied_goes_before_what_is_set():
    runs = plan_runs(["dense-32"], {"epochs": 9}, vary={"epochs": [1, 2]})

    assert chosen(runs, "epochs") == [(1,), (2,)]


def test_repeats_take_the_chosen_seed_and_those_that_follow_it():
    runs = plan_runs(["dense-32"], {"seed": 5}, repeats=3)

    assert chosen(runs, "seed") == [(5,), (6,), (7,)]


def test_each_combination_is_repeated_with_the_same_seeds():
    runs = plan_runs(["dense-32"], {}, vary={"epochs": [1, 2]}, repeats=2)

    assert chosen(runs, "epochs", "seed") == [(1, 0), (1, 1), (2, 0), (2, 1)]


def test_seeds_that_are_varied_and_repeated_come_once_each():
    runs = plan_runs(["dense-32"], {}, vary={"seed": [0, 1, 5]}, repeats=2)

    assert chosen(runs, "seed") == [(0,), (1,), (2,), (5,), (6,)]


def test_values_that_are_the_same_in_other_words_make_one_run():
    runs = plan_runs(["dense-32", "dense-32"], {}, vary={"epochs": [2, "2", 2.0], "dropout": [0, "0.0"]})

    assert chosen(runs, "epochs", "dropout") == [(2, 0.0)]


@pytest.mark.parametrize("validation", ["kfold:4", "stratified:4"])
def test_with_folds_each_is_a_run_of_its_own(validation):
    runs = plan_runs(["cnn"], {"validation": validation})

    assert chosen(runs, "validation", "fold", "seed") == [(validation, fold, 0) for fold in (1, 2, 3, 4)]


def test_each_seed_has_all_folds():
    runs = plan_runs(["cnn"], {"validation": "kfold:2"}, repeats=2)

    assert chosen(runs, "seed", "fold") == [(0, 1), (0, 2), (1, 1), (1, 2)]


def test_a_fold_that_is_given_is_the_only_one():
    assert chosen(plan_runs(["cnn"], {"validation": "kfold:4", "fold": 3}), "fold") == [(3,)]


def test_folds_that_are_varied_are_the_only_ones():
    runs = plan_runs(["cnn"], {"validation": "kfold:4"}, vary={"fold": [4, 2]})

    assert chosen(runs, "fold") == [(4,), (2,)]


def test_ways_of_validation_have_as_many_runs_as_folds():
    runs = plan_runs(["cnn"], {}, vary={"validation": ["none", "holdout", "kfold:2", "stratified:3"]})

    assert chosen(runs, "validation", "fold") == [
        ("none", 1),
        ("holdout", 1),
        ("kfold:2", 1),
        ("kfold:2", 2),
        ("stratified:3", 1),
        ("stratified:3", 2),
        ("stratified:3", 3),
    ]


def test_nothing_of_what_was_given_is_changed():
    settings, vary = {"validation": "kfold:2"}, {"epochs": [1, 2]}

    plan_runs(["cnn"], settings, vary=vary, repeats=2)

    assert (settings, vary) == ({"validation": "kfold:2"}, {"epochs": [1, 2]})


# Refused


@pytest.mark.parametrize(
    ("settings", "vary", "message"),
    [
        ({"momentum": 0.5}, {}, "dense-32 has no setting momentum"),
        ({}, {"momentum": [0.5, 0.9]}, "dense-32 has no setting momentum"),
        ({}, {"filters": [8, 16]}, "dense-32 has no setting filters"),
        ({"epochs": 0}, {}, "Epochs must be .*, but is 0"),
        ({}, {"epochs": [1, 2, 1_001]}, "Epochs must be .*, but is 1001"),
        ({}, {"optimizer": ["sgd", "lion"]}, "Optimizer must be .*, but is “lion”"),
        ({"validation": "kfold:4", "fold": 5}, {}, "fold is 5, but must be a whole number from 1 to 4"),
        ({"validation": "kfold:4"}, {"fold": [4, 5]}, "fold is 5, but must be a whole number from 1 to 4"),
        ({}, {"validation": ["kfold:4", "kfold:11"]}, "Validation must be .*, but is “kfold:11”"),
        ({"patience": 3}, {"validation": ["holdout", "none"]}, "without validation there is no loss to watch"),
    ],
)
def test_one_setting_that_is_unknown_or_out_of_range_is_refused_in_words(settings, vary, message):
    with pytest.raises(VariantError, match=message):
        plan_runs(["dense-32"], settings, vary=vary)


def test_a_setting_must_be_known_to_every_network():
    assert len(plan_runs(["cnn"], {"filters": 8})) == 1
    with pytest.raises(VariantError, match="dense-32 has no setting filters"):
        plan_runs(["cnn", "dense-32"], {"filters": 8})


def test_an_unknown_network_is_refused():
    with pytest.raises(VariantError, match="There is no variant “dense-33”"):
        plan_runs(["dense-32", "dense-33"], {})


def test_repeats_beyond_the_last_seed_are_refused():
    assert chosen(plan_runs(["dense-32"], {"seed": MAX_SEED - 1}, repeats=2), "seed") == [(MAX_SEED - 1,), (MAX_SEED,)]
    with pytest.raises(VariantError, match="Seed must be"):
        plan_runs(["dense-32"], {"seed": MAX_SEED}, repeats=2)


@pytest.mark.parametrize(
    ("settings", "vary", "repeats", "runs"),
    [
        ({}, {}, MAX_RUNS + 1, "201"),
        ({}, {"epochs": range(1, 102)}, 2, "202"),
        ({}, {"epochs": range(1, 12), "batch_size": range(1, 21)}, 1, "220"),
        ({"validation": "kfold:10"}, {}, 21, "210"),
        ({}, {"validation": [f"kfold:{folds}" for folds in range(2, 11)]}, 4, "216"),
        ({}, {"epochs": range(1, 1_001), "batch_size": range(1, 1_001)}, 1, "1,000,000"),
    ],
)
def test_more_runs_than_an_experiment_may_have_are_refused_with_their_number(settings, vary, repeats, runs):
    with pytest.raises(VariantError, match=f"These settings make {runs} runs, but 200 is the maximum"):
        plan_runs(["dense-32"], settings, vary=vary, repeats=repeats)


def test_a_grid_beyond_all_measure_is_refused_without_being_made():
    vary = {name: range(10**6) for name in ("epochs", "batch_size", "seed", "hidden_units", "patience")}

    with pytest.raises(VariantError, match="is the maximum per experiment"):
        plan_runs(["dense-32"], {}, vary=vary)


@pytest.mark.parametrize(
    ("settings", "repeats"), [({}, MAX_RUNS), ({"validation": "kfold:10"}, 20), ({"validation": "kfold:2"}, 100)]
)
def test_an_experiment_may_have_as_many_runs_as_is_the_most(settings, repeats):
    assert len(plan_runs(["dense-32"], settings, repeats=repeats)) == MAX_RUNS


# All plans


def distinct(values, most=3):
    return st.lists(values, min_size=1, max_size=most, unique=True)


VALIDATION_FOLDS = {"none": 1, "holdout": 1, "kfold:2": 2, "kfold:5": 5, "stratified:3": 3}
networks = distinct(st.sampled_from(list(VARIANTS)))
grids = st.fixed_dictionaries(
    {},
    optional={
        "epochs": distinct(st.integers(1, 1_000)),
        "learning_rate": distinct(st.floats(0.000001, 10)),
        "optimizer": distinct(st.sampled_from(["sgd", "momentum", "rmsprop", "adam"])),
    },
)
plans = st.tuples(networks, grids, distinct(st.sampled_from(list(VALIDATION_FOLDS)), 2), st.integers(1, 3))


def planned(plan, seed=0):
    """The runs of a plan, or how many they would be if that is more than allowed."""
    variants, grid, validations, repeats = plan
    combinations = len(variants) * repeats
    for values in grid.values():
        combinations *= len(values)
    expected = combinations * sum(VALIDATION_FOLDS[validation] for validation in validations)
    if expected <= MAX_RUNS:
        return plan_runs(variants, {"seed": seed}, vary={**grid, "validation": validations}, repeats=repeats), expected
    with pytest.raises(VariantError):
        plan_runs(variants, {"seed": seed}, vary={**grid, "validation": validations}, repeats=repeats)
    return None, expected


@given(plan=plans)
def test_there_are_as_many_runs_as_combinations_times_seeds_times_folds_and_no_two_alike(plan):
    runs, expected = planned(plan)

    if runs is not None:
        assert len(runs) == expected
        assert len({(run.variant, *sorted(run.settings.items())) for run in runs}) == expected


@given(plan=plans)
def test_every_combination_is_there_and_every_run_is_checked(plan):
    variants, grid, validations, _ = plan
    runs, _ = planned(plan)

    for run in runs or []:
        assert get_variant(run.variant).check(run.settings) == run.settings
    names = ("validation", *grid)
    wanted = set(itertools.product(variants, validations, *grid.values()))
    assert runs is None or {(run.variant, *(run.settings[name] for name in names)) for run in runs} == wanted


@given(plan=plans, seed=st.integers(0, MAX_SEED - 10))
def test_what_differs_by_chance_only_is_as_many_runs_as_seeds_times_folds(plan, seed):
    repeats = plan[-1]
    runs, _ = planned(plan, seed)

    for group in group_replicates(runs or []):
        folds = VALIDATION_FOLDS[group[0].settings["validation"]]
        chances = itertools.product(range(seed, seed + repeats), range(1, folds + 1))
        assert chosen(group, "seed", "fold") == list(chances)


@given(name=st.text(min_size=1).filter(lambda name: name not in get_variant("dense-32").check({})), vary=st.booleans())
def test_no_name_but_those_of_settings_is_taken(name, vary):
    with pytest.raises(VariantError, match="has no setting"):
        plan_runs(["dense-32"], {} if vary else {name: 1}, vary={name: [1, 2]} if vary else None)


# Titles


@pytest.mark.parametrize(
    ("variants", "settings", "vary", "repeats", "title"),
    [
        (["cnn"], {}, {}, 1, "CNN"),
        (["cnn"], {"epochs": 3}, {}, 1, "CNN"),
        (["cnn"], {"validation": "kfold:4"}, {}, 1, "CNN, 4 folds"),
        (["dense-32"], {}, {}, 5, "Dense 32, 5 seeds"),
        (["dense-32"], {"validation": "stratified:3"}, {}, 2, "Dense 32, 3 folds, 2 seeds"),
        (["cnn", "dense-32"], {}, {}, 1, "2 networks"),
        (["cnn", "dense-32"], {}, {}, 3, "2 networks, 3 seeds"),
        (["dense-32"], {}, {"learning_rate": [0.1, 0.01, 0.001]}, 1, "Dense 32, 3 values of learning rate"),
        (["dense-32"], {}, {"train_part": [0.1, 1]}, 1, "Dense 32, 2 values of training set fraction"),
        (["cnn"], {}, {"validation": ["none", "kfold:4"]}, 1, "CNN, 2 values of validation, 4 folds"),
        (["cnn", "dense-512"], {}, {"epochs": [1, 2]}, 2, "2 networks, 2 values of epochs, 2 seeds"),
    ],
)
def test_a_title_says_what_is_common_and_what_differs(variants, settings, vary, repeats, title):
    assert experiment_title(plan_runs(variants, settings, vary=vary, repeats=repeats)) == title


def test_a_title_does_not_count_what_is_only_the_networks_own():
    runs = plan_runs(list(VARIANTS), {})

    assert len({run.settings["epochs"] for run in runs}) > 1
    assert experiment_title(runs) == f"{len(VARIANTS)} networks"


def test_a_title_does_not_depend_on_the_order_of_the_runs():
    runs = plan_runs(["dense-32"], {}, vary={"epochs": [1, 2, 3]}, repeats=2)

    assert experiment_title(runs[::-1]) == experiment_title(runs) == "Dense 32, 3 values of epochs, 2 seeds"


@given(plan=plans)
def test_every_plan_has_a_title_of_one_line(plan):
    runs, _ = planned(plan)

    if runs is not None:
        title = experiment_title(runs)
        assert title.strip() == title
        assert 0 < len(title.splitlines()[0]) == len(title) < 200
        assert ("seeds" in title) == (plan[-1] > 1)


# Alike but for chance


def test_runs_that_differ_in_seed_or_fold_are_alike_but_for_chance():
    runs = plan_runs(["cnn"], {"validation": "kfold:2"}, repeats=2)

    assert len({replicate_key(run) for run in runs}) == 1


@pytest.mark.parametrize("change", [{"epochs": 3}, {"validation": "kfold:3"}, {"dropout": 0.4}])
def test_runs_that_differ_in_anything_else_are_not_alike(change):
    [one, *_] = plan_runs(["cnn"], {"validation": "kfold:2"})
    other = replace(one, settings={**one.settings, **change})

    assert replicate_key(one) != replicate_key(other)


def test_two_networks_with_the_same_settings_are_not_alike():
    one, other = plan_runs(["dense-32", "dense-512"], {"epochs": 1, "batch_size": 64, "hidden_units": 8})

    assert one.settings == other.settings
    assert replicate_key(one) != replicate_key(other)


def test_the_order_of_settings_does_not_matter():
    [run] = plan_runs(["cnn"], {})
    turned = PlannedRun("cnn", dict(reversed(run.settings.items())))

    assert replicate_key(turned) == replicate_key(run)


def test_replicates_are_grouped_in_the_order_of_their_first_runs():
    cnn, dense = plan_runs(["cnn", "dense-32"], {"seed": 1})
    other_seed = replace(dense, settings={**dense.settings, "seed": 2})

    assert group_replicates([dense, cnn, other_seed]) == [[dense, other_seed], [cnn]]
    assert group_replicates([]) == []


def test_what_is_separate_or_differs_in_something_else_is_no_replicate():
    runs = plan_runs(["cnn"], {}, repeats=4)

    separate = group_replicates(runs, separate=lambda run: run.settings["seed"] == 1)
    within = group_replicates(runs, within=lambda run: run.settings["seed"] < 2)

    assert [[run.settings["seed"] for run in group] for group in separate] == [[0, 2, 3], [1]]
    assert [[run.settings["seed"] for run in group] for group in within] == [[0, 1], [2, 3]]


# What differs, and how long it takes


def a_run(variant="dense-32", **settings) -> PlannedRun:
    return PlannedRun(variant, VARIANTS[variant].check(settings))


def test_only_what_differs_between_runs_of_the_same_network_is_named():
    runs = [a_run(seed=1), a_run(seed=2), a_run("cnn", seed=1), a_run("cnn", seed=1, filters=8)]

    assert differing(runs) == ["variant", "seed", "filters"]
    assert differing(runs[:2]) == ["seed"]
    assert differing(runs[:1]) == []


def test_a_run_like_the_measured_one_takes_its_steps_times_the_measured_time():
    # 45,000 of 60,000 pictures with 4 folds, half of them, in batches of 100: 225 steps an epoch.
    run = a_run(epochs=7, batch_size=100, validation="kfold:4", train_part=0.5)

    assert expected_seconds(run, 60_000, like=run, seconds_per_step=0.01) == pytest.approx(7 * 225 * 0.01)


def test_a_wider_network_is_expected_to_take_longer_and_more_epochs_in_proportion():
    narrow, wide = a_run(hidden_units=32), a_run(hidden_units=512)

    def seconds(run):
        return expected_seconds(run, 60_000, like=narrow, seconds_per_step=0.001)

    assert seconds(wide) > 1.5 * seconds(narrow)
    assert seconds(a_run(epochs=20)) == pytest.approx(10 * seconds(narrow))
