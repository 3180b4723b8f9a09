"""Settings of the whole project: one table of names, defaults and help.

They come from environment variables or from `[mnist_dash]` in Streamlit's secrets (the
environment wins), are read once, and are passed down as one frozen record.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from platformdirs import user_data_dir

from mnist_dash.errors import SettingsError

PROJECT = Path(__file__).resolve().parent.parent
ASSETS = PROJECT / "mnist_dash" / "assets"
_MNIST_URL = "https://storage.googleapis.com/tensorflow/tf-keras-datasets/mnist.npz"


@dataclass(frozen=True)
class SettingInfo:
    """One row of the settings table."""

    name: str
    default: str
    help: str
    minimum: int | None = None  # a whole number with this as its smallest value


SETTINGS = (
    SettingInfo(
        "MNIST_DASH_DATABASE_URL",
        "",
        "Where runs and their models are kept, as an SQLAlchemy URL. Empty: an SQLite file in `.mnist_dash/` "
        "under the project, or in the user's data folder if installed by pip. PostgreSQL: `postgresql+psycopg://user:password@host/database`.",
    ),
    SettingInfo(
        "MNIST_DASH_DATA",
        "",
        "Path of an `mnist.npz` in Keras' layout. Empty: Keras' cached file, then our own "
        "download, then the bundled sample.",
    ),
    SettingInfo("MNIST_DASH_DOWNLOAD_URL", _MNIST_URL, "Where the full MNIST is fetched from; its checksum is fixed."),
    SettingInfo("MNIST_DASH_CACHE", "", "Folder for the downloaded MNIST. Empty: the same folder as the database's."),
    SettingInfo("MNIST_DASH_SCHEDULER", "", "Address of a running Dask scheduler. Empty: workers on this machine."),
    SettingInfo("MNIST_DASH_WORKERS", "1", "Number of local workers training at the same time.", minimum=1),
    SettingInfo(
        "MNIST_DASH_KEPT_CHECKPOINTS",
        "50",
        "How many finished runs of each visitor, the newest, can be continued; older ones lose their optimizer state.",
        minimum=0,
    ),
    SettingInfo(
        "MNIST_DASH_SHARED",
        "0",
        "1 on a public host: only the visitor who queued a run may cancel or delete it, and the limits below apply.",
        minimum=0,
    ),
    SettingInfo(
        "MNIST_DASH_MAX_MINUTES",
        "720",
        "Maximum minutes of training per run; a run that takes longer fails.",
        minimum=1,
    ),
    SettingInfo(
        "MNIST_DASH_MAX_MEMORY_MB",
        "6000",
        "Maximum memory of a worker process (MB); a run that needs more fails.",
        minimum=1000,
    ),
    SettingInfo("MNIST_DASH_STATUS_KEY", "", "Shared mode: whoever opens the page `status?key=…` with this sees it."),
    SettingInfo("MNIST_DASH_MAX_QUEUED", "12", "Shared mode: maximum unfinished runs per visitor.", minimum=1),
    SettingInfo("MNIST_DASH_MAX_EPOCHS", "100", "Shared mode: maximum epochs per run.", minimum=1),
    SettingInfo("MNIST_DASH_MAX_RUNS", "500", "Shared mode: maximum runs per visitor, ended ones included.", minimum=1),
)


@dataclass(frozen=True)
class Settings:
    """All settings, checked and in their own types."""

    database_url: str
    data: Path | None
    download_url: str
    cache: Path
    scheduler: str | None
    workers: int
    kept_checkpoints: int
    shared: bool
    max_minutes: int
    max_memory_mb: int
    status_key: str
    max_queued: int
    max_epochs: int
    max_runs: int


def load_settings(
    environment: Mapping[str, str] | None = None, *, secrets: Mapping[str, object] | None = None
) -> Settings:
    """Reads and checks all settings.

    Args:
        environment: Variables to read; None means those of this process.
        secrets: The `[mnist_dash]` table of Streamlit's secrets, used where the
            environment says nothing.

    Returns:
        The settings.

    Raises:
        SettingsError: If a value cannot be used; the message names the variable.
    """
    found = os.environ if environment is None else environment
    values = {
        info.name: _read(info, str(found.get(info.name) or (secrets or {}).get(info.name) or info.default))
        for info in SETTINGS
    }
    home = data_folder()
    return Settings(
        database_url=values["MNIST_DASH_DATABASE_URL"] or f"sqlite:///{home / 'runs.sqlite'}",
        data=Path(values["MNIST_DASH_DATA"]).expanduser().absolute() if values["MNIST_DASH_DATA"] else None,
        download_url=values["MNIST_DASH_DOWNLOAD_URL"],
        cache=Path(values["MNIST_DASH_CACHE"]).expanduser().absolute() if values["MNIST_DASH_CACHE"] else home,
        scheduler=values["MNIST_DASH_SCHEDULER"] or None,
        workers=int(values["MNIST_DASH_WORKERS"]),
        kept_checkpoints=int(values["MNIST_DASH_KEPT_CHECKPOINTS"]),
        shared=int(values["MNIST_DASH_SHARED"]) > 0,
        max_minutes=int(values["MNIST_DASH_MAX_MINUTES"]),
        max_memory_mb=int(values["MNIST_DASH_MAX_MEMORY_MB"]),
        status_key=values["MNIST_DASH_STATUS_KEY"],
        max_queued=int(values["MNIST_DASH_MAX_QUEUED"]),
        max_epochs=int(values["MNIST_DASH_MAX_EPOCHS"]),
        max_runs=int(values["MNIST_DASH_MAX_RUNS"]),
    )


def data_folder(*, project: Path = PROJECT) -> Path:
    """Returns where the database and the download are kept by default.

    In a checkout that is `.mnist_dash/` beside `app.py`; a copy installed by pip keeps
    nothing among the installed packages, but in the user's own data folder.
    """
    return project / ".mnist_dash" if (project / "app.py").exists() else Path(user_data_dir("mnist-dash", False))


def _read(info: SettingInfo, value: str) -> str:
    if info.minimum is None:
        return value
    if not value.strip().isdecimal() or int(value) < info.minimum:
        raise SettingsError(
            f"{info.name} is “{value}”, but must be a whole number of at least {info.minimum}. "
            f"Correct it, or remove it to use {info.default}."
        )
    return value.strip()
