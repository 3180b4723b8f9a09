from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mnist_dash.networks.hyperparameters import ACTIVATIONS
from mnist_dash.networks.keras_model import build
from mnist_dash.networks.summary import INPUT, LayerSummary, summarise, training_flops, weights_in
from mnist_dash.networks.variants import VARIANTS, Layer

SETTINGS = st.fixed_dictionaries(
    {
        "hidden_layers": st.integers(0, 5),
        "hidden_units": st.integers(1, 40),
        "activation": st.sampled_from(ACTIVATIONS),
        "dropout": st.sampled_from([0, 0.25, 0.9]),
        "filters": st.integers(1, 9),
    }
)


def chosen(name, **given_settings):
    """Returns the variant and all its settings; those that it does not have are left out."""
    variant = VARIANTS[name]
    known = {setting.name for setting in variant.settings}
    return variant, variant.check({key: value for key, value in given_settings.items() if key in known})


def summary_of(name, **given_settings):
    return summarise(*chosen(name, **given_settings))


def summary_by_keras(model):
    """Returns kind, activation, output shape and weights of each layer, as Keras knows them."""
    layers = [layer for layer in model.layers if layer.__class__.__name__ not in ("InputLayer", "Rescaling")]
    return [
        (
            INPUT if layer.__class__.__name__ == "Reshape" else layer.__class__.__name__,
            layer.activation.__name__ if hasattr(layer, "activation") else "linear",
            layer.output.shape[1:],
            layer.count_params(),
        )
        for layer in layers
    ]


def flops_by_tensorflow(name, **given_settings):
    """Returns what TensorFlow counts in dense layers and convolutions: forward, and of a training step in all."""
    import keras
    import tensorflow as tf
    from tensorflow.python.framework.ops import get_stats_for_node_def

    one_picture = keras.Input(batch_shape=(1, 28, 28))
    model = keras.models.clone_model(build(*chosen(name, **given_settings)), input_tensors=one_picture)

    @tf.function(input_signature=[tf.TensorSpec((1, 28, 28)), tf.TensorSpec((1, 10))])
    def gradients(pictures, labels):
        with tf.GradientTape() as tape:
            loss = keras.losses.categorical_crossentropy(labels, model(pictures, training=False))
        return tape.gradient(loss, model.trainable_variables)

    def counted(outputs):
        graph, needed, waiting = outputs[0].graph, set(), [tensor.op for tensor in outputs]
        while waiting:
            operation = waiting.pop()
            if operation not in needed:
                needed.add(operation)
                waiting += [tensor.op for tensor in operation.inputs]
        of_layers = [operation for operation in needed if operation.type.startswith(("MatMul", "Conv2D"))]
        return sum(int(get_stats_for_node_def(graph, one.node_def, "flops").value) for one in of_layers)

    forward = tf.function(lambda pictures: model(pictures, training=False))
    shown = forward.get_concrete_function(tf.TensorSpec((1, 28, 28))).graph.outputs
    return counted(shown), counted(gradients.get_concrete_function().graph.outputs)


@pytest.mark.parametrize("name", VARIANTS)
@given(chosen_settings=SETTINGS)
@settings(max_examples=12, deadline=None)
def test_shapes_activations_and_weights_are_those_of_the_keras_model(name, chosen_settings):
    model = build(*chosen(name, **chosen_settings))

    summary = summary_of(name, **chosen_settings)

    described = [(layer.kind, layer.activation, layer.output_shape, layer.weights) for layer in summary]
    assert described == summary_by_keras(model)
    assert weights_in(summary) == model.count_params()


@pytest.mark.parametrize(
    ("name", "weights"),
    [("dense-32", 25_450), ("sigmoid-100", 79_510), ("dense-512", 407_050), ("cnn", 370_026)],
)
def test_a_tutorials_network_has_as_many_weights_as_its_tutorial_says(name, weights):
    assert weights_in(summary_of(name)) == weights


def test_the_cnn_is_described_in_words():
    titles = [layer.title for layer in summary_of("cnn")]

    assert titles == [
        "Input",
        "Convolution 3 × 3",
        "Convolution 3 × 3",
        "Max pooling 2 × 2",
        "Dropout 50 %",
        "Convolution 3 × 3",
        "Convolution 3 × 3",
        "Max pooling 2 × 2",
        "Dropout 50 %",
        "Convolution 3 × 3",
        "Max pooling 2 × 2",
        "Dropout 50 %",
        "Flatten",
        "Dense",
        "Dense",
    ]


@pytest.mark.parametrize(("rate", "title"), [(0.2, "Dropout 20 %"), (0.125, "Dropout 12.5 %"), (0.07, "Dropout 7 %")])
def test_a_dropout_says_its_rate(rate, title):
    assert title in [layer.title for layer in summary_of("dense-32", dropout=rate)]


@pytest.mark.parametrize(
    ("name", "given_settings"),
    [
        ("dense-32", {}),
        ("dense-512", {"hidden_layers": 0}),
        ("sigmoid-100", {"hidden_layers": 3, "hidden_units": 17}),
        ("cnn", {}),
        ("cnn-augmented", {"filters": 3, "hidden_layers": 2, "hidden_units": 9}),
    ],
)
def test_work_is_what_tensorflow_counts(name, given_settings):
    summary = summary_of(name, **given_settings)

    forward, training = flops_by_tensorflow(name, **given_settings)

    assert 2 * sum(layer.multiplications for layer in summary) == forward
    # TensorFlow takes the gradient of the first convolution's weights for one over all 28 × 28 pixels, not 26 × 26.
    kernels = 3 * 3 * summary[1].output_shape[-1]
    over = 2 * kernels * (28**2 - 26**2) if name.startswith("cnn") else 0
    assert training_flops(summary) == training - over


def test_the_first_layer_with_weights_needs_no_gradient_of_its_inputs():
    dense, deeper = summary_of("dense-32", hidden_layers=0), summary_of("dense-32", hidden_layers=1)

    assert training_flops(dense) == 4 * 784 * 10
    assert training_flops(deeper) == 4 * 784 * 32 + 6 * 32 * 10


def test_a_network_without_weights_takes_no_work():
    nothing = (LayerSummary(INPUT, "Input", "linear", (784,)),)

    assert (weights_in(nothing), training_flops(nothing)) == (0, 0)


def test_a_layer_that_nobody_has_described_yet_is_refused():
    variant = replace(VARIANTS["dense-32"], layers=lambda values: (Layer("LayerNormalization"),))

    with pytest.raises(ValueError, match="A LayerNormalization layer has no summary yet"):
        summarise(variant, variant.check({}))
