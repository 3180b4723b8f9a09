"""Any drawing, picture or photo of digits → 28 × 28 pixels each, as MNIST's own digits were made.

reading: file → upright colours; ink: colours → where there is ink; lines: without ruled
lines; parts: pieces of ink, joined; digits: which are digits, in reading order; mnist: one
digit → 28 × 28; redrawing: all of it in a row.
"""

from mnist_dash.images.mnist import SIZE, narrowed, to_mnist
from mnist_dash.images.reading import FORMATS, MAX_FILE_BYTES, MAX_PIXELS
from mnist_dash.images.redrawing import Digit, Redrawn, redraw_canvas, redraw_file

__all__ = [
    "FORMATS",
    "MAX_FILE_BYTES",
    "MAX_PIXELS",
    "SIZE",
    "Digit",
    "Redrawn",
    "narrowed",
    "redraw_canvas",
    "redraw_file",
    "to_mnist",
]
