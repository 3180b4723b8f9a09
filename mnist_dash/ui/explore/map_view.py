"""Map: every image as a point, by its pixels or as a network sees it; a region filters the images."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import streamlit as st

from mnist_dash.figures import data_figures
from mnist_dash.store.records import Run
from mnist_dash.ui.explore import image_features
from mnist_dash.ui.explore.image_choice import REGION, Chosen, choose, picture_of
from mnist_dash.ui.explore.image_detail import clicked_image
from mnist_dash.ui.explore.image_tiles import image_tiles
from mnist_dash.ui.shared import controls

_SHOWN = 36
_PIXELS, _NONE = "pixels", "none"
_COLOURS = {"label": "Label", "predicted": "Prediction", "wrong": "Right or wrong"}


def map_view() -> None:
    """Shows one map or two, and the images of the region that was chosen on either."""
    chosen = choose()
    networks = image_features.offered_networks(chosen.dataset.fingerprint)
    titles = {_PIXELS: "Pixels", **{name: run.title for name, run in networks.items()}}
    first, second, colours = st.columns(3)
    with first:
        sources = [controls.select("Placed by", titles, key="explore_map")]
    with second:
        sources.append(controls.select("Beside it", {_NONE: "Nothing", **titles}, key="explore_map_beside"))
    sources = [source for source in sources if source != _NONE]
    with colours:
        is_network = any(source != _PIXELS for source in sources)
        offered = _COLOURS if is_network else {"label": _COLOURS["label"]}
        colour = controls.choice("Color", offered, key="explore_colour")
    for column, source, number in zip(st.columns(len(sources)), sources, ("first", "second"), strict=False):
        with column:
            _map(chosen, networks, source, colour, number)
    words = "Draw a box or a lasso around points to see their images"
    st.caption(f"{words}; the image that is looked at is framed.")
    passing = chosen.indices[:_SHOWN]
    image_tiles(chosen, passing, chosen.classes_of(passing), key="explore_region", columns=12)
    clicked_image(chosen)


def _map(chosen: Chosen, networks: Mapping[str, Run], source: str, colour: str, number: str) -> None:
    fingerprint, part = chosen.dataset.fingerprint, chosen.part
    run = networks.get(source)
    on_map = image_features.placed(len(chosen.images))
    projection = image_features.projection(fingerprint, part, run.id if run else None)
    names = np.array(chosen.classes_of(on_map))
    if run and colour != "label":
        predicted = image_features.features(fingerprint, part, run.id).predicted
        if colour == "wrong":
            names = np.where(predicted == chosen.labels[on_map], "right", "wrong")
        else:
            names = np.array(run.classes)[predicted]
    figure = data_figures.image_map(
        projection,
        on_map,
        names,
        np.array(chosen.classes_of(on_map)),
        order=run.classes if run and colour == "predicted" else chosen.dataset.info.classes,
        shown=np.isin(on_map, chosen.of_digit),
        framed=picture_of(chosen, -1),
    )
    key = f"explore_map_{fingerprint}_{part}_{source}_{number}"
    st.plotly_chart(
        figure,
        key=key,
        config={"displaylogo": False, "modeBarButtonsToRemove": ["toImage", "autoScale2d"]},
        on_select=lambda: _choose_region((fingerprint, part), st.session_state[key]),
        selection_mode=("box", "lasso"),
        alt="Images as points; the nearer two points, the more alike the images",
    )
    drawn = (
        f"{len(on_map):,} of {len(chosen.images):,} images, drawn at random. "
        if len(on_map) < len(chosen.images)
        else ""
    )
    what = f"the last hidden layer of {run.title}" if run else "the 784 pixels"
    st.caption(
        f"{drawn}First two principal components of {what}, {100 * projection.explained.sum():.0f} % of the variance."
    )


def _choose_region(of: tuple[str, str], event: Any) -> None:
    points = sorted({int(point["customdata"]) for point in event["selection"]["points"] if "customdata" in point})
    st.session_state[REGION] = (of, points) if points else None
