"""The Draw page's board: canvas or upload, the 28 × 28 picture, and what the networks say."""

from collections.abc import Sequence

import numpy as np
import streamlit as st

from mnist_dash import images, wording
from mnist_dash.errors import PictureError
from mnist_dash.images import Redrawn
from mnist_dash.runs import Run
from mnist_dash.ui.controls import choice, note, run_picker, shows_errors, title_of
from mnist_dash.ui.digits import Reading, digit_image, readings
from mnist_dash.ui.resources import predictor

CANVAS_SIZE = 280  # pixels; fits a phone 360 pixels wide
_REPEATS = 5  # a prediction is timed so often, and the median shown
_PEN = 22  # pixels; scaled down with the digit it comes close to MNIST's strokes


def drawing_board(runs: Sequence[Run]) -> None:
    """Lets the reader draw or upload a digit and shows what every chosen run makes of it."""
    # A fragment: a stroke redraws only the board, not the page around it.
    st.fragment(shows_errors(_board))(runs)


def _board(runs: Sequence[Run]) -> None:
    chosen = run_picker(runs, key="draw_runs", label="Networks")
    left, right = st.columns([4, 8], gap="medium")
    with left:
        source = _canvas_or_file()
    with right:
        redrawn = _redrawn(source)
        if redrawn is None:
            return
        if not chosen:
            st.info("Choose at least one network above.", icon=":material/draw:")
            return
        pair = [("28 × 28, all that they see", redrawn.pixels)]
        if isinstance(source, bytes):
            pair.insert(0, ("the ink that was found", (255 * redrawn.ink).astype(np.uint8)))
        with st.container(horizontal=True):
            for caption, picture in pair:
                digit_image(picture, caption=caption, alt=caption)
        found = [_read(run, redrawn.pixels) for run in chosen]
        digits = [int(reading.probabilities.argmax()) for reading in found]
        st.markdown(wording.agreement_words([reading.title for reading in found], digits))
        readings(found)


def _canvas_or_file() -> np.ndarray | bytes | str:
    """Returns a drawing, the contents of a file, or what to do as long as there is neither."""
    way = choice("How", {"draw": "Draw", "upload": "Upload a picture"}, key="draw_way")
    if way == "draw":
        st.space("small")  # for the canvas's own toolbar, which floats above it
        drawn = _drawing()
        return "Draw one digit with the mouse, a pen or a finger: the canvas is empty." if drawn is None else drawn
    file = st.file_uploader(
        "Picture of one digit",
        key="draw_upload",
        max_upload_size=images.MAX_FILE_BYTES // 1_000_000,
        help="Dark on light or light on dark; a photo of paper works, too.",
    )
    return "Choose a picture of one digit, drawn or photographed." if file is None else file.getvalue()


def _drawing() -> np.ndarray | None:
    number = st.session_state.setdefault("draw_canvas_number", 0)
    drawn = canvas(key=f"draw_canvas_{number}", stroke_width=st.session_state.get("draw_stroke", _PEN))
    with st.container(horizontal=True, vertical_alignment="bottom"):
        if st.button("Clear", key="draw_clear", icon=":material/ink_eraser:"):
            st.session_state["draw_canvas_number"] = number + 1
            st.rerun(scope="fragment")
        st.slider("Pen width (pixels)", 8, 40, _PEN, key="draw_stroke", width=180)
    return drawn


def _redrawn(source: np.ndarray | bytes | str) -> Redrawn | None:
    try:
        if isinstance(source, np.ndarray):
            return images.redraw_canvas(source)
        if isinstance(source, bytes):
            return images.redraw_file(source)
    except PictureError as error:
        note(str(error))
        return None
    st.info(source, icon=":material/draw:")
    return None


def _read(run: Run, pixels: np.ndarray) -> Reading:
    network = predictor(run.id)
    milliseconds = network.milliseconds(pixels, repeats=_REPEATS)
    return Reading(title_of(run), run.variant, network.probabilities(pixels[None])[0], milliseconds)


def canvas(*, key: str, stroke_width: int) -> np.ndarray | None:
    """Shows a black canvas to draw on in white.

    Args:
        key: Another key is another, empty canvas.
        stroke_width: Pixels.

    Returns:
        What was drawn, shape (280, 280, 4), uint8; None while it is empty.
    """
    from streamlit_drawable_canvas import st_canvas

    drawn = st_canvas(
        stroke_width=stroke_width,
        stroke_color="#FFFFFF",
        background_color="#000000",
        width=CANVAS_SIZE,
        height=CANVAS_SIZE,
        drawing_mode="freedraw",
        return_image_data=True,
        key=key,
    )
    empty = drawn.json_data is None or not drawn.json_data.get("objects")
    return None if empty or drawn.image_data is None else np.asarray(drawn.image_data, np.uint8)
