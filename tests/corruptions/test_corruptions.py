from itertools import pairwise

import numpy as np
import pytest
from scipy import ndimage

from mnist_dash.corruptions import geometry, lighting, noise, overlays
from mnist_dash.corruptions.corruption import corrupt
from mnist_dash.corruptions.kinds import CLEAN, CORRUPTIONS, KINDS, TRANSFORMATIONS
from mnist_dash.inference.predictor import Predictor
from mnist_dash.store.records import MODEL_TFLITE
from mnist_dash.store.reference_runs import REFERENCE_FOLDER

# The names of MNIST-C's folders, in its order.
MNIST_C = [
    *("shot_noise", "impulse_noise", "glass_blur", "motion_blur", "shear", "scale", "rotate", "brightness"),
    *("translate", "stripe", "fog", "spatter", "dotted_line", "zigzag", "canny_edges"),
]
each_kind = pytest.mark.parametrize("kind", [*CORRUPTIONS, *TRANSFORMATIONS], ids=lambda kind: kind.name)


@pytest.fixture(scope="module")
def pictures(sample):
    return sample.x_test[:200]


def random():
    return np.random.default_rng(0)


def dot(row, column):
    """One white pixel on black, as the only picture."""
    picture = np.zeros((1, 28, 28), np.uint8)
    picture[0, row, column] = 255
    return picture


def warped_by_scipy(picture, matrix):
    """An independent bilinear warp about the middle; the matrix says where a (row, column) comes from."""
    offset = 13.5 - matrix @ [13.5, 13.5]
    return ndimage.affine_transform(picture.astype(float), matrix, offset, order=1, mode="grid-constant")


def alike(pictures, others):
    """Which pictures are those of `others` to half a grey level."""
    return np.abs(pictures - others).max(axis=(1, 2)) <= 0.501


# All kinds


def test_the_kinds_are_those_of_mnist_c_each_at_five_strengths():
    assert [kind.name.replace("-", "_") for kind in CORRUPTIONS] == MNIST_C
    assert all([level.value for level in kind.levels] == [1, 2, 3, 4, 5] for kind in CORRUPTIONS)


def test_every_move_has_levels_in_the_order_of_its_axis():
    for kind in TRANSFORMATIONS:
        values = [level.value for level in kind.levels]
        assert values == sorted(set(values))
        assert kind.untouched not in values


@each_kind
def test_pictures_stay_pictures_and_those_given_stay_as_they_are(kind, pictures):
    given = pictures.copy()

    for level in kind.levels:
        found = corrupt(kind, level, given)
        assert (found.shape, found.dtype) == (pictures.shape, np.uint8)
        assert (found != pictures).any()

    np.testing.assert_array_equal(given, pictures)


@each_kind
def test_the_same_pictures_are_always_corrupted_in_the_same_way(kind, pictures):
    for level in kind.levels:
        np.testing.assert_array_equal(corrupt(kind, level, pictures), corrupt(kind, level, pictures))


@each_kind
def test_a_single_picture_can_be_corrupted(kind, pictures):
    for level in kind.levels:
        assert corrupt(kind, level, pictures[:1]).shape == (1, 28, 28)


@pytest.mark.parametrize("kind", CORRUPTIONS, ids=lambda kind: kind.name)
def test_the_stronger_the_corruption_the_larger_the_change(kind, pictures):
    changes = [np.abs(corrupt(kind, level, pictures).astype(float) - pictures).mean() for level in kind.levels]

    assert changes[0] > 0.5
    assert all(later > 1.02 * earlier for earlier, later in pairwise(changes))


def test_untouched_pictures_are_untouched(pictures):
    np.testing.assert_array_equal(corrupt(CLEAN, CLEAN.levels[0], pictures), pictures)


def test_the_shipped_cnn_reads_weakly_corrupted_digits_and_fewer_of_strongly_corrupted_ones(sample):
    predictor = Predictor((REFERENCE_FOLDER / "cnn" / MODEL_TFLITE).read_bytes(), num_threads=2)
    pictures, labels = sample.x_test[::10], sample.y_test[::10]
    accuracy = {}
    for kind in CORRUPTIONS:
        for level in (kind.levels[0], kind.levels[-1]):
            read = predictor.probabilities(corrupt(kind, level, pictures)).argmax(1)
            accuracy[kind.name, level.value] = (read == labels).mean()

    weak, strong = ([accuracy[kind.name, value] for kind in CORRUPTIONS] for value in (1, 5))

    assert np.mean(weak) > 0.9
    assert np.mean(weak) > np.mean(strong) + 0.2
    assert all(first >= last for first, last in zip(weak, strong, strict=True))
    assert accuracy["canny-edges", 5] > 0.5  # outlines are still digits


# Noise and blur


def test_shot_noise_has_the_mean_and_the_variance_of_poissons_distribution():
    grey = np.full((50, 28, 28), 102, np.uint8)  # 0.4 of white, which is 24 of 60 photons

    photons = noise.shot_noise(grey, random(), 60) * (60 / 255)

    assert photons.mean() == pytest.approx(24, rel=0.01)
    assert photons.var() == pytest.approx(24, rel=0.05)


def test_shot_noise_leaves_black_paper_black(pictures):
    noisy = noise.shot_noise(pictures, random(), 3)

    assert not noisy[pictures == 0].any()


def test_impulse_noise_changes_its_part_of_all_pixels_half_of_them_to_white():
    grey = np.full((50, 28, 28), 100, np.uint8)

    noisy = noise.impulse_noise(grey, random(), 0.17)

    assert (noisy == 0).mean() == pytest.approx(0.085, rel=0.05)
    assert (noisy == 255).mean() == pytest.approx(0.085, rel=0.05)
    assert set(np.unique(noisy)) == {0, 100, 255}


def test_a_blur_is_that_of_scipy_and_reaches_from_no_picture_to_the_next(pictures):
    together = noise.blurred(pictures, 0.9)

    for picture, found in zip(pictures[:20], together, strict=False):
        expected = ndimage.gaussian_filter(picture.astype(float), 0.9, mode="constant", truncate=4 / 0.9)
        np.testing.assert_allclose(found, expected, atol=0.02)


def test_glass_moves_ink_no_farther_than_it_reaches_and_loses_little(pictures):
    seen = noise.glass_blur(dot(14, 14), random(), 0.1, 2, 1)
    rows, columns = np.nonzero(seen[0])

    assert np.abs(rows - 14).max(initial=0) <= 2
    assert np.abs(columns - 14).max(initial=0) <= 2
    assert noise.glass_blur(pictures, random(), 0.7, 1, 2).mean() == pytest.approx(pictures.mean(), rel=0.05)


def test_motion_along_a_row_is_half_a_gaussian():
    kernel = noise._smear(3, 0.0)

    middle = kernel[9]
    expected = np.exp(-(np.arange(10) ** 2) / 18)
    np.testing.assert_allclose(middle[:10][::-1], expected / expected.sum(), rtol=1e-5)
    assert kernel.sum() == pytest.approx(1)
    assert not middle[10:].any()


def test_motion_smears_every_dot_to_the_same_side_at_most_as_far_up_or_down_as_along():
    dots = np.repeat(dot(14, 8), 100, axis=0)

    smeared = noise.motion_blur(dots, random(), 2)

    middles = np.array([ndimage.center_of_mass(picture) for picture in smeared]) - [14, 8]
    assert (middles[:, 1] > 0.5).all()
    assert (np.abs(middles[:, 0]) <= middles[:, 1] + 0.05).all()
    assert middles[:, 0].min() < -0.5 < 0.5 < middles[:, 0].max()
    np.testing.assert_allclose(smeared.sum(axis=(1, 2)), 255, atol=15)


# Moves


@pytest.mark.parametrize("slant", [0.2, 0.56, 0.84])
def test_a_sheared_picture_is_one_of_scipys_two(pictures, slant):
    sheared = geometry.shear(pictures, random(), slant)

    sides = [
        np.array([warped_by_scipy(picture, np.array([[1, 0], [side * slant, 1]])) for picture in pictures])
        for side in (-1, 1)
    ]
    counts = [alike(sheared, side).sum() for side in sides]
    assert sum(counts) == len(pictures)
    assert min(counts) > 70


@pytest.mark.parametrize("radians", [0.2, 0.4, 1.0])
def test_a_rotated_picture_is_one_of_scipys_two(pictures, radians):
    rotated = geometry.rotate(pictures, random(), radians)

    # scipy turns anticlockwise by degrees, about the middle.
    sides = [
        ndimage.rotate(
            pictures.astype(float),
            side * np.rad2deg(radians),
            axes=(1, 2),
            reshape=False,
            order=1,
            mode="grid-constant",
        )
        for side in (-1, 1)
    ]
    counts = [alike(rotated, side).sum() for side in sides]
    assert sum(counts) == len(pictures)
    assert min(counts) > 70


@pytest.mark.parametrize("degrees", [-45, 15, 30])
def test_a_turn_is_clockwise_if_it_is_positive(pictures, degrees):
    turned = geometry.turn(pictures, random(), degrees)

    expected = ndimage.rotate(
        pictures.astype(float), -degrees, axes=(1, 2), reshape=False, order=1, mode="grid-constant"
    )
    assert alike(turned, expected).all()
    # A dot at the right comes down when it is turned clockwise.
    row, _ = ndimage.center_of_mass(geometry.turn(dot(13, 24), random(), 30)[0])
    assert row > 17


@pytest.mark.parametrize("factor", [0.5, 0.7, 1.4])
def test_a_scaled_picture_is_scipys(pictures, factor):
    scaled = geometry.scale(pictures, random(), factor)

    expected = np.array([warped_by_scipy(picture, np.eye(2) / factor) for picture in pictures])
    assert alike(scaled, expected).all()


def test_a_picture_is_translated_towards_all_four_corners():
    found = geometry.translate(np.repeat(dot(10, 12), 100, axis=0), random(), 3)

    places = {(int(row), int(column)) for _, row, column in np.argwhere(found)}
    assert places == {(7, 9), (7, 15), (13, 9), (13, 15)}


def test_a_picture_is_shifted_up_down_left_and_right():
    found = geometry.shift(np.repeat(dot(10, 12), 100, axis=0), random(), 4)

    places = {(int(row), int(column)) for _, row, column in np.argwhere(found)}
    assert places == {(6, 12), (14, 12), (10, 8), (10, 16)}


def test_what_is_shifted_out_of_the_picture_is_gone(pictures):
    full = np.full((40, 28, 28), 200, np.uint8)

    assert (geometry.shift(full, random(), 5) > 0).sum(axis=(1, 2)).tolist() == [23 * 28] * 40


# Light


def test_brightness_is_added_and_ends_at_white():
    levels = np.array([[[0, 100, 250]]], np.uint8)

    assert lighting.brightness(levels, random(), 0.2).tolist() == [[[51, 151, 255]]]


def test_fog_takes_contrast_away_as_much_as_its_thickness_says(pictures):
    # Two pictures of equal brightest ink under the same clouds.
    one, other = (np.clip(picture, 0, 254)[None] for picture in pictures[:2])
    one[0, 0, 0] = other[0, 0, 0] = 255

    foggy, also = (lighting.fog(picture, random(), 3, 1.4).astype(float) for picture in (one, other))

    np.testing.assert_allclose(foggy - also, (one.astype(float) - other) / 4, atol=1)
    assert foggy.max() <= 255


def test_clouds_are_patchier_with_a_smaller_decay():
    def roughness(decay):
        return np.abs(np.diff(lighting._clouds(100, random(), decay), axis=2)).mean()

    assert roughness(1.4) > 1.3 * roughness(2)


def test_spatter_covers_ink_and_paper_with_grey(pictures):
    paper, ink = np.zeros((50, 28, 28), np.uint8), np.full((50, 28, 28), 255, np.uint8)

    on_paper, on_ink = lighting.spatter(paper, random(), 0.65), lighting.spatter(ink, random(), 0.65)

    covered = on_paper > 0
    np.testing.assert_array_equal(covered, on_ink < 255)
    assert 0.03 < covered.mean() < 0.3
    assert on_paper[covered].min() >= 0.8 * 63 - 1
    assert on_paper.max() == 63


# Drawn


def test_stripes_invert_so_many_columns_at_both_sides(pictures):
    striped = overlays.stripe(pictures, random(), 7)

    for columns in (slice(0, 7), slice(21, 28)):
        np.testing.assert_array_equal(striped[:, :, columns], 255 - pictures[:, :, columns])
    np.testing.assert_array_equal(striped[:, :, 7:21], pictures[:, :, 7:21])


def test_a_dotted_line_has_gaps_of_two_columns_and_fades_as_published():
    blank = np.zeros((1, 28, 28), np.uint8)

    line = overlays.dotted_line(blank, random(), 1, 1)[0]

    on = np.flatnonzero(line.any(axis=0))
    assert on.tolist() == [column for column in range(28) if column // 2 % 2]
    level = overlays._line(np.full((1, 28), 10.0))[0, :, 0]
    assert level[[9, 10, 11]] == pytest.approx([1 + np.log(1 - 1 / 2.3), 1, 1 + np.log(1 - 1 / 2.3)], abs=1e-4)
    assert not level[:8].any()


def test_a_zigzag_goes_up_and_down_by_two_pixels_every_eight():
    blank = np.zeros((300, 28, 28), np.uint8)

    zigzags = overlays.zigzag(blank, random(), 1, 1)

    whole = zigzags[(zigzags.max(1)[:, 2:25] > 150).all(1)]  # that do not leave the picture
    assert len(whole) > 100
    assert not zigzags[:, :, [0, 1, 25, 26, 27]].any()
    heights = whole.argmax(1).astype(float)
    slope = (heights[:, 20] - heights[:, 12])[:, None] / 8
    teeth = heights[:, [4, 8, 12, 16, 20]] - heights[:, [4]] - slope * (np.array([4, 8, 12, 16, 20]) - 4)
    assert np.abs(teeth - [0, -4, 0, -4, 0]).max() <= 1.6  # to whole pixels


def test_outlines_of_a_square_are_closed_and_empty_inside():
    square = np.zeros((1, 28, 28), np.uint8)
    square[0, 8:20, 8:20] = 255

    edges = overlays.canny_edges(square, random(), 1.0)[0]

    assert set(np.unique(edges)) == {0, 255}
    assert not edges[11:17, 11:17].any()
    _, holes = ndimage.label(edges == 0)
    assert holes == 2  # inside and outside


def test_outlines_of_one_picture_do_not_depend_on_those_beside_it(pictures):
    together = overlays.canny_edges(pictures[:20], random(), 1.0)

    for number in range(20):
        np.testing.assert_array_equal(
            overlays.canny_edges(pictures[number : number + 1], random(), 1.0)[0], together[number]
        )


def test_every_kind_is_found_by_its_name():
    assert list(KINDS) == [kind.name for kind in (*CORRUPTIONS, *TRANSFORMATIONS)]
    assert all(kind.does.endswith(".") for kind in KINDS.values())
