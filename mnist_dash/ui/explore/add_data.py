"""Adding data of MNIST's shape: from files, or from a package of this machine; exporting and removing it."""

from collections.abc import Sequence

import streamlit as st

from mnist_dash.analysis.words.number_words import count_words
from mnist_dash.datasets import custom_data
from mnist_dash.datasets.custom_data import DataFile
from mnist_dash.datasets.mnist import KNOWN, Dataset
from mnist_dash.ui.shared import controls, data_choice, resources

_HOW = (
    "Any images of 28 × 28 pixels in up to ten classes: an `.npz` file with the arrays `x` (n, 28, 28), uint8, "
    "and `y` (n,), "
    "0 to 9; one in Keras’ layout (`x_train`, …); or a pair of IDX files, such as Fashion-MNIST’s. What you kept under "
    "My digits on Draw can be exported as such a file."
)


def add_data(dataset: Dataset) -> None:
    """Offers to add data, and to export or remove what is chosen."""
    with st.popover("Add dataset", icon=":material/add:", key="explore_add", width="content"):
        st.markdown(_HOW)
        packaged = custom_data.fashion_mnist_files()
        names = {custom.name for custom in resources.custom_datasets().list()}
        if packaged and custom_data.FASHION_MNIST not in names:
            st.button(
                "Add Fashion-MNIST, installed here",
                key="explore_add_fashion",
                icon=":material/apparel:",
                on_click=controls.attempt,
                args=(_add_fashion_mnist,),
            )
        files = st.file_uploader(
            "Files",
            type=["npz", "gz", "idx", "idx3-ubyte", "idx1-ubyte"],
            accept_multiple_files=True,
            key="explore_add_files",
            max_upload_size=custom_data.MAX_FILE_BYTES // 1_000_000,
        )
        name = st.text_input(
            "Name", key="explore_add_name", max_chars=custom_data.MAX_NAME, placeholder="for instance My digits"
        )
        classes = st.text_input(
            "Class names (optional)",
            key="explore_add_classes",
            max_chars=300,
            placeholder="T-shirt, Trouser, Pullover, …",
            help="Separated by commas, the first for label 0. Without names, classes are called 0 to 9.",
        )
        if st.button("Add", key="explore_add_button", type="primary", disabled=not files):
            with st.spinner("Checking the files …"):
                _add([DataFile(file.name, file.getvalue()) for file in files or ()], name, classes)
        if limits := resources.visitor().limits:
            st.caption(f"Everyone here can see it. You may add {limits.datasets}, and remove your own.")
    if dataset.name not in KNOWN:
        _export_and_remove(dataset)


@controls.shows_errors
def _add(files: Sequence[DataFile], name: str, classes: str) -> None:
    _keep(custom_data.read_custom(files, name=name, classes=classes.split(",") if classes.strip() else ()))
    st.rerun()


def _add_fashion_mnist() -> None:
    files = [DataFile(path.name, path.read_bytes()) for path in custom_data.fashion_mnist_files()]
    _keep(custom_data.read_custom(files, name=custom_data.FASHION_MNIST, classes=custom_data.FASHION_CLASSES))


def _keep(dataset: Dataset) -> None:
    resources.custom_datasets().add(dataset, resources.visitor())
    data_choice.choose_next(dataset.name)
    images = count_words(dataset.info.train + dataset.info.test, "image")
    st.toast(f"{dataset.info.title} is added: {images}.", icon=":material/playlist_add_check:")


def _export_and_remove(dataset: Dataset) -> None:
    custom = next(found for found in resources.custom_datasets().list() if found.name == dataset.name)
    with st.popover("Export or remove", icon=":material/more_horiz:", key="explore_own_data", width="content"):
        st.download_button(
            "Export as .npz",
            lambda: custom_data.as_npz(dataset),
            f"{dataset.name}.npz",
            key="explore_data_export",
            icon=":material/download:",
            on_click="ignore",
            help="In Keras’ layout, as the scripts of runs on this data read it.",
        )
        if resources.visitor().may_change(custom.owner):
            st.markdown("Removing it keeps runs that have finished, with their numbers; their images are then gone.")
            st.button(
                "Remove dataset",
                key="explore_data_remove",
                icon=":material/delete:",
                on_click=controls.attempt,
                args=(_remove, custom.name),
            )


def _remove(name: str) -> None:
    resources.custom_datasets().remove(name, by=resources.visitor())
    data_choice.choose_next("")
