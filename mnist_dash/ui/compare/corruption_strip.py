"""One digit at every strength, with the prediction of each run."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mnist_dash.figures.style import variant_colour
from mnist_dash.ui.shared.digit_html import show_template

_STYLE = """<style>
.md-steps { border-collapse: separate; border-spacing: 4px 3px; width: 100%; table-layout: fixed; }
.md-steps th, .md-steps td { border: 0; padding: .1rem 0; text-align: center; font-weight: 400; vertical-align: middle;
  font-variant-numeric: tabular-nums; }
.md-steps thead th { font-size: .8rem; vertical-align: top; }
.md-steps img { display: block; width: 100%; max-width: 84px; aspect-ratio: 1; image-rendering: pixelated;
  background: #000; border-radius: 3px; margin: 0 auto .25rem; }
.md-steps thead th:first-child { text-align: left; vertical-align: bottom; }
.md-steps tbody th { text-align: left; font-size: .85rem; line-height: 1.25; overflow-wrap: anywhere; }
.md-steps tbody th i { display: inline-block; width: .65rem; height: .65rem; border-radius: 2px; margin-right: .4rem; }
.md-steps td { font-size: 1.05rem; }
.md-steps td.md-off { color: #E03131; font-weight: 700; background: rgba(224, 49, 49, .12); border-radius: 3px; }
.md-steps td span { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
.md-steps col:first-child { width: 11rem; }
@media (max-width: 640px) {
  .md-steps { border-spacing: 2px 3px; }
  .md-steps col:first-child { width: 5.2rem; }
  .md-steps thead th, .md-steps tbody th { font-size: .75rem; }
}
</style>"""
_TABLE = (
    _STYLE
    + """<table class="md-steps"><colgroup><col></colgroup><thead><tr><th>{{ unit }}</th>
{%- for image, strength in digits -%}
<th scope="col">{{ image|image("the digit " ~ label) }}{{ ("%g"|format(strength)).replace("-", "−") }}</th>
{%- endfor %}</tr></thead><tbody>
{%- for row in rows -%}
<tr><th scope="row"><i style="background: {{ row.colour }}"></i>{{ row.title }}</th>
{%- for digit in row.digits -%}
{% if digit == label %}<td>{{ digit }}</td>{% else %}<td class="md-off">{{ digit }}<span> wrong</span></td>{% endif %}
{%- endfor %}</tr>
{%- endfor %}</tbody></table>"""
)


@dataclass(frozen=True)
class StripRow:
    """One run's predictions.

    Attributes:
        title: The run's name.
        variant: Decides the colour.
        digits: One an image.
    """

    title: str
    variant: str
    digits: Sequence[int]

    @property
    def colour(self) -> str:
        """The colour of the run's variant."""
        return variant_colour(self.variant)


def prediction_strip(
    images: np.ndarray, at: Sequence[float], rows: Sequence[StripRow], *, unit: str, label: int
) -> None:
    """Shows one digit at every strength with the predictions below; wrong ones are red.

    Args:
        images: Shape (n, 28, 28), uint8.
        at: The strength of each.
        rows: The runs.
        unit: Unit of the strengths.
        label: The digit in all images.
    """
    show_template(_TABLE, digits=list(zip(images, at, strict=True)), rows=rows, unit=unit, label=label)
