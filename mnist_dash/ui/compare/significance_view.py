"""Significance: the tests of every pair."""

import streamlit as st

from mnist_dash.analysis.replicates import PairwiseTest
from mnist_dash.analysis.words.comparison_words import pairwise_words
from mnist_dash.ui.compare.comparison import Comparison
from mnist_dash.ui.shared.controls import explain

_MAX_SENTENCES = 8  # pairs that are described in words


def significance_view(comparison: Comparison) -> None:
    """Shows for every pair whether it differs significantly."""
    tests = comparison.pairwise_tests
    if len(comparison.replicate_groups) < 2:
        st.info("Choose a second run above to test the difference.", icon=":material/balance:")
        return
    with st.container(horizontal=True, gap="small"):
        explain("paired_test")
        explain("many_tests")
        if any(test.means for test in tests):
            explain("repeats")
    for test in tests[:_MAX_SENTENCES]:
        icon = ":material/check:" if test.significant else ":material/drag_handle:"
        st.markdown(f"{icon} {pairwise_words(comparison.titles, test)}")
    if len(tests) > _MAX_SENTENCES:
        st.caption(f"The first {_MAX_SENTENCES} of {len(tests)} pairs; the table has all.")
    st.dataframe(
        [pairwise_test_row(comparison, test) for test in tests],
        hide_index=True,
        column_config={
            "Better": st.column_config.TextColumn(width="medium"),
            "Worse": st.column_config.TextColumn(width="medium"),
            "Difference": st.column_config.NumberColumn("Difference (points)", format="%.2f"),
            "p": st.column_config.NumberColumn(
                "p (corrected)", format="%.2g", help="With Holm's correction for the number of pairs"
            ),
        },
        alt="All pairs with their difference and p-value",
    )


def pairwise_test_row(comparison: Comparison, test: PairwiseTest) -> dict[str, object]:
    """Returns a test as a row of a table."""
    better, worse = (comparison.replicate_groups[index].accuracy.value for index in (test.better, test.worse))
    return {
        "Better": comparison.titles[test.better],
        "Worse": comparison.titles[test.worse],
        "Difference": 100 * (better - worse),
        "Only better correct": test.paired.only_first if test.paired else None,
        "Only worse correct": test.paired.only_second if test.paired else None,
        "p": test.p,
        "Significant": "yes" if test.significant else "no",
        "Method": "McNemar, exact" if test.paired else "Welch’s t-test",
    }
