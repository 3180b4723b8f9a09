"""Near-duplicates, against comparing every pair."""

import numpy as np

from mnist_dash.analysis.similar_images import duplicates, near_duplicates, nearest


def test_near_duplicates_are_those_that_comparing_every_pair_finds(sample):
    images = sample.x_train[:700]
    flat = images.reshape(700, -1) / 255
    distances = np.sqrt(((flat[:, None] - flat[None]) ** 2).sum(2))
    every = sorted((distances[a, b], a, b) for a in range(700) for b in range(a + 1, 700))[:25]

    found = near_duplicates([images[:450], images[450:]], count=25, limit=50.0)

    assert [(pair.first, pair.second) for pair in found] == [(a, b) for _, a, b in every]
    np.testing.assert_allclose([pair.distance for pair in found], [distance for distance, *_ in every], rtol=1e-5)


def test_no_pair_is_farther_apart_than_the_limit(sample):
    done: list[float] = []

    found = near_duplicates([sample.x_train[:300]], count=1_000, limit=4.0, progress=done.append)

    assert all(pair.distance <= 4.0 and pair.first < pair.second for pair in found)
    assert done[-1] == 1.0


def test_equal_images_are_duplicates_and_nearest_to_each_other(sample):
    images = np.concatenate([sample.x_test[:5], sample.x_test[2:3]])

    assert duplicates(images) == [(2, 5)]
    assert [(pair.first, pair.second, pair.distance) for pair in near_duplicates([images], count=1, limit=9.0)] == [
        (2, 5, 0.0)
    ]
    assert nearest(images, images[5], count=2)[0].tolist() == [2, 5]
