"""The panel about robustness, run by Streamlit's own test harness on real stores."""

import pytest
from streamlit.testing.v1 import AppTest

from mnist_dash.corruptions.kinds import KINDS
from mnist_dash.datasets.mnist import Dataset
from mnist_dash.networks.variants import VARIANTS
from mnist_dash.store.measurements import Measurements
from mnist_dash.store.records import MODEL_TFLITE, QUEUED, Result
from mnist_dash.store.reference_runs import REFERENCE_FOLDER
from mnist_dash.store.run_leases import RunLeases
from mnist_dash.store.run_store import RunStore
from mnist_dash.store.visitors import Visitor
from mnist_dash.worker.robustness import measure_run
from tests.pages.opening import TIMEOUT_S, texts
from tests.support.learning import settings_of


def panel() -> None:
    from mnist_dash.store.records import DONE
    from mnist_dash.ui.compare.robustness_panel import robustness_panel
    from mnist_dash.ui.shared.resources import run_store

    robustness_panel(sorted(run_store().list_runs(statuses=[DONE]), key=lambda run: run.id), key="compare")


def shown(**link: str) -> AppTest:
    app = AppTest.from_function(panel, default_timeout=TIMEOUT_S)
    for name, value in link.items():
        app.query_params[name] = value
    app.run()
    assert not app.exception
    return app


def html_of(app: AppTest) -> str:
    return " ".join(str(element.proto.body) for element in app.main if element.type == "html")


@pytest.fixture
def store(own_database: str):
    opened = RunStore(own_database)
    yield opened
    opened.close()


def finished(store: RunStore, sample: Dataset, *, owner: str = "", fingerprint: str = "") -> int:
    """Adds a finished run on the sample, with the weights of the shipped Dense 32."""
    run = store.create_run(
        "dense-32",
        VARIANTS["dense-32"].check({}),
        dataset=sample.name,
        fingerprint=fingerprint or sample.fingerprint,
        by=Visitor(owner),
        leased=True,
    )
    model = (REFERENCE_FOLDER / "dense-32" / MODEL_TFLITE).read_bytes()
    RunLeases(store).finish(run.id, str(run.lease), Result(0.2, 0.94, 1.0, 25_450, 0.1), {MODEL_TFLITE: model})
    return run.id


# Results


def test_the_models_that_ship_are_shown_at_once_with_the_one_that_holds_up_best():
    app = shown()

    assert "mean accuracy over 15 corruptions" in texts(app)
    assert "2,000 clean images" in texts(app)
    assert len(app.get("plotly_chart")) == 2
    assert not app.button
    assert html_of(app).count("<img") == 15


def test_a_kind_is_shown_at_every_strength_with_what_each_network_reads():
    app = shown()

    app.selectbox(key="compare_kind").set_value("rotate").run()

    assert not app.exception
    table = html_of(app)
    assert table.count("<img") == 6
    assert table.count("<tr>") == 1 + len(VARIANTS)
    assert table.count("<td>") + table.count('<td class="md-off">') == 6 * len(VARIANTS)
    assert "The digit is rotated" in texts(app)
    assert app.query_params["compare_kind"] == "rotate"


@pytest.mark.parametrize("name", ["glass-blur", "zigzag", "turn", "size"])
def test_a_link_opens_a_kind(name: str):
    app = shown(compare_kind=name)

    assert app.selectbox(key="compare_kind").value == name
    assert html_of(app).count("<img") == 1 + len(KINDS[name].levels)


def test_a_link_with_an_unknown_kind_shows_all():
    assert shown(compare_kind="<b>").selectbox(key="compare_kind").value == "all"


@pytest.mark.usefixtures("empty_database")
def test_a_measured_run_is_shown_with_its_mean(store: RunStore, sample: Dataset):
    run_id = finished(store, sample)
    Measurements(store).request([run_id])
    measure_run(run_id, settings_of(store))
    mean = Measurements(store).read([run_id])[run_id].counts.mean

    app = shown()

    assert f"{100 * mean:.1f} %" in texts(app)
    assert "1,000 clean images" in texts(app)


# Asking and following


@pytest.mark.usefixtures("empty_database", "nothing_is_trained")
def test_runs_that_are_not_measured_are_asked_for_followed_and_withdrawn(store: RunStore, sample: Dataset):
    runs = [finished(store, sample) for _ in range(2)]
    app = shown()
    assert app.button(key="compare_measure").label == "Measure 2 runs"

    app.button(key="compare_measure").click().run()
    asked = Measurements(store).read(runs)

    assert not app.exception
    assert [row.status for row in asked.values()] == [QUEUED, QUEUED]
    assert not [button for button in app.button if button.key == "compare_measure"]
    assert "2 runs to measure" in app.get("progress")[0].proto.text

    app.button(key="compare_withdraw").click().run()

    assert Measurements(store).read(runs) == {}
    assert app.button(key="compare_measure").label == "Measure 2 runs"


@pytest.mark.usefixtures("empty_database", "nothing_is_trained")
def test_progress_says_how_many_kinds_are_measured(store: RunStore, sample: Dataset):
    run_id = finished(store, sample)
    measurements = Measurements(store)
    measurements.request([run_id])
    waiting = store.create_run("dense-32", {}, dataset=sample.name, fingerprint=sample.fingerprint)
    for _ in range(3):  # the untouched pictures and two kinds
        measure_run(run_id, settings_of(store), yields=True)
    store.cancel_run(waiting.id)

    app = shown()

    [bar] = app.get("progress")
    assert bar.proto.text.endswith(f"run {run_id} · sample: 2 of 18 kinds measured")
    assert bar.proto.value == int(100 * 3 / 19)


@pytest.mark.usefixtures("empty_database", "nothing_is_trained")
def test_why_a_measurement_failed_is_said_and_it_can_be_tried_again(store: RunStore, sample: Dataset):
    run_id = finished(store, sample, fingerprint="of other data")
    Measurements(store).request([run_id])
    measure_run(run_id, settings_of(store))

    app = shown()
    assert "this worker finds only mnist" in app.warning[0].value
    app.button(key="compare_measure").click().run()

    assert Measurements(store).read([run_id])[run_id].status == QUEUED


@pytest.mark.usefixtures("empty_database", "nothing_is_trained")
def test_in_shared_mode_only_ones_own_runs_can_be_measured(
    store: RunStore, sample: Dataset, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("MNIST_DASH_SHARED", "1")
    finished(store, sample, owner="somebody else")

    app = shown()

    assert not app.button
    assert "of other visitors" in texts(app)


@pytest.mark.usefixtures("nothing_is_trained")
def test_runs_on_other_data_are_not_put_beside_the_rest(store: RunStore, sample: Dataset):
    shown()  # brings the reference runs in
    finished(store, sample)

    app = shown()

    assert "5 of the 6 chosen runs are shown" in app.warning[0].value
    assert not app.button
