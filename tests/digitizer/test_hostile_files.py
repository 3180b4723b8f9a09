"""Whatever file it is: read, or refused in a sentence or two, with bounded time and memory."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from tests.support import fuzzing, hostile
from tests.support.pictures import encoded

FUZZING = Path(fuzzing.__file__)
MOST_SECONDS = 3  # of processor time for one file
MOST_MEGABYTES = 700  # for one file, beyond what the process has anyway


def reports_on(parts) -> list[dict]:
    """What reading these files took: each part (first number, count) in a process of its own, all at once."""
    running = [
        subprocess.Popen(
            [sys.executable, "-W", "error", str(FUZZING), str(first), str(count)],
            env={**os.environ, "PYTHONPATH": str(FUZZING.parents[2])},
            stdout=subprocess.PIPE,
        )
        for first, count in parts
    ]
    return [json.loads(process.communicate()[0]) for process in running]


@pytest.mark.parametrize(
    "parts",
    [[(0, 300)], pytest.param([(300, 2_850), (3_150, 2_850)], marks=pytest.mark.slow)],
    ids=["some", "many"],
)
def test_hostile_files_are_read_or_refused_within_bounds(parts):
    reports = reports_on(parts)

    print(reports)
    assert [report["problems"] for report in reports] == [[] for _ in parts]
    assert all(report["seconds"] < MOST_SECONDS for report in reports)
    assert all(report["megabytes"] < MOST_MEGABYTES for report in reports)


def test_a_number_always_gives_the_same_hostile_file():
    assert hostile.hostile_file(77) == hostile.hostile_file(77)


def test_every_kind_of_hostile_file_is_among_the_first_hundred():
    assert {hostile.hostile_file(number)[0] for number in range(len(hostile.KINDS))} == {
        kind.__name__ for kind in hostile.KINDS
    }


def test_hostile_files_start_from_many_formats_that_can_be_read():
    files = hostile.whole_files()

    assert len(files) > 60
    assert [fuzzing.problem_with(content) for content in files] == [None] * len(files)


def test_a_report_says_what_went_wrong(monkeypatch):
    def fail(content):
        raise ZeroDivisionError("of width by height")

    monkeypatch.setattr(fuzzing, "digitize_file", fail)

    assert "ZeroDivisionError('of width by height')" in fuzzing.problem_with(encoded(Image.new("L", (9, 9))))
