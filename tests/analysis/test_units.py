"""Neurons and filters, by hand-worked numbers."""

import numpy as np

from mnist_dash.analysis.units import dead, extremes, norms, speaks_for


def test_norms_are_those_of_incoming_weights_of_neurons_and_filters():
    assert norms(np.array([[3.0, 0], [4, 2]])).tolist() == [5, 2]
    assert norms(np.full((3, 3, 4, 2), 0.5)).tolist() == [3, 3]


def test_a_unit_speaks_for_the_class_that_it_raises_most():
    assert speaks_for(np.array([[0.1, 0.9, 0.2], [-5, -6, -1]])).tolist() == [1, 2]


def test_a_unit_is_dead_if_no_image_raises_it_above_zero():
    assert dead(np.array([[0, 0.1, 0], [0, 0, -1]])).tolist() == [True, False, True]


def test_extremes_are_the_strongest_and_the_weakest_in_order():
    most, least = extremes(np.array([0.5, 3, -1, 2]), count=2)

    assert (most.tolist(), least.tolist()) == ([1, 3], [2, 0])
