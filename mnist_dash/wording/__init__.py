"""Numbers and findings as people read them."""

from mnist_dash.wording.comparing import (
    chance_words,
    claim_words,
    confusion_words,
    effect_words,
    ranking_words,
    verdict_words,
)
from mnist_dash.wording.learning import curve_words, different_data_words, over_fitting_words
from mnist_dash.wording.numbers import (
    accuracy_words,
    count_words,
    listed,
    milliseconds_words,
    percent,
    probability_words,
    rounded,
    seconds_words,
    spread_words,
)
from mnist_dash.wording.reading import agreement_words, as_sure_words, not_a_digit_words, number_words

__all__ = [
    "accuracy_words",
    "agreement_words",
    "as_sure_words",
    "chance_words",
    "claim_words",
    "confusion_words",
    "count_words",
    "curve_words",
    "different_data_words",
    "effect_words",
    "listed",
    "milliseconds_words",
    "not_a_digit_words",
    "number_words",
    "over_fitting_words",
    "percent",
    "probability_words",
    "ranking_words",
    "rounded",
    "seconds_words",
    "spread_words",
    "verdict_words",
]
