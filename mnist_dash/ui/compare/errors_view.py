"""Where networks go wrong: one look a question, and always the pictures themselves."""

from collections.abc import Callable, Sequence

from mnist_dash.store.records import Run
from mnist_dash.ui.compare.class_views import digits_look, sureness_look, traits_look
from mnist_dash.ui.compare.comparison import Comparison
from mnist_dash.ui.compare.confusion_view import confusion_look
from mnist_dash.ui.compare.image_views import disagreements_look, labels_look, worst_look
from mnist_dash.ui.shared.controls import choice


def where_view(comparison: Comparison) -> None:
    """Shows where the chosen runs go wrong."""
    looks: dict[str, tuple[str, Callable[[Sequence[Run]], None]]] = {
        "confusion": ("What is taken for what", confusion_look),
        "digits": ("Digit by digit", digits_look),
        "disagreements": ("Where they disagree", disagreements_look),
        "worst": ("Worst mistakes", worst_look),
        "labels": ("Wrong labels", labels_look),
        "sureness": ("How sure", sureness_look),
        "traits": ("Ink, slant, width", traits_look),
    }
    look = choice("Look at", {name: title for name, (title, _) in looks.items()}, key="compare_look")
    looks[look][1](comparison.runs)
