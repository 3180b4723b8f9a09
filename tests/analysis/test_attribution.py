"""Explanations, against Keras' own gradients and the properties that their papers prove."""

import numpy as np
import pytest

from mnist_dash.analysis.attribution import (
    contrast,
    integrated_gradients,
    occlusion,
    preferred_images,
    saliency,
    smallest_change,
)
from mnist_dash.config import ASSETS
from mnist_dash.inference.numpy_network import NumpyNetwork
from mnist_dash.inference.predictor import Predictor
from mnist_dash.networks.variants import VARIANTS
from mnist_dash.worker.compiled import load_tensorflow

FOLDER = ASSETS / "reference"


def network_of(variant):
    return NumpyNetwork((FOLDER / variant / "model.keras").read_bytes())


def keras_gradients(variant, images, of_logits):
    """Gradients of a sum of logits with respect to pixels from 0 to 255, by Keras and TensorFlow."""
    tf = load_tensorflow()
    import keras

    model = keras.models.load_model(FOLDER / variant / "model.keras")
    before = keras.Model(model.input, model.layers[-1].input)
    pixels = tf.constant(images.astype(np.float32))
    with tf.GradientTape() as tape:
        tape.watch(pixels)
        logits = before(pixels) @ model.layers[-1].kernel + model.layers[-1].bias
        total = tf.reduce_sum(logits * of_logits)
    return tape.gradient(total, pixels).numpy()


@pytest.mark.parametrize("variant", VARIANTS)
def test_saliency_and_integrated_gradients_are_those_of_keras(variant, sample):
    network, image, weights = network_of(variant), sample.x_test[4], contrast(4, 9)
    shares = ((np.arange(32) + 0.5) / 32)[:, None, None]
    expected = keras_gradients(variant, shares * image, weights).mean(0) * image
    slopes = keras_gradients(variant, image[None], weights)[0] * 255

    found = integrated_gradients(network, image, weights, steps=32)

    np.testing.assert_allclose(found.contributions, expected, atol=1e-5 * max(1, np.abs(expected).max()))
    np.testing.assert_allclose(saliency(network, image, weights), slopes, atol=1e-5 * max(1, np.abs(slopes).max()))


@pytest.mark.parametrize(
    ("variant", "steps", "error"),
    [
        ("sigmoid-100", 4_000, 1e-5),
        ("dense-32", 100_000, 1e-5),
        ("dense-512", 20_000, 1e-5),
        ("cnn", 256, 0.03),  # to 1e-5 it would take minutes: the gradients of ReLU jump
        ("cnn-augmented", 1_024, 0.03),
    ],
)
def test_contributions_add_up_to_what_the_image_makes_of_the_logits(variant, steps, error, sample):
    network, image = network_of(variant), sample.x_test[4]

    found = integrated_gradients(network, image, contrast(4, 9), steps=steps)

    trace = network.forward(np.stack([image, np.zeros_like(image)]))
    expected = (trace.logits[0] - trace.logits[1]) @ contrast(4, 9)
    assert found.difference == pytest.approx(expected, rel=1e-5)
    assert found.contributions.sum(dtype=np.float64) == pytest.approx(expected, rel=error)
    assert (found.contributions[image == 0] == 0).all()


@pytest.mark.parametrize("variant", VARIANTS)
def test_the_smallest_change_flips_the_prediction_of_the_real_model_and_a_shorter_one_does_not(variant, sample):
    network = network_of(variant)
    predictor = Predictor((FOLDER / variant / "model.tflite").read_bytes())

    for image in sample.x_test[:8]:
        flip = smallest_change(network, image)

        assert flip is not None
        assert flip.image.min() >= 0
        assert flip.image.max() <= 255
        shorter = image + 0.98 * (flip.image - image)
        before, after, earlier = predictor.probabilities(np.stack([image, flip.image, shorter])).argmax(1)
        assert flip.predicted == after != before
        assert earlier == before
        assert flip.size == pytest.approx(np.linalg.norm(flip.image - image) / 255, rel=1e-4)


def test_the_smallest_change_of_a_linear_network_is_the_distance_to_its_nearest_boundary():
    network, image = network_of("dense-32"), np.full((28, 28), 128.0)
    kernel = np.random.default_rng(0).normal(0, 0.02, (784, 10)).astype(np.float32)
    network.layers = tuple(layer for layer in network.layers if layer.name != "hidden")
    output = network.layers[-1].weights
    object.__setattr__(output, "kernel", kernel)
    logits = network.forward(image[None]).logits[0]
    first = logits.argmax()
    others = [other for other in range(10) if other != first]
    distances = [(logits[first] - logits[o]) / np.linalg.norm(kernel[:, o] - kernel[:, first]) for o in others]

    flip = smallest_change(network, image)

    assert flip.size == pytest.approx(min(distances), rel=0.003)


def test_occlusion_finds_the_only_pixels_that_a_model_looks_at():
    image = np.full((28, 28), 200, np.uint8)

    def looks_at_a_corner(images):
        certain = images[:, 2:5, 20:24].mean((1, 2)) / 200
        return np.stack([certain, 1 - certain, *np.zeros((8, len(images)))], axis=1)

    drops = occlusion(looks_at_a_corner, image, 0)

    row, column = np.unravel_index(drops.argmax(), drops.shape)
    assert row < 5 + 6
    assert column >= 20 - 6
    assert drops.max() > 0.8
    assert drops[12:, :13].max() == 0
    assert (occlusion(looks_at_a_corner, np.zeros((28, 28), np.uint8), 0) == 0).all()


@pytest.mark.parametrize("variant", ["dense-32", "dense-512", "cnn-augmented"])
def test_the_preferred_image_of_each_class_is_predicted_as_that_class(variant):
    predictor = Predictor((FOLDER / variant / "model.tflite").read_bytes())

    images = preferred_images(network_of(variant))

    assert images.min() >= 0
    assert images.max() <= 255
    assert predictor.probabilities(images).argmax(1).tolist() == list(range(10))
