"""Is it real? What the tests say of every pair."""

import streamlit as st

from mnist_dash.analysis.replicates import PairwiseTest
from mnist_dash.analysis.words.comparison_words import verdict_words
from mnist_dash.ui.compare.comparison import Comparison
from mnist_dash.ui.shared.controls import explain

_SAID = 8  # pairs that are described in words


def real_view(comparison: Comparison) -> None:
    """Says for every pair whether one is really better, and on what that rests."""
    if len(comparison.replicate_groups) < 2:
        st.info("Choose a second run above: then you can see whether one is really better.", icon=":material/balance:")
        return
    with st.container(horizontal=True, gap="small"):
        explain("paired_test")
        explain("many_tests")
        if any(test.means for test in comparison.pairwise_tests):
            explain("repeats")
    for test in comparison.pairwise_tests[:_SAID]:
        icon = ":material/check:" if test.real else ":material/drag_handle:"
        st.markdown(f"{icon} {verdict_words(comparison.titles, test)}")
    if len(comparison.pairwise_tests) > _SAID:
        st.caption(f"Those are the first {_SAID} of {len(comparison.pairwise_tests)} pairs; the table has all.")
    st.dataframe(
        [pairwise_test_row(comparison, test) for test in comparison.pairwise_tests],
        hide_index=True,
        column_config={
            "Difference": st.column_config.NumberColumn("Difference (points)", format="%.2f"),
            "Chance": st.column_config.NumberColumn(
                "p (corrected)", format="%.2g", help="How often chance alone makes such a difference; Holm's correction"
            ),
        },
        alt="All pairs with their difference and how often chance alone would make it",
    )


def pairwise_test_row(comparison: Comparison, test: PairwiseTest) -> dict[str, object]:
    """Returns a verdict as a row of a table."""
    better, worse = (comparison.replicate_groups[place].accuracy.value for place in (test.better, test.worse))
    return {
        "Better": comparison.titles[test.better],
        "Worse": comparison.titles[test.worse],
        "Difference": 100 * (better - worse),
        "Only better right": test.paired.only_first if test.paired else None,
        "Only worse right": test.paired.only_second if test.paired else None,
        "Chance": test.p,
        "Shown": "yes" if test.real else "no",
        "Method": "McNemar, exact" if test.paired else "Welch’s t-test of means",
    }
