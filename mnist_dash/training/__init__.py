"""One run, from claim to result: all that a worker executes."""

from mnist_dash.training.compiled import CompiledTraining, load_tensorflow
from mnist_dash.training.run import train_run

__all__ = ["CompiledTraining", "load_tensorflow", "train_run"]
