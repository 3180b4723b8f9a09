"""What the first page needs is loaded while the visitor's browser still loads Streamlit."""

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
    """Loads in a thread, so that the server answers meanwhile; Streamlit enters it when the server starts."""
    threading.Thread(target=warm_up, name="warm up", daemon=True).start()
    yield


def warm_up() -> None:
    """Imports what the Overview page uses and opens what all visitors share."""
    for name in _MODULES:
        importlib.import_module(name)
    resources = importlib.import_module("mnist_dash.ui.shared.resources")
    with contextlib.suppress(MnistDashError):  # the page will say so
        resources.run_store()
        resources.dataset()
    inspect.stack()  # Streamlit does so at its first element, and then looks for the file of every module, for 0.1 s
