"""The Overview page's canvas: what every model that ships with the project predicts while one draws."""

from collections.abc import Sequence

import streamlit as st

from mnist_dash.datasets.mnist import Dataset
from mnist_dash.store.records import Run
from mnist_dash.ui.shared.controls import shows_errors
from mnist_dash.ui.shared.digit_html import digit_grid
from mnist_dash.ui.shared.drawing_canvas import draw_example, drawn_images
from mnist_dash.ui.shared.image_predictions import predict_images, show_digit
from mnist_dash.ui.shared.processed_image import ProcessedImage


def live_canvas(runs: Sequence[Run], data: Dataset) -> None:
    """Shows a canvas, and beside it what models predict, or what to do while it is empty."""
    # A fragment: a stroke redraws only this, not the page around it.
    st.fragment(shows_errors(_live_canvas))(runs, data)


def _live_canvas(runs: Sequence[Run], data: Dataset) -> None:
    with st.container(horizontal=True, gap="medium", key="md_board"):
        with st.container(key="md_board_input"):
            images = drawn_images()
        with st.container(key="md_board_answers"):
            if images:
                _answers(runs, images)
            else:
                _prompt(len(runs), data)


def _answers(runs: Sequence[Run], images: Sequence[ProcessedImage]) -> None:
    predictions = predict_images(images, runs)
    if len(predictions.digits) > 1:
        st.markdown(f"**{predictions.agreement()}** The first digit:")
    show_digit(predictions, 0)
    st.page_link("pages/draw.py", label="All probabilities, photos and your own models", icon=":material/draw:")


def _prompt(models: int, data: Dataset) -> None:
    st.subheader("Draw a digit, 0 to 9", anchor=False)
    st.markdown(f"{models} networks trained on digits like these read it at once. Do they agree?")
    digit_grid(data.x_test[[int((data.y_test == digit).argmax()) for digit in range(10)]], [""] * 10, columns=5)
    st.button("Draw an example for me", key="overview_example", icon=":material/auto_fix:", on_click=draw_example)
