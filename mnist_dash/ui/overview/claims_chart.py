"""The tutorials' claims beside what was measured, as dots and intervals.

As HTML: plotly takes a second of a new server's first page, and this is that page.
"""

import math
from collections.abc import Sequence

import streamlit as st

from mnist_dash.analysis import replicates
from mnist_dash.analysis.words.number_words import accuracy_words
from mnist_dash.datasets.mnist import MNIST
from mnist_dash.figures.style import variant_colour
from mnist_dash.networks.variants import VARIANTS
from mnist_dash.store.records import Run
from mnist_dash.ui.shared.controls import claim_of
from mnist_dash.ui.shared.digit_html import show_template

_CHART = """<div class="md-claims" role="list">
{%- for row in rows -%}
<div role="listitem"><b>{{ row.title }}</b><div class="md-track" aria-hidden="true">
{%- for tick in ticks %}<s style="left: {{ tick.at }}%"></s>{% endfor -%}
<i style="left: {{ row.low }}%; right: {{ 100 - row.high }}%; background: {{ row.colour }}"></i>
{%- if row.claim is not none %}<u style="left: {{ row.claim }}%"></u>{% endif -%}
<em style="left: {{ row.at }}%; background: {{ row.colour }}"></em></div>
<span>{{ row.words }}<small>{{ row.claim_words }}</small></span></div>
{%- endfor -%}
<div aria-hidden="true"><b></b><div class="md-ticks">
{%- for tick in ticks %}<span style="left: {{ tick.at }}%">{{ tick.percent }}</span>{% endfor -%}
</div><span></span></div>
<p><em></em>measured, with its 95 % interval <u></u>reported by the tutorial</p></div>"""


def claims_chart(runs: Sequence[Run]) -> None:
    """Shows test accuracies of the models that ship with the project, and what their tutorials report."""
    groups = replicates.replicate_groups([run for run in runs if run.dataset == MNIST.name], together=False)
    claims = {group.first.id: claim_of(group.first) for group in groups}
    numbers = [claim.accuracy for claim in claims.values() if claim and claim.accuracy]
    lowest = math.floor(100 * min([*numbers, *(group.accuracy.low for group in groups)]))

    def at(share: float) -> float:
        return round(100 * (100 * share - lowest) / (100 - lowest), 2)

    rows = [
        {
            "title": VARIANTS[group.first.variant].title,
            "colour": variant_colour(group.first.variant),
            "at": at(group.accuracy.value),
            "low": at(group.accuracy.low),
            "high": at(group.accuracy.high),
            "words": accuracy_words(group.accuracy),
            "claim": at(claim.accuracy) if (claim := claims[group.first.id]) and claim.accuracy else None,
            "claim_words": f"tutorial: {claim.words}" if claim else "our own network",
        }
        for group in groups
    ]
    ticks = [{"percent": percent, "at": at(percent / 100)} for percent in range(lowest, 101)]
    st.subheader("Test accuracy (%), and what the tutorials report", anchor=False)
    show_template(_CHART, rows=rows, ticks=ticks)
