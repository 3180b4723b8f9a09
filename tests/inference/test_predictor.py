from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from mnist_dash.errors import StoreError
from mnist_dash.inference.predictor import Predictor
from mnist_dash.inference.weights import read_weights
from mnist_dash.store.records import MODEL_KERAS, MODEL_TFLITE
from mnist_dash.store.reference_runs import REFERENCE_FOLDER

DENSE_32 = REFERENCE_FOLDER / "dense-32"
NAMES = sorted(path.parent.name for path in REFERENCE_FOLDER.glob(f"*/{MODEL_TFLITE}"))


@pytest.fixture(scope="module")
def tflite():
    return (DENSE_32 / MODEL_TFLITE).read_bytes()


@pytest.fixture(scope="module")
def keras_file():
    return (DENSE_32 / MODEL_KERAS).read_bytes()


@pytest.fixture(scope="module")
def predictor(tflite):
    return Predictor(tflite)


def by_hand(pictures, layers):
    """What a net of two dense layers says, in float64: relu, then softmax."""
    hidden, last = layers
    inputs = pictures.reshape(-1, 784).astype(float) / 255
    outputs = np.maximum(inputs @ hidden.kernel + hidden.bias, 0) @ last.kernel + last.bias
    powers = np.exp(outputs - outputs.max(1, keepdims=True))
    return powers / powers.sum(1, keepdims=True)


# Predictions


def test_probabilities_are_those_that_the_weights_give_by_hand(predictor, keras_file, sample):
    pictures = sample.x_test[:200]

    probabilities = predictor.probabilities(pictures)

    assert (probabilities.shape, probabilities.dtype) == ((200, 10), np.float32)
    np.testing.assert_allclose(probabilities, by_hand(pictures, read_weights(keras_file)), atol=1e-5)


@pytest.mark.parametrize("name", NAMES)
def test_every_reference_model_reads_real_digits(name, sample):
    predictor = Predictor((REFERENCE_FOLDER / name / MODEL_TFLITE).read_bytes())

    probabilities = predictor.probabilities(sample.x_test)

    np.testing.assert_allclose(probabilities.sum(1), 1, atol=1e-5)
    assert (probabilities.argmax(1) == sample.y_test).mean() > 0.93


def test_the_last_activations_are_the_probabilities_and_those_before_the_layers(predictor, sample):
    pictures = sample.x_test[:3]

    activations = predictor.activations(pictures)

    assert all(len(layer) == 3 for layer in activations)
    assert 32 in {layer.shape[-1] for layer in activations}
    np.testing.assert_array_equal(activations[-1], predictor.probabilities(pictures))


def test_a_picture_is_read_the_same_alone_and_among_others(predictor, sample):
    together = predictor.probabilities(sample.x_test[:50])

    alone = np.concatenate([predictor.probabilities(picture[None]) for picture in sample.x_test[:50]])

    np.testing.assert_allclose(alone, together, atol=1e-6)


def test_a_prediction_stays_as_it_was_after_the_next_one(predictor, sample):
    first = predictor.probabilities(sample.x_test[:1])
    copy = first.copy()

    predictor.probabilities(sample.x_test[1:2])

    np.testing.assert_array_equal(first, copy)


def test_eight_threads_may_share_a_predictor(predictor, sample):
    # Batches of different sizes, so that the interpreter has to ask for other memory each time.
    parts = [sample.x_test[place : place + 1 + place % 7] for place in range(400)]
    one_after_another = [predictor.probabilities(part) for part in parts]

    with ThreadPoolExecutor(8) as pool:
        at_once = list(pool.map(predictor.probabilities, parts))

    for one, other in zip(at_once, one_after_another, strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_prediction_takes_some_time_and_far_less_than_a_second(predictor, sample):
    assert 0 < predictor.milliseconds(sample.x_test[0], repeats=20) < 500


@pytest.mark.parametrize("part", [0, 0.01, 0.5])
def test_a_model_that_was_cut_off_cannot_be_read(tflite, part):
    with pytest.raises(StoreError, match=r"The stored model cannot be read .* Train it again\."):
        Predictor(tflite[: int(part * len(tflite))])


@pytest.mark.parametrize("content", [b"", b"not a model", bytes(1_000), b"\xff" * 1_000])
def test_bytes_that_are_no_model_cannot_be_read(content):
    with pytest.raises(StoreError, match=r"The stored model cannot be read .* Train it again\."):
        Predictor(content)


# Weights


@pytest.mark.parametrize(
    ("name", "shapes"),
    [
        ("dense-32", [(784, 32), (32, 10)]),
        ("sigmoid-100", [(784, 100), (100, 10)]),
        ("dense-512", [(784, 512), (512, 10)]),
    ],
)
def test_weights_have_the_shapes_of_the_tutorials_networks(name, shapes):
    layers = read_weights((REFERENCE_FOLDER / name / MODEL_KERAS).read_bytes())

    assert [layer.kernel.shape for layer in layers] == shapes
    assert [layer.bias.shape for layer in layers] == [(units,) for _, units in shapes]
    assert {layer.kernel.dtype for layer in layers} == {np.dtype(np.float32)}


def test_weights_are_those_that_keras_loads(keras_file):
    import keras

    model = keras.models.load_model(DENSE_32 / MODEL_KERAS)
    loaded = [(layer.name, *layer.get_weights()) for layer in model.layers if layer.get_weights()]

    read = read_weights(keras_file)

    assert [layer.name for layer in read] == [name for name, _, _ in loaded]
    for layer, (_, kernel, bias) in zip(read, loaded, strict=True):
        np.testing.assert_array_equal(layer.kernel, kernel)
        np.testing.assert_array_equal(layer.bias, bias)


@pytest.mark.parametrize("part", [0, 0.01, 0.5, 0.99])
def test_weights_of_a_file_that_was_cut_off_cannot_be_read(keras_file, part):
    with pytest.raises(StoreError, match=r"The stored model cannot be read .* Train it again\."):
        read_weights(keras_file[: int(part * len(keras_file))])


def test_weights_of_a_file_with_wrong_bytes_anywhere_cannot_be_read(keras_file):
    length = len(keras_file) // 25
    for start in range(0, len(keras_file) - length, length):
        damaged = bytearray(keras_file)
        damaged[start : start + length] = b"\x5a" * length

        with pytest.raises(StoreError, match=r"The stored model cannot be read .* Train it again\."):
            read_weights(bytes(damaged))


@pytest.mark.parametrize("content", [b"", b"not an archive", bytes(1_000)])
def test_bytes_that_are_no_archive_have_no_weights(content):
    with pytest.raises(StoreError, match=r"The stored model cannot be read .* Train it again\."):
        read_weights(content)
