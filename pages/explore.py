"""Explore: the data as the tutorials show it, what is in it, a map of it, and what is strange in it."""

from mnist_dash.ui.explore import distributions_view, images_view, map_view, quality_view
from mnist_dash.ui.shared import controls

VIEWS = {
    "images": ("Images", images_view.images_view),
    "distributions": ("Distributions", distributions_view.distributions_view),
    "map": ("Map", map_view.map_view),
    "quality": ("Quality", quality_view.quality_view),
}

controls.header(
    "Explore the data",
    "MNIST’s digits, or images of your own: 28 × 28 pixels each, with their labels.",
    "classification",
    "test_set",
    "flattening",
    "confident_learning",
    "k_fold",
    "normalising",
    "one_hot",
)
view = controls.choice(
    "View", {name: title for name, (title, _) in VIEWS.items()}, key="explore_view", label_visibility="collapsed"
)
VIEWS[view][1]()
