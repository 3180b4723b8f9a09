"""Custom data: what files may hold it, what of them is refused and in which words, and how it is split and named."""

import gzip
import io
import struct
from pathlib import Path

import numpy as np
import pytest

from mnist_dash.datasets import custom_data
from mnist_dash.datasets.custom_data import DataFile, as_npz, fashion_mnist_files, read_custom
from mnist_dash.datasets.mnist import DIGITS
from mnist_dash.errors import DataError

RANDOM = np.random.default_rng(0)
IMAGES = RANDOM.integers(0, 256, (60, 28, 28), dtype=np.uint8)
LABELS = np.arange(60) % 10


def npz(name: str = "own.npz", **arrays: np.ndarray) -> DataFile:
    file = io.BytesIO()
    np.savez_compressed(file, **arrays)
    return DataFile(name, file.getvalue())


def idx(name: str, array: np.ndarray, *, packed: bool = True) -> DataFile:
    header = struct.pack(f">HBB{array.ndim}I", 0, 8, array.ndim, *array.shape)
    content = header + array.astype(np.uint8).tobytes()
    return DataFile(name, gzip.compress(content) if packed else content)


def test_images_and_labels_are_split_at_random_and_each_image_is_in_one_part():
    dataset = read_custom([npz(x=IMAGES, y=LABELS)], name=" Mine ")

    assert (dataset.name, dataset.info.train, dataset.info.test, dataset.info.classes) == ("Mine", 50, 10, DIGITS)
    label_of = {image.tobytes(): label for image, label in zip(IMAGES, LABELS, strict=True)}
    both = [*zip(dataset.x_train, dataset.y_train, strict=True), *zip(dataset.x_test, dataset.y_test, strict=True)]
    assert {image.tobytes(): label for image, label in both} == label_of
    assert read_custom([npz(x=IMAGES, y=LABELS)], name="Mine").fingerprint == dataset.fingerprint


def test_a_file_in_keras_layout_keeps_its_parts_and_its_class_names():
    names = np.array(["cat", "dog", *"cdefghij"])
    arrays = {"x_train": IMAGES[:40], "y_train": LABELS[:40], "x_test": IMAGES[40:], "y_test": LABELS[40:]}

    dataset = read_custom([npz(**arrays, classes=names)], name="Pets")

    np.testing.assert_array_equal(dataset.x_test, IMAGES[40:])
    np.testing.assert_array_equal(dataset.y_train, LABELS[:40])
    assert dataset.info.classes == ("cat", "dog", *"cdefghij")
    again = read_custom([DataFile("again.npz", as_npz(dataset))], name="Pets")
    assert again.fingerprint == dataset.fingerprint


@pytest.mark.parametrize("packed", [True, False])
def test_idx_files_find_their_parts_by_their_names_in_any_order(packed):
    files = [
        idx("t10k-labels-idx1-ubyte", LABELS[40:], packed=packed),
        idx("train-images-idx3-ubyte", IMAGES[:40], packed=packed),
        idx("train-labels-idx1-ubyte", LABELS[:40], packed=packed),
        idx("t10k-images-idx3-ubyte", IMAGES[40:], packed=packed),
    ]

    dataset = read_custom(files, name="Letters", classes=["a", "b", *"CDEFGHIJ"])

    np.testing.assert_array_equal(dataset.x_train, IMAGES[:40])
    np.testing.assert_array_equal(dataset.y_test, LABELS[40:])
    assert dataset.info.classes[:3] == ("a", "b", "C")


def test_a_pair_of_files_with_one_array_each_is_split():
    files = [npz("k49-train-imgs.npz", arr_0=IMAGES), npz("k49-train-labels.npz", arr_0=LABELS)]

    assert (read_custom(files, name="Kana").info.train, read_custom(files, name="Kana").info.test) == (50, 10)


def test_of_more_images_than_mnist_has_as_many_are_drawn_at_random():
    x, y = np.zeros((75_000, 28, 28), np.uint8), np.arange(75_000) % 3

    dataset = read_custom([npz(x=x, y=y)], name="Large", classes=["a", "b", "c"])

    assert (dataset.info.train, dataset.info.test) == (60_000, 10_000)
    assert np.bincount(dataset.y_train).min() > 19_500


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ([npz(x=IMAGES)], "“own.npz” has no array y; it must hold the arrays x and y"),
        ([npz(a=IMAGES, b=LABELS)], "has no array x"),
        ([npz(x=IMAGES[:, :27], y=LABELS)], "shape (60, 27, 28) and type uint8, but must have shape (n, 28, 28)"),
        ([npz(x=IMAGES / 255, y=LABELS)], "float64, 0 to 1, but must have shape (n, 28, 28) and type uint8, 0 to 255"),
        ([npz(x=IMAGES, y=LABELS + 1)], "the labels range from 1 to 10, but must be digits from 0 to 9"),
        ([npz(x=IMAGES, y=LABELS[:59])], "labels have shape (59,)"),
        ([npz(x=IMAGES, y=LABELS.astype(object))], "y holds Python objects, which are never unpickled"),
        ([npz(x=IMAGES[:19], y=LABELS[:19])], "found 19 images, but 20 are the fewest"),
        ([npz(x=IMAGES, y=LABELS, classes=np.arange(10))], "classes has type int64, but must be a list of texts"),
        ([npz(x=IMAGES, y=LABELS), npz(x=IMAGES, y=LABELS)], "a second array that would be x"),
        ([idx("train-images", IMAGES)], "found x_train, but images need labels"),
        ([idx("train-images", IMAGES), idx("test-labels", LABELS)], "images need labels"),
        ([DataFile("a.gz", b"\x1f\x8b" + b"a" * 50)], "“a.gz” is damaged"),
        ([DataFile("a.idx", b"\0\0\x08\x03" + b"\xff" * 12)], "neither an .npz file nor a whole IDX file"),
        ([DataFile("a.idx", b"\0\0\x08\x03")], "neither an .npz file nor a whole IDX file"),
        ([DataFile("a.txt", b"hello")], "neither an .npz file nor a whole IDX file"),
        ([DataFile("a.npz", b"PK\x03\x04nothing")], "“a.npz” is a damaged .npz file"),
        ([DataFile("a.npz", b"")], "neither an .npz file"),
        ([], "There are 0 files"),
    ],
)  # fmt: skip
def test_other_files_are_refused_with_what_was_found_and_what_is_expected(files, words):
    with pytest.raises(DataError) as caught:
        read_custom(files, name="Mine")

    assert words in str(caught.value)
    assert str(caught.value).isprintable()


def test_a_pickle_is_never_opened(tmp_path):
    trap = tmp_path / "sprung"

    class Trap:
        def __reduce__(self):
            return Path.touch, (trap,)

    with pytest.raises(DataError, match="never unpickled"):
        read_custom([npz(x=np.array([Trap()] * 30, dtype=object), y=LABELS[:30])], name="Mine")

    assert not trap.exists()


def test_what_unpacks_to_more_than_is_allowed_is_refused(monkeypatch):
    monkeypatch.setattr(custom_data, "_MAX_ARRAY_BYTES", 10_000)

    for file in (npz(x=IMAGES, y=LABELS), idx("train-images", IMAGES)):
        with pytest.raises(DataError, match=r"more than 10,000|not a whole IDX|nor a whole IDX"):
            read_custom([file], name="Mine")


@pytest.mark.parametrize("name", ["", " ", "MNIST", "mnist sample", "a" * 41, "<b>", "a_b", "-a", "../x", "a\nb", "*"])
def test_a_name_that_could_be_mistaken_is_refused(name):
    with pytest.raises(DataError, match="The name"):
        read_custom([npz(x=IMAGES, y=LABELS)], name=name)


@pytest.mark.parametrize(
    ("classes", "words"),
    [
        (["a"] * 10, "“a” cannot be used"),
        (["a", "b"], "There are 2 class names, but the labels go from 0 to 9"),
        ([*"abcdefghijk"], "There are 11 class names"),
        ([*"abcdefghi", ""], "“” cannot be used"),
        ([*"abcdefghi", "x" * 25], "must have 1 to 24 letters"),
        *(
            ([*"abcdefghi", name], "cannot be used")
            for name in ("[x](//y)", "**b**", "<b>", "$x$", ":+1:", "`a`", "a_b", "#")
        ),
    ],
)
def test_class_names_that_do_not_fit_are_refused(classes, words):
    with pytest.raises(DataError) as caught:
        read_custom([npz(x=IMAGES, y=LABELS)], name="Mine", classes=classes)

    assert words in str(caught.value)


def test_the_files_of_debians_package_are_found(tmp_path):
    for name in ("train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz", "README"):
        (tmp_path / name).touch()

    assert [path.name for path in fashion_mnist_files(tmp_path)] == [
        "train-images-idx3-ubyte.gz",
        "train-labels-idx1-ubyte.gz",
    ]
    assert fashion_mnist_files(tmp_path / "missing") == []
