"""What is left of an experiment: queued runs take as long as their own settings say."""

from dataclasses import replace

import pytest

from mnist_dash.networks.variants import VARIANTS
from mnist_dash.store.records import DONE, QUEUED, RUNNING, Progress, Run
from mnist_dash.ui.train.time_left import SAVING_S, seconds_left
from tests.support.histories import run_with

IMAGES = 60_000


def a_run(number: int, status: str, *, variant: str = "dense-32", **changes) -> Run:
    settings = VARIANTS[variant].check({"epochs": 10, "batch_size": 100})
    return replace(run_with(number, test_accuracy=0.9), variant=variant, settings=settings, status=status, **changes)


def running(*, epoch: int, left: float) -> Run:
    progress = Progress(epoch, 300, 600, seconds_left=left)
    return a_run(1, RUNNING, progress=progress, fit_seconds=None)


def queued(number: int) -> Run:
    return a_run(number, QUEUED, progress=None, fit_seconds=None)


def test_a_queued_run_takes_as_long_as_the_whole_of_one_that_is_nearly_done():
    # Half of the last epoch is left: 1 s. A whole run has ten epochs, so it takes 20 s.
    runs = [running(epoch=10, left=1.0), queued(2), queued(3)]

    assert seconds_left(runs, IMAGES, workers=1) == pytest.approx(1 + 2 * 20 + 3 * SAVING_S)
    assert seconds_left(runs, IMAGES, workers=2) == pytest.approx(1 + 20 + 2 * SAVING_S)


def test_one_that_has_ended_tells_how_long_the_queued_ones_take():
    ended = a_run(1, DONE, progress=None, fit_seconds=8.0)

    assert seconds_left([ended, queued(2)], IMAGES, workers=2) == pytest.approx(8.0 + SAVING_S)


def test_a_larger_network_takes_longer():
    ended = a_run(1, DONE, progress=None, fit_seconds=8.0)
    larger = a_run(2, QUEUED, variant="dense-512", progress=None, fit_seconds=None)

    assert seconds_left([ended, larger], IMAGES, workers=1) > 16


def test_without_any_measure_nothing_is_said():
    assert seconds_left([queued(1), queued(2)], IMAGES, workers=1) is None
