"""Files below one folder that appear whole or not at all, whoever else writes, reads, drops or dies there.

A file is written in ``tmp`` and moved into place. Meanwhile its writer shares a lock. Whoever gets that lock alone
knows that nobody is writing, in any container that shares the folder, and may remove what is in ``tmp``. What lies in
the way of a file and is none is set aside: renamed, never deleted.
"""

from __future__ import annotations

import errno
import logging
import os
import sys
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from io import BytesIO
from pathlib import Path
from typing import BinaryIO, Literal

from unlearnbench.core.errors import UserError
from unlearnbench.core.messages import as_line

if sys.platform != "win32":
    import fcntl

TMP, LOCK = "tmp", "lock"
Hold = Literal["shared", "alone", "alone now"]
"""How the lock of writers is held: with others, alone once they are done, or alone only if nobody holds it now."""
log = logging.getLogger(__name__)


class WholeFiles:
    """Files of one folder, which is made when first written to. Places are relative to it.

    :class:`UserError` where the system does not let a file be read, or written.
    """

    def __init__(self, root: Path) -> None:
        self.root = root

    def names(self, folder: Path) -> set[str]:
        """Return the names of all files in a folder; none where there is no such folder."""
        return self._listed(folder, os.DirEntry.is_file)

    def folders(self, folder: Path) -> set[str]:
        """Return the names of all folders in a folder; none where there is no such folder."""
        return self._listed(folder, os.DirEntry.is_dir)

    def _listed(self, folder: Path, wanted: Callable[[os.DirEntry[str]], bool]) -> set[str]:
        with self._told("read"):
            try:
                with os.scandir(self.root / folder) as found:
                    return {each.name for each in found if wanted(each)}
            except (FileNotFoundError, NotADirectoryError):
                return set()

    def read(self, place: Path) -> bytes | None:
        """Return a file's content; None where nothing is there, b"" where what is there is no file."""
        with self._open(place) as stream:
            return None if stream is None else stream.read()

    def read_line(self, place: Path) -> bytes | None:
        """Return a file's first line, as :meth:`read` does."""
        with self._open(place) as stream:
            return None if stream is None else stream.readline()

    def write(self, place: Path, parts: Sequence[bytes], flush: bool = False) -> None:
        """Write a file; it takes the place of one that is there. ``flush``: force it to disk."""
        with self._told("write to"):
            try:
                self._write(place, parts, flush)
            except FileNotFoundError:  # somebody has just deleted the folder: it is made again
                self._write(place, parts, flush)

    def remove(self, place: Path) -> None:
        """Remove a file, if it is there. What is there and no file is set aside."""
        with self._told("write to"), suppress(FileNotFoundError, NotADirectoryError):
            if (self.root / place).is_dir():
                self.set_aside(place)
            else:
                (self.root / place).unlink()

    def set_aside(self, place: Path) -> None:
        """Rename what is there, if anything is."""
        aside = place.with_name(f"{place.name}.damaged-{uuid.uuid4().hex[:8]}")
        with self._told("write to"), suppress(FileNotFoundError, NotADirectoryError):
            (self.root / place).rename(self.root / aside)
            log.warning("what is damaged was set aside: %s", self.root / aside)

    def remove_leftovers(self) -> None:
        """Remove what writers that were killed have left, unless somebody is writing now."""
        with self._told("write to"), self._lock("alone now") as alone:
            for leftover in (self.root / TMP).iterdir() if alone else ():
                with suppress(OSError):  # it may be another user's
                    leftover.unlink()

    @contextmanager
    def nobody_else_writes(self) -> Iterator[None]:
        """Keep others from writing here meanwhile, where the file system has locks."""
        with self._told("write to"), self._lock("alone"):
            yield

    def _write(self, place: Path, parts: Sequence[bytes], flush: bool) -> None:
        with self._lock("shared"):
            scratch = self.root / TMP / uuid.uuid4().hex
            try:
                with scratch.open("wb") as stream:
                    stream.writelines(parts)
                    stream.flush()
                    if flush:
                        os.fsync(stream.fileno())
                self._make_folder(place.parent)
                if (self.root / place).is_dir():
                    self.set_aside(place)
                scratch.replace(self.root / place)
            finally:
                scratch.unlink(missing_ok=True)

    @contextmanager
    def _open(self, place: Path) -> Iterator[BinaryIO | None]:
        with self._told("read"):
            stream: BinaryIO
            try:
                stream = (self.root / place).open("rb")
            except (FileNotFoundError, NotADirectoryError):
                yield None
                return
            except IsADirectoryError:
                stream = BytesIO()
            with stream:
                yield stream

    @contextmanager
    def _lock(self, how: Hold) -> Iterator[bool]:
        """Hold the lock of writers; yield whether it is held."""
        self._make_folder(Path(TMP))
        if (self.root / LOCK).is_dir():
            self.set_aside(Path(LOCK))
        lock = os.open(self.root / LOCK, os.O_RDWR | os.O_CREAT, 0o666)
        try:
            yield _locked(lock, how)
        finally:
            os.close(lock)

    def _make_folder(self, folder: Path) -> None:
        """Make a folder and those above it. What is in its way below the root is set aside."""
        try:
            (self.root / folder).mkdir(parents=True, exist_ok=True)
        except (FileExistsError, NotADirectoryError):
            for each in [*reversed(folder.parents[:-1]), folder]:
                if not (self.root / each).is_dir():
                    self.set_aside(each)
            (self.root / folder).mkdir(parents=True, exist_ok=True)

    @contextmanager
    def _told(self, what: str) -> Iterator[None]:
        """Tell in one line what the system refuses."""
        try:
            yield
        except OSError as error:
            reason = "it is no folder" if error.errno in (errno.EEXIST, errno.ENOTDIR) else error.strerror or error
            raise UserError(
                f"cannot {what} the store: {reason}; {_advice(error)}", as_line(str(self.root), 100)
            ) from error


class HeldFiles(WholeFiles):
    """Some files of a folder, held in memory: they can be read, on any machine, and not be written."""

    def __init__(self, root: Path, contents: Mapping[str, bytes]) -> None:
        super().__init__(root)
        self._contents = contents

    @classmethod
    def of(cls, files: WholeFiles, places: Iterable[Path]) -> HeldFiles:
        """Read what is there of some places."""
        found = ((place.as_posix(), files.read(place)) for place in places)
        return cls(files.root, {place: content for place, content in found if content is not None})

    @contextmanager
    def _open(self, place: Path) -> Iterator[BinaryIO | None]:
        content = self._contents.get(place.as_posix())
        yield None if content is None else BytesIO(content)


def _advice(error: OSError) -> str:
    if error.errno in (errno.EMFILE, errno.ENFILE):
        return "allow more open files (ulimit -n)"
    return "mend that, or give another store"


def _locked(lock: int, how: Hold) -> bool:
    if sys.platform == "win32":  # leftovers stay
        return False
    flags = {"shared": fcntl.LOCK_SH, "alone": fcntl.LOCK_EX, "alone now": fcntl.LOCK_EX | fcntl.LOCK_NB}
    try:
        fcntl.flock(lock, flags[how])
    except OSError:  # others are writing, or this file system has no locks
        return False
    return True
