import csv
import io
import json
import sys

import numpy as np
import pytest
from PIL import Image

from benchmarks import pictures

MODEL = "cnn"


@pytest.fixture(scope="module")
def folder(sample, tmp_path_factory):
    """Two sources of single digits, two sheets and four of Semeion's kind; some labels are wrong on purpose."""
    made = tmp_path_factory.mktemp("pictures")
    digits = {digit: sample.x_test[sample.y_test == digit][0] for digit in range(10)}
    rows = []

    def add(name, label, kind, source, *drawn):
        lines = [np.hstack([np.pad(digits[int(digit)], 14) for digit in line]) for line in drawn]
        Image.fromarray(255 - np.vstack(lines)).resize(
            (4 * lines[0].shape[1], 4 * sum(line.shape[0] for line in lines)), Image.Resampling.BICUBIC
        ).save(made / name)
        rows.append([name, label, kind, source, ""])

    add("zero.png", "0", "drawn", "a/a", "0")
    add("one.png", "1", "drawn", "a/a", "1")
    add("two.png", "2", "drawn", "a/a", "2")
    add("no_four.png", "4", "drawn", "a/a", "3")
    add("seven.png", "7", "drawn", "b/b", "7")
    add("two_sevens.png", "7", "paper", "b/b", "77")
    add("sheet.png", "12/30", "sheet", "a/a", "12", "30")
    add("one_too_many.png", "127", "sheet", "b/b", "12")
    with (made / "labels.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([["path", "label", "kind", "source_repo", "note"], *rows])
    small = [np.asarray(Image.fromarray(digits[digit][4:24, 4:24]).resize((16, 16))) for digit in (0, 1, 2, 3)]
    x = np.where(np.stack(small) > 100, 255, 0).astype(np.uint8)
    np.savez(made / "semeion.npz", x=x, y=np.array([0, 1, 2, 5], np.uint8))
    return made


@pytest.fixture(scope="module")
def measured(folder):
    return pictures.measure(folder, [MODEL])


def found(measured, kind, way="ours"):
    (result,) = [one for one in measured["accuracy"] if (one["kind"], one["way"]) == (kind, way)]
    return result


def png(picture) -> bytes:
    file = io.BytesIO()
    Image.fromarray(picture).save(file, "PNG")
    return file.getvalue()


def test_accuracies_are_means_over_pictures_and_over_sources(measured):
    drawn = found(measured, "drawn")

    # Four of five; three of four and one of one. Wilson's interval of 4 of 5 by hand:
    # (0.8 + 0.3841) / 1.7683 ± 1.96 / 1.7683 × √(0.16 / 5 + 3.8415 / 100).
    assert drawn["pictures"] == pytest.approx({"value": 0.8, "low": 0.3755, "high": 0.9638, "n": 5}, abs=1e-4)
    assert drawn["sources"]["value"] == (3 / 4 + 1) / 2
    assert drawn["sources"]["n"] == 2
    assert {source: (share["value"], share["n"]) for source, share in drawn["by_source"].items()} == {
        "a/a": (0.75, 4),
        "b/b": (1, 1),
    }


def test_two_digits_where_one_is_meant_count_as_wrong(measured):
    assert found(measured, "paper")["pictures"]["value"] == 0


def test_sheets_count_whole_and_by_digit(measured):
    (sheets,) = measured["sheets"]

    assert sheets["sheets"]["value"] == 1 / 2
    assert sheets["found"]["value"] == sheets["read"]["value"] == 6 / 7
    assert sheets["extra"] == 0


@pytest.mark.parametrize(
    ("way", "kind"), [("ours", "semeion tight"), ("ours", "semeion padded"), ("plain", "semeion padded")]
)
def test_semeion_is_read_from_picture_files(measured, way, kind):
    assert found(measured, kind, way)["pictures"]["value"] == 3 / 4


def test_what_was_read_wrong_is_listed(measured):
    files = [mistake for mistake in measured["wrong"] if mistake["path"].endswith(".png")]

    assert [(mistake["path"], mistake["label"], mistake["answer"]) for mistake in files] == [
        ("no_four.png", "4", "3"),
        ("two_sevens.png", "7", "77"),
        ("one_too_many.png", "127", "12"),
    ]
    assert all(0.5 < mistake["probability"] <= 1 for mistake in files)


def test_times_are_those_of_the_whole_and_of_decoding(measured):
    times = measured["milliseconds"]

    assert 0 < times["median"] <= times["percentile_95"]
    assert 0 < times["large_decode"] < times["large_whole"]


@pytest.mark.parametrize(
    ("label", "read", "right"),
    [("123", "123", 3), ("123", "1923", 3), ("123", "321", 1), ("1231", "131", 3), ("1", "", 0)],
)
def test_digits_in_order_are_the_longest_common_subsequence(label, read, right):
    assert pictures.in_order(label, read) == right


def test_the_tutorials_way_makes_ink_of_what_is_below_100():
    grey = np.full((28, 28), 100, np.uint8)
    grey[3, 5] = 99

    ((pixels,),) = pictures.tutorial(png(grey))

    assert np.argwhere(pixels == 255).tolist() == [[3, 5]]
    assert (np.delete(pixels, 3 * 28 + 5) == 0).all()


def test_the_plain_way_inverts_only_what_is_dark_on_light():
    light_on_dark = np.full((28, 28), 30, np.uint8)
    light_on_dark[3, 5] = 200

    for picture in (light_on_dark, 255 - light_on_dark):
        np.testing.assert_array_equal(pictures.plain(png(picture)), light_on_dark[None, None])


def test_the_command_prints_one_json_object_and_nothing_else(folder, measured, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["pictures", str(folder), "--json", "--models", MODEL])

    pictures.main()

    printed = json.loads(capsys.readouterr().out)
    assert printed["accuracy"] == measured["accuracy"]
    assert printed["sheets"] == measured["sheets"]
    assert "wrong" not in printed


def test_the_tables_show_every_way_source_sheet_and_mistake(measured):
    rows = [" | ".join(cell.strip() for cell in line.split("|")) for line in pictures.tables(measured).splitlines()]

    assert any(row.startswith(f" | ours | {MODEL} | 80.0 (37.6–96.4) | 87.5 (") for row in rows)
    assert any(row.startswith(f" | tutorial | {MODEL} | ") for row in rows)
    assert " | drawn | a/a | 4 | 75 | " in rows
    assert any(row.startswith(f" | {MODEL} | 50.0 (9.5–90.5) | 85.7 (") for row in rows)
    assert any(row.startswith(f"{MODEL}: two_sevens.png shows 7, read as '77' (") for row in rows)


def test_all_models_that_ship_take_part():
    assert set(pictures.model_names()) >= {"dense-32", "sigmoid-100", "dense-512", "cnn"}
