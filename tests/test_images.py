import io
import re
import struct
import warnings
import zlib

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw

from mnist_dash.errors import PictureError
from mnist_dash.images import MAX_FILE_BYTES, find_ink, read_grey, redraw_canvas, redraw_file, to_mnist
from mnist_dash.prediction import Predictor
from mnist_dash.runs.exchange import REFERENCE_FOLDER

BICUBIC, NEAREST = Image.Resampling.BICUBIC, Image.Resampling.NEAREST
EXIF_ORIENTATION = 0x0112
TURNED_LEFT = 6  # the camera was turned; a reader must turn the picture clockwise


@pytest.fixture(scope="module")
def digits(sample):
    """100 real digits, shape (100, 28, 28), uint8: ten of each."""
    return np.concatenate([sample.x_test[sample.y_test == digit][:10] for digit in range(10)])


@pytest.fixture(scope="module")
def seven(sample):
    """One real seven, shape (28, 28), uint8."""
    return sample.x_test[sample.y_test == 7][0]


@pytest.fixture(scope="module")
def predictor():
    return Predictor((REFERENCE_FOLDER / "dense-512" / "model.tflite").read_bytes())


def enlarged(picture, times, resampling=BICUBIC) -> Image.Image:
    return Image.fromarray(picture).resize((28 * times, 28 * times), resampling)


def on_paper(picture, *, times=8, paper=240, ink=20) -> Image.Image:
    """A digit as one would draw it on a sheet: dark on light, with room around it."""
    sheet = np.zeros((44 * times, 50 * times))
    sheet[8 * times : 36 * times, 10 * times : 38 * times] = np.asarray(enlarged(picture, times)) / 255
    return Image.fromarray(np.rint(paper + (ink - paper) * sheet).astype(np.uint8))


def encoded(image, kind="PNG", **options) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def png(width, height, *, bits, colour, rows) -> bytes:
    """A PNG made by hand, so that its header may claim anything.

    Source:
        https://www.w3.org/TR/png-3/, sections 5 and 11.2.
    """

    def chunk(kind, content):
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    header = struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def box_of(square):
    rows, columns = np.flatnonzero(square.any(1)), np.flatnonzero(square.any(0))
    return rows[0], rows[-1], columns[0], columns[-1]


def centre_of_mass(square):
    """Row and column, counted from the middle of the first pixel."""
    places, mass = np.indices(square.shape), square.astype(float)
    return tuple((place * mass).sum() / mass.sum() for place in places)


def mean_difference(one, other) -> float:
    """Of two pictures or two stacks of them, in grey values from 0 to 255."""
    return float(np.abs(np.asarray(one, float) - np.asarray(other, float)).mean())


def difference_but_for_a_step(one, other) -> float:
    """The same, when either may stand one pixel beside: a centre of mass between two pixels is rounded."""
    steps = [(down, right) for down in (-1, 0, 1) for right in (-1, 0, 1)]
    return min(mean_difference(np.roll(one, step, axis=(0, 1)), other) for step in steps)


def refusal(content) -> str:
    """Reads a file that must be refused; gives the message, having checked that it helps and that nothing leaked."""
    with warnings.catch_warnings(record=True) as escaped:
        warnings.simplefilter("always")
        with pytest.raises(PictureError) as refused:
            redraw_file(content)
    message = str(refused.value)
    assert not escaped
    assert re.search(r"\b(Save|Draw|Take|Choose|Name)\b", message), message
    assert message.endswith(".")
    assert "\n" not in message
    assert " object at 0x" not in message
    return message


@st.composite
def drawings(draw):
    """A few strokes on a square of 60 × 60, float32: 0 is paper, 1 is ink."""
    corners = st.lists(st.tuples(st.integers(4, 55), st.integers(4, 55)), min_size=2, max_size=6)
    image = Image.new("L", (60, 60))
    pen = ImageDraw.Draw(image)
    for stroke in draw(st.lists(corners, min_size=1, max_size=3)):
        pen.line(stroke, fill=255, width=draw(st.integers(3, 8)), joint="curve")
        pen.ellipse([stroke[0][0] - 2, stroke[0][1] - 2, stroke[0][0] + 2, stroke[0][1] + 2], fill=255)
    return np.asarray(image, np.float32) / 255


# From ink to MNIST


def test_a_filled_square_becomes_20_by_20_pixels_in_the_middle():
    ink = np.zeros((100, 300), np.float32)
    ink[30:70, 200:240] = 1

    square = to_mnist(ink)

    expected = np.zeros((28, 28), np.uint8)
    expected[4:24, 4:24] = 255  # centre of mass at 9.5, so it starts at 4.5, rounded to even
    np.testing.assert_array_equal(square, expected)


def test_an_upright_bar_keeps_its_shape():
    ink = np.zeros((200, 200), np.float32)
    ink[50:150, 90:110] = 1

    square = to_mnist(ink)

    top, bottom, left, right = box_of(square)
    assert (bottom - top + 1, right - left + 1) == (20, 4)


def test_a_heavy_foot_does_not_push_a_digit_over_the_upper_edge():
    ink = np.zeros((40, 40), np.float32)
    ink[0:40, 18:22] = 1
    ink[30:40, 0:40] = 1  # an upside-down T

    square = to_mnist(ink)

    # Scaled by a half: 15 rows of 2 pixels and 5 rows of 20, so the mass is at (15·2·7 + 5·20·17) / 130 = 14.69
    # from the top. To bring it to 14 the digit would have to start above the square.
    assert box_of(square)[:2] == (0, 19)


def test_a_hair_line_is_at_least_one_pixel_wide():
    ink = np.zeros((300, 300), np.float32)
    ink[10:290, 150] = 1

    square = to_mnist(ink)

    top, bottom, left, right = box_of(square)
    assert (bottom - top + 1, right - left + 1) == (20, 1)


def test_a_single_pixel_of_ink_is_enlarged_like_anything_else():
    ink = np.zeros((9, 9), np.float32)
    ink[4, 4] = 1

    assert (to_mnist(ink) == 255).sum() == 400


def test_faint_ink_below_the_threshold_is_paper():
    with pytest.raises(PictureError, match=r"all 30 × 20 pixels are paper\. Draw one digit"):
        to_mnist(np.full((20, 30), 0.15, np.float32))


@pytest.mark.parametrize("shape", [(28,), (28, 28, 3)])
def test_ink_that_is_no_plane_is_a_programmers_mistake(shape):
    with pytest.raises(ValueError, match="must have two dimensions"):
        to_mnist(np.ones(shape, np.float32))


@pytest.mark.parametrize("times", [5, 8, 10])
@pytest.mark.parametrize("resampling", [BICUBIC, NEAREST])
def test_a_real_digit_enlarged_is_redrawn_as_it_was(digits, predictor, times, resampling):
    redrawn = np.stack([to_mnist(np.asarray(enlarged(digit, times, resampling)) / 255) for digit in digits])

    read, as_before = (predictor.probabilities(pictures).argmax(1) for pictures in (redrawn, digits))
    assert mean_difference(redrawn, digits) < 8
    assert (read == as_before).mean() >= 0.98


def test_a_real_digit_of_its_own_size_is_left_as_it_was(digits):
    unchanged = [mean_difference(to_mnist(digit / 255), digit) < 1 for digit in digits]

    assert np.mean(unchanged) >= 0.98


@given(top=st.integers(0, 140), left=st.integers(0, 140), place=st.integers(0, 99))
@settings(deadline=None)
def test_where_on_the_canvas_a_digit_is_drawn_does_not_matter(digits, top, left, place):
    drawn = np.asarray(enlarged(digits[place], 5)) / 255
    canvas = np.zeros((280, 280))
    canvas[top : top + 140, left : left + 140] = drawn

    np.testing.assert_array_equal(to_mnist(canvas), to_mnist(drawn))


@given(drawing=drawings(), times=st.integers(2, 6))
@settings(deadline=None)
def test_how_large_a_digit_is_drawn_does_not_matter(drawing, times):
    larger = np.kron(drawing, np.ones((times, times)))

    assert difference_but_for_a_step(to_mnist(larger), to_mnist(drawing)) < 10


@given(drawing=drawings())
@settings(deadline=None)
def test_the_longer_side_of_a_redrawn_digit_is_20_pixels(drawing):
    top, bottom, left, right = box_of(to_mnist(drawing))

    assert max(bottom - top, right - left) + 1 == 20


@given(drawing=drawings())
@settings(deadline=None)
def test_the_centre_of_mass_is_pixel_14_unless_an_edge_is_in_the_way(drawing):
    square = to_mnist(drawing)

    top, bottom, left, right = box_of(square)
    for centre, first, last in zip(centre_of_mass(square), (top, left), (bottom, right), strict=True):
        assert abs(centre - 14) < 0.52 or first == 0 or last == 27


# From the canvas


def test_an_empty_canvas_says_so():
    with pytest.raises(PictureError, match=r"The canvas is empty\. Draw one digit"):
        redraw_canvas(np.zeros((280, 280, 4), np.uint8))


def test_a_black_canvas_with_nothing_on_it_is_empty_too():
    canvas = np.zeros((280, 280, 4), np.uint8)
    canvas[..., 3] = 255

    with pytest.raises(PictureError, match="The canvas is empty"):
        redraw_canvas(canvas)


def test_white_strokes_on_a_canvas_are_the_ink(seven):
    canvas = np.zeros((280, 280, 4), np.uint8)
    canvas[..., :3] = np.asarray(enlarged(seven, 10))[..., None]
    canvas[..., 3] = 255

    redrawn = redraw_canvas(canvas)

    np.testing.assert_allclose(redrawn.ink, np.asarray(enlarged(seven, 10)) / 255, atol=1e-6)
    np.testing.assert_array_equal(redrawn.pixels, to_mnist(redrawn.ink))


# From grey to ink


def grey_of(image):
    return np.asarray(image, np.float32) / 255


def test_dark_on_light_and_light_on_dark_give_the_same(digits):
    for digit in digits[::7]:
        dark_on_light = grey_of(on_paper(digit))

        redrawn, reverse = to_mnist(find_ink(dark_on_light)), to_mnist(find_ink(1 - dark_on_light))

        assert difference_but_for_a_step(redrawn, reverse) < 1.5


def test_ink_is_one_where_the_pen_was_and_zero_on_paper(seven):
    ink = find_ink(grey_of(on_paper(seven)))

    assert ink.dtype == np.float32
    assert ink.min() == 0
    assert ink.max() == 1
    assert np.median(ink) == 0


def test_pale_ink_is_found_as_well_as_black(seven):
    pale = to_mnist(find_ink(grey_of(on_paper(seven, paper=200, ink=140))))

    assert mean_difference(pale, to_mnist(find_ink(grey_of(on_paper(seven))))) < 4


def light_from_one_side(shape):
    return np.linspace(1.0, 0.45, shape[1])[None, :] * np.ones(shape)


def shadow_over_a_corner(shape):
    rows, columns = np.indices(shape)
    distance = rows / shape[0] + columns / shape[1] - 1.2
    return 1 - 0.4 / (1 + np.exp(-12 * distance))  # a soft edge, as a hand or a phone throws it


def dark_towards_the_edges(shape):
    rows, columns = (place / size - 0.5 for place, size in zip(np.indices(shape), shape, strict=True))
    return 1 - 0.9 * (rows**2 + columns**2)


@pytest.mark.parametrize("light", [light_from_one_side, shadow_over_a_corner, dark_towards_the_edges])
def test_uneven_light_on_the_paper_is_not_ink(digits, predictor, light):
    sheets = [grey_of(on_paper(digit)) for digit in digits[::3]]

    redrawn = np.stack([to_mnist(find_ink((sheet * light(sheet.shape)).astype(np.float32))) for sheet in sheets])

    read, as_before = (predictor.probabilities(pictures).argmax(1) for pictures in (redrawn, digits[::3]))
    assert (read == as_before).mean() >= 0.9


def test_noise_of_a_cheap_camera_does_not_hide_a_digit(digits, predictor):
    random = np.random.default_rng(3)
    sheets = [grey_of(on_paper(digit)) for digit in digits[::3]]

    noisy = [np.clip(sheet + random.normal(0, 0.04, sheet.shape), 0, 1).astype(np.float32) for sheet in sheets]
    redrawn = np.stack([to_mnist(find_ink(sheet)) for sheet in noisy])

    read, as_before = (predictor.probabilities(pictures).argmax(1) for pictures in (redrawn, digits[::3]))
    assert (read == as_before).mean() >= 0.9


@pytest.mark.parametrize("times", [1, 5, 10])
def test_a_digit_of_mnist_saved_as_a_file_is_read_as_before(digits, predictor, times):
    redrawn = np.stack([redraw_file(encoded(enlarged(digit, times))).pixels for digit in digits])

    read, as_before = (predictor.probabilities(pictures).argmax(1) for pictures in (redrawn, digits))
    assert mean_difference(redrawn, digits) < 9
    assert (read == as_before).mean() >= 0.98


# Files of all kinds


def with_transparent_paper(image, mode, *, ink=0) -> Image.Image:
    """The same digit in one colour, its shape in the opacity alone."""
    opacity = Image.fromarray(255 - np.asarray(image))
    grey = Image.new("L", image.size, ink)
    return Image.merge("LA", (grey, opacity)) if mode == "LA" else Image.merge("RGBA", (grey, grey, grey, opacity))


def palette_with_transparent_paper(image) -> bytes:
    indices = Image.fromarray((np.asarray(image) < 128).astype(np.uint8)).convert("P")
    indices.putpalette([0, 0, 0, 0, 0, 0])
    return encoded(indices, transparency=0)


def palette_with_half_transparent_colours(image) -> bytes:
    indices = Image.fromarray((np.asarray(image) < 128).astype(np.uint8)).convert("P")
    indices.putpalette([255, 255, 255, 200, 0, 0])
    return encoded(indices, transparency=bytes([30, 250]))


def turned_by_a_camera(image) -> bytes:
    exif = Image.Exif()
    exif[EXIF_ORIENTATION] = TURNED_LEFT
    return encoded(image.transpose(Image.Transpose.ROTATE_90), "JPEG", exif=exif, quality=95)


def animation(image) -> bytes:
    blank = Image.new("L", image.size, 240)
    return encoded(image, "GIF", save_all=True, append_images=[blank, image.rotate(180)], duration=100)


def sixteen_bits(image) -> bytes:
    return encoded(Image.fromarray(np.asarray(image).astype(np.uint16) * 256 + 99))


def tiff_of_floats(image) -> bytes:
    return encoded(Image.fromarray(np.asarray(image).astype(np.float32) / 1000 - 5), "TIFF")


FILES = {
    "PNG of one bit": lambda image: encoded(image.convert("1", dither=Image.Dither.NONE)),
    "PNG grey": lambda image: encoded(image),
    "PNG grey with opacity": lambda image: encoded(with_transparent_paper(image, "LA")),
    "PNG palette, one colour transparent": palette_with_transparent_paper,
    "PNG palette, all half transparent": palette_with_half_transparent_colours,
    "PNG colour": lambda image: encoded(image.convert("RGB")),
    "PNG colour with opacity, black ink": lambda image: encoded(with_transparent_paper(image, "RGBA")),
    "PNG colour with opacity, white ink": lambda image: encoded(with_transparent_paper(image, "RGBA", ink=255)),
    "PNG of 16 bits": sixteen_bits,
    "JPEG grey": lambda image: encoded(image, "JPEG", quality=90),
    "JPEG colour": lambda image: encoded(image.convert("RGB"), "JPEG", quality=90),
    "JPEG of four inks": lambda image: encoded(image.convert("CMYK"), "JPEG", quality=90),
    "JPEG with a second picture behind it": lambda image: encoded(image, "MPO", save_all=True, append_images=[image]),
    "JPEG turned by a camera": turned_by_a_camera,
    "GIF": lambda image: encoded(image, "GIF"),
    "GIF animated": animation,
    "WebP": lambda image: encoded(image.convert("RGB"), "WEBP", quality=90),
    "WebP with opacity": lambda image: encoded(with_transparent_paper(image, "RGBA"), "WEBP", lossless=True),
    "BMP": lambda image: encoded(image, "BMP"),
    "TIFF": lambda image: encoded(image, "TIFF"),
    "TIFF compressed": lambda image: encoded(image.convert("RGB"), "TIFF", compression="tiff_lzw"),
    "TIFF of floats": tiff_of_floats,
    "PPM": lambda image: encoded(image.convert("RGB"), "PPM"),
}


@pytest.mark.parametrize("kind", FILES)
def test_every_kind_of_file_gives_the_same_digit(seven, predictor, kind):
    redrawn = redraw_file(FILES[kind](on_paper(seven))).pixels

    assert redrawn.shape == (28, 28)
    assert redrawn.dtype == np.uint8
    assert mean_difference(redrawn, seven) < 16
    assert predictor.probabilities(redrawn[None])[0].argmax() == 7


@pytest.mark.parametrize("kind", ["PNG grey", "PNG colour", "BMP", "TIFF", "PPM"])
def test_grey_values_are_those_of_the_file(seven, kind):
    image = on_paper(seven)

    grey = read_grey(FILES[kind](image))

    assert grey.dtype == np.float32
    np.testing.assert_allclose(grey, grey_of(image), atol=1e-6)


def test_a_large_picture_is_reduced_to_400_pixels():
    wide = Image.linear_gradient("L").resize((3000, 1500))

    grey = read_grey(encoded(wide))

    assert grey.shape == (200, 400)
    assert grey[:20].mean() < 0.1
    assert grey[-20:].mean() > 0.9


def test_a_phone_photo_of_12_million_pixels_is_read(digits, predictor):
    photo = on_paper(digits[33]).resize((4000, 3000))

    redrawn = redraw_file(encoded(photo, "JPEG", quality=85))

    assert predictor.probabilities(redrawn.pixels[None])[0].argmax() == 3


# What is no picture of a digit


def test_a_text_file_is_no_picture():
    assert "not a picture that can be read (22 bytes)" in refusal(b"seven, in plain words\n")


def test_an_empty_file_is_no_picture():
    assert "not a picture that can be read (0 bytes)" in refusal(b"")


def test_a_picture_format_that_browsers_do_not_show_is_refused(seven):
    assert "Save it as PNG or JPEG" in refusal(encoded(on_paper(seven), "PCX"))


@pytest.mark.parametrize("part", [0.05, 0.3, 0.5, 0.9])
@pytest.mark.parametrize("kind", ["PNG grey", "JPEG colour"])
def test_a_file_that_breaks_off_is_refused(seven, kind, part):
    whole = FILES[kind](on_paper(seven))

    message = refusal(whole[: int(part * len(whole))])

    assert "damaged" in message or "not a picture" in message


def test_a_picture_of_20_000_by_20_000_pixels_is_refused_before_it_is_unpacked():
    bomb = png(20_000, 20_000, bits=1, colour=0, rows=bytes(20_000 * 2_501))

    assert len(bomb) < 100_000
    assert "too large: 60 million pixels is the most" in refusal(bomb)


def test_a_picture_just_over_the_limit_is_refused_with_its_size():
    assert "10,000 × 9,000 pixels is too large" in refusal(png(10_000, 9_000, bits=1, colour=0, rows=bytes(1_000)))


def test_a_header_that_claims_more_than_there_is_is_refused():
    assert "damaged" in refusal(png(7_000, 7_000, bits=8, colour=6, rows=bytes(1_000)))


def test_a_file_of_more_than_25_megabytes_is_refused():
    assert "The file has 25 MB, but 25 MB is the most" in refusal(bytes(MAX_FILE_BYTES + 1))


@pytest.mark.parametrize(
    "blank",
    [
        Image.new("L", (300, 200), 255),
        Image.new("L", (300, 200), 0),
        Image.new("RGB", (300, 200), "firebrick"),
        Image.new("RGBA", (300, 200), (0, 0, 0, 0)),
        Image.new("RGBA", (300, 200), (255, 255, 255, 0)),
        Image.new("LA", (300, 200), (90, 128)),
        Image.new("L", (1, 1), 77),
        Image.new("L", (1, 5_000), 255),
        Image.new("L", (5_000, 1), 0),
    ],
    ids=lambda image: f"{image.mode} {image.width} × {image.height} {image.getpixel((0, 0))}",
)
def test_a_blank_picture_shows_no_digit(blank):
    assert "No digit found" in refusal(encoded(blank))


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 3.4e38])
def test_a_tiff_of_values_that_are_no_brightness_shows_no_digit(value):
    assert "No digit found" in refusal(encoded(Image.fromarray(np.full((30, 30), value, np.float32)), "TIFF"))


def test_a_tiff_with_holes_of_nan_is_read_where_it_has_values(seven, predictor):
    values = np.asarray(on_paper(seven)).astype(np.float32) / 255
    values[:3, :3] = np.nan

    redrawn = redraw_file(encoded(Image.fromarray(values), "TIFF"))

    assert predictor.probabilities(redrawn.pixels[None])[0].argmax() == 7


@pytest.mark.parametrize("shape", [(1, 5_000), (5_000, 1), (2, 2), (3, 1)])
def test_a_picture_of_an_odd_shape_is_redrawn_or_refused(shape):
    half_dark = np.full(shape, 255, np.uint8)
    half_dark.flat[: half_dark.size // 3] = 0

    assert_redrawn_or_refused(encoded(Image.fromarray(half_dark)))


def assert_redrawn_or_refused(content):
    with warnings.catch_warnings(record=True) as escaped:
        warnings.simplefilter("always")
        try:
            pixels = redraw_file(content).pixels
        except PictureError:
            pixels = np.zeros((28, 28), np.uint8)
    assert (pixels.shape, pixels.dtype) == ((28, 28), np.uint8)
    assert not [str(warning.message) for warning in escaped]


SMALL = Image.fromarray(np.kron(np.eye(5, dtype=np.uint8), np.full((8, 8), 220, np.uint8)) + 20)
SMALL_FILES = [make(SMALL) for make in FILES.values()]


@st.composite
def damaged_files(draw):
    """A real file with some bytes changed, some cut out, and perhaps its end missing."""
    content = bytearray(draw(st.sampled_from(SMALL_FILES)))
    # Headers are where a wrong byte does most.
    place = st.one_of(st.integers(0, 63), st.integers(0, len(content) - 1))
    for position, value in draw(st.lists(st.tuples(place, st.integers(0, 255)), max_size=8)):
        content[position % len(content)] = value
    start, length = draw(place), draw(st.integers(0, 20))
    del content[start : start + length]
    return bytes(content[: draw(st.one_of(st.just(len(content)), st.integers(0, len(content))))])


MAGIC = [b"", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff\xe0", b"GIF89a", b"RIFF\x20\0\0\0WEBPVP8 ", b"BM", b"II*\0", b"P6\n"]


@given(magic=st.sampled_from(MAGIC), rest=st.binary(max_size=200))
@settings(max_examples=100, deadline=None)
def test_random_bytes_are_redrawn_or_refused(magic, rest):
    assert_redrawn_or_refused(magic + rest)


@given(content=damaged_files())
@example(content=SMALL_FILES[0])
@settings(max_examples=200, deadline=None)
def test_a_damaged_file_is_redrawn_or_refused(content):
    assert_redrawn_or_refused(content)


def test_the_files_that_are_damaged_can_be_read_when_whole():
    for content in SMALL_FILES:
        assert redraw_file(content).pixels.any()
