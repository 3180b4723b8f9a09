"""Fetching one file over HTTP: with progress, bounded, and going on where it broke off."""

from collections.abc import Callable
from pathlib import Path

from mnist_dash.errors import DownloadError

_TRIES = 3
_TIMEOUT_S = 15
_CHUNK_BYTES = 1 << 13  # what a break loses at most
_CANNOT_CONTINUE = 416  # HTTP: the range that was asked for lies outside of the file


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
    import requests

    for attempt in range(1, _TRIES + 1):
        try:
            part.parent.mkdir(parents=True, exist_ok=True)
            _fetch_rest(url, part, max_bytes, progress)
            return
        except (requests.RequestException, OSError, _TooLargeError) as error:
            if isinstance(error, _TooLargeError):
                part.unlink()
            if attempt == _TRIES or isinstance(error, _TooLargeError):
                raise DownloadError(
                    f"{url} could not be fetched ({type(error).__name__}: {error}). Check the connection and try "
                    "again: it resumes where it stopped. Until then the bundled sample is used."
                ) from error


class _TooLargeError(Exception):
    """The server sends more than the file can have."""


def _fetch_rest(url: str, part: Path, max_bytes: int, progress: Callable[[float], None]) -> None:
    import requests

    have = part.stat().st_size if part.exists() else 0
    headers = {"Range": f"bytes={have}-"} if have else {}
    with requests.get(url, headers=headers, stream=True, timeout=_TIMEOUT_S) as response:
        if response.status_code == _CANNOT_CONTINUE:
            part.unlink()  # the next try starts afresh
        response.raise_for_status()
        continues = response.status_code == 206
        have = have if continues else 0
        total = have + int(response.headers.get("content-length") or 0)
        with part.open("ab" if continues else "wb") as file:
            for chunk in response.iter_content(_CHUNK_BYTES):
                have += file.write(chunk)
                if have > max_bytes:
                    raise _TooLargeError(f"it is larger than {max_bytes:,} bytes")
                progress(min(have / total, 1.0) if total else 0.0)
        if have < total:
            raise requests.ConnectionError(f"the connection broke after {have:,} of {total:,} bytes")
