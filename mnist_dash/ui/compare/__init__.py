"""The Compare page: what is compared, and one view a question."""

from mnist_dash.ui.compare.comparison import Comparison, compare, comparison_words
from mnist_dash.ui.compare.real import real_view
from mnist_dash.ui.compare.reporting import report_button
from mnist_dash.ui.compare.results import results_view
from mnist_dash.ui.compare.robust import robustness_view
from mnist_dash.ui.compare.sweep import sweep_view
from mnist_dash.ui.compare.where import where_view

__all__ = [
    "Comparison",
    "compare",
    "comparison_words",
    "real_view",
    "report_button",
    "results_view",
    "robustness_view",
    "sweep_view",
    "where_view",
]
