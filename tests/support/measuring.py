"""Measures one run as a worker does, for tests to kill: `measuring.py RUN DATABASE PICTURES`."""

import sys

from mnist_dash.config import load_settings
from mnist_dash.worker import robustness

if __name__ == "__main__":
    robustness.MAX_IMAGES = int(sys.argv[3])
    robustness.measure_run(int(sys.argv[1]), load_settings({"MNIST_DASH_DATABASE_URL": sys.argv[2]}))
