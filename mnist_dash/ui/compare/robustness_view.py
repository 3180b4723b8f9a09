"""Robustness: accuracy on corrupted, shifted, rotated and scaled images."""

from mnist_dash.ui.compare.comparison import Comparison
from mnist_dash.ui.compare.robustness_panel import robustness_panel


def robustness_view(comparison: Comparison) -> None:
    """Shows the robustness of the compared runs, and offers to measure it."""
    robustness_panel(comparison.runs, key="compare")
