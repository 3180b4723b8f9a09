"""Handwriting styles: strokes that many people write, but few of MNIST's writers did.

Most of MNIST's ones are a single line, and most of its sevens have no bar, so a network takes a one
with an up-stroke for a seven. Plain TensorFlow and ASCII, as the module `augmentation`:
a run's stand-alone script carries both.
"""

from typing import Any

from mnist_dash.networks.augmentation import SIZE, read_between_pixels

UP_STROKE = ((0.2, 0.8), (0.3, 0.95))  # a 1's: length, of its height; radians from upright
FOOT = (0.12, 0.45)  # a 1's: length to either side, of its height
BAR = (0.12, 0.38)  # a 7's: length to either side of its stem, of its height
HOOK = (0.1, 0.3)  # a 7's, down from the left half of its roof: length, of its height
TILT = 0.3  # radians to either side, of what is level
_INK = 100.0  # of 255: from here on a pixel belongs to a stroke
_FITTED = 20.0  # pixels, the longer side of MNIST's digits


def add_strokes(images: Any, labels: Any, share: float, seed: Any) -> Any:
    """Adds strokes to some images of 1 and 7, in their own strokes' width.

    A 1 gets an up-stroke, a foot or both; a 7 a bar through its stem, a hook at its roof or
    both. What has changed is fitted and centred again, as MNIST's images are.

    Args:
        images: Shape (n, 28, 28), float32 in [0, 255].
        labels: Their digits, shape (n,), whole numbers.
        share: Part of the ones and sevens that gets strokes, in [0, 1].
        seed: Two whole numbers; the same seed gives the same strokes.

    Returns:
        As `images`.
    """
    import tensorflow as tf

    draws = tf.random.stateless_uniform((tf.shape(images)[0], 8), tf.convert_to_tensor(seed, tf.int32))
    is_one, is_seven = (tf.cast(labels, tf.int32) == digit for digit in (1, 7))
    chosen = tf.where((is_one | is_seven) & (draws[:, 0] < share))[:, 0]
    # One image more, which is left as it is: TensorFlow would crash on none at all.
    few, is_one, draws = (tf.gather(part, tf.pad(chosen, [[0, 1]])) for part in (images, is_one, draws))
    ends, present = _strokes(few, is_one, draws)
    away = tf.reduce_min(tf.where(present[..., None, None], _distances(ends), float(SIZE)), 1)
    width = _stroke_width(few)[:, None, None]
    drawn = 255 * tf.clip_by_value(width / 2 + 0.5 - away, 0.0, 1.0)
    return tf.tensor_scatter_nd_update(images, chosen[:, None], _fitted(tf.maximum(few, drawn))[:-1])


def _strokes(images: Any, is_one: Any, draws: Any) -> tuple[Any, Any]:
    """Returns both ends (x, y) of two lines an image, shape (n, 2, 2, 2), and which to draw, (n, 2)."""
    import tensorflow as tf

    top, bottom, middle, left = _places(images, draws[:, 1])
    height = bottom[:, 1] - top[:, 1]

    def between(column: int, limits: tuple[float, float]) -> Any:
        return limits[0] + (limits[1] - limits[0]) * draws[:, column]

    def level(place: Any, limits: tuple[float, float]) -> Any:
        tilt = TILT * (2 * draws[:, 4] - 1)
        along = tf.stack([tf.cos(tilt), tf.sin(tilt)], 1) * height[:, None]
        return tf.stack([place - between(2, limits)[:, None] * along, place + between(3, limits)[:, None] * along], 1)

    def falling(place: Any, lengths: tuple[float, float], angle: Any) -> Any:
        along = tf.stack([-tf.sin(angle), tf.cos(angle)], 1) * (between(5, lengths) * height)[:, None]
        return tf.stack([place, place + along], 1)

    one = tf.stack([falling(top, UP_STROKE[0], between(6, UP_STROKE[1])), level(bottom, FOOT)], 1)
    seven = tf.stack([falling(left, HOOK, TILT * (2 * draws[:, 6] - 1)), level(middle, BAR)], 1)
    # In four images, one has only the first line, one only the second, two have both.
    present = tf.stack([draws[:, 7] > 0.25, tf.abs(draws[:, 7] - 0.375) > 0.125], 1)
    return tf.where(is_one[:, None, None, None], one, seven), present


def _places(images: Any, along: Any) -> tuple[Any, ...]:
    """Returns where (x, y) in each image new strokes begin, each shape (n, 2).

    The upper end, the lower end, the stem at 0.4 to 0.6 of the height (where, says
    `along` in [0, 1]), and the highest point of the left half.
    """
    import tensorflow as tf

    ink = tf.cast(images > _INK, tf.float32)
    across = tf.range(SIZE, dtype=tf.float32)
    rows = tf.reduce_max(ink, 2)
    first = tf.cast(tf.argmax(rows, 1), tf.float32)
    last = SIZE - 1 - tf.cast(tf.argmax(rows[:, ::-1], 1), tf.float32)

    def place(weights: Any) -> Any:
        total = tf.maximum(tf.reduce_sum(weights, (1, 2)), 1e-3)
        x = tf.reduce_sum(weights * across[None, None, :], (1, 2)) / total
        return tf.stack([x, tf.reduce_sum(weights * across[None, :, None], (1, 2)) / total], 1)

    def near(inked: Any, row: Any) -> Any:
        return inked * tf.cast(tf.abs(across[None, :] - row[:, None]) <= 1, tf.float32)[..., None]

    left = ink * tf.cast(across[None, :] < place(ink)[:, :1] - 1, tf.float32)[:, None, :]
    left_top = tf.cast(tf.argmax(tf.reduce_max(left, 2), 1), tf.float32)
    stem = first + (last - first) * (0.4 + 0.2 * along)
    return (
        place(near(ink, first + 1)),
        place(near(ink, last - 1)),
        place(near(ink, stem)),
        place(near(left, left_top + 1)),
    )


def _stroke_width(images: Any) -> Any:
    """Returns the width of each image's strokes in pixels, shape (n,): twice the area over the outline's length."""
    import tensorflow as tf

    planes = images / 255
    down, across = planes[:, 1:, :-1] - planes[:, :-1, :-1], planes[:, :-1, 1:] - planes[:, :-1, :-1]
    outline = tf.reduce_sum(tf.sqrt(down**2 + across**2), (1, 2))
    return 2 * tf.reduce_sum(planes, (1, 2)) / tf.maximum(outline, 1.0)


def _distances(ends: Any) -> Any:
    """Returns each pixel's distance to each line, shape (n, lines, 28, 28), pixels."""
    import tensorflow as tf

    across = tf.range(SIZE, dtype=tf.float32)
    x0, y0, x1, y1 = (ends[:, :, end, axis, None, None] for end in (0, 1) for axis in (0, 1))
    along_x, along_y = x1 - x0, y1 - y0
    from_x, from_y = across[None, None, None, :] - x0, across[None, None, :, None] - y0
    length = tf.maximum(along_x**2 + along_y**2, 1e-3)
    part = tf.clip_by_value((from_x * along_x + from_y * along_y) / length, 0.0, 1.0)
    return tf.sqrt((from_x - part * along_x) ** 2 + (from_y - part * along_y) ** 2)


def _fitted(images: Any) -> Any:
    """Shrinks digits that have become larger than 20 pixels, and centres each by its mass."""
    import tensorflow as tf

    across = tf.range(SIZE, dtype=tf.float32)
    ink = tf.cast(images > _INK, tf.float32)
    side = tf.maximum(*(tf.reduce_sum(tf.reduce_max(ink, axis), 1) for axis in (1, 2)))
    total = tf.maximum(tf.reduce_sum(images, (1, 2)), 1.0)
    centre_x = tf.reduce_sum(images * across[None, None, :], (1, 2)) / total
    centre_y = tf.reduce_sum(images * across[None, :, None], (1, 2)) / total
    scale = tf.maximum(side / _FITTED, 1.0)[:, None, None]
    from_middle = across - SIZE / 2
    from_x = scale * from_middle[None, None, :] + centre_x[:, None, None]
    from_y = scale * from_middle[None, :, None] + centre_y[:, None, None]
    shape = tf.shape(images)
    return read_between_pixels(images, tf.broadcast_to(from_x, shape), tf.broadcast_to(from_y, shape))
