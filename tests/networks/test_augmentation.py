"""Pictures changed at random, compared with what scipy makes of the same pictures."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from mnist_dash.networks import augmentation
from mnist_dash.networks.augmentation import augment

CHANCES = ("turn", "shear", "scale", "aspect", "across", "down", "stroke", "shade", "faintness", "noise")
# Ranges of the tests' own: those of the project are a matter of measurement, these of arithmetic.
RANGES = {
    "ROTATION": 0.35,
    "SHEAR": 0.35,
    "SCALE": 0.15,
    "ASPECT": 0.35,
    "SHIFT": 2.5,
    "ELASTIC": 1.1,
    "STROKE": 0.8,
    "GAMMA": 0.5,
    "FAINTNESS": 0.2,
    "NOISE": 25.0,
}
MIDDLE = (13.5, 13.5)
EDGE = 0.02  # of 255: single precision


def augmented(pictures, strength=1.0, seed=(3, 7)) -> np.ndarray:
    return augment(np.asarray(pictures, np.float32), strength, seed).numpy()


@pytest.fixture(autouse=True)
def ranges(monkeypatch):
    for name, value in RANGES.items():
        monkeypatch.setattr(augmentation, name, value)


@pytest.fixture(scope="module")
def digits(sample):
    return sample.x_train[:60].astype(np.float32)


@pytest.fixture
def only(monkeypatch):
    """Augments pictures with the chances named, from -1 to 1, and all others in the middle of their range."""

    def changed(pictures, *, bends=0.0, **chances):
        import tensorflow as tf

        row = np.array([chances.pop(name, 0.0) for name in CHANCES], np.float32)
        assert not chances
        points = np.broadcast_to(np.float32(bends), (2, len(pictures), 5, 5))

        def normal(shape, seed):
            # Only bends have two coordinates in front; all pixels of the noise are 1.
            return tf.constant(points) if len(shape) == 4 else tf.ones(shape)

        monkeypatch.setattr(tf.random, "stateless_uniform", lambda *_: tf.tile(row[None], (len(pictures), 1)))
        monkeypatch.setattr(tf.random, "stateless_normal", normal)
        return augmented(pictures)

    return changed


def moved(pictures, matrix) -> np.ndarray:
    """Each picture by scipy: `matrix` leads from (row, column) of the result, from the middle, to the source."""
    offset = MIDDLE - matrix @ MIDDLE
    return np.stack([ndimage.affine_transform(one, matrix, offset, order=1, mode="grid-constant") for one in pictures])


# At random, but repeatable


def test_all_ranges_of_the_project_are_known_here():
    assert set(RANGES) == {
        name for name in vars(augmentation) if name.isupper() and name != "SIZE" and not name.startswith("_")
    }


def test_strength_0_changes_nothing_at_all(digits):
    every_value = np.resize(np.arange(256), (1, 28, 28))

    for pictures in (digits, every_value):
        np.testing.assert_array_equal(augmented(pictures, 0.0), pictures)


def test_the_same_seed_gives_the_same_pictures_and_another_seed_or_step_others(digits):
    one = augmented(digits, seed=(3, 7))

    np.testing.assert_array_equal(augmented(digits, seed=(3, 7)), one)
    for seed in ((3, 8), (4, 7), (7, 3)):
        other = augmented(digits, seed=seed)
        assert np.abs(other - one).max(axis=(1, 2)).min() > 50  # each picture of the batch


@pytest.mark.parametrize("kept", RANGES)
def test_each_kind_of_change_is_another_one_with_every_seed_and_step(kept, digits, monkeypatch):
    for name in set(RANGES) - {kept}:
        monkeypatch.setattr(augmentation, name, 0.0)

    one, *others = (augmented(digits, seed=seed) for seed in ((3, 7), (3, 8), (4, 7)))

    for other in others:
        # Half of the pictures have no noise, a quarter neither in one step nor in the other.
        assert (np.abs(other - one).max(axis=(1, 2)) > 0.5).mean() > 0.6


def test_noise_lies_on_about_half_of_the_pictures_and_on_each_in_another_way(monkeypatch):
    grey = np.full((200, 28, 28), 128.0)
    for name in set(RANGES) - {"NOISE"}:
        monkeypatch.setattr(augmentation, name, 0.0)

    noise = np.concatenate([augmented(grey, seed=(3, step)) - grey for step in (7, 8)]).reshape(400, -1)

    noisy = noise[noise.std(axis=1) > 1]
    assert 160 < len(noisy) < 240
    # Two rows of 784 independent numbers are correlated by 0.036 on average.
    assert np.abs(np.corrcoef(noisy) - np.eye(len(noisy))).max() < 0.25


def test_a_compiled_program_gives_the_same_pictures(digits):
    import tensorflow as tf

    compiled = tf.function(augment)

    np.testing.assert_allclose(
        compiled(tf.constant(digits), 1.0, tf.constant([3, 7])).numpy(), augmented(digits), atol=0.01
    )


def test_every_picture_of_a_batch_is_changed_in_a_way_of_its_own(digits):
    copies = np.repeat(digits[:1], 50, axis=0)

    changed = augmented(copies)

    apart = np.abs(changed[:, None] - changed[None]).mean(axis=(2, 3)) + 255 * np.eye(50)
    assert apart.min() > 2


def test_a_picture_is_changed_in_the_same_way_whatever_stands_beside_it(digits):
    alone = augmented(np.repeat(digits[:1], 20, axis=0))
    in_company = augmented(np.concatenate([digits[:1], digits[1:20]]))

    np.testing.assert_array_equal(alone[0], in_company[0])


@settings(max_examples=40, deadline=None)
@given(
    n=st.integers(1, 4),
    strength=st.floats(0, 2),
    seed=st.tuples(st.integers(0, 2**31 - 1), st.integers(0, 2**31 - 1)),
    kind=st.sampled_from(["white", "black", "noise"]),
)
def test_pictures_keep_their_shape_type_and_range(n, strength, seed, kind):
    noise = np.random.default_rng(n).uniform(0, 255, (n, 28, 28))
    pictures = {"white": np.full((n, 28, 28), 255), "black": np.zeros((n, 28, 28)), "noise": noise}[kind]

    changed = augmented(pictures, strength, seed)

    assert (changed.shape, changed.dtype) == ((n, 28, 28), np.float32)
    assert changed.min() >= 0  # and no number is lost: nan is not
    assert changed.max() <= 255


def test_changes_are_drawn_evenly_from_their_whole_range_and_twice_as_wide_at_strength_2(monkeypatch):
    blot = np.zeros((2_000, 28, 28))
    blot[:, 12:16, 12:16] = 255
    for name in set(RANGES) - {"SHIFT"}:
        monkeypatch.setattr(augmentation, name, 0.0)

    for strength in (1.0, 2.0):
        changed = augmented(blot, strength)
        ink = changed.sum(axis=(1, 2))
        for axis in (1, 2):
            shifts = (changed.sum(axis=3 - axis) * (np.arange(28) - 13.5)).sum(axis=1) / ink
            widest = strength * augmentation.SHIFT
            assert np.abs(shifts).max() <= widest + 1e-3
            # Evenly from -w to w: the quarters lie at ±w/2, the mean of 2,000 within 5 of its standard errors.
            np.testing.assert_allclose(
                np.quantile(shifts, [0, 0.25, 0.5, 0.75, 1]) / widest, [-1, -0.5, 0, 0.5, 1], atol=0.07
            )
            assert abs(shifts.mean()) < 5 * widest / np.sqrt(3 * 2_000)


# Each change alone


@pytest.mark.parametrize("chance", [-1, 0.4, 1])
def test_a_turn_is_that_of_scipy(chance, digits, only):
    degrees = np.degrees(chance * 0.35)
    expected = [ndimage.rotate(one, degrees, reshape=False, order=1, mode="grid-constant") for one in digits]

    np.testing.assert_allclose(only(digits, turn=chance), expected, atol=EDGE)


@pytest.mark.parametrize(("across", "down"), [(1, 0), (0, -1), (-0.3, 0.7)])
def test_a_shift_is_that_of_scipy(across, down, digits, only):
    by = (0, -2.5 * down, -2.5 * across)
    expected = ndimage.shift(digits, by, order=1, mode="grid-constant")

    np.testing.assert_allclose(only(digits, across=across, down=down), expected, atol=EDGE)


@pytest.mark.parametrize("chance", [-1, 1])
def test_scale_changes_both_sides_and_aspect_only_ever_makes_wider(chance, digits, only):
    factor, ratio = np.exp(0.15 * chance), np.exp(0.35 * abs(chance))
    larger = moved(digits, np.diag([1 / factor, 1 / factor]))
    wider = moved(digits, np.diag([np.sqrt(ratio), 1 / np.sqrt(ratio)]))

    np.testing.assert_allclose(only(digits, scale=chance), larger, atol=EDGE)
    np.testing.assert_allclose(only(digits, aspect=chance), wider, atol=EDGE)


@pytest.mark.parametrize("chance", [-1, 1])
def test_shear_moves_each_row_sideways(chance, digits, only):
    by = [[0, -0.35 * chance * (row - 13.5)] for row in range(28)]
    expected = np.stack(
        [ndimage.shift(digits[:, row], sideways, order=1, mode="grid-constant") for row, sideways in enumerate(by)],
        axis=1,
    )

    np.testing.assert_allclose(only(digits, shear=chance), expected, atol=EDGE)


def test_turn_shear_and_scale_together_are_one_matrix(digits, only):
    sine, cosine = np.sin(-0.35 * 0.8), np.cos(-0.35 * 0.8)
    turn = np.array([[cosine, sine], [-sine, cosine]])
    shear = np.array([[1, 0], [0.35 * 0.5, 1]])
    scale = np.diag(np.exp([-0.15 * -0.9 + 0.35 * 0.6 / 2, -0.15 * -0.9 - 0.35 * 0.6 / 2]))

    changed = only(digits, turn=-0.8, shear=0.5, scale=-0.9, aspect=0.6)

    np.testing.assert_allclose(changed, moved(digits, scale @ shear @ turn), atol=EDGE)


def test_the_same_bend_everywhere_is_a_shift(digits, only):
    expected = ndimage.shift(digits, (0, -1.1, -1.1), order=1, mode="grid-constant")

    np.testing.assert_allclose(only(digits, bends=1.0), expected, atol=EDGE)


def test_a_bend_at_one_point_moves_its_surroundings_smoothly_and_nothing_else(only):
    # A picture whose brightness is the column tells which column each pixel was read from; its mirror image, which row.
    columns = np.tile(np.arange(28.0), (1, 28, 1))
    across, down = np.zeros((2, 2, 1, 5, 5))
    across[0, 0, 1, 2] = down[1, 0, 1, 2] = 1

    bent = [
        (only(columns, bends=across) - columns)[0],
        (only(columns.transpose(0, 2, 1), bends=down) - columns.transpose(0, 2, 1))[0],
    ]

    # Points are 27 / 4 pixels apart; a raised cosine falls from one to 0 at the next.
    away = np.abs(np.arange(28)[:, None] - [27 / 4, 27 / 2]) / (27 / 4)
    row, column = ((1 + np.cos(np.pi * np.minimum(away, 1))) / 2).T
    np.testing.assert_allclose(bent, [1.1 * np.outer(row, column)] * 2, atol=1e-3)


def test_a_whole_stroke_thicker_is_a_dilation_and_a_whole_stroke_thinner_an_erosion(digits, only):
    thicker = ndimage.grey_dilation(digits, (1, 3, 3), mode="constant")
    thinner = ndimage.minimum_filter(digits, (1, 2, 2), origin=(0, -1, -1), mode="constant", cval=255)

    # 1.25 × STROKE is 1.
    np.testing.assert_allclose(only(digits, stroke=1.25), thicker, atol=0.01)
    np.testing.assert_allclose(only(digits, stroke=-1.25), thinner, atol=0.01)
    np.testing.assert_allclose(only(digits, stroke=0.625), (digits + thicker) / 2, atol=0.01)


@pytest.mark.parametrize("amount", [0.01, 0.3, 1, 2])
def test_a_thicker_stroke_never_loses_ink_and_a_thinner_one_never_gains_any(amount, digits, only):
    rounding = 1e-3
    noise = np.random.default_rng(5).uniform(0, 255, (3, 28, 28)).astype(np.float32)

    for pictures in (digits, noise):
        thicker, thinner = only(pictures, stroke=amount), only(pictures, stroke=-amount)
        assert (thicker >= pictures - rounding).all()
        assert (thinner <= pictures + rounding).all()
        assert (thicker.sum(axis=(1, 2)) > pictures.sum(axis=(1, 2))).all()
        assert (thinner.sum(axis=(1, 2)) < pictures.sum(axis=(1, 2))).all()


def test_shade_faintness_and_noise_are_as_worked_out_by_hand(only):
    grey = np.full((1, 28, 28), 102.0)  # two fifths of 255

    np.testing.assert_allclose(only(grey, shade=1), 255 * 0.4**1.6487213, atol=0.01)
    np.testing.assert_allclose(only(grey, shade=-1), 255 * 0.4**0.6065307, atol=0.01)
    for faintness in (-1, 1):
        np.testing.assert_allclose(only(grey, faintness=faintness), 0.8 * 102, atol=0.01)
    np.testing.assert_allclose(only(grey, noise=0.5), 102 + 12.5, atol=0.01)
    np.testing.assert_allclose(only(grey, noise=-1), 102, atol=0.01)


def test_white_stays_white_and_black_black_under_noise(only):
    assert only(np.full((1, 28, 28), 255.0), noise=1).max() == 255
    assert only(np.zeros((1, 28, 28)), shade=1, stroke=1).max() == 0
