"""The log of the whole project; `events.start_logging` says where it goes."""

import logging

LOG = logging.getLogger("mnist_dash")  # what concerns a run has `extra={"run": its number}`
