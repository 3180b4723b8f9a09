"""Weights during training: kept in order, bounded in bytes, read back as they were."""

import numpy as np
import pytest

from mnist_dash.errors import StoreError
from mnist_dash.inference.snapshots import first_snapshot, is_due, read_snapshots


def kernels(count, shape=(784, 32)):
    return [np.full(shape, number, np.float32) for number in range(count)]


def test_snapshots_are_read_back_as_they_were_taken():
    taken = first_snapshot(0, kernels(3)[0]).with_epoch(1, kernels(3)[1]).with_epoch(2, kernels(3)[2])

    found = read_snapshots(taken.as_bytes())

    assert found.epochs.tolist() == [0, 1, 2]
    assert found.kernels[:, 5, 5].tolist() == [0, 1, 2]


@pytest.mark.parametrize(("shape", "most"), [((784, 512), 4), ((784, 32), 60), ((3, 3, 1, 16), 60)])
def test_a_long_run_keeps_the_first_the_last_and_some_between_in_a_few_megabytes(shape, most):
    taken = first_snapshot(0, np.zeros(shape))
    for epoch in range(1, 201):
        taken = taken.with_epoch(epoch, np.full(shape, epoch))

    assert len(taken.epochs) <= most
    assert (taken.epochs[0], taken.epochs[-1]) == (0, 200)
    assert (np.diff(taken.epochs) > 0).all()
    assert len(taken.as_bytes()) < 4_100_000
    np.testing.assert_array_equal(taken.kernels.reshape(len(taken.epochs), -1)[:, 0], taken.epochs)


def test_snapshots_are_taken_less_and_less_often():
    due = [epoch for epoch in range(1, 100) if is_due(epoch)]

    assert due == [*range(1, 17), *range(18, 33, 2), *range(36, 65, 4), *range(72, 97, 8)]


def test_an_epoch_that_is_trained_again_replaces_its_snapshot():
    taken = first_snapshot(0, np.zeros((2, 2))).with_epoch(1, np.ones((2, 2))).with_epoch(2, np.ones((2, 2)))

    again = taken.with_epoch(2, np.full((2, 2), 7))

    assert again.epochs.tolist() == [0, 1, 2]
    assert again.kernels[2, 0, 0] == 7


def test_damaged_snapshots_are_refused():
    with pytest.raises(StoreError):
        read_snapshots(b"PK\x03\x04")
