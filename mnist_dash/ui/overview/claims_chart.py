"""The tutorials' claims beside what was measured, as dots and intervals."""

from collections.abc import Sequence

import streamlit as st

from mnist_dash.analysis import replicates
from mnist_dash.analysis.words.number_words import accuracy_words
from mnist_dash.datasets.mnist import MNIST
from mnist_dash.figures.result_figures import accuracy_intervals
from mnist_dash.networks.variants import VARIANTS
from mnist_dash.store.records import Run
from mnist_dash.ui.shared.controls import CHART, claim_of


def claims_chart(runs: Sequence[Run]) -> None:
    """Shows test accuracies of the models that ship with the project, and what their tutorials report."""
    groups = replicates.replicate_groups([run for run in runs if run.dataset == MNIST.name], together=False)
    titles = [f"{VARIANTS[group.first.variant].title}: {accuracy_words(group.accuracy)}" for group in groups]
    claims = [claim_of(group.first) for group in groups]
    st.subheader("Measured on 10,000 test images, and reported by the tutorials", anchor=False)
    st.plotly_chart(
        accuracy_intervals(titles, groups, [claim.accuracy if claim else None for claim in claims]),
        key="overview_claims",
        config=CHART,
        alt="; ".join(titles),
    )
