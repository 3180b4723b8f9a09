"""The table of all kinds with their strengths."""

from mnist_dash.corruptions import geometry, lighting, noise, overlays
from mnist_dash.corruptions.corruption import Kind, Level, strengths

# To be raised whenever any corrupted picture changes: results of another suite are measured anew.
SUITE = 1

CLEAN = Kind(
    "clean",
    "Untouched",
    "The image is unchanged.",
    (Level(0, ()),),
    lambda pictures, _: pictures,
)
# The comment says which strength is MNIST-C's own.
CORRUPTIONS = (
    Kind(
        "shot-noise",
        "Shot noise",
        "The ink becomes grainy, as in a photograph taken with too little light.",
        strengths((60,), (25,), (12,), (5,), (3,)),  # the fifth
        noise.shot_noise,
    ),
    Kind(
        "impulse-noise",
        "Impulse noise",
        "Single pixels turn black or white, as from a faulty sensor.",
        strengths((0.03,), (0.06,), (0.09,), (0.17,), (0.27,)),  # the fourth
        noise.impulse_noise,
    ),
    Kind(
        "glass-blur",
        "Glass blur",
        "Pixels swap with near ones, as seen through rough glass.",
        strengths((0.5, 1, 1), (0.6, 1, 1), (0.7, 1, 2), (0.7, 2, 1), (0.8, 2, 2)),  # the third
        noise.glass_blur,
    ),
    Kind(
        "motion-blur",
        "Motion blur",
        "The digit is smeared to one side, as if the camera had moved.",
        strengths((1,), (2,), (3,), (3.5,), (4,)),  # the third
        noise.motion_blur,
    ),
    Kind(
        "shear",
        "Shear",
        "The digit is slanted to the left or to the right.",
        strengths((0.2,), (0.39,), (0.56,), (0.72,), (0.84,)),  # the second
        geometry.shear,
    ),
    Kind(
        "scale",
        "Scale",
        "The digit becomes smaller, down to half of its size.",
        strengths((0.9,), (0.8,), (0.7,), (0.6,), (0.5,)),  # the third
        geometry.scale,
    ),
    Kind(
        "rotate",
        "Rotate",
        "The digit is rotated to the left or to the right, by 11 to 57 degrees.",
        strengths((0.2,), (0.4,), (0.6,), (0.8,), (1.0,)),  # the second
        geometry.rotate,
    ),
    Kind(
        "brightness",
        "Brightness",
        "The black paper becomes grey.",
        strengths((0.1,), (0.2,), (0.3,), (0.4,), (0.5,)),  # the fifth
        lighting.brightness,
    ),
    Kind(
        "translate",
        "Translate",
        "The digit moves towards one of the corners, by 1 to 5 pixels across and down.",
        strengths((1,), (2,), (3,), (4,), (5,)),  # the third
        geometry.translate,
    ),
    Kind(
        "stripe",
        "Stripe",
        "Stripes at the left and at the right are inverted: black becomes white and white black.",
        strengths((3,), (5,), (7,), (9,), (11,)),  # the third
        overlays.stripe,
    ),
    Kind(
        "fog",
        "Fog",
        "Clouds cover the image and lower its contrast.",
        strengths((1, 2), (1.5, 2), (2, 1.7), (2.5, 1.5), (3, 1.4)),  # the fifth
        lighting.fog,
    ),
    Kind(
        "spatter",
        "Spatter",
        "Drops of grey mud cover parts of the image.",
        strengths((0.61,), (0.63,), (0.65,), (0.675,), (0.7,)),  # the third
        lighting.spatter,
    ),
    Kind(
        "dotted-line",
        "Dotted line",
        "Dotted lines are drawn across the image.",
        strengths((1, 0.5), (1, 1), (2, 1), (3, 1), (4, 1)),  # the second
        overlays.dotted_line,
    ),
    Kind(
        "zigzag",
        "Zigzag",
        "Zigzags are drawn across the image.",
        strengths((1, 0.4), (1, 0.7), (1, 1), (2, 1), (3, 1)),  # the third
        overlays.zigzag,
    ),
    Kind(
        "canny-edges",
        "Canny edges",
        "The strokes fade until only their outlines are left.",
        strengths((0.2,), (0.4,), (0.6,), (0.8,), (1.0,)),  # the fifth
        overlays.canny_edges,
    ),
)
TRANSFORMATIONS = (
    Kind(
        "shift",
        "Shift",
        "The digit moves by so many pixels up, down, to the left or to the right.",
        tuple(Level(pixels, (pixels,)) for pixels in range(1, 7)),
        geometry.shift,
        unit="Shift (pixels)",
    ),
    Kind(
        "turn",
        "Turn",
        "The digit is rotated about its center, to the left or to the right.",
        tuple(Level(degrees, (degrees,)) for degrees in (-45, -30, -15, 15, 30, 45)),
        geometry.turn,
        unit="Turn (degrees, clockwise)",
    ),
    Kind(
        "size",
        "Size",
        "The digit becomes smaller or larger.",
        tuple(Level(factor, (factor,)) for factor in (0.5, 0.6, 0.7, 0.85, 1.2, 1.4)),
        geometry.scale,
        unit="Size (factor)",
        untouched=1.0,
    ),
)
KINDS = {kind.name: kind for kind in (*CORRUPTIONS, *TRANSFORMATIONS)}
