"""The Draw page's board: canvas, upload or camera, the models' predictions, and the way to their input."""

from collections.abc import Sequence

import streamlit as st

from mnist_dash.analysis.words.number_words import count_words
from mnist_dash.digitizer import decoding
from mnist_dash.errors import PictureError
from mnist_dash.store.records import Run
from mnist_dash.ui.draw.digit_tiles import digit_tiles
from mnist_dash.ui.draw.my_digits import keep_digit, kept_digits
from mnist_dash.ui.shared.controls import choice, note, run_picker, shows_errors
from mnist_dash.ui.shared.digit_html import picture_grid
from mnist_dash.ui.shared.drawing_canvas import drawn_images
from mnist_dash.ui.shared.image_predictions import ImagePredictions, predict_images, show_digit, show_probabilities
from mnist_dash.ui.shared.processed_image import ProcessedImage, process_file

MAX_IMAGES = 20  # at once
_WAYS = {"draw": "Draw", "upload": "Upload", "camera": "Camera"}
_EMPTY = {
    "draw": "The canvas is empty. Draw one or more digits with a mouse, pen or finger.",
    "upload": "Upload images of digits: drawings, scans or photos.",
    "camera": "Take a photo of digits on paper.",
}


def drawing_board(runs: Sequence[Run]) -> None:
    """Lets the reader draw or photograph digits and shows each chosen model's predictions."""
    # A fragment: a stroke redraws only the board, not the page around it.
    st.fragment(shows_errors(_board))(runs)


def _board(runs: Sequence[Run]) -> None:
    with st.container(
        horizontal=True, horizontal_alignment="distribute", vertical_alignment="center", wrap=False, key="md_input"
    ):
        way = choice("Input", _WAYS, key="draw_way", label_visibility="collapsed")
        with st.popover("Models", icon=":material/model_training:", width="content"):
            chosen = run_picker(runs, key="draw_runs", parameter="runs", label="Models")
    with st.container(horizontal=True, gap="medium", key="md_board"):
        with st.container(key="md_board_input"):
            images, is_empty = _images(way)
            if way != "draw" and images:
                picture_grid(
                    {f"{image.name}: {count_words(len(image.digits), 'digit')}": image.boxed for image in images}
                )
        with st.container(key="md_board_answers"):
            if not chosen:
                st.info("Select at least one model under Models.", icon=":material/draw:")
            elif images:
                _show(images, chosen)
            elif is_empty:
                st.info(_EMPTY[way], icon=":material/draw:")
    kept_digits(chosen)


def _images(way: str) -> tuple[list[ProcessedImage], bool]:
    """Returns the images with digits, and whether the reader has not yet given any."""
    if way == "draw":
        images = drawn_images()
        return images, st.session_state.get("draw_drawn") is None
    if way == "camera":
        photo = st.camera_input("Photograph digits on paper", key="draw_camera")
        return _processed(photo.getvalue(), "photo") if photo else [], photo is None
    files = st.file_uploader(
        "Images of digits",
        key="draw_upload",
        accept_multiple_files=True,
        type=decoding.EXTENSIONS,
        max_upload_size=decoding.MAX_FILE_BYTES // 1_000_000,
        help="Drawings, scans or photos; dark on light or light on dark; one or more digits.",
    )
    if len(files) > MAX_IMAGES:
        note(f"{len(files)} images were uploaded; only the first {MAX_IMAGES} are used. Remove some.")
    return [image for file in files[:MAX_IMAGES] for image in _processed(file.getvalue(), file.name)], not files


def _processed(content: bytes, name: str) -> list[ProcessedImage]:
    try:
        return [process_file(content, name)]
    except PictureError as error:
        note(f"{name}: {error}")
        return []


def _show(images: Sequence[ProcessedImage], runs: Sequence[Run]) -> None:
    """Shows all digits as tiles if there are several, and one digit in detail."""
    predictions = predict_images(images, runs)
    index = 0 if len(predictions.digits) == 1 else _choose(predictions)
    show_digit(predictions, index)
    best = predictions.best[index]
    keep_digit(best.source.pixels, guess=best.digit if best.is_digit else None)
    probabilities = st.expander("All ten probabilities", icon=":material/table:", key="draw_all", on_change="rerun")
    if probabilities.open:
        with probabilities:
            show_probabilities(predictions, index)
    steps = st.expander("Preprocessing steps", icon=":material/route:", key="draw_steps", on_change="rerun")
    if steps.open:
        with steps:
            picture_grid(_image_of(images, index).steps)


def _choose(predictions: ImagePredictions) -> int:
    """Shows whether the models agree on the whole and all digits, and lets the reader choose one."""
    st.markdown(f"**{predictions.agreement()}**")
    return digit_tiles(predictions, key=f"draw_digit_{len(predictions.digits)}")


def _image_of(images: Sequence[ProcessedImage], index: int) -> ProcessedImage:
    return [image for image in images for _ in image.digits][index]
