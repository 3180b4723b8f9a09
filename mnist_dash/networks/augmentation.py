"""Data augmentation: random changes of training images.

Plain TensorFlow and ASCII on purpose: it runs inside the compiled training step, and a
run's stand-alone script carries what follows, with TensorFlow imported at its top.
"""

from typing import Any

ROTATION = 0.26  # radians to either side: 15 degrees
SHEAR = 0.2  # sideways, of the height
SCALE = 0.15  # natural logarithm of the factor
ASPECT = 0.7  # natural logarithm of width over height; wider only, as a 7 made narrow looks like a 1
SHIFT = 2.5  # pixels
ELASTIC = 1.1  # pixels, standard deviation at each of 5 x 5 points; smooth between them
STROKE = 0.8  # 1 is a pixel thicker on all sides, -1 a pixel thinner
GAMMA = 0.5  # natural logarithm of the exponent: paler or fuller edges
FAINTNESS = 0.2  # part of the ink's brightness that may be missing
NOISE = 25.0  # of 255, the largest standard deviation
_POINTS = 5
SIZE = 28  # pixels, the side of an image


def augment(images: Any, strength: float, seed: Any) -> Any:
    """Shifts, rotates, scales, shears and distorts each image, and changes its strokes.

    The changes of each image are drawn uniformly from their ranges.

    Args:
        images: Shape (n, 28, 28), float32 in [0, 255].
        strength: 0 changes nothing, 1 uses the ranges above, 2 twice as wide ones.
        seed: Two whole numbers; the same seed gives the same changes.

    Returns:
        As `images`.

    Source:
        Simard, Steinkraus and Platt 2003, "Best practices for convolutional neural
        networks applied to visual document analysis", for the elastic distortions.
    """
    import tensorflow as tf

    count = tf.shape(images)[0]
    uniform_seed, elastic_seed, noise_seed = tf.unstack(tf.random.split(tf.convert_to_tensor(seed, tf.int32), 3))
    draws = tf.random.stateless_uniform((count, 10), uniform_seed, -strength, strength)
    elastic = tf.random.stateless_normal((2, count, _POINTS, _POINTS), elastic_seed) * ELASTIC * strength
    noise = tf.random.stateless_normal(tf.shape(images), noise_seed)

    warped = _warp(_change_strokes(images, draws[:, 6] * STROKE), draws, elastic)
    shade = tf.exp(draws[:, 7] * GAMMA)[:, None, None]
    brightness = (1 - FAINTNESS * tf.abs(draws[:, 8]))[:, None, None]
    noisiness = (NOISE * tf.maximum(draws[:, 9], 0))[:, None, None]  # half of the images stay clean
    return tf.clip_by_value(255 * brightness * (warped / 255) ** shade + noisiness * noise, 0, 255)


def _change_strokes(images: Any, amounts: Any) -> Any:
    """Makes strokes thicker (amounts above 0) or thinner (below)."""
    import tensorflow as tf

    planes = images[..., None]
    thicker = tf.nn.max_pool2d(planes, 3, 1, "SAME")[..., 0]
    thinner = -tf.nn.max_pool2d(-planes, 2, 1, "SAME")[..., 0]
    amounts = tf.clip_by_value(amounts, -1, 1)[:, None, None]
    changed = tf.where(amounts > 0, thicker, thinner)
    return images + tf.abs(amounts) * (changed - images)


def _warp(images: Any, draws: Any, elastic: Any) -> Any:
    """Moves every pixel: each takes the value from where the inverse change leads."""
    import tensorflow as tf

    turn, shear = draws[:, 0] * ROTATION, draws[:, 1] * SHEAR
    scale, aspect = draws[:, 2] * SCALE, tf.abs(draws[:, 3]) * ASPECT / 2
    wide, high = tf.exp(-scale - aspect)[:, None, None], tf.exp(-scale + aspect)[:, None, None]
    cosine, sine = (part[:, None, None] for part in (tf.cos(turn), tf.sin(turn)))
    across = tf.range(SIZE, dtype=tf.float32) - (SIZE - 1) / 2
    x, y = across[None, None, :], across[None, :, None]
    # From the image's middle: turn, shear, scale; then the shift and the distortion.
    turned_x, turned_y = cosine * x - sine * y, sine * x + cosine * y
    basis = _interpolation()
    bent_x, bent_y = tf.unstack(tf.einsum("ip,knpq,jq->knij", basis, elastic, basis))
    from_x = wide * (turned_x + shear[:, None, None] * turned_y) + SHIFT * draws[:, 4, None, None] + bent_x
    from_y = high * turned_y + SHIFT * draws[:, 5, None, None] + bent_y
    return read_between_pixels(images, from_x + (SIZE - 1) / 2, from_y + (SIZE - 1) / 2)


def _interpolation() -> Any:
    """Returns weights, shape (28, 5), that spread values at five points smoothly over 28 pixels."""
    import tensorflow as tf

    pixels = tf.range(SIZE, dtype=tf.float32)[:, None] * ((_POINTS - 1) / (SIZE - 1))
    away = tf.minimum(tf.abs(pixels - tf.range(_POINTS, dtype=tf.float32)[None, :]), 1.0)
    return 0.5 + 0.5 * tf.cos(away * 3.14159265)


def read_between_pixels(images: Any, x: Any, y: Any) -> Any:
    """Reads images between their pixels, bilinearly; outside is background."""
    import tensorflow as tf

    padded = tf.pad(images, [[0, 0], [1, 1], [1, 1]])
    side = SIZE + 2
    flat = tf.reshape(padded, (-1, side * side))
    x, y = (tf.clip_by_value(part + 1, 0.0, float(side - 1)) for part in (x, y))
    left, top = (tf.minimum(tf.floor(part), float(side - 2)) for part in (x, y))
    right_share, lower_share = x - left, y - top
    corner = tf.cast(top * side + left, tf.int32)

    def pixel(offset: int) -> Any:
        indices = tf.reshape(corner + offset, (-1, SIZE * SIZE))
        return tf.reshape(tf.gather(flat, indices, batch_dims=1), tf.shape(images))

    upper = pixel(0) * (1 - right_share) + pixel(1) * right_share
    lower = pixel(side) * (1 - right_share) + pixel(side + 1) * right_share
    return upper * (1 - lower_share) + lower * lower_share
