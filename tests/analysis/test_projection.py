import numpy as np
import pytest

from mnist_dash.analysis.handwriting import has_stroke
from mnist_dash.analysis.projection import project
from mnist_dash.analysis.similar_images import duplicates, nearest


def test_a_projection_is_that_of_the_singular_value_decomposition(sample):
    features = sample.x_test[:300].reshape(300, -1)

    projection = project(features)

    centred = features - features.mean(0)
    left, singular, _ = np.linalg.svd(centred, full_matrices=False)
    expected = left[:, :2] * singular[:2]
    for axis in (0, 1):
        np.testing.assert_allclose(np.abs(projection.points[:, axis]), np.abs(expected[:, axis]), rtol=1e-2, atol=1)
    np.testing.assert_allclose(projection.explained, (singular**2 / (singular**2).sum())[:2], rtol=1e-3)


def test_points_on_a_line_are_explained_by_one_direction():
    projection = project(np.outer(np.arange(5), [3, 4]))

    np.testing.assert_allclose(projection.explained, [1, 0], atol=1e-6)
    np.testing.assert_allclose(projection.points[:, 0], [-10, -5, 0, 5, 10], atol=1e-5)
    assert project(np.zeros((3, 2))).explained.tolist() == [0, 0]


def test_nearest_images_are_those_of_all_distances_sorted(sample):
    images = sample.x_train[:2_500]

    found, distances = nearest(images, images[7], count=5)

    flat = images.reshape(2_500, -1) / 255
    expected = np.linalg.norm(flat - flat[7], axis=1)
    assert found[0] == 7
    np.testing.assert_allclose(distances, np.sort(expected)[:5], atol=1e-4)


def test_duplicates_are_equal_in_every_pixel(sample):
    images = [sample.x_train[index] for index in (0, 1, 0, 2, 1, 0)]
    nearly = sample.x_train[2].copy()
    nearly[0, 0] = 1

    assert duplicates([*images, nearly]) == [(0, 2, 5), (1, 4)]
    assert duplicates([]) == []


def line(*strokes) -> np.ndarray:
    image = np.zeros((28, 28), np.uint8)
    for rows, columns in strokes:
        image[rows, columns] = 255
    return image


STEM = (slice(4, 24), slice(13, 15))
FOOT = (slice(22, 24), slice(9, 19))
ROOF, LEG, BAR = (slice(4, 6), slice(8, 20)), (slice(4, 24), slice(18, 20)), (slice(13, 15), slice(13, 24))


@pytest.mark.parametrize(
    ("digit", "image", "expected"),
    [
        (1, line(STEM), False),
        (1, line(STEM, FOOT), True),
        (1, line(STEM, (slice(6, 8), slice(8, 13))), True),
        (1, line(), False),
        (7, line(ROOF, LEG), False),
        (7, line(ROOF, LEG, BAR), True),
    ],
)
def test_strokes_are_found_by_the_widths_of_rows(digit, image, expected):
    assert has_stroke(image[None], digit).tolist() == [expected]
