"""The server's start and end: what the first page needs is loaded at once; runs are queued again at the end."""

import asyncio
import contextlib
import importlib
import inspect
import threading
from collections.abc import AsyncIterator

from mnist_dash.errors import MnistDashError

_MODULES = (
    "mnist_dash.ui.shared.frame",
    "pandas",  # asked by the canvas's component whether what it is given is a table
    "mnist_dash.ui.shared.run_chooser",
    "mnist_dash.ui.overview.claims_chart",
    "mnist_dash.ui.overview.live_canvas",
)


@contextlib.asynccontextmanager
async def lifespan(_app: object) -> AsyncIterator[None]:
    """Is entered by Streamlit when the server starts, and left when it is told to end."""
    # In a thread, so that the server answers meanwhile: a browser still has to load Streamlit.
    threading.Thread(target=warm_up, name="warm up", daemon=True).start()
    yield
    # Afterwards uvicorn ends the process by the signal that it got: nothing that is registered for its exit is called.
    await asyncio.to_thread(importlib.import_module("mnist_dash.ui.shared.resources").close_queues)


def warm_up() -> None:
    """Imports what the Overview page uses and opens what all visitors share."""
    for name in _MODULES:
        importlib.import_module(name)
    resources = importlib.import_module("mnist_dash.ui.shared.resources")
    with contextlib.suppress(MnistDashError):  # the page will say so
        resources.run_store()
        resources.dataset()
    inspect.stack()  # Streamlit does so at its first element, and then looks for the file of every module, for 0.1 s
