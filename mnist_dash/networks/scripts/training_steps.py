"""Training, and the test at the end."""

import inspect
from collections.abc import Iterator
from types import ModuleType

from mnist_dash.networks import augmentation, handwriting_styles
from mnist_dash.networks.hyperparameters import COSINE, NO_VALIDATION, Values
from mnist_dash.networks.scripts.step import Step
from mnist_dash.networks.variants import changes_images


def training_steps(values: Values) -> Iterator[Step]:
    """Yields the steps that train the network and test it."""
    if changes_images(values):
        yield from _augmentation(values)
    if values["schedule"] == COSINE:
        yield _cosine_decay(values)
    if values["patience"]:
        yield _early_stopping(values)
    yield _fit(values)
    yield Step(
        "Test images were used neither for training nor to choose settings, so their accuracy estimates performance on "
        "new images. Use them once, at the end.",
        "test_loss, test_accuracy = model.evaluate(x_test, y_test)\n"
        'print(f"test loss {test_loss:.4f}, test accuracy {test_accuracy:.4f}")',
        title="Test",
    )


def misclassified_step() -> Step:
    """Returns the step that shows misclassified test images; only a notebook has it."""
    return Step(
        "Some misclassified test images, with the correct and the predicted digit.",
        inspect.cleandoc("""
            try:
                import matplotlib.pyplot as plt
            except ImportError:
                print("To see the images, install matplotlib: pip install matplotlib")
            else:
                labels, predictions = y_test.argmax(axis=1), model.predict(x_test).argmax(axis=1)
                wrong = (labels != predictions).nonzero()[0][:12]
                for position, index in enumerate(wrong, start=1):
                    plt.subplot(3, 4, position, title=f"{labels[index]} predicted as {predictions[index]}")
                    plt.imshow(x_test[index].reshape(28, 28), cmap="gray")
                    plt.axis("off")
                plt.tight_layout()
                plt.show()
        """),
    )


def _augmentation(values: Values) -> Iterator[Step]:
    yield Step(
        "Data augmentation: every training image is changed at random each time it is used.",
        _source(augmentation),
        title="Augmentation",
    )
    if values["handwriting_styles"]:
        yield Step(
            "Handwriting styles: strokes that many people write, but few of MNIST's writers did.",
            _source(handwriting_styles),
        )
    yield Step("", "\n".join(_augmented_batches(values)))
    yield Step(
        "Images are shuffled in each epoch, batched and augmented. `repeat` continues across epochs, so `enumerate` "
        "gives each batch its own number; an epoch has `steps` batches. Validation and test images are not augmented.",
        "images = tf.data.Dataset.from_tensor_slices((x_train, y_train))\n"
        f"batches = images.shuffle(len(images)).batch({values['batch_size']})\n"
        "steps = len(batches)\n"
        "augmented = batches.repeat().enumerate().map(augment_and_prepare, num_parallel_calls=tf.data.AUTOTUNE)",
    )


def _source(module: ModuleType) -> str:
    """Returns what follows a module's docstring; a script has all its imports at its top."""
    _, _, text = inspect.getsource(module).split('"""', 2)
    shared = "from mnist_dash.networks.augmentation import SIZE, read_between_pixels\n\n"
    for imported in ("from typing import Any\n\n", shared, "    import tensorflow as tf\n\n"):
        text = text.replace(imported, "")
    return text.strip()


def _augmented_batches(values: Values) -> Iterator[str]:
    yield "def augment_and_prepare(number, batch):"
    yield '    """Augments a batch; its number seeds the changes."""'
    yield "    images, labels = batch"
    yield f"    seed = [{values['seed']}, tf.cast(number, tf.int32)]"
    yield "    images = tf.cast(images, tf.float32)"
    if values["handwriting_styles"]:
        yield f"    images = add_strokes(images, tf.argmax(labels, 1), {values['handwriting_styles']}, seed)"
    if values["augmentation"]:
        yield f"    images = augment(images, {values['augmentation']}, seed)"
    yield "    return prepare(images), labels"


def _cosine_decay(values: Values) -> Step:
    rate, epochs = values["learning_rate"], values["epochs"]
    lines = [
        "def learning_rate(epoch, _):",
        f"    return {rate} * (1 + math.cos(math.pi * epoch / {epochs})) / 2",
        *("", ""),
        "decay = keras.callbacks.LearningRateScheduler(learning_rate)",
    ]
    return Step(
        f"The learning rate decays from {rate} along half a cosine. Keras calls this before each epoch, counted from "
        "0.",
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
        f"Training. Each step updates the weights on a batch of {values['batch_size']:,} images; an epoch is one pass "
        "over all training images, in a new random order."
    )
    return Step(
        words,
        "\n".join(["model.fit(", *(f"    {argument}," for argument in _fit_arguments(values)), ")"]),
        title="Training",
    )


def _fit_arguments(values: Values) -> Iterator[str]:
    if changes_images(values):
        yield from ("augmented.prefetch(tf.data.AUTOTUNE)", "steps_per_epoch=steps")
    else:
        yield from ("x_train", "y_train")
    yield f"epochs={values['epochs']}"
    if not changes_images(values):
        yield f"batch_size={values['batch_size']}"
    if values["validation"] != NO_VALIDATION:
        yield "validation_data=(x_val, y_val)"
    callbacks = ["decay"] * (values["schedule"] == COSINE) + ["early_stopping"] * bool(values["patience"])
    if callbacks:
        yield f"callbacks=[{', '.join(callbacks)}]"
