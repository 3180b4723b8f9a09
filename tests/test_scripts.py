import ast
import inspect
import math
import re
import subprocess
import sys

import pytest

from mnist_dash.data import SAMPLE_FILE
from mnist_dash.models import VALIDATIONS, VARIANTS, augmentation, learning_rate
from mnist_dash.scripts import keras_script

# `keras.datasets.mnist.load_data` checks the checksum of the full MNIST, so only what it returns is replaced, in
# Keras' own process and before the script runs; the script itself runs as it is written.
RUN_ON_SAMPLE = """
import runpy, sys
import keras, numpy

def load_sample():
    with numpy.load(sys.argv[1]) as arrays:
        return (arrays["x_train"], arrays["y_train"]), (arrays["x_test"], arrays["y_test"])

keras.datasets.mnist.load_data = load_sample
runpy.run_path(sys.argv[2], run_name="__main__")
"""


def script_of(name, **settings):
    return keras_script(VARIANTS[name], VARIANTS[name].check(settings))


def calls_in(script, name):
    """Returns the calls of the function `name`, each as its arguments by name."""
    calls = [node for node in ast.walk(ast.parse(script)) if isinstance(node, ast.Call)]
    return [
        {keyword.arg: ast.unparse(keyword.value) for keyword in call.keywords}
        for call in calls
        if ast.unparse(call.func) == name
    ]


@pytest.mark.parametrize("pixels", ["0-1", "0-255"])
@pytest.mark.parametrize("validation", VALIDATIONS)
@pytest.mark.parametrize("name", VARIANTS)
def test_every_script_is_valid_python(name, validation, pixels):
    script = script_of(name, validation=validation, pixel_scaling=pixels)

    compile(script, "script.py", "exec")

    assert ("import numpy" in script) == ("np." in script)
    assert (") / 255" in script) == (pixels == "0-1")


@pytest.mark.parametrize("name", VARIANTS)
def test_a_script_trains_with_the_settings_of_the_run(name):
    script = script_of(name, epochs=7, batch_size=11, learning_rate=0.0625, seed=13)

    [fit] = calls_in(script, "model.fit")
    [compiled] = calls_in(script, "model.compile")
    assert fit["epochs"] == "7"
    assert fit.get("batch_size") == "11" or ".batch(11)\n" in script
    assert "learning_rate=0.0625" in compiled["optimizer"]
    assert "keras.utils.set_random_seed(13)" in script


def test_the_script_of_dense_32_has_the_tutorials_optimizer():
    [compiled] = calls_in(script_of("dense-32"), "model.compile")

    assert compiled == {
        "optimizer": "keras.optimizers.RMSprop(learning_rate=0.001, rho=0.9, epsilon=1e-08)",
        "loss": "'categorical_crossentropy'",
        "metrics": "['accuracy']",
    }


def test_the_script_of_the_cnn_has_the_tutorials_convolutions():
    convolutions = calls_in(script_of("cnn"), "keras.layers.Conv2D")

    assert [(call["filters"], call["padding"]) for call in convolutions] == [
        ("16", "'valid'"),
        ("32", "'same'"),
        ("32", "'same'"),
        ("64", "'same'"),
        ("64", "'same'"),
    ]


@pytest.mark.parametrize(("validation", "validated"), [("none", False), ("holdout", True), ("kfold:4", True)])
def test_a_script_validates_only_if_the_run_did(validation, validated):
    [fit] = calls_in(script_of("cnn", validation=validation), "model.fit")

    assert ("validation_data" in fit) == validated


def test_no_line_of_a_script_is_too_long_to_read():
    lines = [line for name in VARIANTS for line in script_of(name, validation="kfold:4").splitlines()]

    assert max(map(len, lines)) <= 120


@pytest.mark.parametrize("name", VARIANTS)
def test_a_script_is_the_same_in_every_encoding(name):
    assert script_of(name).isascii()  # Windows writes `code > script.py` in another one than Python reads


# Augmentation and schedule


WAYS = pytest.mark.parametrize(
    ("augmentation", "schedule"), [(0, "constant"), (0, "cosine"), (0.5, "constant"), (1.5, "cosine")]
)


@WAYS
@pytest.mark.parametrize("name", VARIANTS)
def test_a_script_changes_pictures_and_learning_rate_only_if_the_run_did(name, augmentation, schedule):
    script = script_of(name, augmentation=augmentation, schedule=schedule)

    compile(script, "script.py", "exec")

    assert ("import tensorflow" in script) == ("augment(" in script) == (augmentation > 0)
    assert ("import math" in script) == ("LearningRateScheduler" in script) == (schedule == "cosine")


@WAYS
@pytest.mark.parametrize("validation", ["none", "holdout"])
def test_a_script_is_formatted_as_we_format_our_own(augmentation, schedule, validation):
    script = script_of("cnn", augmentation=augmentation, schedule=schedule, validation=validation)

    command = [
        sys.executable,
        "-m",
        "ruff",
        "format",
        "--diff",
        "--line-length",
        "120",
        "--stdin-filename",
        "script.py",
        "-",
    ]
    ran = subprocess.run(command, input=script, capture_output=True, text=True, check=False)

    assert (ran.returncode, ran.stdout) == (0, "")


def test_a_script_augments_with_the_functions_and_ranges_that_trained_the_run():
    script = script_of("cnn-augmented")

    expected = [part for part in definitions_in(inspect.getsource(augmentation)) if "import" not in part]
    found = definitions_in(script)

    assert f"ROTATION = {augmentation.ROTATION}" in expected
    assert any(part.startswith("def augment(") for part in expected)
    assert set(expected) <= set(found)


def definitions_in(source):
    """Returns functions and constants as text; imports in functions are left out."""
    tree = ast.parse(source)
    for function in [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]:
        function.body = [line for line in function.body if not isinstance(line, ast.Import)]
    return [ast.unparse(node) for node in tree.body if not isinstance(node, ast.Expr)]


def test_a_script_augments_only_the_pictures_that_it_learns_from():
    script = script_of("cnn-augmented", augmentation=0.75, seed=9, batch_size=64, validation="holdout")

    [fit] = calls_in(script, "model.fit")
    [batches] = [line for line in script.splitlines() if ".batch(64)" in line]
    assert fit["validation_data"] == "(prepare(x_train[kept]), y_train[kept])"
    assert "model.evaluate(prepare(x_test), y_test)" in script
    assert "augment(tf.cast(pictures, tf.float32), 0.75, seed)" in script
    assert "seed = [9, tf.cast(number, tf.int32)]" in script
    assert "from_tensor_slices((x_train[~kept], y_train[~kept]))" in script
    assert batches == "batches = pictures.shuffle(len(pictures)).batch(64)"


@pytest.mark.parametrize("epochs", [1, 2, 7, 40])
def test_the_learning_rate_of_a_script_falls_as_it_did_in_the_run(epochs):
    settings = {"epochs": epochs, "learning_rate": 0.0625, "schedule": "cosine"}
    [function] = [part for part in definitions_in(script_of("dense-32", **settings)) if "def learning_rate" in part]
    defined = {"math": math}

    exec(function, defined)

    values = VARIANTS["dense-32"].check(settings)
    for epoch in range(epochs):
        assert defined["learning_rate"](epoch, None) == pytest.approx(learning_rate(values, epoch + 1), rel=1e-12)


# Running


def run_on_sample(script, folder):
    """Runs a script in a process of its own; returns what it prints, and its test accuracy."""
    file = folder / "script.py"
    file.write_text(script)

    command = [sys.executable, "-c", RUN_ON_SAMPLE, str(SAMPLE_FILE), str(file)]
    ran = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)

    assert ran.returncode == 0, ran.stderr
    [accuracy] = re.findall(r"test loss \d\.\d{4}, test accuracy (\d\.\d{4})", ran.stdout)
    return ran.stdout, float(accuracy)


def test_a_script_runs_as_it_is_and_prints_its_test_accuracy(tmp_path):
    printed, accuracy = run_on_sample(script_of("dense-32", epochs=1, validation="kfold:4", fold=2), tmp_path)

    assert "25,450" in printed  # the summary: as many weights as the tutorial's network
    assert 0.6 < accuracy < 0.95
    assert "val_accuracy" in printed


def test_a_script_with_augmentation_runs_as_it_is_and_learns_to_read(tmp_path):
    settings = {"epochs": 2, "batch_size": 32, "hidden_units": 64, "validation": "kfold:4"}

    printed, accuracy = run_on_sample(script_of("cnn-augmented", **settings), tmp_path)

    assert 0.85 < accuracy < 0.99
    rates = re.findall(r"val_loss: [\d.]+ - learning_rate: (\S+)", printed)
    assert [float(rate) for rate in rates] == [0.001, 0.0005]
