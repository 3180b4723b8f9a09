"""The Draw page's board: canvas, upload or camera, the models' input, and their predictions."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import streamlit as st

from mnist_dash.analysis import calibration
from mnist_dash.analysis.words.number_words import count_words
from mnist_dash.analysis.words.prediction_words import agreement_words, confidence_words, not_a_digit_words
from mnist_dash.digitizer import decoding
from mnist_dash.errors import PictureError
from mnist_dash.inference import recognition
from mnist_dash.inference.recognition import RecognizedDigit
from mnist_dash.networks.variants import RECOMMENDED_FOR_PICTURES
from mnist_dash.store.records import Run
from mnist_dash.ui.draw.my_digits import keep_digit, kept_digits
from mnist_dash.ui.draw.processed_image import ProcessedImage, process_canvas, process_file
from mnist_dash.ui.shared.controls import choice, note, run_picker, shows_errors, title_of
from mnist_dash.ui.shared.digit_html import Prediction, digit_grid, digit_image, picture_grid, prediction_cards
from mnist_dash.ui.shared.resources import novelty_detector, predictions_of, predictor

CANVAS_SIZE = 280  # pixels; fits a phone 360 pixels wide
MAX_IMAGES = 20  # at once
_REPEATS = 3  # a prediction is timed so often, and the median shown
_PEN = 22  # pixels; scaled down with the digit it comes close to MNIST's strokes
_WAYS = {"draw": "Draw", "upload": "Upload images", "camera": "Camera"}


def drawing_board(runs: Sequence[Run]) -> None:
    """Lets the reader draw or photograph digits and shows each chosen model's predictions."""
    # A fragment: a stroke redraws only the board, not the page around it.
    st.fragment(shows_errors(_board))(runs)


def _board(runs: Sequence[Run]) -> None:
    left, right = st.columns([4, 8], gap="medium")
    with st.container():  # below the answers, so that a phone shows canvas and answers together
        chosen = run_picker(runs, key="draw_runs", label="Models")
    with left:
        images, advice = _images()
    with right:
        if not chosen:
            st.info("Select at least one model below.", icon=":material/draw:")
        elif images:
            _show(images, chosen)
        elif advice:
            st.info(advice, icon=":material/draw:")
    kept_digits(chosen)


def _images() -> tuple[list[ProcessedImage], str]:
    """Returns the images with digits, or what to do while there are none."""
    way = choice("Input", _WAYS, key="draw_way")
    if way == "draw":
        st.space("small")  # for the canvas's own toolbar, which floats above it
        drawn = _drawing()
        if drawn is None:
            return [], "The canvas is empty. Draw one or more digits with a mouse, pen or finger."
        return _processed(process_canvas, drawn, "drawing"), ""
    if way == "camera":
        photo = st.camera_input("Photograph digits on paper", key="draw_camera")
        if photo is None:
            return [], "Take a photo of digits on paper."
        return _processed(process_file, photo.getvalue(), "photo"), ""
    return _uploaded()


def _uploaded() -> tuple[list[ProcessedImage], str]:
    files = st.file_uploader(
        "Images of digits",
        key="draw_upload",
        accept_multiple_files=True,
        max_upload_size=decoding.MAX_FILE_BYTES // 1_000_000,
        help="Drawings, scans or photos; dark on light or light on dark; one or more digits.",
    )
    if len(files) > MAX_IMAGES:
        note(f"{len(files)} images were uploaded; only the first {MAX_IMAGES} are used. Remove some.")
    images = [image for file in files[:MAX_IMAGES] for image in _processed(process_file, file.getvalue(), file.name)]
    return images, "" if files else "Upload images of digits: drawings, scans or photos."


def _processed(
    process: Callable[[Any, str], ProcessedImage], source: np.ndarray | bytes, name: str
) -> list[ProcessedImage]:
    try:
        return [process(source, name)]
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


def _show(images: Sequence[ProcessedImage], runs: Sequence[Run]) -> None:
    """Shows the models' predictions: whether they agree, then those for one digit."""
    # Each image has rows of its own.
    digits = [replace(digit, row=1_000 * n + digit.row) for n, image in enumerate(images) for digit in image.digits]
    pixels = recognition.pixels_of(digits)
    is_digit = novelty_detector().is_digit(pixels)
    predictions = {run.id: recognition.recognize(digits, run.settings, predictor(run.id), is_digit) for run in runs}
    best = predictions[_best(runs).id]
    if len(digits) == 1 and not is_digit[0]:
        st.markdown(not_a_digit_words())
    else:
        numbers = [recognition.number_text(predictions[run.id]) for run in runs]
        st.markdown(agreement_words([title_of(run) for run in runs], numbers))
    index = 0 if len(digits) == 1 else _choose(images, best)
    _details([(run, predictions[run.id][index]) for run in runs])
    keep_digit(pixels[index], guess=best[index].digit)
    steps = st.expander("Preprocessing steps", icon=":material/route:", key="draw_steps", on_change="rerun")
    if steps.open:
        with steps:
            picture_grid(_image_of(images, index).steps)


def _best(runs: Sequence[Run]) -> Run:
    """Returns the run whose predictions stand under the digits: the one recommended for pictures, if it is chosen."""
    return next((run for run in runs if run.variant == RECOMMENDED_FOR_PICTURES), runs[-1])


def _choose(images: Sequence[ProcessedImage], digits: Sequence[RecognizedDigit]) -> int:
    """Shows the images with their digits, and lets the reader choose one."""
    picture_grid({f"{image.name}: {count_words(len(image.digits), 'digit')}": image.boxed for image in images})
    captions = [
        f"{number}. {digit.digit if digit.is_digit else 'not a digit?'}" for number, digit in enumerate(digits, start=1)
    ]
    digit_grid(recognition.pixels_of([digit.source for digit in digits]), captions, size=56)
    count = len(digits)
    return int(st.number_input(f"Show digit (of {count:,})", 1, count, 1, key=f"draw_digit_{count}")) - 1


def _details(predictions: Sequence[tuple[Run, RecognizedDigit]]) -> None:
    digit = predictions[0][1]
    digit_image(digit.source.pixels, caption="Model input, 28 × 28", alt="the 28 × 28 input of the models")
    with st.container() if digit.is_digit else st.expander("Predictions anyway"):
        prediction_cards([_prediction(run, predicted) for run, predicted in predictions])


def _image_of(images: Sequence[ProcessedImage], index: int) -> ProcessedImage:
    return [image for image in images for _ in image.digits][index]


def _prediction(run: Run, digit: RecognizedDigit) -> Prediction:
    milliseconds = predictor(run.id).milliseconds(digit.source.pixels, repeats=_REPEATS)
    similar = calibration.accuracy_at_confidence(predictions_of(run.id), digit.probability)
    return Prediction(title_of(run), run.variant, digit.probabilities, milliseconds, confidence_words(similar))
