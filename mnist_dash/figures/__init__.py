"""Plotly figures from plain values. Pages choose what to show; nothing here reads a store."""

from mnist_dash.evaluation import ACCURACY, LOSS
from mnist_dash.figures.confusion import confusion, confusion_difference
from mnist_dash.figures.curves import DrawnCurve, learning_curves
from mnist_dash.figures.data import class_balance
from mnist_dash.figures.live import RunSoFar, live_curve, runs_so_far
from mnist_dash.figures.measures import accuracy_by_trait, reliability, scores_by_digit
from mnist_dash.figures.network import drawing_words, network_drawing
from mnist_dash.figures.results import accuracy_against, accuracy_intervals
from mnist_dash.figures.style import ACCENT, TEXT, variant_colour
from mnist_dash.figures.sweep import axis_values, is_numeric, parallel_coordinates
from mnist_dash.figures.taking import as_fragment, as_html
from mnist_dash.figures.weights import kernel_sheet, neuron_sheet

__all__ = [
    "ACCENT",
    "ACCURACY",
    "LOSS",
    "TEXT",
    "DrawnCurve",
    "RunSoFar",
    "accuracy_against",
    "accuracy_by_trait",
    "accuracy_intervals",
    "as_fragment",
    "as_html",
    "axis_values",
    "class_balance",
    "confusion",
    "confusion_difference",
    "drawing_words",
    "is_numeric",
    "kernel_sheet",
    "learning_curves",
    "live_curve",
    "network_drawing",
    "neuron_sheet",
    "parallel_coordinates",
    "reliability",
    "runs_so_far",
    "scores_by_digit",
    "variant_colour",
]
