"""What keeps the page process light: one thread for matrices, garbage collected once in a while, memory given back."""

import ctypes
import gc
import sys
import threading
import time
from functools import cache

from threadpoolctl import threadpool_limits

_FIRST_S = 1.0  # after the first page, which is then on its way
_EVERY_S = 30.0
_MOST_ARENAS = 2
_M_ARENA_MAX = -8  # of glibc's malloc.h


@cache
def keep_light() -> None:
    """Starts what keeps this process light; to be called when the first page is drawn.

    Streamlit would collect all garbage after every run (its option `runner.postScriptGC`, which
    .streamlit/config.toml turns off): two thirds of the processor time of fifty visitors. What the first
    page has loaded never becomes garbage and is not looked at again.
    """
    threading.Thread(target=_keep_light, name="tidy memory", daemon=True).start()


def _keep_light() -> None:
    time.sleep(_FIRST_S)
    # A second thread of OpenBLAS gains nothing for matrices as small as ours, and waits by spinning: a third of a core.
    threadpool_limits(limits=1, user_api="blas")
    gc.collect()
    gc.freeze()
    allocator = _allocator()
    if allocator is not None:
        # Every run of a page is a thread of its own: each with memory of its own would keep what it once had.
        allocator.mallopt(_M_ARENA_MAX, _MOST_ARENAS)
    _tidy_now_and_then(allocator)


def _allocator() -> ctypes.CDLL | None:
    """Returns the C library, where it is one that can give memory back."""
    if not sys.platform.startswith("linux"):
        return None
    library = ctypes.CDLL(None)
    return library if hasattr(library, "malloc_trim") else None


def _tidy_now_and_then(allocator: ctypes.CDLL | None) -> None:
    while True:
        time.sleep(_EVERY_S)
        tidy(allocator)


def tidy(allocator: ctypes.CDLL | None) -> None:
    """Collects garbage and gives freed memory back to the system."""
    gc.collect()
    if allocator is not None:
        allocator.malloc_trim(0)
