"""Plotly figures from plain values. Pages choose what to show; nothing here reads a store."""

from mnist_dash.figures.curves import ACCURACY, LOSS, Curve, learning_curves, live_curve
from mnist_dash.figures.data import class_balance
from mnist_dash.figures.results import accuracy_intervals, confusion
from mnist_dash.figures.style import ACCENT, variant_colour
from mnist_dash.figures.weights import kernel_sheet, neuron_sheet

__all__ = [
    "ACCENT",
    "ACCURACY",
    "LOSS",
    "Curve",
    "accuracy_intervals",
    "class_balance",
    "confusion",
    "kernel_sheet",
    "learning_curves",
    "live_curve",
    "neuron_sheet",
    "variant_colour",
]
