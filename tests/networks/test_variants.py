import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mnist_dash.errors import VariantError
from mnist_dash.networks.hyperparameters import settings_with
from mnist_dash.networks.keras_model import build, build_optimizer, learning_rate
from mnist_dash.networks.variants import VARIANTS, default_settings, get_variant

# As the tutorials have them, and last our own: (class, what makes the layer, shape of its output).
NETWORKS = {
    "dense-32": [
        ("Rescaling", {"scale": 1 / 255, "offset": 0.0}, (28, 28)),
        ("Reshape", {}, (784,)),
        ("Dense", {"units": 32, "activation": "relu"}, (32,)),
        ("Dense", {"units": 10, "activation": "softmax"}, (10,)),
    ],
    "sigmoid-100": [
        ("Reshape", {}, (784,)),
        ("Dense", {"units": 100, "activation": "sigmoid"}, (100,)),
        ("Dense", {"units": 10, "activation": "softmax"}, (10,)),
    ],
    "dense-512": [
        ("Rescaling", {"scale": 1 / 255, "offset": 0.0}, (28, 28)),
        ("Reshape", {}, (784,)),
        ("Dense", {"units": 512, "activation": "relu"}, (512,)),
        ("Dense", {"units": 10, "activation": "softmax"}, (10,)),
    ],
    "cnn": [
        ("Rescaling", {"scale": 1 / 255, "offset": 0.0}, (28, 28)),
        ("Reshape", {}, (28, 28, 1)),
        ("Conv2D", {"filters": 16, "kernel_size": (3, 3), "padding": "valid", "activation": "relu"}, (26, 26, 16)),
        ("Conv2D", {"filters": 32, "kernel_size": (3, 3), "padding": "same", "activation": "relu"}, (26, 26, 32)),
        ("MaxPooling2D", {"pool_size": (2, 2)}, (13, 13, 32)),
        ("Dropout", {"rate": 0.5}, (13, 13, 32)),
        ("Conv2D", {"filters": 32, "kernel_size": (3, 3), "padding": "same", "activation": "relu"}, (13, 13, 32)),
        ("Conv2D", {"filters": 64, "kernel_size": (3, 3), "padding": "same", "activation": "relu"}, (13, 13, 64)),
        ("MaxPooling2D", {"pool_size": (2, 2)}, (6, 6, 64)),
        ("Dropout", {"rate": 0.5}, (6, 6, 64)),
        ("Conv2D", {"filters": 64, "kernel_size": (3, 3), "padding": "same", "activation": "relu"}, (6, 6, 64)),
        ("MaxPooling2D", {"pool_size": (2, 2)}, (3, 3, 64)),
        ("Dropout", {"rate": 0.5}, (3, 3, 64)),
        ("Flatten", {}, (576,)),
        ("Dense", {"units": 512, "activation": "relu"}, (512,)),
        ("Dense", {"units": 10, "activation": "softmax"}, (10,)),
    ],
    "cnn-augmented": [
        ("Rescaling", {"scale": 1 / 255, "offset": 0.0}, (28, 28)),
        ("Reshape", {}, (28, 28, 1)),
        ("Conv2D", {"filters": 16, "kernel_size": (3, 3), "padding": "valid", "activation": "relu"}, (26, 26, 16)),
        ("Conv2D", {"filters": 32, "kernel_size": (3, 3), "padding": "same", "activation": "relu"}, (26, 26, 32)),
        ("MaxPooling2D", {"pool_size": (2, 2)}, (13, 13, 32)),
        ("Dropout", {"rate": 0.2}, (13, 13, 32)),
        ("Conv2D", {"filters": 32, "kernel_size": (3, 3), "padding": "same", "activation": "relu"}, (13, 13, 32)),
        ("Conv2D", {"filters": 64, "kernel_size": (3, 3), "padding": "same", "activation": "relu"}, (13, 13, 64)),
        ("MaxPooling2D", {"pool_size": (2, 2)}, (6, 6, 64)),
        ("Dropout", {"rate": 0.2}, (6, 6, 64)),
        ("Conv2D", {"filters": 64, "kernel_size": (3, 3), "padding": "same", "activation": "relu"}, (6, 6, 64)),
        ("MaxPooling2D", {"pool_size": (2, 2)}, (3, 3, 64)),
        ("Dropout", {"rate": 0.2}, (3, 3, 64)),
        ("Flatten", {}, (576,)),
        ("Dense", {"units": 256, "activation": "relu"}, (256,)),
        ("Dense", {"units": 10, "activation": "softmax"}, (10,)),
    ],
}
WEIGHTS = {"dense-32": 25_450, "sigmoid-100": 79_510, "dense-512": 407_050, "cnn": 370_026, "cnn-augmented": 219_754}
EPOCHS_BATCH_VALIDATION = {
    "dense-32": (2, 32, "none"),
    "sigmoid-100": (100, 100, "none"),
    "dense-512": (5, 128, "none"),
    "cnn": (60, 512, "holdout"),
    "cnn-augmented": (50, 128, "holdout"),
}
# Where a tutorial says nothing, Keras' documented defaults.
OPTIMIZERS = {
    "dense-32": ("RMSprop", {"learning_rate": 0.001, "rho": 0.9, "epsilon": 1e-8, "momentum": 0.0}),
    "sigmoid-100": ("SGD", {"learning_rate": 0.01, "momentum": 0.0, "nesterov": False}),
    "dense-512": ("RMSprop", {"learning_rate": 0.001, "rho": 0.9, "epsilon": 1e-7, "momentum": 0.0}),
    "cnn": ("RMSprop", {"learning_rate": 0.001, "rho": 0.9, "epsilon": 1e-7, "momentum": 0.0}),
    "cnn-augmented": ("Adam", {"learning_rate": 0.001, "beta_1": 0.9, "beta_2": 0.999, "epsilon": 1e-7}),
}

each_variant = pytest.mark.parametrize("name", NETWORKS)
# Most networks share most settings; what differs between them is the default.
SETTINGS = {setting.name: (variant, setting) for variant in VARIANTS.values() for setting in variant.settings}
NUMBERS = [name for name, (_, setting) in SETTINGS.items() if not setting.choices]
each_number = pytest.mark.parametrize(("variant", "setting"), [SETTINGS[name] for name in NUMBERS], ids=NUMBERS)


def model_of(name, **settings):
    variant = get_variant(name)
    return build(variant, variant.check(settings))


def weights_of(model):
    return [variable.numpy() for variable in model.trainable_variables]


# The networks of the tutorials


@each_variant
def test_a_network_is_the_tutorials_layer_by_layer(name):
    _, *layers = model_of(name).layers

    found = [
        (type(layer).__name__, {key: layer.get_config()[key] for key in expected}, layer.output.shape[1:])
        for layer, (_, expected, _) in zip(layers, NETWORKS[name], strict=True)
    ]

    assert found == NETWORKS[name]


@each_variant
def test_a_network_has_as_many_weights_as_the_tutorials(name):
    assert model_of(name).count_params() == WEIGHTS[name]


@each_variant
def test_a_network_takes_pixels_as_they_are_in_the_file(name):
    model = model_of(name)

    assert (model.input.name, model.input.shape, model.input.dtype) == ("pixels", (None, 28, 28), "float32")


@each_variant
def test_the_epochs_batch_size_and_validation_are_the_tutorials(name):
    values = get_variant(name).check({})

    assert (values["epochs"], values["batch_size"], values["validation"]) == EPOCHS_BATCH_VALIDATION[name]


@each_variant
def test_an_optimizer_is_the_tutorials(name):
    variant = get_variant(name)
    kind, expected = OPTIMIZERS[name]

    optimizer = build_optimizer(variant, variant.check({}))

    config = optimizer.get_config()
    assert type(optimizer).__name__ == kind
    assert {key: config[key] for key in expected} == pytest.approx(expected)


def test_a_forward_pass_is_what_numpy_makes_of_the_same_weights(sample):
    model = model_of("dense-32")
    hidden, hidden_bias, output, output_bias = weights_of(model)
    pixels = sample.x_test[:20].reshape(20, 784) / 255
    logits = np.maximum(pixels @ hidden + hidden_bias, 0) @ output + output_bias
    exponentials = np.exp(logits - logits.max(1, keepdims=True))

    probabilities = model(sample.x_test[:20].astype(np.float32)).numpy()

    np.testing.assert_allclose(probabilities, exponentials / exponentials.sum(1, keepdims=True), atol=1e-6)


def test_sigmoid_100_sees_raw_pixels_unless_told_otherwise(sample):
    raw, scaled = model_of("sigmoid-100"), model_of("sigmoid-100", pixel_scaling="0-1")
    pictures = sample.x_test[:20].astype(np.float32)

    np.testing.assert_allclose(raw(pictures / 255).numpy(), scaled(pictures).numpy(), atol=1e-6)


@each_variant
def test_dropout_is_between_the_layers_when_asked_for(name):
    dropouts = [layer for layer in model_of(name, dropout=0.25).layers if type(layer).__name__ == "Dropout"]

    assert [layer.rate for layer in dropouts] == [0.25] * (3 if name.startswith("cnn") else 1)


def test_without_dropout_the_cnn_has_no_such_layer():
    kinds = {type(layer).__name__ for layer in model_of("cnn", dropout=0).layers}

    assert "Dropout" not in kinds


@each_variant
def test_the_number_of_hidden_units_can_be_chosen(name):
    assert model_of(name, hidden_units=7).get_layer("hidden").units == 7


# Seeds


@each_variant
def test_the_same_seed_draws_the_same_starting_weights(name):
    one, other = weights_of(model_of(name, seed=5)), weights_of(model_of(name, seed=5))

    for some, others in zip(one, other, strict=True):
        np.testing.assert_array_equal(some, others)


def test_another_seed_draws_other_starting_weights():
    one, other = weights_of(model_of("dense-32", seed=5)), weights_of(model_of("dense-32", seed=6))

    assert not np.array_equal(one[0], other[0])


@pytest.mark.parametrize("seed", [0, 2**31 - 1])
def test_the_smallest_and_the_largest_seed_can_be_used(seed):
    assert model_of("dense-32", seed=seed).count_params() == 25_450


# Settings and their limits


def test_the_variants_are_those_of_the_tutorials_and_our_own():
    assert list(VARIANTS) == list(NETWORKS)


def test_only_our_own_network_changes_pictures_and_learning_rate_unless_told_to():
    chosen = {
        name: [default_settings(name)[key] for key in ("augmentation", "handwriting_styles", "schedule", "precision")]
        for name in VARIANTS
    }

    assert chosen.pop("cnn-augmented") == [1.0, 0.25, "cosine", "bfloat16"]
    assert list(chosen.values()) == [[0.0, 0.0, "constant", "float32"]] * 4


def test_the_default_settings_are_those_that_a_form_begins_with():
    assert default_settings("cnn") == get_variant("cnn").check({})
    assert default_settings("a network that is no more") == {}


def test_an_unknown_variant_is_refused_with_those_there_are():
    with pytest.raises(VariantError, match=r"There is no variant “dense-33”\. Choose one of dense-32, sigmoid-100,"):
        get_variant("dense-33")


@each_variant
def test_a_default_is_within_its_own_limits(name):
    for setting in get_variant(name).settings:
        assert setting.check(setting.default) == setting.default


def test_a_setting_explains_itself():
    assert all(setting.label and setting.help.endswith(".") for _, setting in SETTINGS.values())


@each_number
def test_both_ends_of_a_range_belong_to_it(variant, setting):
    kind = type(setting.default)

    assert setting.check(setting.minimum) == setting.minimum
    assert setting.check(setting.maximum) == setting.maximum
    assert type(setting.check(setting.maximum)) is kind


@each_number
def test_a_value_out_of_range_is_refused_with_the_range_in_the_message(variant, setting):
    for value in (setting.minimum - 1, setting.maximum + 1, -(10**400), float("nan"), float("inf")):
        with pytest.raises(VariantError) as caught:
            variant.check({setting.name: value})

        assert str(caught.value).startswith(f"{setting.label} must be a ")
        low, high = re.search(r"from (\S+) to (\S+),", str(caught.value)).groups()
        assert (float(low.replace(",", "")), float(high.replace(",", ""))) == (setting.minimum, setting.maximum)


@each_number
def test_a_value_that_is_no_number_is_refused(variant, setting):
    for value in ("many", "", None, [], True, b"1"):
        with pytest.raises(VariantError, match=f"^{setting.label} must be a "):
            variant.check({setting.name: value})


@pytest.mark.parametrize("value", [2.5, "2.5"])
def test_a_part_of_an_epoch_is_refused(value):
    with pytest.raises(VariantError, match="whole number from 1 to 1,000"):
        get_variant("dense-32").check({"epochs": value})


@pytest.mark.parametrize(("given", "checked"), [("3", 3), (3.0, 3), (np.float32(3).item(), 3)])
def test_a_number_may_come_as_a_form_or_a_file_gives_it(given, checked):
    values = get_variant("dense-32").check({"epochs": given})

    assert values["epochs"] == checked
    assert type(values["epochs"]) is int


@given(value=st.integers() | st.floats() | st.text(max_size=8) | st.none() | st.booleans())
def test_any_value_is_either_refused_or_taken_within_the_range(value):
    for setting in get_variant("dense-32").settings:
        try:
            checked = setting.check(value)
        except VariantError:
            continue

        assert type(checked) is type(setting.default)
        assert checked in setting.choices or setting.minimum <= checked <= setting.maximum


def test_a_choice_that_there_is_not_is_refused_with_those_there_are():
    with pytest.raises(VariantError, match="Validation must be one of none, holdout, kfold:2"):
        get_variant("cnn").check({"validation": "half"})


def test_a_fold_beyond_the_folds_is_refused_with_their_number():
    with pytest.raises(VariantError, match="fold is 5, but must be a whole number from 1 to 4 for 4 folds"):
        get_variant("cnn").check({"validation": "kfold:4", "fold": 5})


def test_a_setting_that_a_network_does_not_have_is_refused_with_those_it_has():
    with pytest.raises(VariantError, match=r"dense-32 has no setting momentum\. It has epochs, batch_size"):
        get_variant("dense-32").check({"momentum": 0.9})


def test_settings_not_given_take_their_defaults_in_the_order_of_the_form():
    variant = get_variant("cnn")

    values = variant.check({"seed": 4})

    assert list(values) == [setting.name for setting in variant.settings]
    assert values == {**{setting.name: setting.default for setting in variant.settings}, "seed": 4}


# Learning rates


def rates_of(epochs, **settings):
    values = get_variant("dense-32").check({"epochs": epochs, "learning_rate": 0.002, **settings})
    return [learning_rate(values, epoch) for epoch in range(1, epochs + 1)]


def test_a_constant_learning_rate_is_the_same_in_every_epoch():
    assert rates_of(5) == [0.002] * 5


def test_a_cosine_begins_with_the_whole_learning_rate_and_is_half_of_it_halfway():
    assert rates_of(4, schedule="cosine") == pytest.approx([0.002, 0.0017071068, 0.001, 0.0002928932])


def test_a_cosine_never_rises_and_its_last_epoch_has_a_small_learning_rate_but_one():
    rates = rates_of(40, schedule="cosine")

    assert rates == sorted(rates, reverse=True)
    assert 0 < rates[-1] < 0.002 / 500


def test_the_only_epoch_has_the_whole_learning_rate():
    assert rates_of(1, schedule="cosine") == [0.002]


def test_a_network_cannot_have_a_default_for_a_setting_that_does_not_exist():
    with pytest.raises(ValueError, match="There is no setting pixels"):
        settings_with(pixels="0-1")


@pytest.mark.parametrize(
    ("optimizer", "kind", "arguments"),
    [
        ("sgd", "SGD", {"momentum": 0.0}),
        ("momentum", "SGD", {"momentum": 0.9}),
        ("rmsprop", "RMSprop", {"rho": 0.9}),
        ("adam", "Adam", {"beta_1": 0.9}),
    ],
)
def test_another_optimizer_comes_with_keras_own_arguments(optimizer, kind, arguments):
    variant = VARIANTS["sigmoid-100"]

    built = build_optimizer(variant, variant.check({"optimizer": optimizer, "learning_rate": 0.25}))

    assert type(built).__name__ == kind
    assert float(built.learning_rate) == 0.25
    assert arguments.items() <= built.get_config().items()


@pytest.mark.parametrize("layers", [0, 1, 3])
def test_a_network_has_as_many_hidden_layers_as_asked_for_each_with_its_activation(layers):
    variant = VARIANTS["dense-32"]

    model = build(variant, variant.check({"hidden_layers": layers, "activation": "tanh", "dropout": 0.25}))

    dense = [layer for layer in model.layers if type(layer).__name__ == "Dense"]
    assert [layer.units for layer in dense] == [32] * layers + [10]
    assert [layer.activation.__name__ for layer in dense] == ["tanh"] * layers + ["softmax"]
    assert sum(type(layer).__name__ == "Dropout" for layer in model.layers) == layers


def test_the_filters_of_all_convolutions_follow_the_first():
    variant = VARIANTS["cnn"]

    model = build(variant, variant.check({"filters": 3, "activation": "linear"}))

    convolutions = [layer for layer in model.layers if type(layer).__name__ == "Conv2D"]
    assert [layer.filters for layer in convolutions] == [3, 6, 6, 12, 12]
    assert {layer.activation.__name__ for layer in convolutions} == {"linear"}


def test_a_dense_network_has_no_filters():
    with pytest.raises(VariantError, match="dense-32 has no setting filters"):
        VARIANTS["dense-32"].check({"filters": 8})


def test_early_stopping_needs_pictures_to_validate():
    with pytest.raises(VariantError, match="without validation there is no loss to watch"):
        VARIANTS["dense-32"].check({"patience": 3})

    assert VARIANTS["cnn"].check({"patience": 3})["patience"] == 3
