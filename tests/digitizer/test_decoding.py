"""Files of all kinds, whole, damaged and hostile → upright colours, or a clear refusal."""

import re
import struct
import warnings

import numpy as np
import pytest
from PIL import Image, ImageOps

from mnist_dash.digitizer.decoding import MAX_FILE_BYTES, read_colours
from mnist_dash.digitizer.pipeline import digitize_file
from mnist_dash.errors import PictureError
from tests.support.pictures import (
    difference_but_for_a_step,
    encoded,
    mean_difference,
    on_paper,
    png,
    png_chunk,
    recommended_predictor,
    ten_of_each,
    tiff,
)

EXIF_ORIENTATION = 0x0112
# What a camera writes if its picture has to be changed in this way before it is upright.
UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
TURNED = {orientation: Image.Transpose.ROTATE_90 if orientation == 6 else way for orientation, way in UPRIGHT.items()}
TURNED[8] = Image.Transpose.ROTATE_270


@pytest.fixture(scope="module")
def seven(sample):
    """One real seven, shape (28, 28), uint8."""
    return sample.x_test[sample.y_test == 7][0]


@pytest.fixture(scope="module")
def predictor():
    return recommended_predictor()


def refusal(content) -> str:
    """Reads a file that must be refused; gives the message, having checked that it helps and that nothing leaked."""
    with warnings.catch_warnings(record=True) as escaped:
        warnings.simplefilter("always")
        with pytest.raises(PictureError) as refused:
            digitize_file(content)
    message = str(refused.value)
    assert not escaped
    assert re.search(r"\b(Save|Draw|Take|Crop)\b", message), message
    assert message.endswith(".")
    assert len(message) < 400
    assert "\n" not in message
    assert " object at 0x" not in message
    return message


def colours_of(image) -> np.ndarray:
    return read_colours(encoded(image))[0]


def noisy(width, height) -> Image.Image:
    return Image.fromarray(np.random.default_rng(1).integers(0, 256, (height, width, 3), np.uint8))


# Files of all kinds


def with_transparent_paper(image, mode, *, ink=0) -> Image.Image:
    """The same digit in one colour, its shape in the opacity alone."""
    opacity = Image.fromarray(255 - np.asarray(image))
    grey = Image.new("L", image.size, ink)
    return Image.merge("LA", (grey, opacity)) if mode == "LA" else Image.merge("RGBA", (grey, grey, grey, opacity))


def of_two_colours(image, *colours) -> Image.Image:
    indices = Image.fromarray((np.asarray(image) < 128).astype(np.uint8)).convert("P")
    indices.putpalette([value for colour in colours for value in colour])
    return indices


def turned_by_a_camera(image, orientation, kind) -> bytes:
    exif = Image.Exif()
    exif[EXIF_ORIENTATION] = orientation
    return encoded(image.transpose(TURNED[orientation]), kind, exif=exif)


def animation(image, kind) -> bytes:
    blank = Image.new("L", image.size, 240)
    return encoded(image, kind, save_all=True, append_images=[blank, image.rotate(180)], duration=100)


def in_laboratory_colours(image) -> bytes:
    halves = Image.new("L", image.size, 128)
    return encoded(Image.merge("LAB", (image, halves, halves)), "TIFF")


FILES = {
    "PNG of one bit": lambda image: encoded(image.convert("1", dither=Image.Dither.NONE)),
    "PNG grey": lambda image: encoded(image),
    "PNG grey with opacity": lambda image: encoded(with_transparent_paper(image, "LA")),
    "PNG palette": lambda image: encoded(of_two_colours(image, (255, 250, 240), (0, 0, 160))),
    "PNG palette, one colour transparent": lambda image: encoded(
        of_two_colours(image, (0, 0, 0), (0, 0, 0)), transparency=0
    ),
    "PNG palette, all half transparent": lambda image: encoded(
        of_two_colours(image, (255, 255, 255), (200, 0, 0)), transparency=bytes([30, 250])
    ),
    "PNG colour": lambda image: encoded(image.convert("RGB")),
    "PNG colour, one transparent": lambda image: encoded(image.convert("RGB"), transparency=(240, 240, 240)),
    "PNG colour with opacity, black ink": lambda image: encoded(with_transparent_paper(image, "RGBA")),
    "PNG colour with opacity, white ink": lambda image: encoded(with_transparent_paper(image, "RGBA", ink=255)),
    "PNG of 16 bits": lambda image: encoded(Image.fromarray(np.asarray(image).astype(np.uint16) * 256 + 99)),
    "PNG of 16 bits, 12 of them used": lambda image: encoded(Image.fromarray(np.asarray(image).astype(np.uint16) * 16)),
    "PNG animated": lambda image: animation(image, "PNG"),
    "JPEG grey": lambda image: encoded(image, "JPEG", quality=90),
    "JPEG colour": lambda image: encoded(image.convert("RGB"), "JPEG", quality=90),
    "JPEG that loads in layers": lambda image: encoded(image.convert("RGB"), "JPEG", quality=90, progressive=True),
    "JPEG of four inks": lambda image: encoded(image.convert("CMYK"), "JPEG", quality=90),
    "JPEG with a second picture behind it": lambda image: encoded(image, "MPO", save_all=True, append_images=[image]),
    "GIF": lambda image: encoded(image, "GIF"),
    "GIF animated": lambda image: animation(image, "GIF"),
    "WebP": lambda image: encoded(image.convert("RGB"), "WEBP", quality=90),
    "WebP with opacity": lambda image: encoded(with_transparent_paper(image, "RGBA"), "WEBP", lossless=True),
    "WebP animated": lambda image: animation(image.convert("RGB"), "WEBP"),
    "BMP": lambda image: encoded(image, "BMP"),
    "BMP of one bit": lambda image: encoded(image.convert("1", dither=Image.Dither.NONE), "BMP"),
    "TIFF": lambda image: encoded(image, "TIFF"),
    "TIFF compressed": lambda image: encoded(image.convert("RGB"), "TIFF", compression="tiff_lzw"),
    "TIFF of JPEG": lambda image: encoded(image.convert("RGB"), "TIFF", compression="jpeg"),
    "TIFF of four inks": lambda image: encoded(image.convert("CMYK"), "TIFF"),
    "TIFF of laboratory colours": in_laboratory_colours,
    "TIFF of luminance and colour": lambda image: encoded(image.convert("YCbCr"), "TIFF"),
    "TIFF of 32 bits": lambda image: encoded(Image.fromarray(np.asarray(image).astype(np.int32) * 5000 - 9), "TIFF"),
    "TIFF of floats": lambda image: encoded(Image.fromarray(np.asarray(image).astype(np.float32) / 1000 - 5), "TIFF"),
    "TIFF of two pages": lambda image: animation(image, "TIFF"),
    "PPM grey": lambda image: encoded(image, "PPM"),
    "PPM colour": lambda image: encoded(image.convert("RGB"), "PPM"),
    "PPM in plain text": lambda image: (
        b"P2\n# seven\n%d %d 255\n" % image.size + " ".join(map(str, np.asarray(image).ravel())).encode()
    ),
}


@pytest.mark.parametrize("kind", FILES)
def test_every_kind_of_file_gives_the_same_digit(seven, predictor, kind):
    image = on_paper(seven)

    (digit,) = digitize_file(FILES[kind](image)).digits

    (plain,) = digitize_file(encoded(image)).digits
    assert difference_but_for_a_step(digit.pixels, plain.pixels) < 6
    assert predictor.probabilities(digit.pixels[None])[0].argmax() == 7


@pytest.mark.parametrize("kind", ["PNG grey", "PNG colour", "BMP", "TIFF", "TIFF compressed", "PPM colour"])
def test_colours_are_those_of_the_file(seven, kind):
    image = on_paper(seven)

    colours, scale = read_colours(FILES[kind](image))

    assert colours.dtype == np.uint8
    assert scale == 1
    np.testing.assert_array_equal(colours, np.asarray(image.convert("RGB")))


@pytest.mark.parametrize(("ink", "paper"), [(30, 255), (220, 0)])
def test_transparent_paper_is_what_the_ink_stands_out_from(ink, paper):
    half_transparent = np.full((8, 8, 2), (ink, 255), np.uint8)
    half_transparent[:4, :, 1] = 0

    colours = colours_of(Image.fromarray(half_transparent, "LA"))

    assert (colours[:4] == paper).all()
    assert (colours[4:] == ink).all()


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF", "WEBP"])
@pytest.mark.parametrize("orientation", UPRIGHT)
def test_a_camera_turned_any_way_gives_an_upright_picture(seven, kind, orientation):
    image = on_paper(seven).convert("RGB")

    colours, _ = read_colours(turned_by_a_camera(image, orientation, kind))

    assert colours.shape == (image.height, image.width, 3)
    assert mean_difference(colours, np.asarray(image)) < 3


@pytest.mark.parametrize("orientation", [0, 1, 9, 65_535])
def test_an_orientation_that_means_nothing_changes_nothing(orientation):
    image, exif = noisy(30, 20), Image.Exif()
    exif[EXIF_ORIENTATION] = orientation

    colours, _ = read_colours(encoded(image, exif=exif))

    np.testing.assert_array_equal(colours, np.asarray(image))


def test_a_large_picture_is_reduced_to_1000_pixels():
    wide = Image.linear_gradient("L").resize((3000, 1500))

    colours, scale = read_colours(encoded(wide))

    assert colours.shape == (500, 1000, 3)
    assert scale == 3
    expected = np.asarray(wide.convert("RGB"), float).reshape(500, 3, 1000, 3, 3).mean((1, 3))
    np.testing.assert_allclose(colours, expected, atol=1.5)


@pytest.mark.parametrize(("width", "height"), [(1, 1), (3, 2), (1000, 1000), (1001, 10), (2_500, 1_250), (10, 60_000)])
@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
def test_scale_is_how_many_pixels_of_the_file_one_pixel_is_wide(width, height, kind):
    colours, scale = read_colours(encoded(Image.new("RGB", (width, height), "navy"), kind))

    assert max(colours.shape[:2]) * scale == pytest.approx(max(width, height))
    assert max(colours.shape[:2]) <= 1000


def test_sixteen_bits_are_reduced_like_eight(seven):
    eight = on_paper(seven).resize((2_400, 2_112))

    reduced = colours_of(Image.fromarray(np.asarray(eight).astype(np.uint16) * 257))

    assert mean_difference(reduced, np.asarray(ImageOps.autocontrast(Image.fromarray(colours_of(eight))))) < 3


def test_a_phone_photo_of_12_million_pixels_is_read(sample, predictor):
    photo = on_paper(ten_of_each(sample)[33]).resize((4000, 3000))

    (digit,) = digitize_file(encoded(photo, "JPEG", quality=85)).digits

    assert predictor.probabilities(digit.pixels[None])[0].argmax() == 3


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_a_tiff_with_holes_is_read_where_it_has_values(seven, predictor, value):
    values = np.asarray(on_paper(seven)).astype(np.float32) / 255
    values[5:40, 5:40] = value

    (digit,) = digitize_file(encoded(Image.fromarray(values), "TIFF")).digits

    assert predictor.probabilities(digit.pixels[None])[0].argmax() == 7


# What is no picture of a digit


def test_a_text_file_is_no_picture():
    assert "not an image that can be read (22 bytes)" in refusal(b"seven, in plain words\n")


def test_an_empty_file_is_no_picture():
    assert "not an image that can be read (0 bytes)" in refusal(b"")


def test_a_picture_format_that_browsers_do_not_show_is_refused(seven):
    assert "Save it as PNG or JPEG" in refusal(encoded(on_paper(seven), "PCX"))


@pytest.mark.parametrize("part", [0.05, 0.3, 0.5, 0.9])
@pytest.mark.parametrize("kind", ["PNG grey", "JPEG colour", "WebP", "BMP", "TIFF", "TIFF compressed", "PPM colour"])
def test_a_file_that_breaks_off_is_refused(seven, kind, part):
    whole = FILES[kind](on_paper(seven))

    message = refusal(whole[: int(part * len(whole))])

    assert "damaged" in message or "not an image" in message


@pytest.mark.parametrize(
    "blank",
    [
        Image.new("L", (300, 200), 255),
        Image.new("L", (300, 200), 0),
        Image.new("RGB", (300, 200), "firebrick"),
        Image.new("RGBA", (300, 200), (0, 0, 0, 0)),
        Image.new("RGBA", (300, 200), (255, 255, 255, 0)),
        Image.new("LA", (300, 200), (90, 128)),
        Image.new("I;16", (300, 200), 40_000),
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


# What would take too much memory or time


def test_a_file_of_more_than_25_megabytes_is_refused():
    assert "The file has 25 MB, but 25 MB is the maximum" in refusal(bytes(MAX_FILE_BYTES + 1))


def test_a_picture_of_20_000_by_20_000_pixels_is_refused_before_it_is_unpacked():
    bomb = png(20_000, 20_000, bits=1, colour=0, rows=bytes(20_000 * 2_501))

    assert len(bomb) < 300_000
    assert "too large: 60 million pixels is the maximum" in refusal(bomb)


def test_a_picture_just_over_the_limit_is_refused_with_its_size():
    assert "10,000 × 9,000 pixels is too large" in refusal(png(10_000, 9_000, bits=1, colour=0, rows=bytes(1_000)))


@pytest.mark.parametrize(("width", "height"), [(65_501, 1), (1, 70_000)])
def test_a_picture_longer_than_any_jpeg_is_refused(width, height):
    message = refusal(png(width, height, bits=1, colour=0, rows=bytes(height * (width // 8 + 2))))

    assert f"{max(width, height):,} pixels long, but 65,500 is the maximum" in message


def test_a_header_that_claims_more_than_there_is_is_refused():
    assert "damaged" in refusal(png(7_000, 7_000, bits=8, colour=6, rows=bytes(1_000)))


def test_a_large_webp_is_refused_because_its_decoder_keeps_it_four_times():
    large = encoded(Image.new("RGB", (6_500, 6_500)), "WEBP", lossless=True, quality=0, method=0)

    assert "42,250,000 pixels of WebP" in refusal(large)


def of_many_comments(count) -> bytes:
    return b"GIF89a\x08\0\x08\0\0\0\0" + b"!\xfe\1a\0" * count


def of_many_chunks(count) -> bytes:
    return png(8, 8, bits=8, colour=0, rows=bytes(72), before=png_chunk(b"abCd", b"") * count)


def of_many_segments(count) -> bytes:
    whole = encoded(Image.new("L", (8, 8)), "JPEG")
    return whole[:2] + b"\xff\xfe\0\2" * count + whole[2:]


@pytest.mark.parametrize("made_of", [of_many_comments, of_many_chunks, of_many_segments])
def test_a_file_of_very_many_empty_pieces_is_refused(made_of):
    assert "too long to decode: more than 500,000 pieces" in refusal(made_of(300_000))


def test_a_jpeg_of_very_many_layers_is_refused():
    whole = encoded(Image.new("L", (4_000, 3_000), 99), "JPEG", progressive=True)
    last, end = whole.rfind(b"\xff\xda"), whole.rfind(b"\xff\xd9")

    message = refusal(whole[:end] + 80 * whole[last:end] + whole[end:])

    assert re.search(r"too long to decode: 8\d layers of 12,000,000 pixels", message)


def run_length_bmp(width, height, runs) -> bytes:
    """Source: https://learn.microsoft.com/windows/win32/gdi/bitmap-compression."""
    start = 14 + 40 + 1_024
    header = struct.pack("<IiiHHIIiiII", 40, width, height, 1, 8, 1, len(runs), 2_835, 2_835, 0, 0)
    return b"BM" + struct.pack("<IHHI", start + len(runs), 0, 0, start) + header + bytes(1_024) + runs


@pytest.mark.parametrize(
    "content",
    [
        run_length_bmp(7_000, 7_000, b"\0\0" * 1_000),
        b"P2 1000 1000 255\n" + b"1 " * 3_000_000,
        b"P1 100 100\n" + b"#\n" * 1_001,
        b"P5 3000 2000 254\n",
    ],
    ids=["BMP of runs", "plain text", "comments", "grey values up to 254"],
)
def test_formats_that_are_slow_to_unpack_are_read_only_if_small(content):
    assert "in a format rarely used" in refusal(content)


WIDTH, LENGTH, BITS, COMPRESSION, PHOTOMETRIC, STRIPS, STRIP_BYTES = 256, 257, 258, 259, 262, 273, 279
TILE_WIDTH, TILE_LENGTH, TILES, TILE_BYTES = 322, 323, 324, 325
GREY = {WIDTH: 16, LENGTH: 16, BITS: 8, COMPRESSION: 1, PHOTOMETRIC: 1}


def test_a_tiff_made_by_hand_is_read():
    picture = np.random.default_rng(2).integers(0, 256, (16, 16), np.uint8)

    colours, _ = read_colours(tiff(picture.tobytes(), {**GREY, STRIPS: 8, STRIP_BYTES: 256}))

    np.testing.assert_array_equal(colours[..., 0], picture)


def test_a_tiff_of_very_many_tiles_is_refused():
    places = struct.pack("<I", 8) * 100_001
    tags = {**GREY, WIDTH: 317, LENGTH: 317, TILE_WIDTH: 1, TILE_LENGTH: 1, TILES: places, TILE_BYTES: places}

    assert "too long to decode: 100,001 tiles" in refusal(tiff(bytes(16), tags))


def test_a_tiff_of_a_tile_larger_than_any_picture_is_refused():
    deflate = 8
    tags = {**GREY, COMPRESSION: deflate, TILE_WIDTH: 40_000, TILE_LENGTH: 40_000, TILES: 8, TILE_BYTES: 16}

    assert "too long to decode: tiles of 1,600,000,000 pixels" in refusal(tiff(bytes(16), tags))


def test_a_tiff_whose_directory_lies_outside_is_refused():
    assert "Save it" in refusal(b"II*\0\xff\xff\xff\x7f")
