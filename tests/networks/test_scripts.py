import ast
import inspect
import json
import math
import re
import subprocess
import sys
from types import SimpleNamespace
from unittest.mock import MagicMock

import nbformat
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mnist_dash.datasets.custom_data import as_npz
from mnist_dash.datasets.mnist import SAMPLE_FILE
from mnist_dash.datasets.splits import split
from mnist_dash.networks import augmentation, handwriting_styles
from mnist_dash.networks.hyperparameters import ACTIVATIONS, VALIDATIONS
from mnist_dash.networks.keras_model import learning_rate
from mnist_dash.networks.scripts.writing import keras_notebook, keras_script
from mnist_dash.networks.variants import OPTIMIZERS, VARIANTS
from mnist_dash.store.run_store import RunStore
from mnist_dash.worker.training import train_run
from tests.support.learning import settings_of

# `keras.datasets.mnist.load_data` checks the checksum of the full MNIST, so only what it returns is replaced, in
# Keras' own process and before the script runs; the script itself runs as it is written.
RUN_ON_SAMPLE = """
import json, runpy, sys
import keras, numpy

def load_sample():
    with numpy.load(sys.argv[1]) as arrays:
        return (arrays["x_train"], arrays["y_train"]), (arrays["x_test"], arrays["y_test"])

keras.datasets.mnist.load_data = load_sample
left = runpy.run_path(sys.argv[2], run_name="__main__")
found = {**left["model"].history.history, "test_loss": left["test_loss"], "test_accuracy": left["test_accuracy"]}
print(json.dumps(found))
"""


def script_of(name, **settings):
    return keras_script(VARIANTS[name], VARIANTS[name].check(settings))


def notebook_of(name, **settings):
    return json.loads(keras_notebook(VARIANTS[name], VARIANTS[name].check(settings)))


def calls_in(script, name):
    """Returns the calls of the function `name`, each as its arguments by name."""
    calls = [node for node in ast.walk(ast.parse(script)) if isinstance(node, ast.Call)]
    return [
        {keyword.arg: ast.unparse(keyword.value) for keyword in call.keywords}
        for call in calls
        if ast.unparse(call.func) == name
    ]


@pytest.mark.parametrize("pixels", ["0-1", "0-255"])
@pytest.mark.parametrize("name", VARIANTS)
def test_every_script_is_valid_python(name, pixels):
    for validation in VALIDATIONS:
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


@pytest.mark.parametrize("name", VARIANTS)
def test_a_script_trains_in_the_precision_of_the_run(name):
    for precision, policies, dtype in (("bfloat16", ['"mixed_bfloat16"'], "'float32'"), ("float32", [], None)):
        script = script_of(name, precision=precision)
        *hidden, output = calls_in(script, "keras.layers.Dense")

        assert re.findall(r"set_dtype_policy\((.+)\)", script) == policies
        assert output.get("dtype") == dtype
        assert {layer.get("dtype") for layer in hidden} == {None}


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


MANY_SETTINGS = {
    "validation": "stratified:4",
    "train_part": 0.1,
    "patience": 3,
    "schedule": "cosine",
    "augmentation": 0.5,
    "dropout": 0.25,
    "hidden_layers": 3,
    "hidden_units": 4_096,
    "activation": "sigmoid",
    "batch_size": 4_096,
}


@pytest.mark.parametrize("settings", [{}, {"validation": "kfold:4"}, MANY_SETTINGS], ids=["own", "folds", "many"])
def test_no_line_of_a_script_is_too_long_to_read(settings):
    lines = [line for name in VARIANTS for line in script_of(name, **settings).splitlines()]

    assert max(map(len, lines)) <= 120


@pytest.mark.parametrize("name", VARIANTS)
def test_a_script_is_the_same_in_every_encoding(name):
    assert script_of(name).isascii()  # Windows writes `code > script.py` in another one than Python reads


# Layers and optimizers


@pytest.mark.parametrize("hidden_layers", [0, 1, 3])
@pytest.mark.parametrize("name", VARIANTS)
def test_a_script_has_the_hidden_layers_of_the_run(name, hidden_layers):
    script = script_of(name, hidden_layers=hidden_layers, hidden_units=17, activation="tanh", precision="float32")

    *hidden, output = calls_in(script, "keras.layers.Dense")
    assert hidden == hidden_layers * [{"units": "17", "activation": "'tanh'"}]
    assert output == {"units": "10", "activation": "'softmax'"}


def test_a_script_has_the_filters_of_the_run():
    convolutions = calls_in(script_of("cnn", filters=3, activation="linear"), "keras.layers.Conv2D")

    assert [call["filters"] for call in convolutions] == ["3", "6", "6", "12", "12"]
    assert {call["activation"] for call in convolutions} == {"'linear'"}


@pytest.mark.parametrize(
    ("optimizer", "expected"),
    [
        ("sgd", "keras.optimizers.SGD(learning_rate=0.5)"),
        ("momentum", "keras.optimizers.SGD(learning_rate=0.5, momentum=0.9)"),
        ("rmsprop", "keras.optimizers.RMSprop(learning_rate=0.5)"),
        ("adam", "keras.optimizers.Adam(learning_rate=0.5)"),
    ],
)
def test_a_script_has_the_optimizer_of_the_run(optimizer, expected):
    [compiled] = calls_in(script_of("dense-512", optimizer=optimizer, learning_rate=0.5), "model.compile")

    assert compiled["optimizer"] == expected


@pytest.mark.parametrize(("activation", "optimizer"), list(zip(ACTIVATIONS, OPTIMIZERS, strict=True)))
@pytest.mark.parametrize("name", VARIANTS)
def test_a_script_explains_what_it_uses_once(name, activation, optimizer):
    comments = comments_in(script_of(name, activation=activation, optimizer=optimizer, dropout=0.3, hidden_layers=2))

    words = [
        "One-hot",
        "Dense:",
        "Softmax",
        "Dropout:",
        "30 %",
        "categorical cross-entropy",
        "updates the weights on a batch",
        "an epoch is one pass",
    ]
    if name.startswith("cnn"):
        words += ["Convolution:", "Pooling:", "Flatten:"]
    for word in [*words, activation if activation != "relu" else "relu:"]:
        assert comments.count(word) == 1, word
    assert sum(comments.count(f"{title} ") for title in ("SGD", "RMSprop", "Adam")) == 1


def test_a_script_without_hidden_layers_still_explains_what_dense_is():
    comments = comments_in(script_of("dense-32", hidden_layers=0))

    assert comments.count("Dense:") == 1
    assert "Dropout:" not in comments


def comments_in(script):
    """Returns all comments as one line."""
    return " ".join(line.strip().removeprefix("# ") for line in script.splitlines() if line.strip().startswith("#"))


# Which pictures are learned from


def arrays_given_to_fit(script, labels):
    """Runs a script without Keras, on pictures that show their own number; returns what would be learned and what kept.

    Args:
        script: One of a dense network with pixels as they are.
        labels: Digits of the training pictures.
    """
    numbered = np.broadcast_to(np.arange(len(labels))[:, None, None], (len(labels), 28, 28))
    keras = MagicMock()
    keras.datasets.mnist.load_data.return_value = (numbered, labels), (numbered, labels)
    keras.utils.to_categorical = lambda digits, _: digits
    keras.Sequential.return_value.evaluate.return_value = 0.0, 0.0
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, "keras", keras)
        exec(script, {"print": lambda text: None})
    called = keras.Sequential.return_value.fit.call_args
    x, y = called.args
    x_kept, y_kept = called.kwargs.get("validation_data", (x[:0], y[:0]))
    return (x[:, 0].astype(int), y), (x_kept[:, 0].astype(int), y_kept)


@given(
    labels=st.lists(st.integers(0, 9), min_size=1, max_size=200).map(np.array),
    validation=st.sampled_from(VALIDATIONS),
    fold=st.integers(1, 10),
    train_part=st.floats(0.01, 1),
)
def test_a_script_learns_and_validates_on_exactly_the_pictures_of_the_run(labels, validation, fold, train_part):
    folds = int(validation.partition(":")[2] or 10)
    settings = {"validation": validation, "fold": min(fold, folds), "train_part": train_part}

    learned, kept = arrays_given_to_fit(script_of("sigmoid-100", **settings), labels)

    expected = split(labels, validation, fold=min(fold, folds), train_part=train_part)
    for (positions, digits), wanted in [(learned, expected.train), (kept, expected.validation)]:
        np.testing.assert_array_equal(positions, wanted)
        np.testing.assert_array_equal(digits, labels[wanted])


def test_the_script_of_a_run_on_custom_data_reads_the_file_that_explore_exports(tmp_path, monkeypatch, sample):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "Pets.npz").write_bytes(as_npz(sample))
    script = keras_script(VARIANTS["dense-32"], VARIANTS["dense-32"].check({}), data="Pets")
    beginning = script[: script.index("keras.utils.to_categorical")].rpartition("\n")[0]
    found: dict = {}

    exec(beginning, found)

    compile(script, "script.py", "exec")
    np.testing.assert_array_equal(found["y_test"], sample.y_test)
    assert "mnist.load_data" not in script


# Augmentation, schedule and early stopping


WAYS = pytest.mark.parametrize(
    ("augmentation", "schedule"), [(0, "constant"), (0, "cosine"), (0.5, "constant"), (1.5, "cosine")]
)


@pytest.mark.parametrize(
    ("settings", "callbacks"),
    [
        ({}, None),
        ({"schedule": "cosine"}, "[decay]"),
        ({"patience": 2}, "[early_stopping]"),
        ({"schedule": "cosine", "patience": 2}, "[decay, early_stopping]"),
        ({"schedule": "cosine", "patience": 2, "augmentation": 1}, "[decay, early_stopping]"),
    ],
)
def test_a_script_calls_back_only_what_the_run_has(settings, callbacks):
    script = script_of("cnn", **settings)

    [fit] = calls_in(script, "model.fit")
    assert fit.get("callbacks") == callbacks
    assert ("early_stopping" in script) == ("patience" in settings)


def test_a_script_stops_early_as_the_run_does():
    [stopping] = calls_in(script_of("cnn", patience=3), "keras.callbacks.EarlyStopping")

    assert stopping == {"monitor": "'val_loss'", "patience": "3", "restore_best_weights": "True"}


@WAYS
@pytest.mark.parametrize("name", VARIANTS)
def test_a_script_changes_pictures_and_learning_rate_only_if_the_run_did(name, augmentation, schedule):
    script = script_of(name, augmentation=augmentation, schedule=schedule, handwriting_styles=0)

    compile(script, "script.py", "exec")

    assert ("import tensorflow" in script) == ("augment(" in script) == (augmentation > 0)
    assert ("import math" in script) == ("LearningRateScheduler" in script) == (schedule == "cosine")


@WAYS
@pytest.mark.parametrize(
    ("validation", "styles"), [("none", 0), ("holdout", 0.25), ("kfold:4", 0), ("stratified:4", 1)]
)
def test_a_script_is_formatted_as_we_format_our_own(augmentation, schedule, validation, styles):
    patience = 0 if validation == "none" else 2
    settings = {"augmentation": augmentation, "schedule": schedule, "validation": validation, "patience": patience}

    script = script_of("cnn", **settings, handwriting_styles=styles, train_part=0.5)

    command = [sys.executable, "-m", "ruff", "format", "--diff", "--line-length", "120"]
    command += ["--stdin-filename", "script.py", "-"]
    ran = subprocess.run(command, input=script, capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stdout) == (0, "")


def test_a_script_augments_with_the_functions_and_ranges_that_trained_the_run():
    script = script_of("cnn-augmented")

    modules = inspect.getsource(augmentation) + inspect.getsource(handwriting_styles)
    expected = [part for part in definitions_in(modules) if "import" not in part]
    found = definitions_in(script)

    assert f"ROTATION = {augmentation.ROTATION}" in expected
    assert f"BAR = {handwriting_styles.BAR}" in expected
    assert all(any(part.startswith(f"def {name}(") for part in expected) for name in ("augment", "add_strokes"))
    assert set(expected) <= set(found)


def definitions_in(source):
    """Returns functions and constants as text; imports in functions are left out."""
    tree = ast.parse(source)
    for function in [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]:
        function.body = [line for line in function.body if not isinstance(line, ast.Import)]
    return [ast.unparse(node) for node in tree.body if not isinstance(node, ast.Expr)]


def test_a_script_augments_only_the_pictures_that_it_learns_from():
    settings = {"augmentation": 0.75, "handwriting_styles": 0.5, "seed": 9, "batch_size": 64, "validation": "holdout"}
    script = script_of("cnn-augmented", **settings)

    [fit] = calls_in(script, "model.fit")
    [batches] = [line for line in script.splitlines() if ".batch(64)" in line]
    assert fit["validation_data"] == "(x_val, y_val)"
    assert "x_val = prepare(x_val).numpy()\nx_test = prepare(x_test).numpy()\n" in script
    assert (
        "images = add_strokes(images, tf.argmax(labels, 1), 0.5, seed)\n    images = augment(images, 0.75, seed)\n"
        in script
    )
    assert "seed = [9, tf.cast(number, tf.int32)]" in script
    assert "from_tensor_slices((x_train, y_train))" in script
    assert batches == "batches = images.shuffle(len(images)).batch(64)"


@pytest.mark.parametrize("epochs", [1, 2, 7, 40])
def test_the_learning_rate_of_a_script_falls_as_it_did_in_the_run(epochs):
    settings = {"epochs": epochs, "learning_rate": 0.0625, "schedule": "cosine"}
    [function] = [part for part in definitions_in(script_of("dense-32", **settings)) if "def learning_rate" in part]
    defined = {"math": math}

    exec(function, defined)

    values = VARIANTS["dense-32"].check(settings)
    for epoch in range(epochs):
        assert defined["learning_rate"](epoch, None) == pytest.approx(learning_rate(values, epoch + 1), rel=1e-12)


# Notebooks


NOTEBOOKS = pytest.mark.parametrize(
    ("name", "settings"),
    [*((name, {}) for name in VARIANTS), ("cnn", MANY_SETTINGS), ("dense-32", {"validation": "stratified:3"})],
)


def code_of(notebook):
    return ["".join(cell["source"]) for cell in notebook["cells"] if cell["cell_type"] == "code"]


def text_of(notebook):
    return "\n".join("".join(cell["source"]) for cell in notebook["cells"] if cell["cell_type"] == "markdown")


@NOTEBOOKS
def test_a_notebook_is_valid(name, settings):
    notebook = notebook_of(name, **settings)

    nbformat.validate(notebook)

    assert (notebook["nbformat"], notebook["nbformat_minor"]) == (4, 5)
    identities = [cell["id"] for cell in notebook["cells"]]
    assert len(set(identities)) == len(identities)


@NOTEBOOKS
def test_a_notebook_trains_with_the_statements_of_the_script(name, settings):
    *cells, mistakes = code_of(notebook_of(name, **settings))
    _, *statements = ast.parse(script_of(name, **settings)).body  # the first is the docstring

    compile("\n".join([*cells, mistakes]), "notebook", "exec")

    assert [ast.dump(one) for one in ast.parse("\n".join(cells)).body] == [ast.dump(one) for one in statements]


@NOTEBOOKS
def test_a_notebook_says_all_that_the_comments_of_the_script_say(name, settings):
    script, notebook = script_of(name, **settings), notebook_of(name, **settings)

    everything = " ".join([text_of(notebook), comments_in("\n".join(code_of(notebook)))])

    for words in comments_in(script).split(". "):
        assert words.rstrip(".") in everything


def test_a_notebook_has_a_heading_for_each_section():
    headings = [line for line in text_of(notebook_of("cnn-augmented")).splitlines() if line.startswith("#")]

    assert headings == ["# CNN augmented", "## Data", "## Network", "## Augmentation", "## Training", "## Test"]


READ_AS_FOUR = np.eye(10)[[4] * 20]


def show_mistakes(true, *, pyplot):
    """Runs the last cell of a notebook, after a network that takes everything for a 4; returns what it prints."""
    model, printed = SimpleNamespace(predict=lambda pictures: READ_AS_FOUR), []
    defined = {"x_test": np.zeros((20, 784)), "y_test": np.eye(10)[true], "model": model, "print": printed.append}
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, "matplotlib", pyplot and SimpleNamespace(pyplot=pyplot))
        patch.setitem(sys.modules, "matplotlib.pyplot", pyplot)
        exec(code_of(notebook_of("dense-32"))[-1], defined)
    return printed


def test_a_notebook_shows_up_to_twelve_misclassified_images():
    pyplot = MagicMock()

    show_mistakes([4, 4, 7, 4, *range(10), *[9] * 6], pyplot=pyplot)

    titles = [called.kwargs["title"] for called in pyplot.subplot.call_args_list]
    assert titles[:3] == ["7 predicted as 4", "0 predicted as 4", "1 predicted as 4"]
    assert len(titles) == pyplot.imshow.call_count == 12


def test_a_notebook_shows_nothing_where_all_was_read_right():
    pyplot = MagicMock()

    show_mistakes([4] * 20, pyplot=pyplot)

    assert not pyplot.imshow.called


def test_a_notebook_without_matplotlib_says_what_to_install():
    [printed] = show_mistakes([7] * 20, pyplot=None)

    assert "pip install matplotlib" in printed


# Running


def run_on_sample(script, folder):
    """Runs a script in a process of its own; returns what it prints, and its history with the test at the end."""
    file = folder / "script.py"
    file.write_text(script)

    command = [sys.executable, "-c", RUN_ON_SAMPLE, str(SAMPLE_FILE), str(file)]
    ran = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)

    assert ran.returncode == 0, ran.stderr
    *printed, found = ran.stdout.splitlines()
    return "\n".join(printed), json.loads(found)


def test_a_script_runs_as_it_is_and_prints_its_test_accuracy(tmp_path):
    printed, found = run_on_sample(script_of("dense-32", epochs=1, validation="kfold:4", fold=2), tmp_path)

    assert "25,450" in printed  # the summary: as many weights as the tutorial's network
    assert 0.6 < found["test_accuracy"] < 0.95
    assert f"test loss {found['test_loss']:.4f}, test accuracy {found['test_accuracy']:.4f}" in printed
    assert "val_accuracy" in printed


@pytest.mark.slow
def test_a_script_with_augmentation_runs_as_it_is_and_learns_to_read(tmp_path):
    settings = {"epochs": 2, "batch_size": 32, "hidden_units": 64, "validation": "kfold:4"}

    printed, found = run_on_sample(script_of("cnn-augmented", **settings), tmp_path)

    assert 0.85 < found["test_accuracy"] < 0.99
    rates = re.findall(r"val_loss: [\d.]+ - learning_rate: (\S+)", printed)
    assert [float(rate) for rate in rates] == [0.001, 0.0005]


# The script and the run


def run_by_the_project(name, settings, sample, folder):
    """Trains a run on the sample; returns its history with the test at the end, as `run_on_sample` does."""
    store = RunStore(f"sqlite:///{folder / 'runs.sqlite'}")
    checked = VARIANTS[name].check(settings)
    run = store.create_run(name, checked, dataset=sample.name, fingerprint=sample.fingerprint)
    train_run(run.id, settings_of(store))
    run, epochs = store.get_run(run.id), store.list_epochs(run.id)
    store.close()
    history = {
        quantity: [getattr(epoch, quantity) for epoch in epochs]
        for quantity in ("loss", "accuracy", "val_loss", "val_accuracy")
        if getattr(epochs[0], quantity) is not None
    }
    return {**history, "test_loss": run.test_loss, "test_accuracy": run.test_accuracy}


# All pictures in one batch: then their order does not matter, and with nothing else left to chance the script and the
# run must agree.
IN_ONE_BATCH = {"batch_size": 4_096, "dropout": 0, "augmentation": 0, "seed": 5}
DENSE = {**IN_ONE_BATCH, "epochs": 12}
CNN = {**IN_ONE_BATCH, "epochs": 4, "train_part": 0.1, "filters": 4, "hidden_units": 32}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("dense-32", DENSE),
        ("dense-32", {**DENSE, "validation": "stratified:3", "fold": 2, "hidden_layers": 3, "activation": "tanh"}),
        ("sigmoid-100", {**DENSE, "validation": "kfold:7", "fold": 7}),
        ("sigmoid-100", {**DENSE, "optimizer": "momentum", "hidden_layers": 0, "learning_rate": 0.0001}),
        ("dense-512", {**DENSE, "optimizer": "adam", "schedule": "cosine", "train_part": 0.37}),
        ("cnn", CNN),
        (
            "cnn-augmented",
            {
                **CNN,
                "precision": "float32",
                "validation": "stratified:10",
                "hidden_layers": 2,
                "activation": "sigmoid",
            },
        ),
    ],
)
def test_a_script_trains_exactly_as_the_run(name, settings, sample, tmp_path):
    _, by_script = run_on_sample(script_of(name, **settings), tmp_path)

    by_run = run_by_the_project(name, settings, sample, tmp_path)

    assert len(by_run["loss"]) == settings["epochs"]
    assert set(by_run) == set(by_script) - {"learning_rate"}
    for quantity, values in by_run.items():
        assert values == pytest.approx(by_script[quantity], rel=1e-4, abs=1e-6), quantity


@pytest.mark.slow
@pytest.mark.parametrize("patience", [1, 3])
def test_a_script_stops_early_in_the_same_epoch_as_the_run_and_keeps_the_same_weights(patience, sample, tmp_path):
    # A learning rate this high lets the validation loss jump up and down.
    settings = {**DENSE, "epochs": 40, "validation": "holdout", "learning_rate": 0.01, "patience": patience}

    _, by_script = run_on_sample(script_of("dense-32", **settings), tmp_path)
    by_run = run_by_the_project("dense-32", settings, sample, tmp_path)

    assert patience < len(by_run["val_loss"]) == len(by_script["val_loss"]) < 40
    assert by_run["test_loss"] == pytest.approx(by_script["test_loss"], rel=1e-3)
    assert by_run["val_loss"] == pytest.approx(by_script["val_loss"], rel=1e-3)


SMALL_CNN = {"epochs": 4, "batch_size": 64, "filters": 8, "hidden_units": 64}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("dense-32", {"epochs": 6}),
        ("sigmoid-100", {"epochs": 15}),
        ("dense-512", {"dropout": 0.5, "batch_size": 32}),
        ("cnn", {**SMALL_CNN, "schedule": "cosine", "dropout": 0.2}),
        ("cnn-augmented", {**SMALL_CNN, "augmentation": 0.3}),
        ("cnn", {**SMALL_CNN, "precision": "bfloat16"}),
    ],
)
def test_a_script_ends_up_near_the_run_where_chance_decides(name, settings, sample, tmp_path):
    _, by_script = run_on_sample(script_of(name, **settings), tmp_path)

    by_run = run_by_the_project(name, settings, sample, tmp_path)

    assert by_run["test_accuracy"] == pytest.approx(by_script["test_accuracy"], abs=0.03)
    assert by_run["test_loss"] == pytest.approx(by_script["test_loss"], rel=0.25)
