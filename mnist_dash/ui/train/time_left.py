"""How long the unfinished runs of an experiment will take."""

from collections.abc import Sequence

from mnist_dash.networks.experiments import expected_seconds, steps_of
from mnist_dash.store.records import ACTIVE, RUNNING, Run

SAVING_S = 1.0  # to test a network and to save it


def seconds_left(runs: Sequence[Run], images: int, *, workers: int) -> float | None:
    """Estimates how long an experiment goes on: what runs in training need, then all queued ones.

    Args:
        runs: All its runs.
        images: Training images of the data set.
        workers: Processes that train at the same time.

    Returns:
        Seconds; None as long as no run has told how fast it is.
    """
    measured = _measured(runs, images)
    if measured is None:
        return None
    like, seconds_per_step = measured
    now = [left + SAVING_S for run in runs if run.status == RUNNING and (left := _left(run)) is not None]
    queued = [
        expected_seconds(run, images, like=like, seconds_per_step=seconds_per_step) + SAVING_S
        for run in runs
        if run.status in ACTIVE and _left(run) is None
    ]
    return max(now, default=0.0) + max(sum(queued) / workers, max(queued, default=0.0))


def _left(run: Run) -> float | None:
    return run.progress.seconds_left if run.progress else None


def _measured(runs: Sequence[Run], images: int) -> tuple[Run, float] | None:
    """Returns a run that tells how long a step takes, the latest in training if there is one, and the seconds."""
    for run in reversed(runs):
        progress, left = run.progress, _left(run)
        if run.status == RUNNING and progress and left and progress.steps:
            steps = progress.steps * int(run.settings["epochs"])
            done = progress.steps * (progress.epoch - 1) + progress.step
            if done < steps:
                return run, left / (steps - done)
    for run in reversed(runs):
        if run.fit_seconds:
            return run, run.fit_seconds / steps_of(run, images)
    return None
