"""The file of a submission's arrays: beside its metadata or, where it is large, elsewhere, and found by its content."""

from __future__ import annotations

import hashlib
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from unlearnbench.core.errors import UserError
from unlearnbench.core.messages import one_line
from unlearnbench.submissions.arrays import FILE, PACK_AGAIN
from unlearnbench.submissions.findings import RefusedError, refuse

MOST_BESIDE: Final = 8 * 2**20
"""Bytes of a file beside its metadata: a repository keeps all that ever was in it."""


def file_name(sha256: str) -> str:
    """Name a file of arrays elsewhere. It is found by what it holds, whatever it is called."""
    return f"{sha256}.npy.xz"


@dataclass(frozen=True)
class WantedFile:
    """What the metadata of a submission say of the file of its arrays."""

    sha256: str
    size: int
    address: str = ""

    def read(self, folder: Path, elsewhere: Path | None) -> bytes:
        """Return the file of the submission's folder or, if there is none, the one that ``elsewhere`` is or has.

        What is in the folder may be another file, what is elsewhere is the right one. Raises :class:`RefusedError`
        where there is none, :class:`UserError` where ``elsewhere`` cannot be read.
        """
        if is_there(folder / FILE):
            return read_beside(folder)
        for path in _candidates(elsewhere):
            if path.stat().st_size == self.size:
                content = path.read_bytes()
                if hashlib.sha256(content).hexdigest() == self.sha256:
                    return content
        raise self._missing(elsewhere)

    def _missing(self, elsewhere: Path | None) -> RefusedError:
        looked = f", nor in {one_line(str(elsewhere))[:60]}" if elsewhere else ""
        fetch = f"fetch {self.address[:100]}, then " if self.address else ""
        what = f"is not here{looked}: {self.size} bytes with sha256 {self.sha256}"
        return refuse(FILE, what, f"{fetch}check with --arrays and the file, or the folder that it is in")


def is_there(path: Path) -> bool:
    """Say whether there is anything of that name, a broken link too."""
    try:
        path.lstat()
    except FileNotFoundError:
        return False
    return True


def read_beside(folder: Path) -> bytes:
    """Return the file of arrays in the folder of a submission; :class:`RefusedError` where it is none."""
    return read_regular(folder / FILE, FILE, MOST_BESIDE, f"{PACK_AGAIN} --arrays DIR, which puts it elsewhere")


def read_regular(path: Path, name: str, most: int, remedy: str) -> bytes:
    """Return a regular file of a bounded size; :class:`RefusedError` with its ``name`` where it is none."""
    try:
        info = path.lstat()
        if not stat.S_ISREG(info.st_mode):
            raise refuse(name, "is a link, or no regular file", "put the file itself there; links are not followed")
        if info.st_size > most:
            raise refuse(name, f"has {info.st_size} bytes, at most {most} may be", remedy)
        with path.open("rb") as file:
            return file.read(most)
    except FileNotFoundError:
        raise refuse(name, "is missing", PACK_AGAIN) from None
    except OSError as error:
        raise refuse(name, f"cannot be read ({error.strerror})", "make it readable") from error


def _candidates(elsewhere: Path | None) -> Iterator[Path]:
    """Yield the regular files that are there, not in folders below; links are not followed."""
    if elsewhere is None:
        return
    try:
        paths = sorted(elsewhere.iterdir()) if elsewhere.is_dir() else [elsewhere]
        yield from (path for path in paths if stat.S_ISREG(path.lstat().st_mode))
    except OSError as error:
        raise UserError(f"cannot be read ({error.strerror})", str(elsewhere)) from None
