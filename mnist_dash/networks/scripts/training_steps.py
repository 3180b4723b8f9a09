"""Learning, epoch by epoch, and the test at the end."""

import inspect
from collections.abc import Iterator

from mnist_dash.networks import augmentation
from mnist_dash.networks.hyperparameters import COSINE, NO_VALIDATION, Values
from mnist_dash.networks.scripts.step import Step


def training_steps(values: Values) -> Iterator[Step]:
    """Yields the steps that train the network and test it."""
    if values["augmentation"]:
        yield from _augmentation(values)
    if values["schedule"] == COSINE:
        yield _falling_rate(values)
    if values["patience"]:
        yield _early_stopping(values)
    yield _fit(values)
    yield Step(
        "The network has never seen the test pictures, and no choice was made by them, so they tell how well it reads "
        "new ones. They are used once, at the end.",
        "test_loss, test_accuracy = model.evaluate(x_test, y_test)\n"
        'print(f"test loss {test_loss:.4f}, test accuracy {test_accuracy:.4f}")',
        title="Test",
    )


def mistakes_step() -> Step:
    """Returns the step that shows some test pictures that were read wrong; only a notebook has it."""
    return Step(
        "Some of the test pictures that it read wrong, with the true digit and the one that it took them for.",
        inspect.cleandoc("""
            try:
                import matplotlib.pyplot as plt
            except ImportError:
                print("To see the pictures, install matplotlib: pip install matplotlib")
            else:
                true, read = y_test.argmax(axis=1), model.predict(x_test).argmax(axis=1)
                wrong = (true != read).nonzero()[0][:12]
                for place, number in enumerate(wrong, start=1):
                    plt.subplot(3, 4, place, title=f"{true[number]} read as {read[number]}")
                    plt.imshow(x_test[number].reshape(28, 28), cmap="gray")
                    plt.axis("off")
                plt.tight_layout()
                plt.show()
        """),
    )


def _augmentation(values: Values) -> Iterator[Step]:
    # What follows the module's docstring; a script has all its imports at its top.
    _, _, text = inspect.getsource(augmentation).split('"""', 2)
    for imported in ("from typing import Any\n\n", "    import tensorflow as tf\n\n"):
        text = text.replace(imported, "")
    yield Step(
        "In training every picture is changed at random each time it is shown, so the network learns from pictures "
        "that MNIST does not have. This is how; nothing else depends on the details.",
        text.strip(),
        title="Augmentation",
    )
    yield Step("", "\n".join(_changing(values)))
    yield Step(
        "The pictures in another order each epoch, in batches, and each changed in another way. `repeat` goes on from "
        "epoch to epoch, so `enumerate` never gives two batches the same number; an epoch is `steps` of them. The "
        "pictures to validate and to test are never changed.",
        "pictures = tf.data.Dataset.from_tensor_slices((x_train, y_train))\n"
        f"batches = pictures.shuffle(len(pictures)).batch({values['batch_size']})\n"
        "steps = len(batches)\n"
        "changed = batches.repeat().enumerate().map(change_and_prepare, num_parallel_calls=tf.data.AUTOTUNE)",
    )


def _changing(values: Values) -> Iterator[str]:
    yield "def change_and_prepare(number, batch):"
    yield '    """Changes the pictures of a batch at random: another number, other changes."""'
    yield "    pictures, labels = batch"
    yield f"    seed = [{values['seed']}, tf.cast(number, tf.int32)]"
    yield f"    changed = augment(tf.cast(pictures, tf.float32), {values['augmentation']}, seed)"
    yield "    return prepare(changed), labels"


def _falling_rate(values: Values) -> Step:
    rate, epochs = values["learning_rate"], values["epochs"]
    lines = [
        "def learning_rate(epoch, _):",
        f"    return {rate} * (1 + math.cos(math.pi * epoch / {epochs})) / 2",
        *("", ""),
        "falling_rate = keras.callbacks.LearningRateScheduler(learning_rate)",
    ]
    return Step(
        f"The learning rate falls from {rate} along half a cosine: large steps first, small ones to end. Keras asks "
        "for it before each epoch, and counts them from 0.",
        "\n".join(lines),
    )


def _early_stopping(values: Values) -> Step:
    patience = int(values["patience"])
    epochs = "an epoch does not bring" if patience == 1 else f"{patience} epochs in a row do not bring"
    return Step(
        f"Early stopping: the training ends when {epochs} a lower validation loss than the best so far. However it "
        "ends, the network then goes back to the weights of its best epoch.",
        "early_stopping = keras.callbacks.EarlyStopping("
        f'monitor="val_loss", patience={patience}, restore_best_weights=True)',
    )


def _fit(values: Values) -> Step:
    words = (
        f"Training. The network reads a batch of {values['batch_size']:,} pictures, and the optimizer moves the "
        "weights so that it would read them a little better; then comes the next batch. When all pictures have been "
        "shown once, an epoch is over, and the next one shows them in another order."
    )
    return Step(
        words,
        "\n".join(["model.fit(", *(f"    {argument}," for argument in _fit_arguments(values)), ")"]),
        title="Training",
    )


def _fit_arguments(values: Values) -> Iterator[str]:
    if values["augmentation"]:
        yield from ("changed.prefetch(tf.data.AUTOTUNE)", "steps_per_epoch=steps")
    else:
        yield from ("x_train", "y_train")
    yield f"epochs={values['epochs']}"
    if not values["augmentation"]:
        yield f"batch_size={values['batch_size']}"
    if values["validation"] != NO_VALIDATION:
        yield "validation_data=(x_val, y_val)"
    callbacks = ["falling_rate"] * (values["schedule"] == COSINE) + ["early_stopping"] * bool(values["patience"])
    if callbacks:
        yield f"callbacks=[{', '.join(callbacks)}]"
