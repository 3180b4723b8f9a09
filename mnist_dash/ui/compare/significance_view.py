"""Significance: the tests of every pair as a matrix, and one of them in words."""

import streamlit as st

from mnist_dash.analysis.replicates import PairwiseTest
from mnist_dash.analysis.words.comparison_words import p_words, pairwise_words
from mnist_dash.ui.compare.comparison import Comparison
from mnist_dash.ui.shared.digit_html import render
from mnist_dash.ui.shared.html_buttons import html_buttons

# A row beats a column: groups are in order of their accuracy.
_MATRIX = """<div class="md-pairs"><table><thead><tr><td></td>
{%- for title in titles[1:] %}<th scope="col">{{ title }}</th>{% endfor %}</tr></thead><tbody>
{%- for row in rows -%}
<tr><th scope="row">{{ titles[loop.index0] }}</th>
{%- for cell in row -%}
<td>{% if cell %}<button type="button" class="{{ "md-beats" if cell.significant }}" aria-label="{{ cell.label }}">
{{- "" }}<b>{{ "better" if cell.significant else "tied" }}</b><span>{{ cell.p }}</span><span>{{ cell.basis }}</span>
{{- "" }}</button>{% endif %}</td>
{%- endfor %}</tr>
{%- endfor %}</tbody></table></div>"""


def significance_view(comparison: Comparison) -> None:
    """Shows for every pair whether it differs significantly."""
    if len(comparison.replicate_groups) < 2:
        st.info("Choose a second run above to test the difference.", icon=":material/balance:")
        return
    st.caption("Is the row better than the column? p, corrected for all pairs, and images that only one gets right.")
    chosen = _matrix(comparison)
    st.markdown(pairwise_words(comparison.titles, chosen))
    with st.expander("All pairs as a table", icon=":material/table:", key="compare_pairs", on_change="rerun") as box:
        if box.open:
            _table(comparison)


def _matrix(comparison: Comparison) -> PairwiseTest:
    """Shows the matrix of all pairs and returns the one that the reader chose."""
    groups = len(comparison.replicate_groups)
    tests = {(test.better, test.worse): test for test in comparison.pairwise_tests}
    # In the order of the buttons.
    pairs = [(better, worse) for better in range(groups - 1) for worse in range(better + 1, groups)]
    rows = [
        [_cell(comparison, tests[better, worse]) if worse > better else None for worse in range(1, groups)]
        for better in range(groups - 1)
    ]
    key = f"compare_pair_{hash(tuple(group.first.id for group in comparison.replicate_groups))}"
    index = html_buttons(render(_MATRIX, titles=comparison.titles, rows=rows), key=key, count=len(pairs))
    return tests[pairs[index]]


def _cell(comparison: Comparison, test: PairwiseTest) -> dict[str, object]:
    words = pairwise_words(comparison.titles, test).replace("**", "")
    if test.paired:
        basis = f"{test.paired.only_first:,} vs {test.paired.only_second:,}"
    else:
        basis = f"{_difference(comparison, test):+.2f} points"
    return {"significant": test.significant, "p": p_words(test.p), "basis": basis, "label": words}


def _difference(comparison: Comparison, test: PairwiseTest) -> float:
    better, worse = (comparison.replicate_groups[index].accuracy.value for index in (test.better, test.worse))
    return 100 * (better - worse)


def _table(comparison: Comparison) -> None:
    st.dataframe(
        [pairwise_test_row(comparison, test) for test in comparison.pairwise_tests],
        hide_index=True,
        placeholder="–",
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
    return {
        "Better": comparison.titles[test.better],
        "Worse": comparison.titles[test.worse],
        "Difference": _difference(comparison, test),
        "Only the better is right": test.paired.only_first if test.paired else None,
        "Only the worse is right": test.paired.only_second if test.paired else None,
        "p": test.p,
        "Significant": "yes" if test.significant else "no",
        "Method": "McNemar, exact" if test.paired else "Welch’s t-test",
    }
