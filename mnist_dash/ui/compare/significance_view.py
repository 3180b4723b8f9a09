"""Is it real? What the tests say of every pair."""

import streamlit as st

from mnist_dash.analysis.replicates import Verdict
from mnist_dash.analysis.words.comparison_words import verdict_words
from mnist_dash.ui.compare.comparison import Comparison
from mnist_dash.ui.shared.controls import explain

_SAID = 8  # pairs that are described in words


def real_view(comparison: Comparison) -> None:
    """Says for every pair whether one is really better, and on what that rests."""
    if len(comparison.contenders) < 2:
        st.info("Choose a second run above: then you can see whether one is really better.", icon=":material/balance:")
        return
    with st.container(horizontal=True, gap="small"):
        explain("paired_test")
        explain("many_tests")
        if any(verdict.means for verdict in comparison.verdicts):
            explain("repeats")
    for verdict in comparison.verdicts[:_SAID]:
        icon = ":material/check:" if verdict.real else ":material/drag_handle:"
        st.markdown(f"{icon} {verdict_words(comparison.titles, verdict)}")
    if len(comparison.verdicts) > _SAID:
        st.caption(f"Those are the first {_SAID} of {len(comparison.verdicts)} pairs; the table has all.")
    st.dataframe(
        [verdict_row(comparison, verdict) for verdict in comparison.verdicts],
        hide_index=True,
        column_config={
            "Difference": st.column_config.NumberColumn("Difference (points)", format="%.2f"),
            "Chance": st.column_config.NumberColumn(
                "p (corrected)", format="%.2g", help="How often chance alone makes such a difference; Holm's correction"
            ),
        },
        alt="All pairs with their difference and how often chance alone would make it",
    )


def verdict_row(comparison: Comparison, verdict: Verdict) -> dict[str, object]:
    """Returns a verdict as a row of a table."""
    better, worse = (comparison.contenders[place].accuracy.value for place in (verdict.better, verdict.worse))
    return {
        "Better": comparison.titles[verdict.better],
        "Worse": comparison.titles[verdict.worse],
        "Difference": 100 * (better - worse),
        "Only better right": verdict.paired.only_first if verdict.paired else None,
        "Only worse right": verdict.paired.only_second if verdict.paired else None,
        "Chance": verdict.p,
        "Shown": "yes" if verdict.real else "no",
        "Method": "McNemar, exact" if verdict.paired else "Welch’s t-test of means",
    }
