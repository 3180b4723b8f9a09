"""What is dropped out in training, and how much of it."""

import numpy as np
import pytest

from mnist_dash.worker.steps import drop_out


@pytest.mark.parametrize("rate", [0.1, 0.2, 0.5, 0.9])
@pytest.mark.parametrize("shape", [(64, 13, 13, 32), (333, 7), (1, 1)])
def test_dropout_drops_its_share_and_scales_up_the_rest(rate, shape):
    import keras
    import tensorflow as tf

    layer = keras.layers.Dropout(rate, seed=3)

    dropped = np.concatenate([drop_out(layer, tf.ones(shape)).numpy().ravel() for _ in range(3)])

    kept = dropped[dropped != 0]
    np.testing.assert_allclose(kept, 1 / (1 - rate), rtol=1e-6)
    # Five standard deviations of a binomial share.
    assert len(kept) / dropped.size == pytest.approx(1 - rate, abs=5 * np.sqrt(rate * (1 - rate) / dropped.size))


def test_dropout_of_neighbors_and_of_steps_is_independent():
    import keras
    import tensorflow as tf

    layer = keras.layers.Dropout(0.5, seed=3)

    one, other = (drop_out(layer, tf.ones((400, 1_000))).numpy() > 0 for _ in range(2))

    for some, others in ((one, other), (one[:, ::2], one[:, 1::2]), (one[::2], one[1::2])):
        assert (some == others).mean() == pytest.approx(0.5, abs=5 * 0.5 / np.sqrt(some.size))


def test_dropout_follows_from_its_seed_and_its_state():
    import keras
    import tensorflow as tf

    layers = [keras.layers.Dropout(0.5, seed=seed) for seed in (3, 3, 4)]

    first, same, another = (drop_out(layer, tf.ones((20, 30))).numpy() for layer in layers)
    later = drop_out(layers[0], tf.ones((20, 30))).numpy()

    np.testing.assert_array_equal(first, same)
    assert (first != another).any()
    assert (first != later).any()
