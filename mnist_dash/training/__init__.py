"""Runs in training: all that a worker executes."""

from mnist_dash.training.compiled import CompiledTraining, load_tensorflow
from mnist_dash.training.groups import MAX_LANES, side_by_side, train_all
from mnist_dash.training.programs import lanes_for, rehearse
from mnist_dash.training.run import train_run, train_runs

__all__ = [
    "MAX_LANES",
    "CompiledTraining",
    "lanes_for",
    "load_tensorflow",
    "rehearse",
    "side_by_side",
    "train_all",
    "train_run",
    "train_runs",
]
