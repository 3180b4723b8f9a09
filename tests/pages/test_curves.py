"""The Curves page on real stores."""

import json
from collections.abc import Iterator, Sequence

import pytest
from sqlalchemy import event
from streamlit.testing.v1 import AppTest

from mnist_dash.networks.variants import VARIANTS
from mnist_dash.store.records import Epoch, Result, Run
from mnist_dash.store.run_leases import RunLeases
from mnist_dash.store.run_store import RunStore
from mnist_dash.ui.shared import resources
from tests.pages.opening import opened, plain, texts

RESULT = Result(0.21, 0.94, 2.0, 25_450, 0.1)


@pytest.fixture
def store(own_database: str) -> Iterator[RunStore]:
    opened_store = RunStore(own_database)
    yield opened_store
    opened_store.close()


@pytest.fixture(autouse=True)
def no_workers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests train by hand: the page need not start workers for what looks as if it were in training."""
    monkeypatch.setattr("mnist_dash.ui.shared.frame.ensure_queue", lambda: None)


def add_run(
    store: RunStore, *, losses: Sequence[float] = (0.4, 0.3), validated: bool = True, fingerprint: str = "0", **settings
) -> Run:
    """Adds a run in training, with an epoch for each loss."""
    settings = {"validation": "holdout" if validated else "none", "epochs": 9, **settings}
    checked = VARIANTS["dense-32"].check(settings)
    run = store.create_run("dense-32", checked, dataset="mnist", fingerprint=fingerprint, leased=True)
    for number, loss in enumerate(losses, start=1):
        record(store, run, number, loss)
    return run


def record(store: RunStore, run: Run, number: int, loss: float) -> None:
    validated = run.settings["validation"] != "none"
    epoch = Epoch(number, loss, 1 - loss, loss + 0.1 if validated else None, 0.9 - loss if validated else None, 0.5)
    RunLeases(store).record_epoch(run.id, str(run.lease), epoch, {})


def finish(store: RunStore, run: Run) -> int:
    RunLeases(store).finish(run.id, str(run.lease), RESULT, {})
    return run.id


def charts(app: AppTest) -> dict[str, dict]:
    """Returns the figures that the page sends to the browser, by the last part of their keys."""
    found = {}
    for element in app.get("bidi_component"):
        data = json.loads(element.proto.json or element.proto.mixed.json)
        if "spec" in data:
            found[element.proto.id.rpartition("_")[2]] = json.loads(data["spec"])
    return found


def lines(chart: dict) -> dict[str, list[float]]:
    return {trace["name"]: trace["y"] for trace in chart["data"] if trace.get("x") != [None] and trace.get("name")}


def key(app: AppTest) -> str:
    return plain(" ".join(element.proto.body for element in app.get("html") if "md-key" in element.proto.body))


def show(app: AppTest, *runs: int) -> AppTest:
    app.multiselect(key="curves_runs").set_value([f"r{run}" for run in runs]).run()
    assert not app.exception
    return app


def test_the_reference_runs_alone_are_worth_reading():
    app = opened("curves")

    assert set(charts(app)) == {"loss", "accuracy"}
    for variant in VARIANTS.values():
        assert variant.title in key(app)
    assert "Overfitting since then" in key(app) or "no clear overfitting" in key(app)
    assert "Test accuracy 99.5 % (± 0.1)" in key(app)


def test_without_a_choice_it_says_what_to_do():
    app = show(opened("curves"))

    assert "Choose one or more runs" in app.info[0].value
    assert charts(app) == {}


def test_all_choices_can_stand_in_the_link(store: RunStore):
    add_run(store)

    app = opened("curves", curves_show="loss", curves_x="pictures", curves_log="xy", curves_smoothing="0.5")

    assert not app.exception
    [(name, chart)] = charts(app).items()
    assert name == "loss"
    assert chart["layout"]["xaxis"]["title"]["text"] == "Training images seen"
    assert (chart["layout"]["xaxis"]["type"], chart["layout"]["yaxis"]["type"]) == ("log", "log")
    assert app.slider(key="curves_smoothing").value == 0.5


def test_repeats_are_a_mean_with_a_band_or_one_by_one(store: RunStore):
    runs = [finish(store, add_run(store, losses=(0.4, loss), seed=seed)) for seed, loss in enumerate((0.2, 0.3))]

    app = show(opened("curves"), *runs)

    assert "mean of 2 runs" in key(app)
    training = next(values for name, values in lines(charts(app)["loss"]).items() if name.endswith(", training"))
    assert training == pytest.approx([0.4, 0.25])
    app.segmented_control(key="curves_repeats").set_value("each").run()
    assert not app.exception
    assert "mean of" not in key(app)
    assert sum(name.endswith(", training") for name in lines(charts(app)["loss"])) == 2


def test_the_band_is_asked_for_only_where_there_are_repeats(store: RunStore):
    run = finish(store, add_run(store))

    app = show(opened("curves"), run)

    assert [control.key for control in app.segmented_control if control.key in ("curves_repeats", "curves_band")] == []


def test_a_failed_run_gives_its_reason_and_its_curve_so_far(store: RunStore):
    run = add_run(store)
    RunLeases(store).fail(run.id, str(run.lease), "The loss became <nan> in epoch 3.")

    app = show(opened("curves"), run.id)

    assert "Failed in epoch 3 of 9: The loss became &lt;nan&gt; in epoch 3." in key(app)
    assert [0.4, 0.3] in lines(charts(app)["loss"]).values()


def test_a_run_that_has_no_epoch_yet_says_that_it_will_come(store: RunStore):
    run = add_run(store, losses=())

    app = show(opened("curves"), run.id)

    assert "Running, 0 of 9 epochs done." in key(app)
    assert charts(app) == {}


def test_a_running_run_grows_and_its_end_is_shown(store: RunStore):
    run = add_run(store)
    app = show(opened("curves"), run.id)
    assert "Running, 2 of 9 epochs done." in key(app)

    record(store, run, 3, 0.2)
    app.run()
    assert "Running, 3 of 9 epochs done." in key(app)
    assert [0.4, 0.3, 0.2] in lines(charts(app)["loss"]).values()
    finish(store, run)
    app.run()

    assert "Running" not in key(app)
    assert "Test accuracy 94.0 % (± 0.5)." in key(app)


def test_runs_on_other_pictures_are_not_shown_without_a_word(store: RunStore):
    first = finish(store, add_run(store, validation="kfold:4", fold=1))
    second = finish(store, add_run(store, validation="kfold:4", fold=2, train_part=0.1))

    app = show(opened("curves"), first, second)

    assert "folds 1 and 2 of 4" in texts(app)
    assert "4,500 and 45,000" in texts(app)


def test_a_name_from_outside_is_shown_as_text(store: RunStore):
    run = add_run(store)
    RunLeases(store).fail(run.id, str(run.lease), "<script>alert(1)</script>")

    app = show(opened("curves"), run.id)

    assert "<script>" not in key(app)


def test_epochs_are_read_in_one_query_however_many_runs_are_chosen(store: RunStore, own_database: str):

    runs = [finish(store, add_run(store, seed=seed)) for seed in range(8)]
    app = show(opened("curves"), *runs[:2])
    statements: list[str] = []
    event.listen(resources.run_store().engine, "before_cursor_execute", lambda *given: statements.append(given[2]))

    show(app, *runs)

    assert sum("FROM epochs" in statement for statement in statements) == 1
