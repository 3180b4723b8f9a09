"""Fetching one file over HTTP: with progress, bounded, and going on where it broke off."""

from collections.abc import Callable
from pathlib import Path

from mnist_dash.errors import DownloadError

_TRIES = 3
_TIMEOUT_S = 15


class _Meter:
    """What pooch reports to: passes progress on and stops a file that is too large."""

    total = 0  # bytes still to come, set by pooch

    def __init__(self, have: int, max_bytes: int, progress: Callable[[float], None]):
        self._have, self._max_bytes, self._progress = have, max_bytes, progress
        self._come = 0

    def update(self, count: int) -> None:
        self._come = min(self._come + count, self.total) if self.total else self._come + count
        if self._have + self._come > self._max_bytes:
            raise ValueError(f"it is larger than {self._max_bytes:,} bytes")
        if self.total:
            self._progress((self._have + self._come) / (self._have + self.total))

    def reset(self) -> None:
        self._come = 0

    def close(self) -> None:
        pass


def fetch(url: str, part: Path, *, max_bytes: int, progress: Callable[[float], None]) -> None:
    """Fetches `url` into `part`, going on from what `part` holds already.

    Args:
        url: An http or https address.
        part: The file to fill; its folder is made if it is missing.
        max_bytes: More than this is refused.
        progress: Called with the part done, 0 to 1.

    Raises:
        DownloadError: If the file cannot be fetched in three tries.
    """
    # Imported here: only a download needs requests, which takes 0.2 s of a page's start.
    import pooch
    import requests

    for attempt in range(1, _TRIES + 1):
        try:
            part.parent.mkdir(parents=True, exist_ok=True)
            with part.open("ab") as file:
                have = file.tell()
                # A server that ignores the range sends everything again; the check of
                # the arrays then refuses the file, and the next call starts afresh.
                headers = {"Range": f"bytes={have}-"} if have else {}
                meter = _Meter(have, max_bytes, progress)
                pooch.HTTPDownloader(progressbar=meter, headers=headers, timeout=_TIMEOUT_S)(url, file, None)
            return
        except (requests.RequestException, ValueError, OSError) as error:
            _drop_useless_part(part, error)
            if attempt == _TRIES:
                raise DownloadError(
                    f"{url} could not be fetched ({type(error).__name__}: {error}). Check the connection and try "
                    "again: it goes on where it stopped. Meanwhile everything works on the bundled sample."
                ) from error


def _drop_useless_part(part: Path, error: Exception) -> None:
    """Removes a part that the server cannot continue, or that grew too large."""
    status = getattr(getattr(error, "response", None), "status_code", None)
    if status == 416 or type(error) is ValueError:
        part.unlink(missing_ok=True)
