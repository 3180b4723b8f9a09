"""Plotly figures from plain values. Pages choose what to show; nothing here reads a store."""

from mnist_dash.figures.curves import ACCURACY, LOSS, Curve, RunSoFar, learning_curves, live_curve, runs_so_far
from mnist_dash.figures.data import class_balance
from mnist_dash.figures.network import drawing_words, network_drawing
from mnist_dash.figures.results import accuracy_intervals, confusion
from mnist_dash.figures.style import ACCENT, variant_colour
from mnist_dash.figures.weights import kernel_sheet, neuron_sheet

__all__ = [
    "ACCENT",
    "ACCURACY",
    "LOSS",
    "Curve",
    "RunSoFar",
    "accuracy_intervals",
    "class_balance",
    "confusion",
    "drawing_words",
    "kernel_sheet",
    "learning_curves",
    "live_curve",
    "network_drawing",
    "neuron_sheet",
    "runs_so_far",
    "variant_colour",
]
