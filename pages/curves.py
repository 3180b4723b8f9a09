"""Learning curves: how loss and accuracy moved, epoch by epoch."""

import streamlit as st

from mnist_dash import figures, ui, wording

ui.header(
    "Learning curves",
    "How loss and accuracy moved, epoch by epoch: training dotted, validation solid, the test result as a diamond.",
    "over_fitting",
    "softmax",
    "batch",
)
store = ui.run_store()
runs = [run for run in store.list_runs() if run.status != "queued"]
if not runs:
    st.info("No run has started yet.", icon=":material/show_chart:")
    st.page_link("pages/train.py", label="Train the first one", icon=":material/model_training:")
    st.stop()

chosen = ui.run_picker(runs, key="curves_runs")
ui.warn_of_mixed_data(chosen)
histories = store.epochs_of([run.id for run in chosen])
curves = [
    figures.Curve(ui.title_of(run), run.variant, histories[run.id], run.test_loss, run.test_accuracy) for run in chosen
]
if not any(curve.epochs for curve in curves):
    st.info("Choose one or more runs above that have finished an epoch.", icon=":material/show_chart:")
    st.stop()

for quantity, words in ((figures.ACCURACY, "Accuracy"), (figures.LOSS, "Loss")):
    st.subheader(words, anchor=False)
    st.plotly_chart(
        figures.learning_curves(curves, quantity),
        key=f"curves_{quantity}",
        config=ui.CHART,
        alt=f"{words} of the chosen runs by epoch",
    )
for run in chosen:
    words = wording.over_fitting_words(histories[run.id])
    if words:
        st.markdown(f"**{ui.title_of(run)}:** {words}")
