"""Errors: one view a question, always with the images themselves."""

from collections.abc import Callable, Sequence

from mnist_dash.store.records import Run
from mnist_dash.ui.compare.class_views import render_calibration, render_per_class, render_slices
from mnist_dash.ui.compare.comparison import Comparison
from mnist_dash.ui.compare.confusion_view import render_confusion
from mnist_dash.ui.shared.controls import choice
from mnist_dash.ui.shared.image_views import (
    render_disagreements,
    render_label_errors,
    render_marked,
    render_worst_errors,
)

# The ids stand in links.
_VIEWS: dict[str, tuple[str, Callable[[Sequence[Run]], None]]] = {
    "confusion": ("Confusion matrix", render_confusion),
    "digits": ("Per class", render_per_class),
    "disagreements": ("Disagreements", render_disagreements),
    "worst": ("Most confident errors", render_worst_errors),
    "labels": ("Label errors", render_label_errors),
    "marked": ("Marked images", render_marked),
    "sureness": ("Calibration", render_calibration),
    "traits": ("Ink, slant, size", render_slices),
}


def errors_view(comparison: Comparison) -> None:
    """Shows the errors of the compared runs."""
    view = choice(
        "Show", {name: title for name, (title, _) in _VIEWS.items()}, key="compare_look", label_visibility="collapsed"
    )
    _VIEWS[view][1](comparison.runs)
