"""How robust? Accuracy on corrupted, shifted, turned and scaled pictures."""

from mnist_dash.ui.compare.comparison import Comparison
from mnist_dash.ui.compare.robustness_panel import robustness_panel


def robustness_view(comparison: Comparison) -> None:
    """Shows how well the compared runs read corrupted pictures, and offers to measure it."""
    robustness_panel(comparison.runs, key="compare")
