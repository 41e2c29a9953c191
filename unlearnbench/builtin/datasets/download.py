"""Downloads that are complete and verified, or leave nothing behind."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from unlearnbench.core.errors import UserError


def download(url: str, target: Path, check: Callable[[Path], None]) -> None:
    """Download ``url`` to ``target`` if ``check`` raises no UserError; a bar shows progress on a terminal.

    A UserError where the extra ``data`` is not installed, the download fails or the file is not the expected one;
    nothing is then left behind.
    """
    try:
        from pooch import HTTPDownloader
    except ImportError as error:
        raise UserError('cannot be downloaded without the extra "data": pip install "unlearnbench[data]"') from error
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=target.parent) as folder:
            fetched = Path(folder) / target.name
            HTTPDownloader(progressbar=sys.stderr.isatty(), timeout=30)(url, str(fetched), None)
            check(fetched)
            fetched.replace(target)
    except OSError as error:  # includes the errors of requests
        raise UserError(f"cannot be downloaded: {_reason(error)}") from error
    except UserError as error:
        raise UserError(f"the downloaded file {error.message}") from error


def _reason(error: OSError) -> str:
    response = getattr(error, "response", None)
    if response is not None:  # a response that reports an error is false
        response.close()  # pooch leaves it open
        return f"the server answered {response.status_code} {response.reason}"
    return error.strerror or f"the connection failed ({type(error).__name__})"
