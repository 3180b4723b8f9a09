import ast
import re
import subprocess
import sys

import pytest

from mnist_dash.data import SAMPLE_FILE
from mnist_dash.models import VALIDATIONS, VARIANTS
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
    assert ("/ 255" in script) == (pixels == "0-1")


@pytest.mark.parametrize("name", VARIANTS)
def test_a_script_trains_with_the_settings_of_the_run(name):
    script = script_of(name, epochs=7, batch_size=11, learning_rate=0.0625, seed=13)

    [fit] = calls_in(script, "model.fit")
    [compiled] = calls_in(script, "model.compile")
    assert (fit["epochs"], fit["batch_size"]) == ("7", "11")
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


def test_a_script_runs_as_it_is_and_prints_its_test_accuracy(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(script_of("dense-32", epochs=1, validation="kfold:4", fold=2))

    command = [sys.executable, "-c", RUN_ON_SAMPLE, str(SAMPLE_FILE), str(script)]
    ran = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)

    assert ran.returncode == 0, ran.stderr
    assert "25,450" in ran.stdout  # the summary: as many weights as the tutorial's network
    [accuracy] = re.findall(r"test loss \d\.\d{4}, test accuracy (\d\.\d{4})", ran.stdout)
    assert 0.6 < float(accuracy) < 0.95
    assert "val_accuracy" in ran.stdout
