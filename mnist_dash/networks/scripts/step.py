"""One step of a script or notebook: some code and what it is for."""

import textwrap
from dataclasses import dataclass

WIDTH = 120  # characters of a line


@dataclass(frozen=True)
class Step:
    """Some lines of code, and what they are for.

    Attributes:
        words: The explanation, one paragraph of ASCII; empty where there is nothing to say.
        code: Python source without its last newline.
        title: The heading of what begins here; empty inside of a section.
    """

    words: str
    code: str
    title: str = ""


def comment(words: str, *, indent: int = 0) -> list[str]:
    """Returns words as the lines of a comment."""
    start = " " * indent + "# "
    return textwrap.wrap(words, WIDTH, initial_indent=start, subsequent_indent=start, break_on_hyphens=False)
