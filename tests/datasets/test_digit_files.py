import bz2
import io
import json
import lzma
import struct
import tracemalloc
import zipfile
import zlib
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from mnist_dash.cli.main import commands
from mnist_dash.datasets.arrays import check_pictures, read_arrays
from mnist_dash.datasets.digit_files import MAX_COLLECTION_BYTES, MAX_DIGITS, as_npz, as_pngs
from mnist_dash.datasets.digit_files import read_collection as read
from mnist_dash.errors import DataError

NUMBERS_OF_DIGITS = st.integers(1, 12)


@st.composite
def collections(draw):
    n = draw(NUMBERS_OF_DIGITS)
    return draw(arrays(np.uint8, (n, 28, 28))), draw(arrays(np.uint8, n, elements=st.integers(0, 9)))


def zipped(members, *, compression=zipfile.ZIP_DEFLATED):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", compression) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return file.getvalue()


def npy(array):
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


def npz(**arrays):
    return zipped({f"{name}.npy": npy(array) for name, array in arrays.items()})


def with_header(header, *, version=b"\x01\x00"):
    """An .npz file whose x has this header and 784 bytes."""
    text = header.encode() + b"\n"
    x = b"\x93NUMPY" + version + struct.pack("<H" if version == b"\x01\x00" else "<I", len(text)) + text + bytes(784)
    return zipped({"x.npy": x, "y.npy": npy(LABELS[:1])})


def png(picture, **options):
    file = io.BytesIO()
    (picture if isinstance(picture, Image.Image) else Image.fromarray(picture)).save(file, "PNG", **options)
    return file.getvalue()


def png_chunk(name, content):
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))


def lying(name, packed, *, method, claim):
    """An archive of one member that claims to have `claim` bytes, whatever it unpacks to."""
    checksum = zlib.crc32(bytes(claim))
    sizes = struct.pack("<IIIHH", checksum, len(packed), claim, len(name), 0)
    member = b"PK\x03\x04" + struct.pack("<HHHHH", 20, 0, method, 0, 0) + sizes + name + packed
    entry = b"PK\x01\x02" + struct.pack("<HHHHHH", 20, 20, 0, method, 0, 0) + sizes + bytes(14) + name
    end = b"PK\x05\x06" + struct.pack("<HHHHIIH", 0, 0, 1, 1, len(entry), len(member), 0)
    return member + entry + end


def deflated_zeros(size):
    """What `size` zeros are packed to, without ever having them all."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    return b"".join(packer.compress(bytes(1_000_000)) for _ in range(size // 1_000_000)) + packer.flush()


def assert_refused(content, *words):
    """Refused in a message that has these words and says what to do."""
    with pytest.raises(DataError) as caught:
        read(content)

    message = str(caught.value)
    for word in words:
        assert word in message
    assert message.isprintable()
    assert len(message) < 500
    assert any(advice in message for advice in ("Choose ", "Replace ", "Correct ", "Save "))


PICTURES = np.random.default_rng(0).integers(0, 256, (3, 28, 28), np.uint8)
LABELS = np.array([7, 0, 9], np.uint8)
NPZ, PNGS = as_npz(PICTURES, LABELS), as_pngs(PICTURES, LABELS)
each_format = pytest.mark.parametrize("pack", [as_npz, as_pngs])


# There and back


@each_format
@given(collection=collections())
def test_digits_come_back_as_they_were_taken_away(pack, collection):
    x, y = read(pack(*collection))

    np.testing.assert_array_equal(x, collection[0])
    np.testing.assert_array_equal(y, collection[1])
    assert (x.dtype, y.dtype) == (np.uint8, np.uint8)


@each_format
def test_a_thousand_real_digits_come_back_in_their_order(pack, sample):
    x, y = read(pack(sample.x_test, sample.y_test))

    np.testing.assert_array_equal(x, sample.x_test)
    np.testing.assert_array_equal(y, sample.y_test)


@each_format
def test_the_largest_set_fits_into_a_file_that_can_be_loaded_again(pack):
    noise = np.random.default_rng(0).integers(0, 256, (MAX_DIGITS, 28, 28), np.uint8)

    content = pack(noise, np.arange(MAX_DIGITS) % 10)

    assert len(content) < 1_200_000 < MAX_COLLECTION_BYTES
    np.testing.assert_array_equal(read(content)[0], noise)


@each_format
def test_the_same_digits_are_always_the_same_file(pack):
    assert pack(PICTURES, LABELS) == pack(PICTURES.copy(), LABELS.copy())


@each_format
def test_how_pictures_lie_in_memory_does_not_matter(pack):
    x, _ = read(pack(np.asfortranarray(PICTURES), LABELS))

    np.testing.assert_array_equal(x, PICTURES)


def test_numpy_reads_the_npz_file():
    with np.load(io.BytesIO(NPZ), allow_pickle=False) as found:
        assert set(found) == {"x", "y"}
        np.testing.assert_array_equal(found["x"], PICTURES)
        np.testing.assert_array_equal(found["y"], LABELS)


def test_the_pictures_are_named_by_number_and_digit_and_any_program_opens_them():
    with zipfile.ZipFile(io.BytesIO(PNGS)) as archive:
        assert archive.namelist() == ["0001_is_7.png", "0002_is_0.png", "0003_is_9.png"]
        with Image.open(archive.open("0003_is_9.png")) as image:
            np.testing.assert_array_equal(np.array(image), PICTURES[2])


def test_the_npz_file_is_what_evaluate_reads(tmp_path, sample):
    file = tmp_path / "my_digits.npz"
    file.write_bytes(as_npz(sample.x_test[:100], sample.y_test[:100]))

    arrays = read_arrays(file, ("x", "y"))
    check_pictures(arrays["x"], arrays["y"], where=str(file))
    ended = CliRunner().invoke(commands, ["evaluate", str(file), "--run", "dense-512", "--json"])

    assert ended.exit_code == 0
    assert json.loads(ended.output)["n"] == 100
    assert json.loads(ended.output)["accuracy"] > 0.9


# Changed by hand, and still good


def test_labels_of_another_whole_type_are_digits_all_the_same():
    _, y = read(npz(x=PICTURES, y=LABELS.astype(">i8")))

    assert y.dtype == np.uint8
    assert y.tolist() == [7, 0, 9]


def test_other_arrays_in_the_file_do_not_matter():
    assert len(read(npz(x=PICTURES, y=LABELS, notes=np.array(["any", "thing"])))[0]) == 3


def test_a_picture_may_be_left_out_and_the_digit_in_its_name_corrected():
    x, y = read(zipped({"0001_is_1.png": png(PICTURES[0]), "0003_is_9.png": png(PICTURES[2])}))

    np.testing.assert_array_equal(x, PICTURES[[0, 2]])
    assert y.tolist() == [1, 9]


def test_pictures_come_in_the_order_of_their_numbers_however_they_were_packed():
    _, y = read(zipped({f"{number}_is_{number % 10}.PNG": png(PICTURES[0]) for number in (10, 9, 111, 2)}))

    assert y.tolist() == [2, 9, 0, 1]


def test_a_folder_packed_by_hand_and_hidden_files_in_it_do_not_matter():
    members = {
        "my digits/": b"",
        "my digits/0001_is_7.png": png(PICTURES[0]),
        "my digits/.DS_Store": b"Bud1",
        "__MACOSX/my digits/._0001_is_7.png": b"Mac OS X",
        ".hidden": b"",
    }

    x, y = read(zipped(members))

    np.testing.assert_array_equal(x, PICTURES[:1])
    assert y.tolist() == [7]


def test_texts_and_colour_profiles_that_other_programs_add_do_not_matter():
    notes = PngInfo()
    notes.add_text("Software", "Paint", zip=True)

    x, _ = read(zipped({"1_is_7.png": png(PICTURES[0], pnginfo=notes, icc_profile=bytes(3_000), dpi=(72, 72))}))

    np.testing.assert_array_equal(x, PICTURES[:1])


def test_names_with_paths_reach_no_file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names = ["/etc/1_is_7.png", "../../2_is_0.png", f"{tmp_path}/3_is_9.png"]

    _, y = read(zipped({name: png(PICTURES[0]) for name in names}))

    assert y.tolist() == [7, 0, 9]
    assert list(tmp_path.iterdir()) == []


# Refused: arrays


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"x": PICTURES.reshape(3, 784)}, ["shape (3, 784)", "must have shape (n, 28, 28)"]),
        ({"x": PICTURES[0]}, ["shape (28, 28)", "must have shape (n, 28, 28)"]),
        ({"x": PICTURES[..., None]}, ["shape (3, 28, 28, 1)", "must have shape (n, 28, 28)"]),
        ({"x": np.uint8(7)}, ["shape ()", "must have shape (n, 28, 28)"]),
        ({"x": PICTURES / 255}, ["type float64", "type uint8"]),
        ({"x": PICTURES.astype(np.int8)}, ["type int8", "type uint8"]),
        ({"x": PICTURES[:0], "y": LABELS[:0]}, ["holds 0 digits", "1 to 1,000"]),
        ({"x": np.zeros((1_001, 28, 28), np.uint8)}, ["holds 1,001 digits", "1 to 1,000"]),
        ({"y": LABELS[:2]}, ["labels have shape (2,)", "shape (3,)"]),
        ({"y": np.eye(10, dtype=np.uint8)[LABELS]}, ["labels have shape (3, 10)", "shape (3,)"]),
        ({"y": LABELS / 2}, ["type float64", "whole numbers"]),
        ({"y": np.array(["7", "0", "9"])}, ["type <U1", "whole numbers"]),
        ({"y": np.array([0, 10, 3])}, ["from 0 to 10", "digits from 0 to 9"]),
        ({"y": np.array([0, 256 + 7, 3])}, ["from 0 to 263", "digits from 0 to 9"]),
        ({"y": np.array([-1, 0, 3], np.int8)}, ["from -1 to 3", "digits from 0 to 9"]),
    ],
)
def test_arrays_that_are_no_digits_are_refused_with_what_was_found_and_expected(wrong, words):
    assert_refused(npz(**{"x": PICTURES, "y": LABELS, **wrong}), *words)


def test_arrays_of_other_names_are_refused_with_the_names_expected():
    assert_refused(npz(x_train=PICTURES, y_train=LABELS), "no array x", "must hold the arrays x and y")
    assert_refused(npz(x=PICTURES), "no array y", "must hold the arrays x and y")


def test_a_pickle_is_never_opened(tmp_path):
    trap = tmp_path / "sprung"

    class Trap:
        def __reduce__(self):
            return Path.touch, (trap,)

    file = io.BytesIO()
    np.savez(file, x=np.array([Trap()], dtype=object), y=LABELS)

    assert_refused(file.getvalue(), "the array x holds Python objects, which are never unpickled")
    assert not trap.exists()


@pytest.mark.parametrize(
    "header",
    [
        "{'descr': '|u1', 'fortran_order': False, 'shape': (1000000000000, 28, 28)}",
        "{'descr': '|u1', 'fortran_order': False, 'shape': (-1, 28, 28)}",
        "{'descr': '|u1', 'fortran_order': False, 'shape': (1, 28, 27)}",
        "{'descr': '|u1', 'fortran_order': True, 'shape': (1, 28, 28)}",
        "{'descr': '|O', 'fortran_order': False, 'shape': (1, 28, 28)}",
        "{'descr': [('a', '|O')], 'fortran_order': False, 'shape': (98,)}",
        "{'descr': '|S0', 'fortran_order': False, 'shape': (1, 28, 28)}",
        "{'descr': (), 'fortran_order': False, 'shape': (1, 28, 28)}",
        "{'descr': '((((', 'fortran_order': False, 'shape': (1, 28, 28)}",
        "{'descr': '((u1', 'fortran_order': False, 'shape': (1, 28, 28)}",
        "{'descr': {}, 'fortran_order': False, 'shape': (1, 28, 28)}",
        "{'descr': '|u1', 'fortran_order': False, 'shape': " + "(1, " * 150 + ")" * 150 + "}",
        "{'descr': '|u1', 'fortran_order': False, 'shape': (" + "9" * 5_000 + ",)}",
        "-" * 5_000 + "1",
        "[" * 5_000,
        "1" * 20_000,
    ],
)
def test_an_array_with_a_strange_header_is_refused(header):
    for version in (b"\x01\x00", b"\x02\x00", b"\x03\x00", b"\x09\x09"):
        assert_refused(with_header(header, version=version), "The file")


# Refused: pictures


@pytest.mark.parametrize(
    ("picture", "words"),
    [
        (Image.new("L", (28, 29)), ["28 × 29 pixels", "must have 28 × 28"]),
        (Image.new("L", (2_000, 1_000)), ["2,000 × 1,000 pixels", "must have 28 × 28"]),
        (Image.new("RGB", (28, 28)), ["type RGB", "type L, 8-bit shades of grey"]),
        (Image.new("RGBA", (28, 28)), ["type RGBA", "type L, 8-bit shades of grey"]),
        (Image.new("I;16", (28, 28)), ["type I;16", "type L, 8-bit shades of grey"]),
        (Image.new("1", (28, 28)), ["type 1", "type L, 8-bit shades of grey"]),
    ],
)
def test_a_picture_that_is_no_mnist_digit_is_refused_by_name_with_what_was_found_and_expected(picture, words):
    assert_refused(zipped({"0001_is_7.png": png(PICTURES[0]), "0002_is_3.png": png(picture)}), "0002_is_3.png", *words)


def jpeg():
    file = io.BytesIO()
    Image.fromarray(PICTURES[0]).save(file, "JPEG")
    return file.getvalue()


HEADER = png_chunk(b"IHDR", struct.pack(">IIBBBBB", 2**31 - 1, 2**31 - 1, 8, 0, 0, 0, 0))
NO_PICTURES = {
    "nothing": b"",
    "a text": b"a seven, in words",
    "a JPEG": jpeg(),
    "a zip in the zip": PNGS,
    "an array": npy(PICTURES[0]),
    "the first half": png(PICTURES[0])[:400],
    "only the beginning": png(PICTURES[0])[:8],
    "no pixels": png(PICTURES[0])[:33] + png_chunk(b"IEND", b""),
    "a header that claims gigapixels": png(PICTURES[0])[:8] + HEADER + png(PICTURES[0])[33:],
    "a wrong checksum": png(PICTURES[0])[:29] + bytes(4) + png(PICTURES[0])[33:],
    "a chunk that never ends": png(PICTURES[0])[:33] + b"\xff\xff\xff\xffIDAT",
}


@pytest.mark.parametrize("content", NO_PICTURES.values(), ids=NO_PICTURES)
def test_what_is_no_picture_is_refused_by_name(content):
    assert_refused(zipped({"0001_is_7.png": content}), "0001_is_7.png", "damaged or no PNG")


@pytest.mark.parametrize(
    "name",
    [
        "notes.txt",
        "seven.png",
        "0001_is_10.png",
        "0001_is_x.png",
        "0001_is_٧.png",
        "0001_is_7.png.exe",
        "0001_is_7.png\n",
        "1234567890123_is_7.png",
        "\x1b[31m red",
        "n" * 5_000,
    ],
)
def test_a_file_whose_name_does_not_say_a_digit_is_refused_by_its_name(name):
    shown = "".join(letter if letter.isprintable() else " " for letter in name)[:100].strip()

    assert_refused(zipped({"0001_is_7.png": png(PICTURES[0]), name: b""}), shown, "does not give a digit", "0001_is_7")


def test_another_zip_file_is_refused():
    assert_refused(zipped({"word/document.xml": b"<xml/>", "[Content_Types].xml": b""}), "word/document.xml")
    assert_refused(zipped({}), "holds 0 digits")
    assert_refused(zipped({"an empty folder/": b""}), "holds 0 digits")


def test_more_pictures_than_allowed_are_refused_before_they_are_read():
    assert_refused(zipped({f"{n}_is_7.png": b"" for n in range(1_001)}), "holds 1,001 digits", "1 to 1,000")


# Refused: whatever it is


OTHER_FILES = {
    "nothing": b"",
    "a text": b"my digits",
    "a picture": png(PICTURES[0]),
    "an array": npy(PICTURES),
    "the beginning of a zip": b"PK\x03\x04",
    "the end of a zip": NPZ[-22:],
    "an archive of its directory only": NPZ[NPZ.index(b"PK\x01\x02") :],
}


@pytest.mark.parametrize("content", OTHER_FILES.values(), ids=OTHER_FILES)
def test_other_files_are_refused_with_what_was_expected(content):
    assert_refused(content, "x (n, 28, 28) and y (n,)" if b"npy" not in content else "x and y")


@given(content=st.binary(max_size=2_000))
def test_any_bytes_are_refused(content):
    with pytest.raises(DataError):
        read(content)


@pytest.mark.parametrize("whole", [NPZ, PNGS])
@given(data=st.data())
def test_a_file_that_was_cut_off_anywhere_is_refused(whole, data):
    with pytest.raises(DataError):
        read(whole[: data.draw(st.integers(0, len(whole) - 1))])


@pytest.mark.parametrize("whole", [NPZ, PNGS])
@given(data=st.data())
def test_no_flipped_bit_ever_changes_a_pixel(whole, data):
    content = bytearray(whole)
    content[data.draw(st.integers(0, len(whole) - 1))] ^= 1 << data.draw(st.integers(0, 7))

    try:
        x, _ = read(bytes(content))
    except DataError:
        return  # refused, which is as good

    # Names carry no checksum, so a flipped bit may hide a picture or change its place.
    assert {picture.tobytes() for picture in x} <= {picture.tobytes() for picture in PICTURES}


@pytest.mark.parametrize("secret", ["x.npy", "0001_is_7.png"])
def test_an_encrypted_archive_is_refused(secret):
    content = bytearray(zipped({secret: npy(PICTURES)}))
    content[6] |= 1
    content[content.index(b"PK\x01\x02") + 8] |= 1

    assert_refused(bytes(content), "password required")


@pytest.mark.parametrize("compression", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_an_archive_packed_in_a_way_that_cannot_be_bounded_is_refused(compression):
    assert_refused(zipped({"x.npy": npy(PICTURES), "y.npy": npy(LABELS)}, compression=compression), "neither stored")
    assert_refused(zipped({"0001_is_7.png": png(PICTURES[0])}, compression=compression), "neither stored")


# Bombs


def test_a_file_larger_than_allowed_is_refused_unread():
    assert_refused(NPZ + bytes(MAX_COLLECTION_BYTES), "5.0 MB", "5 MB is the maximum")


@pytest.mark.parametrize("name", ["x.npy", "0001_is_7.png"])
def test_a_member_that_claims_too_much_is_refused(name):
    assert_refused(zipped({name: bytes(20_000_000)}), "claims 20,000,000 bytes")


@pytest.mark.parametrize("name", [b"x.npy", b"0001_is_7.png"])
@pytest.mark.parametrize(
    ("method", "packed"),
    [
        (zipfile.ZIP_DEFLATED, deflated_zeros(200_000_000)),
        (zipfile.ZIP_BZIP2, bz2.compress(bytes(50_000_000))),
        (zipfile.ZIP_LZMA, lzma.compress(bytes(50_000_000))),
    ],
    ids=["deflate", "bzip2", "lzma"],
)
def test_a_member_that_claims_little_is_not_unpacked_to_more(name, method, packed):
    bomb = lying(name, packed, method=method, claim=5_000)

    tracemalloc.start()
    try:
        assert_refused(bomb)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert peak < 5_000_000  # bytes


def test_many_pictures_in_one_place_of_the_archive_are_no_way_to_many_more():
    one = zipped({"0001_is_7.png": png(PICTURES[0])}, compression=zipfile.ZIP_STORED)
    start = one.index(b"PK\x01\x02")
    entry = one[start : one.index(b"PK\x05\x06")]
    end = b"PK\x05\x06" + struct.pack("<HHHHIIH", 0, 0, 5_000, 5_000, 5_000 * len(entry), start, 0)

    assert_refused(one[:start] + 5_000 * entry + end, "5,000 files", "1,000 digits are the most")


def test_texts_in_pictures_are_not_unpacked(monkeypatch):
    text = png_chunk(b"zTXt", b"Comment\0\0" + zlib.compress(bytes(900_000)))
    plain = png(PICTURES[0])
    unpacked = []
    monkeypatch.setattr("PIL.PngImagePlugin._safe_zlib_decompress", lambda packed: unpacked.append(packed) or b"")

    x, _ = read(zipped({"0001_is_7.png": plain[:33] + 8 * text + plain[33:]}))

    np.testing.assert_array_equal(x, PICTURES[:1])
    assert unpacked == []
