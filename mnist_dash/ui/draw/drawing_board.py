"""The Draw page's board: canvas, upload or camera, the models' input, and their predictions."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import streamlit as st

from mnist_dash.analysis import calibration
from mnist_dash.analysis.words import prediction_words
from mnist_dash.analysis.words.number_words import count_words
from mnist_dash.analysis.words.prediction_words import agreement_words, as_sure_words, not_a_digit_words
from mnist_dash.digitizer import decoding
from mnist_dash.errors import PictureError
from mnist_dash.inference import recognition
from mnist_dash.networks.variants import RECOMMENDED_FOR_PICTURES
from mnist_dash.store.records import Run
from mnist_dash.ui.draw.my_digits import keep_digit, kept_digits
from mnist_dash.ui.draw.remembered_image import Picture, seen_canvas, seen_file
from mnist_dash.ui.shared.controls import choice, note, run_picker, shows_errors, title_of
from mnist_dash.ui.shared.digit_html import Reading, digit_grid, digit_image, picture_grid, readings
from mnist_dash.ui.shared.resources import novelty_detector, outcome, predictor

CANVAS_SIZE = 280  # pixels; fits a phone 360 pixels wide
MAX_PICTURES = 20  # at once
_REPEATS = 3  # a prediction is timed so often, and the median shown
_PEN = 22  # pixels; scaled down with the digit it comes close to MNIST's strokes
_WAYS = {"draw": "Draw", "upload": "Upload images", "camera": "Camera"}


def drawing_board(runs: Sequence[Run]) -> None:
    """Lets the reader draw or photograph digits and shows what every chosen run makes of them."""
    # A fragment: a stroke redraws only the board, not the page around it.
    st.fragment(shows_errors(_board))(runs)


def _board(runs: Sequence[Run]) -> None:
    left, right = st.columns([4, 8], gap="medium")
    with st.container():  # below the answers, so that a phone shows canvas and answers together
        chosen = run_picker(runs, key="draw_runs", label="Models")
    with left:
        pictures, advice = _pictures()
    with right:
        if not chosen:
            st.info("Select at least one model below.", icon=":material/draw:")
        elif pictures:
            _show(pictures, chosen)
        elif advice:
            st.info(advice, icon=":material/draw:")
    kept_digits(chosen)


def _pictures() -> tuple[list[Picture], str]:
    """Returns the pictures with digits, and what to do as long as there are none."""
    way = choice("How", _WAYS, key="draw_way")
    if way == "draw":
        st.space("small")  # for the canvas's own toolbar, which floats above it
        drawn = _drawing()
        if drawn is None:
            return [], "The canvas is empty. Draw one or more digits with a mouse, pen or finger."
        return _seen(seen_canvas, drawn, "drawing"), ""
    if way == "camera":
        photo = st.camera_input("Photograph digits on paper", key="draw_camera")
        if photo is None:
            return [], "Take a photo of digits on paper."
        return _seen(seen_file, photo.getvalue(), "photo"), ""
    return _uploaded()


def _uploaded() -> tuple[list[Picture], str]:
    files = st.file_uploader(
        "Images of digits",
        key="draw_upload",
        accept_multiple_files=True,
        max_upload_size=decoding.MAX_FILE_BYTES // 1_000_000,
        help="Drawings, scans or photos; dark on light or light on dark; one or more digits.",
    )
    if len(files) > MAX_PICTURES:
        note(f"{len(files)} images were uploaded; only the first {MAX_PICTURES} are used. Remove some.")
    seen = [picture for file in files[:MAX_PICTURES] for picture in _seen(seen_file, file.getvalue(), file.name)]
    return seen, "" if files else "Upload images of digits: drawings, scans or photos."


def _seen(see: Callable[[Any, str], Picture], source: np.ndarray | bytes, name: str) -> list[Picture]:
    try:
        return [see(source, name)]
    except PictureError as error:
        note(f"{name}: {error}")
        return []


def _drawing() -> np.ndarray | None:
    state = st.session_state
    key = f"draw_canvas_{state.setdefault('draw_canvas_number', 0)}"
    if key not in state:  # shown anew, perhaps after another page: begin with what was drawn before
        state["draw_first"] = state.get("draw_strokes")
    drawn, strokes = canvas(key=key, stroke_width=state.get("draw_stroke", _PEN), strokes=state["draw_first"])
    if strokes is not None:
        state["draw_strokes"], state["draw_drawn"] = strokes, drawn
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.button("Clear", key="draw_clear", icon=":material/ink_eraser:", on_click=_clear)
        st.slider("Pen width (pixels)", 8, 40, _PEN, key="draw_stroke", width=180)
    return state.get("draw_drawn")


def _clear() -> None:
    st.session_state["draw_canvas_number"] += 1
    st.session_state["draw_strokes"] = st.session_state["draw_drawn"] = None


def canvas(*, key: str, stroke_width: int, strokes: dict | None) -> tuple[np.ndarray | None, dict | None]:
    """Shows a black canvas to draw on in white.

    Args:
        key: Another key is another canvas.
        stroke_width: Pixels.
        strokes: What is on it at first, as this function returned it.

    Returns:
        What was drawn, shape (280, 280, 4), uint8, None while it is empty; and its strokes,
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


def _show(pictures: Sequence[Picture], runs: Sequence[Run]) -> None:
    """Shows what the runs read: first where they disagree, then each digit and every run's answer."""
    digits = [digit for picture in pictures for digit in picture.digits]
    pixels = np.stack([digit.pixels for digit in digits])
    known = novelty_detector().is_digit(pixels)
    answers = {run.id: recognition.read(run.settings, predictor(run.id), pixels) for run in runs}
    titles = [title_of(run) for run in runs]
    if len(digits) == 1:
        number = 0
        st.markdown(_headline(titles, [answers[run.id] for run in runs], known))
    else:
        st.markdown(_numbers_headline(titles, pictures, [answers[run.id] for run in runs]))
        number = _choose(pictures, pixels, answers[_best(runs).id], known)
    _details(pixels[number], runs, known=bool(known[number]))
    keep_digit(pixels[number], guess=int(answers[_best(runs).id][number].argmax()))
    steps = st.expander("Preprocessing steps", icon=":material/route:", key="draw_steps", on_change="rerun")
    if steps.open:
        with steps:
            picture_grid(_picture_of(pictures, number).steps)


def _best(runs: Sequence[Run]) -> Run:
    """Returns the run whose readings stand under the digits: the one recommended for pictures, if it is chosen."""
    return next((run for run in runs if run.variant == RECOMMENDED_FOR_PICTURES), runs[-1])


def _headline(titles: Sequence[str], answers: Sequence[np.ndarray], known: np.ndarray) -> str:
    if not known[0]:
        return not_a_digit_words()
    return agreement_words(titles, [str(int(parts[0].argmax())) for parts in answers])


def _numbers_headline(titles: Sequence[str], pictures: Sequence[Picture], answers: Sequence[np.ndarray]) -> str:
    rows = [(number, digit.row) for number, picture in enumerate(pictures) for digit in picture.digits]
    return agreement_words(titles, [prediction_words.number_words(rows, parts.argmax(1)) for parts in answers])


def _choose(pictures: Sequence[Picture], pixels: np.ndarray, answers: np.ndarray, known: np.ndarray) -> int:
    """Shows the pictures with their digits, and lets the reader choose one to look at."""
    picture_grid(
        {f"{picture.name}: {count_words(len(picture.digits), 'digit')}": picture.boxed for picture in pictures}
    )
    captions = [
        f"{number + 1}. {int(parts.argmax())}" if is_digit else f"{number + 1}. not a digit?"
        for number, (parts, is_digit) in enumerate(zip(answers, known, strict=True))
    ]
    digit_grid(pixels, captions, size=56)
    chosen = st.number_input(f"Show digit (of {len(pixels):,})", 1, len(pixels), 1, key=f"draw_digit_{len(pixels)}")
    return int(chosen) - 1


def _details(pixels: np.ndarray, runs: Sequence[Run], *, known: bool) -> None:
    digit_image(pixels, caption="Model input, 28 × 28", alt="the 28 × 28 input of the models")
    if known:
        readings([_read(run, pixels) for run in runs])
    else:
        with st.expander("Predictions anyway"):
            readings([_read(run, pixels) for run in runs])


def _picture_of(pictures: Sequence[Picture], number: int) -> Picture:
    owners = [picture for picture in pictures for _ in picture.digits]
    return owners[number]


def _read(run: Run, pixels: np.ndarray) -> Reading:
    network = predictor(run.id)
    milliseconds = network.milliseconds(pixels, repeats=_REPEATS)
    probabilities = recognition.read(run.settings, network, pixels[None])[0]
    as_sure = calibration.when_as_sure(outcome(run.id), float(probabilities.max()))
    return Reading(title_of(run), run.variant, probabilities, milliseconds, as_sure_words(as_sure))
