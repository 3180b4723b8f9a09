"""Why a network said that: parts that carry the answer, one class against another, and what would change it."""

import numpy as np
import streamlit as st

from mnist_dash.analysis import attribution
from mnist_dash.analysis.attribution import Attribution, Flip
from mnist_dash.analysis.words.number_words import probability_words
from mnist_dash.figures import diverging
from mnist_dash.ui.inside import network_choice, weight_images
from mnist_dash.ui.inside.network_choice import Inside, Looked
from mnist_dash.ui.shared import controls, links, resources

_STEPS, _STEPS_OF_CONVOLUTIONS = 1_000, 64  # a gradient of the CNN costs a hundred times that of a dense network
_SIZE = 148

Found = tuple[Attribution, np.ndarray]  # integrated gradients and saliency


def why_view(inside: Inside, image: Looked) -> None:
    """Shows explanations of a network's prediction for an image."""
    trace = network_choice.trace_of(inside, image)
    first, second = (int(at) for at in np.argsort(-trace.logits[0], kind="stable")[:2])
    names = inside.run.classes
    chances = [probability_words(float(trace.probabilities[0, at])) for at in (first, second)]
    st.markdown(f"Predicted **{names[first]}**, {chances[0]}; next {names[second]}, {chances[1]}.")
    left, right = st.columns(2)
    with left:
        digit = _class("Why", inside, first, "inside_why")
    with right:
        against = _class("Rather than", inside, second if digit != second else first, "inside_against")
    _contrast(inside, image, digit, against)
    _occlusion(inside, image, digit)
    _flip(inside, image, names[first])
    _preferred(inside)


def _class(label: str, inside: Inside, default: int, parameter: str) -> int:
    """Lets the reader choose a class, at first what the network predicts; only another choice is in the URL."""
    linked = st.query_params.get(parameter, "")
    at_first = int(linked) if linked.isdecimal() and len(linked) == 1 else default
    names = inside.run.classes
    key = f"{inside.key}_{parameter}_{inside.run.id}_{default}_{at_first}"
    chosen = st.selectbox(label, range(len(names)), index=at_first, format_func=lambda one: names[one], key=key)
    if chosen != at_first:
        links.write({parameter: "" if chosen == default else str(chosen)})
    return int(chosen)


def _contrast(inside: Inside, image: Looked, digit: int, against: int) -> None:
    """Shows what speaks for one class and against another, by integrated gradients and by saliency."""
    names = inside.run.classes
    if digit == against:
        st.info("Choose two different classes.")
        return
    found, slopes = _attribution(inside, image.pixels, digit, against)
    limit, steepest = diverging.limit_of(found.contributions), diverging.limit_of(slopes)
    weight_images.row(
        {
            image.name: image.pixels,
            "integrated gradients": weight_images.signed(found.contributions, limit),
            f"saliency, ± {steepest:.2g}": weight_images.signed(slopes, steepest),
        },
        size=_SIZE,
    )
    weight_images.scale(limit)
    total = float(found.contributions.sum(dtype=np.float64))
    st.caption(
        f"Red ink speaks for {names[digit]}, blue for {names[against]}. All contributions add up to {total:.2f}; "
        f"compared with a black image this one changes the difference of both logits by {found.difference:.2f}."
    )
    controls.explain("attribution")


def _occlusion(inside: Inside, image: Looked, digit: int) -> None:
    drops = attribution.occlusion(resources.predictor(inside.run.id).probabilities, image.pixels, digit)
    limit = max(float(np.abs(drops).max()), 0.01)
    st.markdown("**Occlusion**")
    weight_images.row({"where a 6 × 6 square takes it away": weight_images.signed(drops, limit)}, size=_SIZE)
    weight_images.scale(limit)
    st.caption(
        f"Red: covered there, the image is less probable to be {inside.run.classes[digit]}, by up to "
        f"{100 * float(drops.max()):.1f} points; blue: more probable."
    )


def _flip(inside: Inside, image: Looked, predicted: str) -> None:
    st.markdown("**The smallest change that flips it**")
    flip = _smallest(inside, image.pixels)
    if flip is None:
        st.caption("None was found in 30 rounds.")
        return
    change = flip.image - image.pixels
    limit = diverging.limit_of(change / 255)
    weight_images.row(
        {
            f"predicted {predicted}": image.pixels,
            "change": weight_images.signed(change / 255, limit),
            f"predicted {inside.run.classes[flip.predicted]}": np.rint(flip.image).astype(np.uint8),
        },
        size=_SIZE,
    )
    weight_images.scale(limit)
    st.caption(f"Euclidean size {flip.size:.2f}, pixels from 0 to 1; two images of a digit are about 6 apart.")


def _preferred(inside: Inside) -> None:
    st.markdown("**What each output responds to most**")
    images = _preferred_images(resources.run_store().database_url, inside.run.id)
    weight_images.row(dict(zip(inside.run.classes, images, strict=True)), size=64)
    st.caption(
        "Found by following the gradient from a dark square, brightened for display. Where they look like noise, the "
        "network tells ten classes apart by other signs than we do."
    )


@st.cache_data(show_spinner=False, max_entries=256)
def _attributed(
    database_url: str, run_id: int, pixels: bytes, digit: int, against: int
) -> tuple[Attribution, np.ndarray]:
    network, image = network_choice.network_of(run_id), np.frombuffer(pixels, np.uint8).reshape(28, 28)
    convolves = any(layer.kind == "Conv2D" for layer in network.layers)
    weights = attribution.contrast(digit, against)
    steps = _STEPS_OF_CONVOLUTIONS if convolves else _STEPS
    found = attribution.integrated_gradients(network, image, weights, steps=steps)
    return found, attribution.saliency(network, image, weights)


def _attribution(inside: Inside, pixels: np.ndarray, digit: int, against: int) -> Found:
    return _attributed(resources.run_store().database_url, inside.run.id, pixels.tobytes(), digit, against)


@st.cache_data(show_spinner=False, max_entries=256)
def _smallest_change(database_url: str, run_id: int, pixels: bytes) -> Flip | None:
    image = np.frombuffer(pixels, np.uint8).reshape(28, 28)
    return attribution.smallest_change(network_choice.network_of(run_id), image)


def _smallest(inside: Inside, pixels: np.ndarray) -> Flip | None:
    return _smallest_change(resources.run_store().database_url, inside.run.id, pixels.tobytes())


@st.cache_data(show_spinner="Drawing what each output responds to …", max_entries=64)
def _preferred_images(database_url: str, run_id: int) -> np.ndarray:
    """Returns each class's image, its brightest pixel white, shape (10, 28, 28), uint8; computed once a run."""
    images = attribution.preferred_images(network_choice.network_of(run_id))
    return np.stack([weight_images.bright(image) for image in images])
