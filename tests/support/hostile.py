"""Hostile picture files, one for each number: broken, lying about themselves, strange, or full of work."""

import functools
import struct
import zlib
from collections.abc import Callable

import numpy as np
from PIL import Image

from tests.support.pictures import PNG_SIGNATURE, encoded, png, png_chunk, tiff

Random = np.random.Generator
FORMATS = ("PNG", "JPEG", "GIF", "WEBP", "BMP", "TIFF", "PPM", "MPO")
MODES = ("1", "L", "LA", "P", "PA", "RGB", "RGBA", "CMYK", "YCbCr", "LAB", "HSV", "I", "F", "I;16")
MAGIC = [
    b"\x89PNG\r\n\x1a\n",
    b"\xff\xd8\xff\xe0",
    b"\xff\xd8\xff\xe1",
    b"GIF87a",
    b"GIF89a",
    b"RIFF\x20\0\0\0WEBPVP8 ",
]
MAGIC += [b"RIFF\x20\0\0\0WEBPVP8L", b"RIFF\x20\0\0\0WEBPVP8X", b"BM", b"II*\0", b"MM\0*", b"II+\0", b"II*\0\x08\0\0\0"]
MAGIC += [b"P%c\n" % kind for kind in b"1234567fy"] + [b"P0CMYK\n", b"PyRGBA\n"]
NUMBERS = (0, 1, 2, 7, 8, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 0x10000, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)


def noise(random: Random, mode: str, size: tuple[int, int]) -> Image.Image:
    """A picture of random bytes: floats are infinite or no number here and there."""
    image = Image.frombytes(mode, size, random.bytes(len(Image.new(mode, size).tobytes())))
    if mode in ("P", "PA"):
        image.putpalette(random.bytes(768))
    return image


@functools.cache
def whole_files() -> list[bytes]:
    """One small file for each format and mode that go together, most with opacity, pages or EXIF where they can."""
    random, found = np.random.default_rng(0), []
    exif = Image.Exif()
    exif[0x0112] = 6
    for kind in FORMATS:
        for mode in MODES:
            picture = noise(random, mode, (40, 24))
            for options in ({}, {"exif": exif}, {"save_all": True, "append_images": [picture]}, {"progressive": True}):
                try:
                    found.append(encoded(picture, kind, **options))
                except (OSError, ValueError, KeyError, TypeError, SystemError):
                    continue  # a format that has no such mode
    return list(dict.fromkeys(found))


def whole(random: Random) -> bytes:
    files = whole_files()
    return files[random.integers(len(files))]


# Broken files


def random_bytes(random: Random) -> bytes:
    return random.bytes(random.integers(0, 2_000))


def magic_and_random_bytes(random: Random) -> bytes:
    return MAGIC[random.integers(len(MAGIC))] + random.bytes(random.integers(0, 2_000))


def cut_off(random: Random) -> bytes:
    content = whole(random)
    return content[: random.integers(len(content))]


def with_flipped_bits(random: Random) -> bytes:
    content = np.frombuffer(whole(random), np.uint8).copy()
    reach = len(content) if random.random() < 0.5 else min(len(content), 100)
    places = random.integers(0, reach, random.integers(1, 12))
    content[places] ^= (1 << random.integers(0, 8, len(places))).astype(np.uint8)
    return content.tobytes()


def spliced(random: Random) -> bytes:
    one, other = whole(random), whole(random)
    start = random.integers(len(other))
    return one[: random.integers(len(one))] + other[start : start + random.integers(len(other))] * random.integers(1, 4)


def with_other_numbers(random: Random) -> bytes:
    """Numbers in the header or anywhere replaced by those at which programs stumble."""
    content = bytearray(whole(random))
    for _ in range(random.integers(1, 5)):
        form = ("<H", ">H", "<I", ">I")[random.integers(4)]
        place = random.integers(0, min(len(content), 80 if random.random() < 0.7 else len(content)) - 4)
        number = NUMBERS[random.integers(len(NUMBERS))] & (0xFFFF if form[1] == "H" else 0xFFFFFFFF)
        struct.pack_into(form, content, place, number)
    return bytes(content)


def png_with_true_checksums(random: Random) -> bytes:
    """Chunks changed, doubled and left out, so that a reader gets past their checksums."""
    content, chunks, place = encoded(noise(random, ("L", "P", "RGBA")[random.integers(3)], (30, 20))), [], 8
    while place < len(content):
        (length,) = struct.unpack_from(">I", content, place)
        chunks.append((content[place + 4 : place + 8], bytearray(content[place + 8 : place + 8 + length])))
        place += 12 + length
    chunks.insert(
        1, (random.choice([b"tRNS", b"eXIf", b"zTXt", b"iCCP", b"acTL", b"gAMA"]).item(), bytearray(random.bytes(20)))
    )
    for _ in range(random.integers(1, 4)):
        kind, inside = chunks[random.integers(len(chunks))]
        if inside:
            inside[random.integers(len(inside))] = random.integers(256)
        if random.random() < 0.3:
            chunks.insert(random.integers(len(chunks)), (kind, inside))
    return PNG_SIGNATURE + b"".join(png_chunk(kind, bytes(inside)) for kind, inside in chunks)


def tiff_with_random_tags(random: Random) -> bytes:
    tags = {256: 16, 257: 16, 258: 8, 259: 1, 262: 1, 273: 8, 277: 1, 278: 16, 279: 256}
    compressed = {
        1: random.bytes(256),
        8: zlib.compress(random.bytes(256)),
        5: random.bytes(200),
        7: b"\xff\xd8\xff\xd9",
    }
    for _ in range(random.integers(1, 6)):
        tag = int(random.choice([*tags, 266, 274, 282, 284, 317, 320, 322, 323, 324, 325, 330, 338, 339, 347, 530]))
        tags[tag] = (
            NUMBERS[random.integers(len(NUMBERS))] if random.random() < 0.8 else random.bytes(4 * random.integers(1, 9))
        )
    if random.random() < 0.5:
        tags[259] = int(random.choice(list(compressed)))
    return tiff(compressed.get(tags[259], bytes(256)) if isinstance(tags[259], int) else bytes(256), tags)


def plain_text(random: Random) -> bytes:
    words = [b"0", b"1", b"255", b"-1", b"65536", b"9" * 12, b"#", b"# a\n", b"\n", b"\0", b"1e9", b"nan", b" "]
    head = b"P%d %d %d %d\n" % tuple(random.integers(1, (8, 60, 60, 70_000)))
    return head + b" ".join(words[place] for place in random.choice(len(words), random.integers(0, 3_000), p=_MOSTLY))


_MOSTLY = np.array([30, 30, 30, *[0.05] * 10]) / 90.5


def bmp_with_random_header(random: Random) -> bytes:
    bits, compression = int(random.choice([0, 1, 4, 8, 16, 24, 32, 64])), int(random.choice([0, 1, 2, 3, 4, 6, 99]))
    width, height = (int(random.choice([0, 1, 17, 300, -20, 65_500, 2**31 - 1])) for _ in "wh")
    head = struct.pack(
        "<IiiHHIIiiII", int(random.choice([12, 40, 40, 40, 108])), width, height, 1, bits, compression, *[0] * 5
    )
    return (
        b"BM"
        + struct.pack("<IHHI", 0, 0, 0, int(random.choice([0, 54, 54 + 1_024, 9_999])))
        + head
        + random.bytes(3_000)
    )


# Strange but whole files


def of_any_mode_and_size(random: Random) -> bytes:
    sizes = [(1, 1), (2, 1), (1, 3), (1, 20_000), (20_000, 1), (3, 5_000), (63, 64), (65, 63), (257, 90)]
    while True:
        kind, mode = FORMATS[random.integers(len(FORMATS))], MODES[random.integers(len(MODES))]
        try:
            return encoded(noise(random, mode, sizes[random.integers(len(sizes))]), kind)
        except (OSError, ValueError, KeyError, SystemError):
            continue  # a format that has no such mode or size


def of_odd_floats(random: Random) -> bytes:
    values = random.normal(0, 10.0 ** random.integers(-40, 38), (50, 70)).astype(np.float32)
    values[random.random(values.shape) < random.random()] = random.choice([np.nan, np.inf, -np.inf, 3.4e38, -3.4e38, 0])
    return encoded(Image.fromarray(values), "TIFF")


def with_odd_exif(random: Random) -> bytes:
    """An orientation of any type, count and value, and up to 60,000 bytes behind it."""
    count, value = (NUMBERS[place] for place in random.integers(len(NUMBERS), size=2))
    entry = struct.pack("<HHHII", 1, 0x0112, random.integers(0, 15), count, value)
    content = b"Exif\0\0II*\0" + struct.pack("<I", 8) + entry + random.bytes(random.integers(0, 60_000))
    return encoded(noise(random, "RGB", (40, 24)), ("PNG", "JPEG", "WEBP")[random.integers(3)], exif=content)


def animation(random: Random) -> bytes:
    pages = [noise(random, "RGB", tuple(random.integers(1, 60, 2))) for _ in range(random.integers(2, 20))]
    if random.random() < 0.6:
        pages = [page.resize((40, 24)) for page in pages]
    for kind in random.permutation(["GIF", "TIFF", "PNG", "MPO", "WEBP"]):
        try:
            return encoded(pages[0], str(kind), save_all=True, append_images=pages[1:])
        except (OSError, ValueError, RuntimeError):
            continue  # pages of different sizes, where they must be the same
    return b""


def of_many_pieces(random: Random) -> bytes:
    many = int(10 ** random.uniform(2, 5))
    gif, jpeg = b"GIF89a\x08\0\x08\0\0\0\0", encoded(Image.new("L", (8, 8)), "JPEG")
    return [
        gif + b"!\xfe\1a\0" * many,
        gif + b"!\x01\0" * many,
        gif + b"," + bytes(8) + b"\0\2" + b"\1\0" * many,
        jpeg[:2] + b"\xff\xfe\0\2" * many + jpeg[2:],
        jpeg[:2] + b"\xff\xe1\0\x08Exif\0\0" * many + jpeg[2:],
        jpeg[:-2] + jpeg[jpeg.rfind(b"\xff\xda") : -2] * many + jpeg[-2:],
        png(8, 8, bits=8, colour=0, rows=bytes(72), before=png_chunk(b"abCd", b"") * many),
        png(8, 8, bits=8, colour=0, rows=bytes(72), before=png_chunk(b"tEXt", b"a\0b") * many),
        b"P1 100 100\n" + b"#\n" * many,
        b"P2 500 500 255\n" + b"1 " * many,
    ][random.integers(10)]


def large(random: Random) -> bytes:
    """Few bytes that claim, and some that hold, up to 400 million pixels."""
    width, height = [(20_000, 20_000), (7_700, 7_700), (65_500, 300), (300, 65_500), (4_000, 3_000)][random.integers(5)]
    if random.random() < 0.3:
        return large_tiff(width, height, int(random.choice([8, 16, 32])))
    bits, colour, bands = [(1, 0, 1), (8, 0, 1), (16, 0, 1), (8, 2, 3), (8, 4, 2), (8, 6, 4)][random.integers(6)]
    pattern = bytes(row % 5 == 0 for row in range(64)) if random.random() < 0.5 else b"\0"
    length = ((width * bits * bands + 7) // 8 + 1) * (height if width * height < 60_000_000 else 10)
    return png(width, height, bits=bits, colour=colour, rows=(pattern * (length // len(pattern) + 1))[:length])


def large_tiff(width: int, height: int, bits: int) -> bytes:
    deflate, floats = 8, 3
    pixels = zlib.compress(bytes(width * (min(height, 60_000_000 // width)) * bits // 8), 1)
    tags = {256: width, 257: height, 258: bits, 259: deflate, 262: 1, 273: 8, 278: height, 279: len(pixels)}
    return tiff(pixels, tags | ({339: floats} if bits == 32 else {}))


def large_photo(random: Random) -> bytes:
    picture = noise(random, "L", (75, 75)).resize((int(7_700 * random.uniform(0.3, 1) ** 3),) * 2)
    kind = ("JPEG", "JPEG", "WEBP", "TIFF")[random.integers(4)]
    return encoded(picture, kind, **{"progressive": True} if random.random() < 0.5 and kind == "JPEG" else {})


def large_or_photo(random: Random) -> bytes:
    return (large, large_photo)[random.integers(2)](random)


def patterned(random: Random) -> bytes:
    """Thousands of pieces, lines, rings and nests, each as dark as ink."""
    side, step = int(10 ** random.uniform(1.8, 3)), int(random.integers(2, 25))
    rows, columns = np.indices((side, side))
    middle = side // 2
    patterns: list[Callable[[], np.ndarray]] = [
        lambda: (rows // step + columns // step) % 2,
        lambda: random.random((side, side)) < random.random(),
        lambda: np.hypot(rows - middle, columns - middle) % step < step / 2,
        lambda: np.maximum(abs(rows - middle), abs(columns - middle)) % step < step / 2,
        lambda: (columns + random.uniform(-1, 1) * rows) % step < step / 2,
        lambda: (rows % step == 0) | (columns % step == 0),
        lambda: (rows % step < step / 2) & (columns % step < step / 2),
        lambda: np.sin(rows * columns / 10.0 ** random.uniform(2, 4)) > 0,
        lambda: np.kron(random.random((side // step + 1,) * 2) < 0.4, np.ones((step, step)))[:side, :side],
        lambda: random.random((side, side)) < columns / side,
        lambda: np.full((side, side), random.integers(2)),
        lambda: (columns % step == 0) & (rows % 200 < 180) | (columns < 9),
    ]
    grey = np.asarray(patterns[random.integers(len(patterns))](), float) * random.uniform(-1, 1) + random.random((1, 1))
    return encoded(Image.fromarray((255 * grey.clip(0, 1)).astype(np.uint8)), "BMP")


KINDS = (
    *(random_bytes, magic_and_random_bytes, cut_off, with_flipped_bits, spliced, with_other_numbers),
    *(png_with_true_checksums, tiff_with_random_tags, plain_text, bmp_with_random_header),
    *(of_any_mode_and_size, of_odd_floats, with_odd_exif, animation, of_many_pieces),
    *(cut_off, with_flipped_bits, spliced, with_other_numbers, of_any_mode_and_size, png_with_true_checksums),
    *(patterned, large_or_photo),
)


def hostile_file(number: int) -> tuple[str, bytes]:
    """The file of this number, always the same, and what it is."""
    kind = KINDS[number % len(KINDS)]
    return kind.__name__, kind(np.random.default_rng(number))
