"""Numbers as people read them: never more digits than they justify."""

from collections.abc import Sequence

from mnist_dash.analysis.accuracies import Accuracy, Spread

_NO_BREAK = "\u00a0"  # a space at which no line ends


def percent(part: float, *, decimals: int = 1) -> str:
    """Returns a share in [0, 1] as, for instance, “97.9 %”, which no line breaks."""
    return _in_one_line(f"{100 * part:.{decimals}f} %")


def probability_words(part: float) -> str:
    """Returns a probability in [0, 1]; none is rounded to impossible, and none is certain."""
    if 0 < part < 0.0005:
        return _in_one_line("< 0.1 %")
    return _in_one_line("> 99.9 %") if part >= 0.9995 else percent(part)


def accuracy_words(accuracy: Accuracy) -> str:
    """Returns an accuracy with its interval, for instance “97.9 % (± 0.3)”."""
    decimals = 1 if accuracy.margin >= 0.0005 else 2 if accuracy.margin >= 0.00005 else 3
    return _in_one_line(f"{percent(accuracy.value, decimals=decimals)} (± {100 * accuracy.margin:.{decimals}f})")


def spread_words(spread: Spread) -> str:
    """Returns a mean share with its standard deviation over replicates, for instance “97.8 % ± 0.2”."""
    if spread.sd is None:
        return percent(spread.mean)
    decimals = 1 if spread.sd >= 0.0005 else 2
    return _in_one_line(f"{percent(spread.mean, decimals=decimals)} ± {100 * spread.sd:.{decimals}f}")


def count_words(count: int, noun: str) -> str:
    """Writes “1 digit” or “12 digits”."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def seconds_words(seconds: float) -> str:
    """Returns a duration with two significant digits: “0.32 s”, “31 s”, “12 min”, “1.5 h”."""
    for size, unit in ((3600, "h"), (60, "min")):
        if seconds >= 2 * size:
            return _in_one_line(f"{_two_digits(seconds / size)} {unit}")
    return _in_one_line(f"{_two_digits(seconds)} s")


def milliseconds_words(milliseconds: float) -> str:
    """Returns milliseconds with two significant digits."""
    return _in_one_line(f"{_two_digits(milliseconds)} ms")


def _in_one_line(words: str) -> str:
    return words.replace(" ", _NO_BREAK)


def listed(names: Sequence[str]) -> str:
    """Returns names as a list in a sentence: “A, B and C”."""
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _two_digits(value: float) -> str:
    if value <= 0:
        return "0"
    rounded = float(f"{value:.2g}")
    return f"{rounded:,.0f}" if rounded >= 10 else f"{rounded:.2g}"
