"""Tables that are taken away."""

import csv
import io

import pytest

from mnist_dash.ui.shared.export_menu import as_csv


def read(content: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"))))


def test_a_table_comes_back_as_it_was():
    rows = [{"title": 'A "quoted", name', "value": 0.1}, {"title": "Dense 32 · run 7", "value": -2.5e-05}]

    assert read(as_csv(rows)) == [{name: str(value) for name, value in row.items()} for row in rows]


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"])
def test_a_text_that_a_spreadsheet_would_calculate_is_made_harmless(text: str):
    [row] = read(as_csv([{"title": text, "value": -1}]))

    assert row["title"].startswith("'")
    assert row["value"] == "-1"


def test_a_spreadsheet_is_told_the_encoding():
    assert as_csv([{"title": "·"}]).startswith(b"\xef\xbb\xbf")


def test_without_rows_the_table_is_empty():
    assert read(as_csv([])) == []
