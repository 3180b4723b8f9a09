"""Reads hostile files and reports what that took.

`PYTHONPATH=. python tests/support/fuzzing.py FIRST COUNT` prints the report on so many of them as JSON. In a process
of its own a decoder that crashes takes no tests with it, and the memory that is measured is that of reading alone.
"""

import json
import re
import sys
import time
import warnings
from pathlib import Path

import numpy as np
from PIL import Image

from mnist_dash.digitizer.pipeline import DigitizedImage, digitize_file
from mnist_dash.errors import PictureError
from tests.support.hostile import hostile_file
from tests.support.pictures import encoded

MESSAGE = re.compile(r"(?s)(?!.*(Traceback|object at 0x|\n)).{20,399}\.")  # a sentence or two


class Memory:
    """How much memory this process took at most since a moment. Only Linux says; elsewhere it is 0."""

    def __init__(self) -> None:
        self._linux = Path("/proc/self/clear_refs").exists()
        if self._linux:
            Path("/proc/self/clear_refs").write_text("5")  # sets the peak to what there is now
        self._before = self._megabytes("VmRSS")

    def most(self) -> float:
        return self._megabytes("VmHWM") - self._before

    def _megabytes(self, name: str) -> float:
        if not self._linux:
            return 0.0
        found = re.search(rf"{name}:\s+(\d+) kB", Path("/proc/self/status").read_text())
        return int(found[1]) / 1_024 if found else 0.0


def problem_with(content: bytes) -> str | None:
    """Reads a file; gives what is wrong about how that went, None if it was read or refused as it should be."""
    with warnings.catch_warnings(record=True) as escaped:
        warnings.simplefilter("always")
        try:
            redrawn = digitize_file(content)
        except PictureError as error:
            return None if MESSAGE.fullmatch(str(error)) and not escaped else f"says {error} {escaped}"
        except Exception as error:  # what is looked for
            return f"raises {error!r}"
    return f"warns {escaped}" if escaped else wrong_in(redrawn)


def wrong_in(redrawn: DigitizedImage) -> str | None:
    if not 1 <= len(redrawn.digits) <= 400:
        return f"has {len(redrawn.digits)} digits"
    if any(digit.pixels.shape != (28, 28) or digit.pixels.dtype != np.uint8 for digit in redrawn.digits):
        return "has a digit that is not 28 × 28"
    height, width = (round(side * redrawn.scale) for side in redrawn.colours.shape[:2])
    slack = 2 * redrawn.scale
    if any(
        min(digit.left, digit.top) < 0
        or digit.left + digit.width > width + slack
        or digit.top + digit.height > height + slack
        for digit in redrawn.digits
    ):
        return "has a digit outside the picture"
    return None if np.isfinite(redrawn.strength).all() else "has ink that is no number"


def report(first: int, count: int) -> dict[str, object]:
    """Reads files one after the other and sums up.

    Returns:
        `problems`: kind and number of a file and what is wrong with it; `seconds` of
        processor time that one took at most, and `slowest`, which; `megabytes` that one
        took at most, and `largest`, which.
    """
    problem_with(encoded(Image.new("L", (9, 9))))  # imports all decoders
    problems, slowest, largest = [], (0.0, ""), (0.0, "")
    for number in range(first, first + count):
        kind, content = hostile_file(number)
        memory, started = Memory(), time.process_time()
        problem = problem_with(content)
        slowest = max(slowest, (time.process_time() - started, f"{kind} {number}"))
        largest = max(largest, (memory.most(), f"{kind} {number}"))
        if problem:
            problems.append(f"{kind} {number} {problem[:300]}")
    return {
        "problems": problems,
        "seconds": round(slowest[0], 2),
        "slowest": slowest[1],
        "megabytes": round(largest[0]),
        "largest": largest[1],
    }


if __name__ == "__main__":
    json.dump(report(int(sys.argv[1]), int(sys.argv[2])), sys.stdout, indent=1)
