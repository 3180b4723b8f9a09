"""Strokes added to ones and sevens: which images get them, where they lie, and what stays as it was."""

import numpy as np
import pytest

from mnist_dash.networks.handwriting_styles import add_strokes

HEIGHT = 20
LENGTH = 17  # from the middle of the upper end to the middle of the lower one


def styled(images, labels, share=1.0, seed=(3, 7)) -> np.ndarray:
    return add_strokes(np.asarray(images, np.float32), np.asarray(labels, np.uint8), share, seed).numpy()


@pytest.fixture(scope="module")
def digits(sample):
    return sample.x_train[:400].astype(np.float32), sample.y_train[:400]


def bar_upright(count) -> np.ndarray:
    """A line of two pixels, as high as MNIST's digits."""
    images = np.zeros((count, 28, 28), np.float32)
    images[:, 4:24, 13:15] = 255
    return images


def roof_and_stem(count) -> np.ndarray:
    """A 7 without a bar."""
    images = np.zeros((count, 28, 28), np.float32)
    images[:, 4:6, 8:20] = 255
    images[:, 4:24, 18:20] = 255
    return images


def widths(image) -> np.ndarray:
    """How many columns lie between the first and the last ink of each row."""
    inked = image > 127
    return np.where(inked.any(1), 28 - inked[:, ::-1].argmax(1) - inked.argmax(1), 0)


def test_only_ones_and_sevens_change_and_all_of_them_do(digits):
    images, labels = digits

    changed = np.abs(styled(images, labels) - images).max(axis=(1, 2)) > 1

    np.testing.assert_array_equal(changed, (labels == 1) | (labels == 7))


def test_the_share_is_a_share_and_none_changes_nothing(digits):
    images, labels = digits
    ones = bar_upright(1_000)

    np.testing.assert_array_equal(styled(images, labels, share=0.0), images)
    changed = (np.abs(styled(ones, np.ones(1_000), share=0.3) - ones).max(axis=(1, 2)) > 1).mean()
    assert changed == pytest.approx(0.3, abs=5 * np.sqrt(0.3 * 0.7 / 1_000))


def test_a_batch_without_ones_and_sevens_stays_as_it_is(digits):
    images, labels = digits
    others = (labels != 1) & (labels != 7)

    changed = add_strokes(images[others], labels[others], 1.0, (0, 0)).numpy()

    np.testing.assert_array_equal(changed, images[others])


def test_the_same_seed_gives_the_same_strokes_and_another_step_others(digits):
    ones = bar_upright(50)

    one, again, other = (styled(ones, np.ones(50), seed=seed) for seed in ((3, 7), (3, 7), (3, 8)))

    np.testing.assert_array_equal(one, again)
    assert (np.abs(one - other).max(axis=(1, 2)) > 50).mean() > 0.9


UP_STROKE_ONLY, FOOT_ONLY, BOTH = 0.375, 0.1, 0.9
HOOK_ONLY, BAR_ONLY = UP_STROKE_ONLY, FOOT_ONLY


@pytest.fixture
def drawn(monkeypatch):
    """Adds strokes whose lengths and angles are so far, in [0, 1], along their ranges."""

    def change(image, digit, which, *, length=0.5, angle=0.5):
        import tensorflow as tf

        row = np.array([0.0, 0.5, length, length, 0.5, length, angle, which], np.float32)
        monkeypatch.setattr(tf.random, "stateless_uniform", lambda *_: tf.constant(row[None]))
        return styled(image(1), [digit])[0]

    return change


@pytest.mark.parametrize(("length", "side"), [(0, 0.12 * LENGTH), (1, 0.45 * LENGTH)])
def test_the_foot_of_a_one_goes_to_both_sides_of_its_lower_end(length, side, drawn):
    image = widths(drawn(bar_upright, 1, FOOT_ONLY, length=length))

    assert max(image[-10:]) == pytest.approx(2 * side + 2, abs=1.5)  # and half a stroke at each end
    assert set(image[6:16]) <= {2, 3}  # a shift by part of a pixel blurs


@pytest.mark.parametrize("angle", [0, 1])
def test_the_up_stroke_of_a_one_falls_to_the_left_from_its_upper_end(angle, drawn):
    image = drawn(bar_upright, 1, UP_STROKE_ONLY, angle=angle)

    radians, length = (0.3, 0.95)[angle], 0.5 * LENGTH
    rows, columns = np.flatnonzero((image > 127).any(1)), np.flatnonzero((image > 127).any(0))
    assert columns[-1] - columns[0] == pytest.approx(length * np.sin(radians) + 2, abs=1.6)
    left_end = np.flatnonzero(image[:, columns[0]] > 127).mean()
    assert left_end - rows[0] == pytest.approx(length * np.cos(radians), abs=1.6)
    assert set(widths(image)[-12:-6]) <= {2, 3}


@pytest.mark.parametrize(("length", "side"), [(0, 0.12 * LENGTH), (1, 0.38 * LENGTH)])
def test_the_bar_of_a_seven_crosses_the_middle_of_its_stem(length, side, drawn):
    image = drawn(roof_and_stem, 7, BAR_ONLY, length=length)

    inked = image > 127
    middle = np.flatnonzero(inked.any(1)).mean()
    [longest] = [max(widths(image)[int(middle) - 2 : int(middle) + 4])]
    assert longest == pytest.approx(2 * side + 2, abs=1.6)
    # A hook would leave ink below the left end of the roof.
    assert not inked[int(middle) - 5, : np.flatnonzero(inked.any(0))[0] + 3].any()


def test_the_hook_of_a_seven_hangs_from_the_left_half_of_its_roof(drawn):
    image = drawn(roof_and_stem, 7, HOOK_ONLY, length=1)

    inked = image > 127
    top = np.flatnonzero(inked.any(1))[0]
    left = np.flatnonzero(inked.any(0))[0]
    below_roof = inked[top + 3 : top + 9, left : left + 8]
    assert below_roof.any(1).sum() == pytest.approx(0.3 * LENGTH - 1, abs=1.6)
    assert set(widths(image)[-10:-4]) <= {2, 3}


def test_both_strokes_are_there_in_half_of_the_images(drawn):
    image = drawn(bar_upright, 1, BOTH)

    assert min(widths(image)[5:8].max(), widths(image)[-8:].max()) >= 4


def test_strokes_are_about_as_wide_as_the_digits_own(drawn):
    def thick(count):
        images = bar_upright(count)
        images[:, :, 11:17] = images[:, :, 13:14]
        return images

    feet = [(widths(drawn(image, 1, FOOT_ONLY, length=1)) > 12).sum() for image in (bar_upright, thick)]

    assert feet[0] == pytest.approx(2, abs=1)
    assert 4 <= feet[1] <= 7


@pytest.mark.parametrize(("image", "digit"), [(bar_upright, 1), (roof_and_stem, 7)])
def test_what_has_changed_is_fitted_and_centred_as_mnist_is(image, digit):
    changed = styled(image(200), np.full(200, digit))

    places = np.arange(28)
    total = changed.sum(axis=(1, 2))
    for axis in (1, 2):
        centre = (changed.sum(axis=3 - axis) * places).sum(1) / total
        np.testing.assert_allclose(centre, 14, atol=0.35)
        side = (changed > 127).any(axis=3 - axis).sum(1)
        assert side.max() <= HEIGHT + 1
    assert changed.min() >= 0
    assert changed.max() <= 255


def test_an_empty_image_stays_empty():
    np.testing.assert_array_equal(styled(np.zeros((4, 28, 28)), [1, 7, 1, 7])[:, :2], 0)
