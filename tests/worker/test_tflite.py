"""The second LiteRT file of a model does what that of TensorFlow's converter would do."""

import numpy as np
import pytest
from ai_edge_litert.interpreter import Interpreter

from mnist_dash.inference.predictor import Predictor
from mnist_dash.worker.tflite import TfliteFiles
from tests.support.learning import program_of, slow


def outputs_of(file, sample):
    """Every layer's activations for some images."""
    run = Interpreter(model_content=file).get_signature_runner()
    return run(pixels=sample.x_test[:50].astype(np.float32))


SMALL_CNN = {"filters": 3, "hidden_units": 9}


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("dense-32", {}),
        ("cnn", {**SMALL_CNN, "hidden_layers": 2, "activation": "tanh"}),
        slow("dense-512", {"hidden_layers": 3, "hidden_units": 20, "dropout": 0.2, "activation": "tanh"}),
        slow("sigmoid-100", {"hidden_layers": 0}),
        slow("cnn", {"filters": 1, "hidden_layers": 0, "pixel_scaling": "0-255"}),
        slow("cnn-augmented", {"activation": "sigmoid"}),
    ],
)
def test_another_file_of_a_model_calculates_to_the_last_bit_what_the_converters_own_does(name, settings, sample):
    program = program_of(name, sample, n=200, batch_size=50, **settings)
    positions = np.arange(200, dtype=np.int32)
    program.train_epoch(positions, 1)
    first = program.as_tflite()
    program.train_epoch(positions, 2)

    second = program.as_tflite()

    assert program._tflite_files._offsets
    outputs, by_converter = (outputs_of(file, sample) for file in (second, TfliteFiles(program.model).content()))
    assert outputs.keys() == by_converter.keys()
    for output, values in outputs.items():
        np.testing.assert_array_equal(values, by_converter[output])
    assert (outputs_of(first, sample)["output_0"] != outputs["output_0"]).any()
    _, _, probabilities = program.test(sample.x_test[:50], sample.y_test[:50])
    np.testing.assert_allclose(Predictor(second).probabilities(sample.x_test[:50]), probabilities, atol=1e-5)


@pytest.mark.parametrize(
    ("settings", "epochs"),
    [
        ({}, 0),  # untrained: all biases are 0, as much else in a file
        ({"hidden_layers": 3, "hidden_units": 20, "activation": "linear"}, 1),  # the converter adds some biases up
    ],
)
def test_weights_that_are_not_found_or_may_be_confused_are_left_to_the_converter(settings, epochs, sample):
    program = program_of("dense-512", sample, n=200, batch_size=50, **settings)
    positions = np.arange(200, dtype=np.int32)

    for number in range(epochs):
        program.train_epoch(positions, number + 1)
    program.as_tflite()
    unknown = not program._tflite_files._offsets
    program.train_epoch(positions, 9)
    trained = program.as_tflite()

    assert unknown
    _, _, probabilities = program.test(sample.x_test[:50], sample.y_test[:50])
    np.testing.assert_allclose(Predictor(trained).probabilities(sample.x_test[:50]), probabilities, atol=1e-5)
