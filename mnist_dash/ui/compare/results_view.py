"""Results: accuracies with their intervals, accuracy against cost, tags."""

from collections.abc import Mapping, Sequence
from statistics import fmean
from typing import Any

import streamlit as st

from mnist_dash.analysis import calibration
from mnist_dash.analysis.cross_validation import validation_spread
from mnist_dash.analysis.learning_curves import History
from mnist_dash.analysis.replicates import ReplicateGroup
from mnist_dash.analysis.words.comparison_words import claim_words
from mnist_dash.analysis.words.number_words import spread_words
from mnist_dash.errors import RunStateError
from mnist_dash.figures import result_figures
from mnist_dash.networks.hyperparameters import folds_of
from mnist_dash.store.search import RunFinder
from mnist_dash.ui.compare.compare_chart import compare_chart
from mnist_dash.ui.compare.comparison import Comparison
from mnist_dash.ui.compare.robustness_panel import robustness_of
from mnist_dash.ui.shared.controls import as_text, choice, claim_of
from mnist_dash.ui.shared.resources import predictions_of, run_store, visitor

_TAGS = "Tags"
_CROSS_VALIDATION = "Cross-validation"
# In this order; those without any value are left out.
_COLUMNS = (
    "Run",
    "Test accuracy",
    "95 % interval",
    _CROSS_VALIDATION,
    _TAGS,
    "Tutorial",
    "Test loss",
    "Parameters",
    "Training",
    "Prediction",
    "Model",
    "Calibration error",
    "Under corruption",
    "Trained on",
)
_REFUSED = "compare_refused"  # how often tags were rejected
_COSTS = {"weights": "Parameters", "fit_seconds": "Training time", "prediction_ms": "Prediction time"}


def results_view(comparison: Comparison) -> None:
    """Shows accuracies, a table of all results, and accuracy against cost."""
    claims = [claim_of(group.first) for group in comparison.replicate_groups]
    rows = result_rows(comparison)
    exported = [{**row, _TAGS: ", ".join(row[_TAGS])} for row in rows]
    compare_chart(
        result_figures.accuracy_intervals(
            comparison.titles,
            comparison.replicate_groups,
            [claim.accuracy if claim else None for claim in claims],
        ),
        exported,
        name="intervals",
        alt="Test accuracies with 95 % intervals",
    )
    _table(comparison, rows)
    if len(comparison.replicate_groups) > 1:
        st.subheader("Accuracy and cost", anchor=False)
        cost = choice("X axis", _COSTS, key="compare_cost")
        compare_chart(
            result_figures.accuracy_against(comparison.titles, comparison.replicate_groups, cost),
            exported,
            name="costs",
            alt=f"Test accuracy against {_COSTS[cost].lower()}",
        )


def _table(comparison: Comparison, rows: list[dict[str, Any]]) -> None:
    # The editor remembers edits by row, so other runs need another one; so do tags that were rejected.
    refused = st.session_state.setdefault(_REFUSED, 0)
    key = f"compare_table_{hash(tuple(group.first.id for group in comparison.replicate_groups))}_{refused}"
    st.data_editor(
        rows,
        hide_index=True,
        placeholder="–",
        disabled=[name for name in rows[0] if name != _TAGS],
        column_config=_column_config(),
        key=key,
        on_change=_save_tags,
        args=(key, comparison.replicate_groups),
    )


def result_rows(comparison: Comparison) -> list[dict[str, Any]]:
    """Returns all results of the groups as rows of a table."""
    finder = RunFinder(run_store())
    ids = [group.first.id for group in comparison.replicate_groups]
    tags, sizes = finder.tags_of(ids), finder.model_bytes(ids)
    robust, validated = robustness_of(comparison.runs), _validation_words(comparison.replicate_groups)
    rows = [
        {
            **_row(title, group, sizes.get(group.first.id), robust),
            _CROSS_VALIDATION: validated[group.first.id],
            _TAGS: tags[group.first.id],
        }
        for title, group in zip(comparison.titles, comparison.replicate_groups, strict=True)
    ]
    known = [name for name in _COLUMNS if name == _TAGS or any(row[name] not in (None, "") for row in rows)]
    return [{name: row[name] for name in known} for row in rows]


def _validation_words(groups: Sequence[ReplicateGroup]) -> dict[int, str]:
    """Returns the accuracies over the folds, in words, by each group's first run; empty without cross-validation."""
    runs = [run for group in groups for run in group.runs if folds_of(run.settings)]
    epochs = run_store().epochs_of([run.id for run in runs]) if runs else {}
    spreads = {
        group.first.id: validation_spread([History(run, tuple(epochs.get(run.id, ()))) for run in group.runs])
        for group in groups
    }
    return {run_id: spread_words(spread) if spread else "" for run_id, spread in spreads.items()}


def _row(title: str, group: ReplicateGroup, size: int | None, robust: Mapping[int, float]) -> dict[str, Any]:
    accuracy = group.accuracy
    corrupted = [robust[run.id] for run in group.runs if run.id in robust]
    return {
        "Run": title,
        "Test accuracy": 100 * accuracy.value,
        "95 % interval": f"{100 * accuracy.low:.2f} – {100 * accuracy.high:.2f}",
        "Tutorial": claim_words(claim_of(group.first), accuracy),
        "Test loss": group.mean("test_loss"),
        "Parameters": group.first.weights,
        "Training": group.mean("fit_seconds"),
        "Prediction": group.mean("prediction_ms"),
        "Trained on": "; ".join(sorted({run.device for run in group.runs if run.device})),
        "Model": None if size is None else round(size / 1000),
        "Calibration error": 100 * fmean(calibration.calibration_error(predictions_of(run.id)) for run in group.runs),
        "Under corruption": 100 * fmean(corrupted) if corrupted else None,
    }


def _column_config() -> dict[str, Any]:
    number = st.column_config.NumberColumn
    return {
        "Run": st.column_config.TextColumn(pinned=True, width="medium"),
        "Test accuracy": number("Test accuracy (%)", format="%.2f", help="Of replicates: the mean"),
        "95 % interval": st.column_config.TextColumn("95 % interval (%)"),
        _CROSS_VALIDATION: st.column_config.TextColumn(
            help="Validation accuracy over the folds: mean ± standard deviation; the test images play no part"
        ),
        "Tutorial": st.column_config.TextColumn(help="The accuracy that the tutorial reports"),
        "Test loss": number(format="%.4f", help="Mean cross-entropy on the test images, in nats"),
        "Parameters": number(format="localized", help="Weights and biases"),
        "Training": number("Training (s)", format="%.1f", help="All epochs, compilation included"),
        "Trained on": st.column_config.TextColumn(help="The GPU or processor"),
        "Prediction": number("Prediction (ms)", format="%.3f", help="One image with LiteRT, median"),
        "Model": number("Model (kB)", format="localized", help="Size of the LiteRT file, in 1,000 bytes"),
        "Calibration error": number("Calibration error (%)", format="%.2f", help="Expected calibration error, 15 bins"),
        "Under corruption": number(
            "Under corruption (%)", format="%.1f", help="Mean accuracy over 15 kinds at 5 strengths; see Robustness"
        ),
        _TAGS: st.column_config.ListColumn(help="Your own labels; edit them here, and find runs by them"),
    }


def _save_tags(key: str, replicate_groups: tuple[ReplicateGroup, ...]) -> None:
    finder = RunFinder(run_store())
    for row, changes in st.session_state[key]["edited_rows"].items():
        for run in replicate_groups[int(row)].runs:
            try:
                finder.set_tags(run.id, [str(tag) for tag in changes.get(_TAGS) or []], by=visitor())
            except RunStateError as error:
                st.toast(as_text(str(error)), icon=":material/error:")
                st.session_state[_REFUSED] += 1
                return
