"""Training pictures changed at random, so that a network learns what does not matter.

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
_SIZE, _POINTS = 28, 5


def augment(pictures: Any, strength: float, seed: Any) -> Any:
    """Shifts, turns, scales, shears and bends each picture, and changes its strokes.

    Every picture gets changes of its own, each drawn evenly from its range.

    Args:
        pictures: Shape (n, 28, 28), float32 in [0, 255].
        strength: 0 changes nothing, 1 uses the ranges above, 2 twice as wide ones.
        seed: Two whole numbers; the same seed gives the same changes.

    Returns:
        As `pictures`.

    Source:
        Simard, Steinkraus and Platt 2003, "Best practices for convolutional neural
        networks applied to visual document analysis", for the elastic distortions.
    """
    import tensorflow as tf

    count = tf.shape(pictures)[0]
    of_chances, of_bends, of_noise = tf.unstack(tf.random.split(tf.convert_to_tensor(seed, tf.int32), 3))
    chances = tf.random.stateless_uniform((count, 10), of_chances, -strength, strength)
    bends = tf.random.stateless_normal((2, count, _POINTS, _POINTS), of_bends) * ELASTIC * strength
    noise = tf.random.stateless_normal(tf.shape(pictures), of_noise)

    warped = _warp(_restroke(pictures, chances[:, 6] * STROKE), chances, bends)
    shade = tf.exp(chances[:, 7] * GAMMA)[:, None, None]
    brightness = (1 - FAINTNESS * tf.abs(chances[:, 8]))[:, None, None]
    noisiness = (NOISE * tf.maximum(chances[:, 9], 0))[:, None, None]  # half of the pictures stay clean
    return tf.clip_by_value(255 * brightness * (warped / 255) ** shade + noisiness * noise, 0, 255)


def _restroke(pictures: Any, amounts: Any) -> Any:
    """Makes strokes thicker (amounts above 0) or thinner (below)."""
    import tensorflow as tf

    planes = pictures[..., None]
    thicker = tf.nn.max_pool2d(planes, 3, 1, "SAME")[..., 0]
    thinner = -tf.nn.max_pool2d(-planes, 2, 1, "SAME")[..., 0]
    amounts = tf.clip_by_value(amounts, -1, 1)[:, None, None]
    changed = tf.where(amounts > 0, thicker, thinner)
    return pictures + tf.abs(amounts) * (changed - pictures)


def _warp(pictures: Any, chances: Any, bends: Any) -> Any:
    """Moves every pixel: each takes the value from where the inverse change leads."""
    import tensorflow as tf

    turn, shear = chances[:, 0] * ROTATION, chances[:, 1] * SHEAR
    scale, aspect = chances[:, 2] * SCALE, tf.abs(chances[:, 3]) * ASPECT / 2
    wide, high = tf.exp(-scale - aspect)[:, None, None], tf.exp(-scale + aspect)[:, None, None]
    cosine, sine = (part[:, None, None] for part in (tf.cos(turn), tf.sin(turn)))
    across = tf.range(_SIZE, dtype=tf.float32) - (_SIZE - 1) / 2
    x, y = across[None, None, :], across[None, :, None]
    # From the picture's middle: turn, shear, scale; then the shift and the bends.
    turned_x, turned_y = cosine * x - sine * y, sine * x + cosine * y
    curves = _interpolation()
    bent_x, bent_y = tf.unstack(tf.einsum("ip,knpq,jq->knij", curves, bends, curves))
    from_x = wide * (turned_x + shear[:, None, None] * turned_y) + SHIFT * chances[:, 4, None, None] + bent_x
    from_y = high * turned_y + SHIFT * chances[:, 5, None, None] + bent_y
    return _sample(pictures, from_x + (_SIZE - 1) / 2, from_y + (_SIZE - 1) / 2)


def _interpolation() -> Any:
    """Returns weights, shape (28, 5), that spread values at five points smoothly over 28 pixels."""
    import tensorflow as tf

    pixels = tf.range(_SIZE, dtype=tf.float32)[:, None] * ((_POINTS - 1) / (_SIZE - 1))
    away = tf.minimum(tf.abs(pixels - tf.range(_POINTS, dtype=tf.float32)[None, :]), 1.0)
    return 0.5 + 0.5 * tf.cos(away * 3.14159265)


def _sample(pictures: Any, x: Any, y: Any) -> Any:
    """Reads pictures between their pixels, bilinearly; outside of them is paper."""
    import tensorflow as tf

    padded = tf.pad(pictures, [[0, 0], [1, 1], [1, 1]])
    side = _SIZE + 2
    flat = tf.reshape(padded, (-1, side * side))
    x, y = (tf.clip_by_value(part + 1, 0.0, float(side - 1)) for part in (x, y))
    left, top = (tf.minimum(tf.floor(part), float(side - 2)) for part in (x, y))
    right_part, low_part = x - left, y - top
    corner = tf.cast(top * side + left, tf.int32)

    def pixel(offset: int) -> Any:
        places = tf.reshape(corner + offset, (-1, _SIZE * _SIZE))
        return tf.reshape(tf.gather(flat, places, batch_dims=1), tf.shape(pictures))

    upper = pixel(0) * (1 - right_part) + pixel(1) * right_part
    lower = pixel(side) * (1 - right_part) + pixel(side + 1) * right_part
    return upper * (1 - low_part) + lower * low_part
