"""What pages share, as far as it needs no page."""

import dataclasses
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from mnist_dash.networks.variants import VARIANTS
from mnist_dash.store.run_store import RunStore
from mnist_dash.ui.shared import live_chart
from mnist_dash.ui.shared.controls import claim_of


@pytest.mark.parametrize(
    ("settings", "dataset", "claimed"),
    [
        ({}, "mnist", True),
        ({"seed": 7}, "mnist", True),
        ({"learning_rate": 1.0}, "mnist", False),
        ({}, "mnist-sample", False),
    ],
)
def test_a_claim_stands_only_beside_a_run_of_its_settings_and_data(
    store: RunStore, settings: dict, dataset: str, claimed: bool
):
    run = store.create_run("dense-512", VARIANTS["dense-512"].check(settings), dataset=dataset, fingerprint="0")

    claim = claim_of(run)

    assert claim == (VARIANTS["dense-512"].claim if claimed else None)


def test_a_run_of_a_variant_that_is_no_more_has_no_claim(store: RunStore):
    run = store.create_run("dense-32", {}, dataset="mnist", fingerprint="0")

    assert claim_of(dataclasses.replace(run, variant="dense-7")) is None


def test_a_chart_is_drawn_with_the_plotly_packages_library_where_streamlit_ships_none(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    monkeypatch.setattr(live_chart, "_BUNDLES", tmp_path)
    live_chart._bundle.cache_clear()

    def script():
        import plotly.graph_objects as go

        from mnist_dash.ui.shared.live_chart import chart

        chart(go.Figure(layout={"height": 100}), key="any", alt="A chart")

    app = AppTest.from_function(script, default_timeout=60).run()
    live_chart._bundle.cache_clear()

    assert not app.exception
    library, drawn = (element.proto for element in app.get("bidi_component"))
    assert (library.component_name, drawn.component_name) == ("mnist_dash_plotly", "mnist_dash_chart")
