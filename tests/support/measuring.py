"""Measures one run as a worker does, for tests to kill: `measuring.py RUN DATABASE PICTURES`."""

import sys

from mnist_dash.worker import robustness

if __name__ == "__main__":
    robustness.MAX_IMAGES = int(sys.argv[3])
    robustness.measure_run(int(sys.argv[1]), sys.argv[2])
