"""What the pages share: resources, controls, digits as HTML, explanations."""

from mnist_dash.ui.app import run_pages
from mnist_dash.ui.board import run_board
from mnist_dash.ui.charts import chart
from mnist_dash.ui.chooser import choose_runs, offered_runs
from mnist_dash.ui.compare import (
    compare,
    comparison_words,
    real_view,
    report_button,
    results_view,
    robustness_view,
    sweep_view,
    where_view,
)
from mnist_dash.ui.controls import (
    CHART,
    choice,
    claim_of,
    download_button,
    explain,
    header,
    neuron_range,
    note,
    one_run_picker,
    page_of,
    title_of,
)
from mnist_dash.ui.curves_panel import curves_panel
from mnist_dash.ui.digits import digit_grid, digit_image, digit_strip, number_grid, one_hot
from mnist_dash.ui.drawing import drawing_board
from mnist_dash.ui.resources import (
    dataset,
    job_queue,
    outcome,
    run_store,
    weights_of,
)
from mnist_dash.ui.take_away import take_away
from mnist_dash.ui.training_form import training_form
from mnist_dash.ui.training_start import start_panel

__all__ = [
    "CHART",
    "chart",
    "choice",
    "choose_runs",
    "claim_of",
    "compare",
    "comparison_words",
    "curves_panel",
    "dataset",
    "digit_grid",
    "digit_image",
    "digit_strip",
    "download_button",
    "drawing_board",
    "explain",
    "header",
    "job_queue",
    "neuron_range",
    "note",
    "number_grid",
    "offered_runs",
    "one_hot",
    "one_run_picker",
    "outcome",
    "page_of",
    "real_view",
    "report_button",
    "results_view",
    "robustness_view",
    "run_board",
    "run_pages",
    "run_store",
    "start_panel",
    "sweep_view",
    "take_away",
    "title_of",
    "training_form",
    "weights_of",
    "where_view",
]
