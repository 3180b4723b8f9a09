import csv
import json
import os
import socket
import subprocess
import sys
import threading
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image, ImageDraw

from mnist_dash.cli import main  # noqa: F401 - brings the commands into the group
from mnist_dash.cli.group import commands
from mnist_dash.datasets.custom_data import as_npz
from mnist_dash.datasets.mnist import SAMPLE_FILE
from mnist_dash.networks.variants import VARIANTS
from mnist_dash.store.reference_runs import REFERENCE_FOLDER
from mnist_dash.store.run_store import RunStore
from mnist_dash.worker.device import Device
from tests.support.datasets import custom_dataset

PROJECT = Path(__file__).resolve().parents[2]
REFERENCES = {path.parent.name for path in REFERENCE_FOLDER.glob("*/run.json")}
TRAIN = ("train", "dense-32", "--epochs", "1", "--seed", "0")
_TIMEOUT_S = 180


@dataclass(frozen=True)
class Printed:
    """What a command left behind."""

    status: int
    out: str
    err: str

    @property
    def records(self) -> list[dict]:
        """Standard output as one JSON object a line."""
        return [json.loads(line) for line in self.out.splitlines()]

    @property
    def record(self) -> dict:
        [only] = self.records
        return only


@pytest.fixture
def command_line(tmp_path):
    """Runs `python -m mnist_dash …` in a process of its own, on an empty database."""

    def run(*arguments, **variables) -> Printed:
        environment = {
            **os.environ,
            "MNIST_DASH_DATABASE_URL": f"sqlite:///{tmp_path / 'runs.sqlite'}",
            "MNIST_DASH_CACHE": str(tmp_path / "cache"),
            "PYTHONPATH": str(PROJECT),
            "PYTHONIOENCODING": "utf-8",
            **variables,
        }
        command = [sys.executable, "-m", "mnist_dash", *map(os.fspath, arguments)]
        ended = subprocess.run(
            command, cwd=tmp_path, env=environment, capture_output=True, timeout=_TIMEOUT_S, check=False
        )
        printed = Printed(ended.returncode, ended.stdout.decode(), ended.stderr.decode(errors="replace"))
        assert "Traceback" not in printed.err, printed.err
        return printed

    return run


@pytest.fixture
def pictures(tmp_path, sample):
    """Files of a real seven, a text, and nothing at all."""
    seven = np.kron(sample.x_test[sample.y_test == 7][0], np.ones((4, 4), np.uint8))
    sheet = 255 - np.pad(seven, 40)
    Image.fromarray(sheet).save(tmp_path / "seven.png")
    (tmp_path / "text.png").write_text("seven, in plain words")
    (tmp_path / "empty.jpg").write_bytes(b"")
    return tmp_path


def assert_refused(printed, *words, status=1):
    """Ended with one sentence that has these words, and printed nothing else."""
    assert printed.status == status
    assert printed.out == ""
    [message] = [line for line in printed.err.splitlines() if line.startswith("Error: ")]
    for word in words:
        assert word in message
    assert message.endswith(".")


# Data


def test_with_no_mnist_anywhere_the_sample_is_in_use(command_line):
    printed = command_line("data", "--json")

    assert printed.status == 0
    assert printed.err == ""
    assert printed.record == {"dataset": "mnist-sample", "source": str(SAMPLE_FILE), "train": 4_000, "test": 1_000}


def test_data_is_described_in_words(command_line):
    printed = command_line("data")

    assert printed.out == f"MNIST sample: 4,000 training and 1,000 test images, from {SAMPLE_FILE}\n"


def test_data_of_ones_own_is_added_and_trained_on(command_line, tmp_path):
    (tmp_path / "pets.npz").write_bytes(as_npz(custom_dataset("Pets")))

    added = command_line("data", "--add", "Pets", "--classes", "cat,dog,2,3,4,5,6,7,8,9", "pets.npz", "--json")
    trained = command_line(*TRAIN, "--data", "Pets", "--json").record

    assert (added.record["dataset"], added.record["train"], added.record["test"]) == ("Pets", 50, 10)
    assert (trained["dataset"], trained["status"]) == ("Pets", "done")
    assert 'np.load("Pets.npz")' in command_line("code", "--run", str(trained["run"])).out
    assert_refused(command_line("data", "--add", "Pets", "pets.npz"), "is there already")
    assert_refused(command_line(*TRAIN, "--data", "Cats"), "There is no dataset “Cats”")
    assert command_line("data", "pets.npz").status == 2


def test_a_corrupt_data_file_is_named_and_passed_over(command_line, tmp_path):
    corrupt = tmp_path / "broken.npz"
    corrupt.write_bytes(b"PK\3\4 and nothing that follows from it")

    printed = command_line("data", "--json", MNIST_DASH_DATA=str(corrupt))

    assert printed.status == 0
    assert printed.record["dataset"] == "mnist-sample"
    [warning] = printed.err.splitlines()
    assert warning.startswith(f"Warning: {corrupt} is damaged or not an .npz file")
    assert "Using MNIST sample" in warning


class WrongFile(BaseHTTPRequestHandler):
    """Gives a page of text, whatever is asked for."""

    def do_GET(self):
        content = b"<html>Please sign in to the hotel's network.</html>"
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_):
        pass


@pytest.fixture
def wrong_address():
    with ThreadingHTTPServer(("127.0.0.1", 0), WrongFile) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/mnist.npz"
        server.shutdown()
        thread.join()


def test_a_download_of_something_else_is_refused_and_not_kept(command_line, wrong_address, tmp_path):
    printed = command_line("data", "--download", "--json", MNIST_DASH_DOWNLOAD_URL=wrong_address)

    assert_refused(printed, wrong_address, "did not give MNIST")
    assert list((tmp_path / "cache").iterdir()) == []


def test_a_download_from_nowhere_is_refused(command_line):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))  # bound but not listening: connections are refused
        nowhere = f"http://127.0.0.1:{unused.getsockname()[1]}/mnist.npz"
        printed = command_line("data", "--download", MNIST_DASH_DOWNLOAD_URL=nowhere)

    assert_refused(printed, nowhere, "could not be fetched", "Check the connection")


# Runs


def test_the_models_that_ship_with_the_project_are_listed_as_runs(command_line):
    printed = command_line("runs", "--json")

    assert printed.status == 0
    assert {record["variant"] for record in printed.records} == REFERENCES
    for record in printed.records:
        assert (record["status"], record["dataset"], record["reference"]) == ("done", "mnist", True)
        assert 0.9 < record["test_accuracy"] < 1
        assert record["settings"]["seed"] == 0


def test_runs_are_listed_in_words_one_a_line(command_line):
    printed = command_line("runs")

    assert len(printed.out.splitlines()) == len(REFERENCES)
    assert all("done" in line and line.endswith("mnist") for line in printed.out.splitlines())


# Training


def test_training_prints_one_object_and_the_same_for_the_same_seed(command_line):
    once, twice = command_line(*TRAIN, "--json"), command_line(*TRAIN, "--json")

    run, again = once.record, twice.record
    assert (once.status, twice.status) == (0, 0)
    assert (run["variant"], run["dataset"], run["status"], run["weights"]) == (
        "dense-32",
        "mnist-sample",
        "done",
        25_450,
    )
    assert [set(epoch) for epoch in run["epochs"]] == [
        {"number", "loss", "accuracy", "val_loss", "val_accuracy", "seconds"}
    ]
    assert 0.7 < run["test_accuracy"] < 1
    assert run["fit_seconds"] > 0
    assert again["run"] == run["run"] + 1
    for name in ("test_loss", "test_accuracy"):
        assert again[name] == run[name]
    for name in ("number", "loss", "accuracy", "val_loss", "val_accuracy"):
        assert again["epochs"][0][name] == run["epochs"][0][name]


def test_training_tells_its_progress_in_words_beside_the_result(command_line):
    printed = command_line(*TRAIN, "--validation", "holdout")

    assert printed.status == 0
    [result] = printed.out.splitlines()
    assert result.startswith(f"Run {len(REFERENCES) + 1}: test accuracy ")
    assert "25,450 parameters" in result
    assert "Epoch 1 of 1: loss " in printed.err
    assert "validation loss" in printed.err
    listed = command_line("runs", "--json").records
    assert (listed[0]["run"], listed[0]["variant"]) == (len(REFERENCES) + 1, "dense-32")


# Predicting


def test_pictures_are_read_one_object_a_line_and_bad_ones_do_not_hold_up_the_good(command_line, pictures):
    names = ["text.png", "seven.png", "missing.png", "empty.jpg", "seven.png", "."]

    printed = command_line("predict", *names, "--run", "dense-32", "--json")

    assert printed.status == 1
    assert [record["picture"] for record in printed.records] == names
    assert ["error" in record for record in printed.records] == [True, False, True, True, False, True]
    good = printed.records[1]
    assert set(good) == {"picture", "digit", "is_digit", "probability", "probabilities", "number", "digits", "run"}
    assert good["digit"] == 7
    assert len(good["probabilities"]) == 10
    assert sum(good["probabilities"]) == pytest.approx(1, abs=1e-5)
    assert good["probability"] == max(good["probabilities"]) == good["probabilities"][7]
    assert set(printed.records[0]) == {"picture", "error"}
    errors = [line for line in printed.err.splitlines() if line.startswith("Error: ")]
    assert [line.split(": ")[1] for line in errors] == ["text.png", "missing.png", "empty.jpg", "."]


def test_several_digits_of_a_picture_come_in_reading_order_with_their_boxes(command_line, pictures):
    seven = Image.open(pictures / "seven.png").convert("L")
    width, height = seven.size
    sheet = Image.new("L", (2 * width, 2 * height), seven.getpixel((0, 0)))
    for place in ((0, 0), (width, 0), (0, height)):
        sheet.paste(seven, place)
    sheet.save(pictures / "sheet.png")

    printed = command_line("predict", "sheet.png", "seven.png", "--json")
    in_words = command_line("predict", "sheet.png")

    several, one = printed.records
    assert several["number"] == "77/7"
    assert "digit" not in several
    assert [(found["digit"], found["row"]) for found in several["digits"]] == [(7, 0), (7, 0), (7, 1)]
    [alone] = one["digits"]
    for found, (left, top) in zip(several["digits"], ((0, 0), (width, 0), (0, height)), strict=True):
        expected = [alone["box"][0] + left, alone["box"][1] + top, *alone["box"][2:]]
        assert found["box"] == pytest.approx(expected, abs=2)
    assert in_words.out == "sheet.png: 77/7 (3 digits)\n"


def test_what_may_be_no_digit_is_guessed_with_a_warning(command_line, pictures):
    star = Image.new("L", (280, 280))
    points = [
        (140 + (110 if k % 2 else 45) * np.cos(k * np.pi / 5), 140 + (110 if k % 2 else 45) * np.sin(k * np.pi / 5))
        for k in range(10)
    ]
    ImageDraw.Draw(star).polygon(points, fill=255)
    star.save(pictures / "star.png")

    printed = command_line("predict", "star.png", "--json")

    assert printed.status == 0
    assert printed.record["is_digit"] is False
    assert f"does not look like a digit; if it is one, it is a {printed.record['digit']}" in printed.err


def test_where_all_pictures_are_read_the_status_is_zero(command_line, pictures):
    printed = command_line("predict", "seven.png", "--run", "dense-512")

    assert printed.status == 0
    assert printed.out.startswith("seven.png: 7 (")


def test_a_run_is_named_by_its_number_too(command_line, pictures):
    [number] = [run["run"] for run in command_line("runs", "--json").records if run["variant"] == "sigmoid-100"]

    printed = command_line("predict", "seven.png", "--run", str(number), "--json")

    assert (printed.record["run"], printed.record["digit"]) == (number, 7)


@pytest.mark.skipif(sys.platform == "win32", reason="file names are text there")
def test_a_picture_whose_name_is_no_text_is_read(command_line, pictures):
    name = os.fsdecode(b"seven-\xff.png")
    (pictures / "seven.png").rename(pictures / name)

    printed = command_line("predict", name, "--run", "dense-32", "--json")
    in_words = command_line("predict", name, "--run", "dense-32")

    assert (printed.status, in_words.status) == (0, 0)
    assert (printed.record["picture"], printed.record["digit"]) == (name, 7)
    assert "png: 7 (" in in_words.out


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("999", "There is no run 999."),
        ("99999999999999999999", "There is no run"),
        ("-1", "neither a run's number nor one of"),
        ("dense-33", "“dense-33” is neither a run's number nor one of"),
    ],
)
def test_a_run_that_does_not_exist_is_refused(command_line, pictures, name, words):
    assert_refused(command_line("predict", "seven.png", f"--run={name}", "--json"), words)


# Evaluating


def test_an_evaluation_counts_every_picture_in_its_row(command_line, tmp_path, sample):
    x, y = sample.x_test[:300], sample.y_test[:300]
    np.savez(tmp_path / "own.npz", x=x, y=y)

    printed = command_line("evaluate", "own.npz", "--run", "dense-32", "--json")

    found = printed.record
    assert printed.status == 0
    assert set(found) == {"run", "n", "accuracy", "low", "high", "confusion"}
    confusion = np.array(found["confusion"])
    assert confusion.sum(1).tolist() == np.bincount(y, minlength=10).tolist()
    assert found["accuracy"] == pytest.approx(np.trace(confusion) / 300)
    assert found["n"] == 300
    assert 0.85 < found["low"] < found["accuracy"] < found["high"] < 1


def test_an_evaluation_is_told_in_words(command_line, tmp_path, sample):
    np.savez_compressed(tmp_path / "own.npz", x=sample.x_test, y=sample.y_test.astype(np.int64))

    printed = command_line("evaluate", "own.npz", "--run", "dense-512")

    assert printed.out.startswith("Dense 512: accuracy 9")
    assert printed.out.endswith("on 1,000 images\n")


def test_a_corrupt_archive_cannot_be_evaluated(command_line, tmp_path, sample):
    np.savez_compressed(tmp_path / "own.npz", x=sample.x_test, y=sample.y_test)
    content = bytearray((tmp_path / "own.npz").read_bytes())
    content[len(content) // 3 : len(content) // 2] = bytes(len(content) // 2 - len(content) // 3)
    (tmp_path / "own.npz").write_bytes(content)

    assert_refused(command_line("evaluate", "own.npz", "--run", "dense-32", "--json"), "own.npz", "damaged")


PICTURES, LABELS = np.zeros((5, 28, 28), np.uint8), np.zeros(5, np.uint8)
WRONG_ARRAYS = {
    "no x": ({"pictures": PICTURES, "y": LABELS}, "has no array x"),
    "flat": ({"x": PICTURES.reshape(5, 784), "y": LABELS}, "shape (5, 784)"),
    "floats": ({"x": PICTURES / 255, "y": LABELS}, "type float64"),
    "too few labels": ({"x": PICTURES, "y": LABELS[:4]}, "labels have shape (4,)"),
    "objects": ({"x": np.array([None] * 5, object), "y": LABELS}, "holds Python objects"),
}


@pytest.mark.parametrize("kind", WRONG_ARRAYS)
def test_arrays_that_are_no_pictures_of_digits_cannot_be_evaluated(command_line, tmp_path, kind):
    arrays, words = WRONG_ARRAYS[kind]
    np.savez(tmp_path / "own.npz", **arrays)

    assert_refused(command_line("evaluate", "own.npz", "--run", "dense-32"), "own.npz", words)


@pytest.mark.parametrize("name", ["missing.npz", "text.png", "."])
def test_what_is_no_archive_cannot_be_evaluated(command_line, pictures, name):
    assert_refused(command_line("evaluate", name, "--run", "dense-32"), name)


# Scripts and exports


def test_k_folds_are_trained_one_after_the_other_and_come_with_mean_and_standard_deviation(command_line):
    small = ("--filters", "2", "--hidden-units", "8", "--batch-size", "64")
    *runs, summary = command_line("train", "cnn", "--validation", "kfold:4", "--epochs", "1", *small, "--json").records

    accuracies = [run["test_accuracy"] for run in runs]
    assert [run["settings"]["fold"] for run in runs] == [1, 2, 3, 4]
    assert [len(run["epochs"]) for run in runs] == [1] * 4
    assert all(run["epochs"][0]["val_accuracy"] is not None for run in runs)
    assert summary["runs"] == [run["run"] for run in runs]
    assert summary["n"] == 4
    assert summary["mean"] == pytest.approx(np.mean(accuracies))
    assert summary["sd"] == pytest.approx(np.std(accuracies, ddof=1))
    validated = [run["epochs"][-1]["val_accuracy"] for run in runs]
    assert summary["val_mean"] == pytest.approx(np.mean(validated))
    assert summary["val_sd"] == pytest.approx(np.std(validated, ddof=1))


def test_a_setting_given_several_times_is_varied_and_every_combination_repeated(command_line):
    printed = command_line(*TRAIN, "--learning-rate", "0.01", "--learning-rate", "0.001", "--repeats", "2", "--json")

    runs, summaries = printed.records[:4], printed.records[4:]
    found = [(run["settings"]["learning_rate"], run["settings"]["seed"]) for run in runs]
    assert found == [(0.01, 0), (0.01, 1), (0.001, 0), (0.001, 1)]
    assert [summary["runs"] for summary in summaries] == [
        [runs[0]["run"], runs[1]["run"]],
        [runs[2]["run"], runs[3]["run"]],
    ]
    assert [(summary["val_mean"], summary["val_sd"]) for summary in summaries] == [(None, None)] * 2


def test_one_fold_alone_is_trained_if_it_is_named(command_line):
    record = command_line(*TRAIN, "--validation", "kfold:4", "--fold", "3", "--json").record

    assert record["settings"]["fold"] == 3


def test_too_many_runs_are_refused_with_their_number(command_line):
    seeds = [word for seed in range(21) for word in ("--seed", str(seed))]

    refused = command_line("train", "dense-32", *seeds, "--repeats", "10", "--json")

    assert refused.status == 2
    assert "210 runs, but 200 is the maximum" in refused.err


def test_a_run_that_diverges_is_an_error_and_the_others_are_trained(command_line):
    arguments = ("--learning-rate", "10", "--learning-rate", "0.1", "--optimizer", "sgd", "--pixel-scaling", "0-255")
    printed = command_line("train", "dense-512", "--epochs", "1", "--activation", "linear", *arguments, "--json")

    assert printed.status == 1
    assert "the loss became" in printed.err


def test_a_variants_notebook_is_one(command_line):
    notebook = json.loads(command_line("code", "cnn", "--notebook").out)

    assert notebook["nbformat"] == 4
    assert any("keras.layers.Conv2D" in "".join(cell["source"]) for cell in notebook["cells"])


def test_a_variants_script_is_python(command_line):
    printed = command_line("code", "dense-512")

    assert printed.status == 0
    compile(printed.out, "script.py", "exec")
    assert "keras.layers.Dense(units=512" in printed.out


def test_a_runs_script_has_the_settings_of_that_run(command_line):
    printed = command_line("code", "--run", "sigmoid-100")

    compile(printed.out, "script.py", "exec")
    assert "epochs=100" in printed.out


def test_an_export_holds_everything_of_a_run(command_line, tmp_path):
    folder = tmp_path / "new" / "folder"

    printed = command_line("export", "dense-32", "--to", folder, "--json")

    names = {"model.keras", "model.tflite", "history.csv", "run.json", "script.py"}
    assert printed.status == 0
    assert names <= {path.name for path in folder.iterdir()}
    assert {Path(path).name for path in printed.record["files"]} == {path.name for path in folder.iterdir()}
    for name in ("model.keras", "model.tflite", "history.csv"):
        assert (folder / name).read_bytes() == (REFERENCE_FOLDER / "dense-32" / name).read_bytes()
    assert json.loads((folder / "run.json").read_text())["variant"] == "dense-32"
    with (folder / "history.csv").open(newline="") as file:
        assert [row["number"] for row in csv.DictReader(file)] == ["1", "2"]
    compile((folder / "script.py").read_text(), "script.py", "exec")


def test_an_export_into_a_place_that_cannot_be_a_folder_is_refused(command_line, tmp_path):
    (tmp_path / "file").write_text("here first")

    printed = command_line("export", "dense-32", "--to", tmp_path / "file" / "folder")

    assert_refused(printed, str(tmp_path / "file" / "folder"))


def test_an_export_of_a_run_that_does_not_exist_writes_nothing(command_line, tmp_path):
    printed = command_line("export", "999", "--to", tmp_path / "folder")

    assert_refused(printed, "There is no run 999.")
    assert not (tmp_path / "folder").exists()


# Bad usage and bad settings


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["train", "dense-32", "--epochs", "0"], "0 is not in the range 1<=x<="),
        (["train", "cnn", "--batch-size", "1000000"], "1000000 is not in the range 1<=x<="),
        (
            ["train", "dense-32", "--learning-rate", "nan"],
            "Learning rate must be a number from 0.000001 to",
        ),
        (["train", "dense-33"], "'dense-33' is not one of 'dense-32'"),
        (["code"], "Give either a VARIANT or a run"),
        (["code", "cnn", "--run", "1"], "Give either a VARIANT or a run"),
        ([], "Usage: python -m mnist_dash"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_bad_usage_is_refused_with_status_2(command_line, tmp_path, arguments, words):
    printed = command_line(*arguments)

    assert printed.status == 2
    assert printed.out == ""
    assert words in printed.err
    assert not (tmp_path / "runs.sqlite").exists()


def test_help_names_every_setting_and_its_default(command_line):
    printed = command_line("train", "--help")

    assert printed.status == 0
    for variant in VARIANTS.values():
        assert variant.name in printed.out
        assert all(f"--{setting.name.replace('_', '-')}" in printed.out for setting in variant.settings)


@pytest.mark.parametrize(
    "url",
    [
        "sqlite:////proc/no/such/folder/runs.sqlite",
        "nonsense",
        "oracle://somewhere/runs",
        "postgresql+psycopg://ann:secret@127.0.0.1:1/runs?connect_timeout=5",
    ],
)
def test_a_database_that_cannot_be_opened_is_refused(command_line, url):
    printed = command_line("runs", "--json", MNIST_DASH_DATABASE_URL=url)

    assert_refused(printed, "cannot be opened", "Check MNIST_DASH_DATABASE_URL")
    assert "secret" not in printed.err


def test_a_file_that_is_no_database_is_refused_and_left_alone(command_line, tmp_path):
    other = tmp_path / "letter.txt"
    other.write_text("Dear Ann, " * 500)

    printed = command_line("runs", MNIST_DASH_DATABASE_URL=f"sqlite:///{other}")

    assert_refused(printed, "letter.txt", "cannot be opened")
    assert other.read_text() == "Dear Ann, " * 500


def test_a_setting_that_cannot_be_used_is_refused_by_name(command_line):
    assert_refused(command_line("data", MNIST_DASH_WORKERS="many"), "MNIST_DASH_WORKERS is “many”")


# Robustness


def test_the_robustness_of_models_that_ship_is_known(command_line):
    printed = command_line("robustness", "cnn", "dense-32", "--json")

    assert printed.status == 0
    first, second = printed.records
    assert (first["variant"], second["variant"]) == ("cnn", "dense-32")
    assert first["pictures"] == 2_000
    assert first["clean"] > first["high"] > first["mean"] > first["low"] > second["high"]
    assert len(first["kinds"]) == 18
    assert all(0 <= share <= 1 for shares in first["kinds"].values() for share in shares)
    corruptions = [shares for shares in first["kinds"].values() if len(shares) == 5]
    assert np.mean(corruptions) == pytest.approx(first["mean"])


def test_robustness_is_told_in_words(command_line):
    printed = command_line("robustness", "cnn-augmented")

    lines = printed.out.splitlines()
    assert lines[0].startswith("CNN augmented: accuracy 8")
    assert lines[0].endswith("% on clean ones")
    assert len(lines) == 19


def test_the_robustness_of_a_run_is_measured_once(command_line):
    command_line(*TRAIN)
    [run] = [found["run"] for found in command_line("runs", "--json").records if not found["reference"]]

    first, second = (command_line("robustness", str(run), "--json") for _ in range(2))

    assert first.status == second.status == 0
    assert first.record == second.record
    assert first.record["pictures"] == 1_000


def test_the_robustness_of_what_is_no_run_is_refused(command_line):
    assert_refused(command_line("robustness", "12345"), "There is no run 12345")


@pytest.mark.parametrize(
    ("able", "options", "precision"),
    [(True, (), "bfloat16"), (False, (), "float32"), (False, ("--precision", "bfloat16"), "bfloat16")],
)
def test_a_networks_own_bfloat16_is_used_where_the_processor_multiplies_it_or_if_asked_for(
    able, options, precision, tmp_path, monkeypatch
):
    monkeypatch.setenv("MNIST_DASH_DATABASE_URL", f"sqlite:///{tmp_path / 'runs.sqlite'}")
    monkeypatch.setattr("mnist_dash.cli.run_commands.processor", lambda: Device("A processor", able))
    monkeypatch.setattr("mnist_dash.cli.run_commands.train_all", lambda runs, settings: None)

    CliRunner().invoke(commands, ["train", "cnn-augmented", *options])

    store = RunStore(f"sqlite:///{tmp_path / 'runs.sqlite'}")
    [run] = [run for run in store.list_runs() if not run.is_reference]
    store.close()
    assert run.settings["precision"] == precision
