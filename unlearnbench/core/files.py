"""Files that a user asks for: written whole or not at all."""

from __future__ import annotations

import shutil
import uuid
from pathlib import Path

from unlearnbench.core.errors import UserError


def write_whole(path: Path, content: str | bytes) -> Path:
    """Write a file, text as UTF-8, and make its folder; return the path. UserError where it cannot be written.

    It is written beside and then renamed, so that a full disk leaves the file that was there as it was. What is no
    regular file, such as a pipe, is written to as it is.
    """
    data = content.encode() if isinstance(content, str) else content
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _replace(path.resolve(), data)
    except (OSError, ValueError) as error:  # ValueError for a name that no file can have
        reason = error.strerror if isinstance(error, OSError) and error.strerror else error
        raise UserError(f"cannot be written: {reason}", str(path)) from None
    return path


def _replace(path: Path, data: bytes) -> None:
    if path.exists() and not path.is_file():
        path.write_bytes(data)
        return
    beside = path.with_name(f".{uuid.uuid4().hex}.tmp")
    try:
        beside.write_bytes(data)
        if path.exists():
            shutil.copymode(path, beside)
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)
