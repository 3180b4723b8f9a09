"""A dashboard's queue as a process of its own, for tests to kill."""

import time

from mnist_dash.jobs import JobQueue
from mnist_dash.settings import load_settings

if __name__ == "__main__":
    queue = JobQueue(load_settings())
    time.sleep(600)
