"""The network in numpy, against Keras: activations, logits, loss and gradients of every variant that ships."""

import numpy as np
import pytest

from mnist_dash.config import ASSETS
from mnist_dash.errors import StoreError
from mnist_dash.inference.numpy_network import NumpyNetwork
from mnist_dash.networks.variants import VARIANTS
from mnist_dash.worker.compiled import load_tensorflow

IMAGES = 6


def model_of(variant: str) -> bytes:
    return (ASSETS / "reference" / variant / "model.keras").read_bytes()


@pytest.fixture(scope="module", params=list(VARIANTS))
def both(request, tmp_path_factory):
    """A variant's network in numpy and in Keras."""
    load_tensorflow()
    import keras

    path = tmp_path_factory.mktemp("keras") / "model.keras"
    path.write_bytes(model_of(request.param))
    return NumpyNetwork(path.read_bytes()), keras.models.load_model(path)


def logits_of(model, images):
    """The logits by Keras' own layers, differentiable."""
    import keras

    before = keras.Model(model.input, model.layers[-1].input)(images)
    return before @ model.layers[-1].kernel + model.layers[-1].bias


def test_every_layers_activations_are_those_of_keras(both, sample):
    import keras

    network, model = both
    images = sample.x_test[:IMAGES]
    outputs = [layer.output for layer in model.layers if layer.__class__.__name__ not in ("InputLayer", "Dropout")]
    expected = [np.asarray(output) for output in keras.Model(model.input, outputs)(images.astype(np.float32))]

    trace = network.forward(images)

    for found, of_keras in zip(trace.outputs[:-1], expected[:-1], strict=True):
        np.testing.assert_allclose(found, of_keras, rtol=1e-5, atol=1e-5 * max(1, np.abs(of_keras).max()))
    np.testing.assert_allclose(trace.probabilities, expected[-1], atol=1e-5)
    np.testing.assert_allclose(trace.logits, logits_of(model, images.astype(np.float32)), rtol=1e-5, atol=1e-4)


def test_the_loss_of_each_image_is_that_of_keras(both, sample):
    import keras

    network, model = both
    images, labels = sample.x_test[:IMAGES], sample.y_test[:IMAGES]
    logits = logits_of(model, images.astype(np.float32))

    loss = network.forward(images).cross_entropy(labels)

    expected = keras.losses.sparse_categorical_crossentropy(labels, logits, from_logits=True)
    np.testing.assert_allclose(loss, np.asarray(expected), rtol=1e-5, atol=1e-5)


def test_gradients_of_every_logit_are_those_of_keras(both, sample):
    import tensorflow as tf

    network, model = both
    images = np.repeat(sample.x_test[:1], 10, axis=0).astype(np.float32)
    pixels = tf.constant(images)
    with tf.GradientTape() as tape:
        tape.watch(pixels)
        chosen = tf.reduce_sum(logits_of(model, pixels) * tf.eye(10))
    expected = tape.gradient(chosen, pixels).numpy()

    found = network.input_gradients(network.forward(images), np.eye(10))

    np.testing.assert_allclose(found, expected, atol=1e-5 * np.abs(expected).max())


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"no archive"])
def test_what_is_no_model_is_refused(content):
    with pytest.raises(StoreError):
        NumpyNetwork(content)
