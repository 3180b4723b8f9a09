"""Finished runs side by side: accuracy with its interval, cost, and what was taken for what."""

import streamlit as st

from mnist_dash import evaluation, figures, ui, wording
from mnist_dash.data import KNOWN
from mnist_dash.runs import DONE

ui.header(
    "Compare",
    "Which network reads best, how sure one can be of that, and what each of them costs.",
    "interval",
    "test_set",
)
runs = ui.run_store().list_runs(statuses=[DONE])
if not runs:
    st.info("No run has finished yet.", icon=":material/balance:")
    st.page_link("pages/train.py", label="Train the first one", icon=":material/model_training:")
    st.stop()

datasets = sorted({run.dataset for run in runs})
dataset = datasets[0]
if len(datasets) > 1:
    # Accuracies on different test pictures are never put side by side.
    dataset = ui.choice("Tested on", {name: KNOWN[name].title for name in datasets}, key="compare_dataset")
chosen = ui.run_picker([run for run in runs if run.dataset == dataset], key=f"compare_runs_{dataset}")
if not chosen:
    st.info("Choose one or more runs above.", icon=":material/balance:")
    st.stop()

ranked = sorted(chosen, key=lambda run: run.test_accuracy or 0.0, reverse=True)
claims = [ui.claim_of(run) for run in ranked]
accuracies = [evaluation.of_run(run) for run in ranked]
st.markdown(wording.ranking_words([ui.title_of(run) for run in ranked], accuracies))
st.plotly_chart(
    figures.accuracy_intervals(
        [ui.title_of(run) for run in ranked],
        [run.variant for run in ranked],
        accuracies,
        [claim.accuracy if claim else None for claim in claims],
    ),
    key="compare_intervals",
    config=ui.CHART,
    alt="Test accuracies of the chosen runs with their 95 % intervals",
)
st.dataframe(
    [
        {
            "Run": ui.title_of(run),
            "Test accuracy": wording.accuracy_words(accuracy),
            "Test loss": run.test_loss,
            "Tutorial": claim.words if claim else "",
            "Weights": run.weights,
            "Epochs": run.settings.get("epochs"),
            "Training (s)": wording.rounded(run.fit_seconds or 0.0),
            "Prediction (ms)": run.prediction_ms,
        }
        for run, accuracy, claim in zip(ranked, accuracies, claims, strict=True)
    ],
    hide_index=True,
    column_config={
        "Test loss": st.column_config.NumberColumn(format="%.4f"),
        "Weights": st.column_config.NumberColumn(format="localized"),
        "Training (s)": st.column_config.NumberColumn(format="localized", help="All epochs, compilation included"),
        "Prediction (ms)": st.column_config.NumberColumn(format="%.2f", help="One digit with LiteRT, median"),
    },
    alt="The chosen runs with accuracy, weights, training time and prediction time",
)

st.subheader("What was taken for what", anchor=False)
run = ui.one_run_picker(ranked, key=f"compare_confusion_{dataset}")
outcome = ui.outcome(run.id)
st.markdown(wording.confusion_words(evaluation.most_confused(outcome.confusion), outcome.accuracy))
st.plotly_chart(
    figures.confusion(outcome.confusion),
    key="compare_matrix",
    config=ui.CHART,
    alt=f"Confusion matrix of {run.title}: rows are true digits, columns are digits read",
)
