"""One training step: the layers of a Keras model forward, their gradients back, and the optimizer's update."""

from collections.abc import Sequence
from typing import Any

_DRAWN_BITS = 16  # of a random number that decides what is dropped; Keras draws 32 for each value


def update(model: Any, optimizer: Any, inputs: Any, labels: Any, present: Any) -> Any:
    """Updates the weights once; returns the sum of the losses and the number of correct predictions.

    Args:
        model: The network.
        optimizer: Its optimizer, built.
        inputs: Images, shape (n, 28, 28), float32 in [0, 255].
        labels: Their digits, shape (n,).
        present: Shape (n,), float32: 1, or 0 for images that count for nothing.
    """
    import keras
    import tensorflow as tf

    digits = tf.cast(labels, tf.int32)
    with tf.GradientTape() as tape:
        probabilities = forward(model.layers, inputs)
        losses = keras.losses.categorical_crossentropy(tf.one_hot(digits, 10), probabilities)
        loss = tf.reduce_sum(losses * present) / tf.reduce_sum(present)
    gradients = tape.gradient(loss, model.trainable_variables)
    apply_gradients(optimizer, gradients, model.trainable_variables)
    correct = tf.cast(tf.argmax(probabilities, 1, tf.int32) == digits, tf.float32)
    return tf.cast(tf.stack([tf.reduce_sum(losses * present), tf.reduce_sum(correct * present)]), tf.float64)


def forward(layers: Sequence[Any], inputs: Any) -> Any:
    """Returns the output of layers that follow one another, in training."""
    outputs = inputs
    for layer in layers:
        kind = layer.__class__.__name__
        if kind != "InputLayer":
            outputs = drop_out(layer, outputs) if kind == "Dropout" else layer(outputs)
    return outputs


def drop_out(layer: Any, inputs: Any) -> Any:
    """Does what a Dropout layer does in training, with half as many random numbers.

    Drawing them takes Keras a seventh of a step of the CNN in bfloat16. The share that is dropped
    is the layer's to within 1/131,072.
    """
    import tensorflow as tf

    count = tf.size(inputs)
    seed = tf.cast(layer.seed_generator.next(), tf.int32)
    words = tf.random.stateless_uniform(((count + 1) // 2,), seed, None, None, tf.uint32)
    drawn = tf.reshape(tf.reshape(tf.bitcast(words, tf.uint16), (-1,))[:count], tf.shape(inputs))
    kept = drawn >= tf.cast(round(layer.rate * 2**_DRAWN_BITS), tf.uint16)
    return inputs * tf.cast(kept, inputs.dtype) * (1 / (1 - layer.rate))


def apply_gradients(optimizer: Any, gradients: Sequence[Any], variables: Sequence[Any]) -> None:
    """Does what `optimizer.apply` does for these optimizers, but without keeping every graph for good.

    Keras adds the gradients up over replicas even where there is one, and TensorFlow registers
    that sum, with all its graph, under a name of its own that it never forgets: 10 MB a program.
    """
    for gradient, variable in zip(gradients, variables, strict=True):
        optimizer.update_step(gradient, variable, optimizer.learning_rate)
    optimizer.iterations.assign_add(1)
