"""Map: every image as a point, by its pixels or as a network sees it; a region filters the images."""

from typing import Any

import numpy as np
import streamlit as st

from mnist_dash.analysis.projection import Projection, project
from mnist_dash.datasets import mnist
from mnist_dash.figures import data_figures
from mnist_dash.ui.explore.image_choice import REGION, choose
from mnist_dash.ui.explore.image_detail import clicked_image
from mnist_dash.ui.explore.image_tiles import image_tiles
from mnist_dash.ui.shared import controls, resources

_MAX_POINTS = 10_000
_SHOWN = 36
_PIXELS, _LABEL, _WRONG = "pixels", "label", "wrong"
_BATCH = 50  # all layers of so many images are 15 MB


def map_view() -> None:
    """Shows the map, and the images of the region that was chosen on it."""
    chosen = choose()
    runs = {f"r{run.id}": run for run in controls.in_order(resources.run_store().list_runs()) if run.is_reference}
    left, right = st.columns([2, 1])
    with left:
        titles = {_PIXELS: "Pixels", **{name: run.title for name, run in runs.items()}}
        source = controls.choice("Placed by", titles, key="explore_map")
    with right:
        colours = {_LABEL: "Label"} | ({_WRONG: "Right or wrong"} if source != _PIXELS else {})
        colour = controls.choice("Color", colours, key="explore_colour")
    run_id = None if source == _PIXELS else runs[source].id
    placed = _placed(len(chosen.images))
    projection, predicted = _projection(resources.dataset().fingerprint, chosen.part, run_id)
    shown = np.isin(placed, chosen.of_digit)
    names = chosen.labels[placed].astype(str)
    if colour == _WRONG:
        names = np.where(predicted == chosen.labels[placed], "right", "wrong")
    figure = data_figures.image_map(projection, placed, names, chosen.labels[placed], shown=shown)
    key = f"explore_map_{chosen.part}_{source}"
    st.plotly_chart(
        figure,
        key=key,
        config={"displaylogo": False, "modeBarButtonsToRemove": ["toImage", "autoScale2d"]},
        on_select=lambda: _choose_region(chosen.part, st.session_state[key]),
        selection_mode=("box", "lasso"),
        alt="Images as points; the nearer two points, the more alike the images",
    )
    words = (
        f"{len(placed):,} of {len(chosen.images):,} images, drawn at random. "
        if len(placed) < len(chosen.images)
        else ""
    )
    share = 100 * projection.explained.sum()
    st.caption(
        f"{words}First two principal components of {'the 784 pixels' if run_id is None else 'the last hidden layer'}, "
        f"{share:.0f} % of the variance. Draw a box or a lasso around points to see their images."
    )
    passing = chosen.indices[:_SHOWN]
    image_tiles(chosen, passing, [str(label) for label in chosen.labels[passing]], key="explore_region", columns=12)
    clicked_image(chosen)


def _placed(count: int) -> np.ndarray:
    """Returns which images of a split are on the map, in ascending order."""
    if count <= _MAX_POINTS:
        return np.arange(count)
    return np.sort(np.random.default_rng(0).permutation(count)[:_MAX_POINTS])


@st.cache_resource(show_spinner="Placing the images …", max_entries=18)
def _projection(fingerprint: str, part: str, run_id: int | None) -> tuple[Projection, np.ndarray | None]:
    """Returns where a split's images lie, and what the network predicts for them, shape (n,)."""
    images, _, _ = mnist.select(resources.dataset(), part)
    images = images[_placed(len(images))]
    if run_id is None:
        return project(images.reshape(len(images), -1)), None
    predictor = resources.predictor(run_id)
    hidden, probabilities = zip(
        *(predictor.activations(images[start : start + _BATCH])[-2:] for start in range(0, len(images), _BATCH)),
        strict=True,
    )
    return project(np.concatenate(hidden)), np.concatenate(probabilities).argmax(1)


def _choose_region(part: str, event: Any) -> None:
    points = sorted({int(point["customdata"]) for point in event["selection"]["points"]})
    st.session_state[REGION] = (part, points) if points else None
