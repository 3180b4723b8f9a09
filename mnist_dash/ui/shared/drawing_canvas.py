"""A canvas to draw digits on; what is drawn on one page is still there on another."""

import numpy as np
import streamlit as st
from PIL import Image, ImageDraw

from mnist_dash.errors import PictureError
from mnist_dash.ui.shared.controls import note
from mnist_dash.ui.shared.processed_image import ProcessedImage, process_canvas

CANVAS_SIZE = 420  # pixels; frame.css scales it to the width of a phone
_EXAMPLE = [(260, 90), (200, 70), (150, 110), (140, 180), (190, 220), (250, 190), (270, 110), (275, 230), (270, 350)]
_PEN = 33  # pixels; scaled down with the digit it comes close to MNIST's strokes


def drawn_images() -> list[ProcessedImage]:
    """Shows the canvas with its controls and returns the drawing as an image with its digits, if there is one."""
    drawn = _drawing()
    if drawn is None:
        return []
    try:
        return [process_canvas(drawn, "drawing")]
    except PictureError as error:
        note(str(error))
        return []


def _drawing() -> np.ndarray | None:
    state = st.session_state
    key = f"draw_canvas_{state.setdefault('draw_canvas_number', 0)}"
    if key not in state:  # shown anew, perhaps after another page: begin with what was drawn before
        state["draw_first"] = state.get("draw_strokes")
    with st.container(key="md_canvas", width=CANVAS_SIZE):
        drawn, strokes = canvas(key=key, stroke_width=state.get("draw_stroke", _PEN), strokes=state["draw_first"])
        if strokes is not None:
            state["draw_strokes"], state["draw_drawn"] = strokes, drawn
        with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute", wrap=False):
            st.button("Clear", key="draw_clear", icon=":material/ink_eraser:", on_click=_clear)
            with st.popover("Pen", icon=":material/brush:", width="content"):
                st.slider("Pen width (pixels)", 12, 60, _PEN, key="draw_stroke", width=220)
    return state.get("draw_drawn")


def _clear() -> None:
    _begin_with(None, None)


def _begin_with(strokes: dict | None, drawn: np.ndarray | None) -> None:
    """Puts another canvas in the place of the one that is shown."""
    st.session_state["draw_canvas_number"] += 1
    st.session_state["draw_strokes"], st.session_state["draw_drawn"] = strokes, drawn


def draw_example() -> None:
    """Draws a digit as a visitor might, on which the models do not agree."""
    picture = Image.new("RGBA", (CANVAS_SIZE, CANVAS_SIZE), "black")
    pen, half = ImageDraw.Draw(picture), _PEN / 2
    pen.line(_EXAMPLE, fill="white", width=_PEN, joint="curve")
    for x, y in (_EXAMPLE[0], _EXAMPLE[-1]):
        pen.ellipse((x - half, y - half, x + half, y + half), fill="white")
    path = [["M" if number == 0 else "L", *point] for number, point in enumerate(_EXAMPLE)]
    stroke = {"type": "Path", "path": path, "stroke": "#FFFFFF", "strokeWidth": _PEN, "fill": None}
    _begin_with({"objects": [stroke | {"strokeLineCap": "round", "strokeLineJoin": "round"}]}, np.asarray(picture))


def canvas(*, key: str, stroke_width: int, strokes: dict | None) -> tuple[np.ndarray | None, dict | None]:
    """Shows a black canvas to draw on in white.

    Args:
        key: Another key is another canvas.
        stroke_width: Pixels.
        strokes: What is on it at first, as this function returned it.

    Returns:
        What was drawn, shape (420, 420, 4), uint8, None while it is empty; and its strokes,
        None as long as nothing has changed.
    """
    from streamlit_drawable_canvas import st_canvas

    drawn = st_canvas(
        stroke_width=stroke_width,
        stroke_color="#FFFFFF",
        background_color="#000000",
        width=CANVAS_SIZE,
        height=CANVAS_SIZE,
        drawing_mode="freedraw",
        initial_drawing=strokes,
        return_image_data=True,
        key=key,
    )
    if not (drawn.json_data or {}).get("objects"):
        return None, drawn.json_data
    if drawn.image_data is None:  # it has not reported: these are the strokes that it begins with
        return None, None
    return np.asarray(drawn.image_data, np.uint8), drawn.json_data
