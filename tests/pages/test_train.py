"""The Train page: one run or an experiment, its link, its board."""

import time

import pytest
from streamlit.testing.v1 import AppTest

from mnist_dash.datasets.mnist import Dataset
from mnist_dash.networks.experiments import plan_runs
from mnist_dash.networks.presets import PRESETS
from mnist_dash.networks.variants import VARIANTS
from mnist_dash.store.custom_datasets import CustomDatasets
from mnist_dash.store.records import CANCELLED, CHECKPOINT, DONE, PAUSED, QUEUED, Epoch, Result, Run
from mnist_dash.store.run_leases import RunLeases
from mnist_dash.store.run_store import RunStore
from mnist_dash.store.visitors import Limits, Visitor
from mnist_dash.worker.job_queue import JobQueue
from tests.pages.opening import opened, texts, unfolds
from tests.support.datasets import custom_dataset

nothing_is_trained = pytest.mark.usefixtures("nothing_is_trained")
RESULT = Result(0.2, 0.94, 1.5, 25_450, 0.2)


@pytest.fixture
def store(own_database: str):
    opened_store = RunStore(own_database)
    yield opened_store
    opened_store.close()


def own_runs(store: RunStore) -> list[Run]:
    return [run for run in store.list_runs() if not run.is_reference]


def started(app: AppTest) -> AppTest:
    return app.button(key="train_start").click().run()


def labels(app: AppTest) -> set[str]:
    return {button.key for button in app.button if not button.disabled}


def waiting(store: RunStore, *, owner: str = "", **settings: object) -> Run:
    checked = VARIANTS["dense-32"].check(settings)
    return store.create_run("dense-32", checked, dataset="mnist", fingerprint="other", by=Visitor(owner))


def finished(store: RunStore, sample: Dataset, *, result: Result = RESULT, **settings: object) -> Run:
    checked = VARIANTS["dense-32"].check({"epochs": 1, **settings})
    run = store.create_run("dense-32", checked, dataset=sample.name, fingerprint=sample.fingerprint, leased=True)
    RunLeases(store).record_epoch(run.id, str(run.lease), Epoch(1, 0.4, 0.9, None, None, 1.5), {CHECKPOINT: b"after 1"})
    RunLeases(store).finish(run.id, str(run.lease), result, {})
    return run


# The form


@nothing_is_trained
def test_custom_data_is_trained_on_and_stays_when_example_settings_are_chosen(store: RunStore):
    CustomDatasets(store).add(custom_dataset("Pets"), Visitor("ann", Limits()))
    app = opened("train", data="Pets")

    app.button(key=f"train_preset_{PRESETS[0].name}").click().run()
    started(app)

    assert not app.exception
    assert app.selectbox(key="data_choice").value == "Pets"
    assert {(run.dataset, run.train_images) for run in own_runs(store)} == {("Pets", 50)}


@nothing_is_trained
@nothing_is_trained
@pytest.mark.parametrize("able", [True, False])
def test_bfloat16_is_offered_where_a_worker_multiplies_it(able, store: RunStore, monkeypatch):
    monkeypatch.setattr(JobQueue, "multiplies_bfloat16", lambda queue: able)

    app = opened("train", train_variant="cnn", precision="bfloat16", also="cnn-augmented")
    started(app)

    precision = app.multiselect(key="train_precision")
    assert precision.options == (["float32", "bfloat16"] if able else ["float32"])
    assert ("not offered" in precision.help) == (not able)
    assert "about 2 times" in precision.help
    assert [run.settings["precision"] for run in own_runs(store)] == 2 * ["bfloat16" if able else "float32"]


def test_settings_of_another_network_come_with_its_choice():
    app = opened("train")
    app.text_input(key="train_epochs").set_value("7").run()

    app.segmented_control(key="train_variant").set_value("cnn").run()

    assert app.text_input(key="train_epochs").value == "60"
    assert app.text_input(key="train_batch_size").value == "512"
    assert app.multiselect(key="train_validation").value == ["holdout"]


@nothing_is_trained
def test_the_forms_state_stands_in_the_link_and_defaults_do_not():
    app = opened("train")
    app.segmented_control(key="train_variant").set_value("dense-512").run()

    app.text_input(key="train_learning_rate").set_value("0,1 0.01")
    app.multiselect(key="train_validation").set_value(["kfold:4"])
    app.multiselect(key="train_also").set_value(["dense-32"]).run()

    assert link_of(app) == {
        "train_variant": "dense-512",
        "learning_rate": "0,1 0.01",
        "validation": "kfold:4",
        "also": "dense-32",
    }


def link_of(app: AppTest) -> dict[str, str]:
    return {name: value if isinstance(value, str) else value[0] for name, value in app.query_params.items()}


@nothing_is_trained
def test_a_link_fills_the_form():
    app = linked(train_variant="cnn", epochs="2", validation="kfold:4 none", repeats="3", also="dense-32,sigmoid-100")

    assert app.segmented_control(key="train_variant").value == "cnn"
    assert app.text_input(key="train_epochs").value == "2"
    assert app.multiselect(key="train_validation").value == ["kfold:4", "none"]
    assert app.text_input(key="train_repeats").value == "3"
    assert app.multiselect(key="train_also").value == ["dense-32", "sigmoid-100"]
    # (4 folds + 1) x 3 seeds x 3 networks
    assert app.button(key="train_start").label == "Start 45 runs"


def linked(**link: str) -> AppTest:
    return opened("train", **link)


@nothing_is_trained
@pytest.mark.parametrize(
    "link",
    [
        {"train_variant": "rnn"},
        {"epochs": "-1"},
        {"epochs": "<script>alert(1)</script>"},
        {"learning_rate": "nan"},
        {"learning_rate": "1e999"},
        {"seed": "9" * 10_000},
        {"repeats": "1 2"},
        {"repeats": "10000000000"},
        {"validation": "kfold:1000"},
        {"also": "cnn,../../etc/passwd"},
        {"hidden_units": "1 2 3 4 5 6 7 8 9", "seed": "1 2 3 4 5 6 7 8 9", "epochs": "1 2 3 4 5 6 7 8 9"},
    ],
)
def test_a_hostile_link_is_answered_with_a_sentence_or_ignored(link: dict[str, str], store: RunStore):
    app = linked(**link)

    assert not app.exception
    assert bool(app.error) != any(button.key == "train_start" for button in app.button)
    assert own_runs(store) == []


@nothing_is_trained
@pytest.mark.parametrize("typed", ["0", "100000", "2.5", "many"])
def test_a_number_out_of_range_is_refused_with_the_range_and_the_runs_stay_in_view(typed: str):
    app = opened("train")

    app.text_input(key="train_epochs").set_value(typed).run()

    assert app.error[0].value.startswith("Epochs must be a whole number from 1 to 1,000, but is ")
    assert any(button.key.startswith("train_preset") for button in app.button)


@nothing_is_trained
def test_a_learning_rate_may_have_a_decimal_comma(store: RunStore):
    app = opened("train")
    app.text_input(key="train_learning_rate").set_value("0,01").run()

    started(app)

    assert own_runs(store)[0].settings["learning_rate"] == 0.01


@nothing_is_trained
def test_several_values_of_several_settings_make_every_combination(store: RunStore):
    app = opened("train")
    app.text_input(key="train_epochs").set_value("1 2")
    app.text_input(key="train_learning_rate").set_value("0.1; 0,01")
    app.multiselect(key="train_optimizer").set_value(["sgd", "adam"]).run()
    assert app.button(key="train_start").label == "Start 8 runs"

    started(app)

    runs = own_runs(store)
    found = {(run.settings["epochs"], run.settings["learning_rate"], run.settings["optimizer"]) for run in runs}
    assert found == {(e, rate, kind) for e in (1, 2) for rate in (0.1, 0.01) for kind in ("sgd", "adam")}
    assert len({run.experiment_id for run in runs}) == 1


@nothing_is_trained
def test_k_folds_queue_all_folds_together(store: RunStore):
    app = linked(train_variant="cnn", epochs="1", validation="kfold:4")

    started(app)

    assert sorted(run.settings["fold"] for run in own_runs(store)) == [1, 2, 3, 4]
    assert "CNN, 4 folds" in texts(app)


@nothing_is_trained
@pytest.mark.parametrize("preset", PRESETS, ids=lambda preset: preset.name)
def test_example_settings_are_one_click_away_and_can_be_started(preset, caplog: pytest.LogCaptureFixture):
    app = opened("train")

    app.button(key=f"train_preset_{preset.name}").click().run()

    assert not app.error
    assert app.segmented_control(key="train_variant").value == preset.variant
    assert preset.settings.items() <= link_of(app).items()
    assert preset.reason in texts(app)
    assert "default value" not in caplog.text  # Streamlit's warning of a widget that has a session value, too
    assert any(button.key == "train_start" for button in app.button)


@nothing_is_trained
def test_the_network_is_shown_before_it_is_trained():
    app = linked(train_variant="dense-512", hidden_layers="2", hidden_units="64")

    unfolds(app, "train_network")

    assert not app.exception
    assert any("55,050 parameters" in expander.label for expander in app.expander)  # 784·64+64 + 64·64+64 + 64·10+10


@nothing_is_trained
def test_the_form_can_be_exported_as_a_script_and_as_a_notebook():
    app = linked(train_variant="sigmoid-100", epochs="3")
    unfolds(app, "train_network")

    found = {button.key: button for button in app.get("download_button")}

    assert {"train_form_py", "train_form_ipynb"} <= {key.split("-")[-1] for key in map(str, found)} or len(found) >= 2


@nothing_is_trained
@pytest.mark.parametrize("typed", ["0.1, 0.01", "0.1,0.01", "0.1 0.01", "0,1 0,01", "0,1, 0,01", "0,1; 0,01"])
def test_several_learning_rates_are_a_sweep_however_they_are_separated(typed: str):
    app = opened("train")

    app.text_input(key="train_learning_rate").set_value(typed).run()

    assert not app.error
    assert app.button(key="train_start").label == "Start 2 runs"


# Training


@pytest.mark.usefixtures("queue")
def test_a_run_started_on_the_train_page_ends_with_its_accuracy_and_a_notice(store: RunStore):
    app = opened("train")
    app.text_input(key="train_epochs").set_value("1").run()
    started(app)
    assert not app.exception
    run = own_runs(store)[0]
    assert run.settings["epochs"] == 1
    deadline = time.monotonic() + 120
    while store.get_run(run.id).status != DONE and time.monotonic() < deadline:
        time.sleep(0.2)

    app.run()

    assert "test accuracy" in texts(app)
    assert f"run {run.id}" in texts(app)
    assert any("is done" in toast.value for toast in app.toast)


@nothing_is_trained
def test_a_run_is_paused_resumed_and_cancelled_by_its_buttons(store: RunStore):
    run = waiting(store)
    app = opened("train")

    app.button(key=f"train_pause_{run.id}").click().run()
    assert store.get_run(run.id).status == PAUSED
    app.button(key=f"train_resume_{run.id}").click().run()
    assert store.get_run(run.id).status == QUEUED
    app.button(key=f"train_cancel_{run.id}").click().run()

    assert not app.exception
    assert store.get_run(run.id).status == CANCELLED


@nothing_is_trained
def test_a_failed_run_says_why_and_can_be_tried_again(store: RunStore):
    run = waiting(store)
    claimed = RunLeases(store).acquire(run.id)
    RunLeases(store).fail(run.id, str(claimed.lease), "The loss became nan in epoch 1.")
    app = opened("train")
    assert "The loss became nan" in texts(app)

    app.button(key=f"train_try_again_{run.id}").click().run()

    assert store.get_run(run.id).attempt == 2


@nothing_is_trained
def test_a_run_that_diverged_offers_a_lower_learning_rate(store: RunStore):
    run = waiting(store, learning_rate=0.5, seed=3)
    claimed = RunLeases(store).acquire(run.id)
    RunLeases(store).fail(run.id, str(claimed.lease), "Training diverged: the loss became nan in epoch 1.")
    app = opened("train")

    app.button(key=f"train_lower_{run.id}").click().run()

    assert app.text_input(key="train_learning_rate").value == "0.05"
    assert app.text_input(key="train_seed").value == "3"


@nothing_is_trained
def test_a_run_that_only_guesses_is_not_ticked_off(store: RunStore, sample: Dataset):
    run = finished(store, sample, learning_rate=10.0, result=Result(2.3, 0.103, 1.5, 25_450, 0.2))

    app = opened("train")

    assert "Hardly better than guessing (10 %)" in texts(app)
    assert any(button.key == f"train_lower_{run.id}" and "0.001" in button.label for button in app.button)


@nothing_is_trained
def test_a_finished_run_keeps_its_curves_and_leads_to_its_reference_and_to_draw(store: RunStore, sample: Dataset):
    run = finished(store, sample)

    app = opened("train")

    assert f"train_live_accuracy_{run.id}" in str(app.main)
    links = {element.proto.label: element.proto for element in app.main if element.type == "page_link"}
    [reference] = [each.id for each in store.list_runs() if each.is_reference and each.variant == run.variant]
    for label in ("Compare with reference", "Draw with it"):
        assert f"runs=r{reference}%2Cr{run.id}" in str(links[label])


@nothing_is_trained
def test_a_finished_run_is_started_again_with_a_change(store: RunStore, sample: Dataset):
    run = finished(store, sample, seed=5, hidden_units=48)
    app = opened("train")

    app.button(key=f"train_again_{run.id}").click().run()

    assert app.text_input(key="train_seed").value == "5"
    assert app.text_input(key="train_hidden_units").value == "48"
    assert app.text_input(key="train_epochs").value == "1"


@nothing_is_trained
def test_a_finished_run_is_trained_further_as_a_run_of_its_own(store: RunStore, sample: Dataset):
    run = finished(store, sample)
    app = opened("train")
    app.number_input(key=f"train_further_{run.id}").set_value(3).run()

    app.button(key=f"train_continue_{run.id}").click().run()

    newest = own_runs(store)[0]
    assert (newest.continues, newest.settings["epochs"]) == (run.id, 3)
    assert store.get_run(run.id).status == DONE


@nothing_is_trained
def test_an_experiment_shows_mean_and_standard_deviation(store: RunStore, sample: Dataset):
    planned = plan_runs(["dense-32"], {"epochs": 1}, repeats=3)
    runs = store.create_runs(planned, dataset=sample.name, fingerprint=sample.fingerprint, leased=True)
    for run, accuracy in zip(runs, (0.93, 0.94, 0.95), strict=True):
        RunLeases(store).finish(run.id, str(run.lease), Result(0.2, accuracy, 1.0, 25_450, 0.2), {})

    app = opened("train")

    assert not app.exception
    assert "Dense 32, 3 seeds" in texts(app)
    assert "94.0 % ± 1.0" in texts(app)


def cross_validation(store: RunStore, sample: Dataset, **settings) -> None:
    """Adds two folds with validation accuracies of 0.90 and 0.92, and a test accuracy of 0.95."""
    planned = plan_runs(["dense-32"], {"epochs": 1, "validation": "kfold:2", **settings})
    runs = store.create_runs(planned, dataset=sample.name, fingerprint=sample.fingerprint, leased=True)
    for run, accuracy in zip(runs, (0.90, 0.92), strict=True):
        RunLeases(store).record_epoch(run.id, str(run.lease), Epoch(1, 0.3, 0.9, 0.3, accuracy, 1.0), {})
        RunLeases(store).finish(run.id, str(run.lease), Result(0.2, 0.95, 1.0, 25_450, 0.2), {})


@nothing_is_trained
def test_a_cross_validation_shows_the_accuracy_over_its_folds_beside_the_test_accuracy(
    store: RunStore, sample: Dataset
):
    cross_validation(store, sample)

    app = opened("train")

    # 0.90 and 0.92: their mean is 0.91, their standard deviation 0.02 / √2 = 0.0141.
    assert "Validation accuracy **91.0 % ± 1.4** over the folds, test accuracy **95.00 % ± 0.00**" in texts(app)


@nothing_is_trained
def test_all_runs_of_an_experiment_are_paused_resumed_cancelled_and_deleted_together(store: RunStore):
    planned = plan_runs(["dense-32"], {}, vary={"learning_rate": [0.1, 0.2, 0.3]})
    runs = store.create_runs(planned, dataset="mnist", fingerprint="other")
    for run in runs:
        store.pause_run(run.id)
    number = runs[0].experiment_id
    app = opened("train")

    app.button(key=f"train_all_cancel_{number}").click().run()
    assert {store.get_run(run.id).status for run in runs} == {CANCELLED}
    app.button(key=f"train_all_delete_{number}").click().run()

    assert not app.exception
    assert own_runs(store) == []


# A shared host


@nothing_is_trained
def test_on_a_shared_host_limits_hold_and_a_stranger_cannot_change_a_run(
    monkeypatch: pytest.MonkeyPatch, store: RunStore
):
    monkeypatch.setenv("MNIST_DASH_SHARED", "1")
    monkeypatch.setenv("MNIST_DASH_MAX_EPOCHS", "10")
    monkeypatch.setenv("MNIST_DASH_MAX_QUEUED", "2")
    strangers = waiting(store, owner="somebody else")
    store.pause_run(strangers.id)
    app = opened("train")

    app.text_input(key="train_epochs").set_value("11").run()
    started(app)
    assert "10 is the maximum" in app.error[0].value
    app.text_input(key="train_epochs").set_value("1")
    app.text_input(key="train_repeats").set_value("3").run()
    started(app)

    assert "2 is the maximum here" in app.error[0].value
    assert own_runs(store) == [store.get_run(strangers.id)]
    assert not [key for key in labels(app) if str(key).endswith(f"_{strangers.id}")]


@nothing_is_trained
def test_on_a_shared_host_a_button_that_a_page_should_not_have_offered_changes_nothing(
    monkeypatch: pytest.MonkeyPatch, store: RunStore
):
    monkeypatch.setenv("MNIST_DASH_SHARED", "1")
    strangers = waiting(store, owner="somebody else")
    monkeypatch.setattr(Visitor, "may_change", lambda *_: True)  # the page offers everything

    for action in ("pause", "cancel"):
        app = opened("train")
        app.button(key=f"train_{action}_{strangers.id}").click().run()

        assert f"Run {strangers.id} cannot be" in app.toast[0].value
        assert store.get_run(strangers.id).status == QUEUED
