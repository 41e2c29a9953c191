"""Finds, downloads and verifies data files."""

from __future__ import annotations

import hashlib
import os
from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from unlearnbench.builtin.datasets.download import download
from unlearnbench.core.dataset_cards import Availability
from unlearnbench.core.datasets import Dataset
from unlearnbench.core.errors import UserError

VARIABLE = "UNLEARNBENCH_DATA"
DIGITS = 12
"""How many digits of a checksum tell a file from others."""


def open_verified(path: Path, *sha256: str) -> BinaryIO:
    """Open the file at ``path`` if its checksum is one of these, or starts with one of them.

    A UserError where it cannot be read or has another checksum. The returned file is the verified one; it is not opened
    a second time.
    """
    try:
        file = path.open("rb")
        found = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise UserError(f"cannot be read: {error.strerror}", where=str(path)) from error
    if not found.startswith(sha256):
        file.close()
        raise UserError(f"is not the expected file: expected sha256 {sha256[0]}, found {found}", where=str(path))
    file.seek(0)
    return file


@dataclass(frozen=True)
class DataFile:
    """A data file that is not part of the package.

    It is searched at ``$UNLEARNBENCH_DATA/<folder>/<name>``, then in the user's cache, and else downloaded from ``url``
    into that cache. The first file found must have the right checksum: a wrong file is an error, and no other path is
    tried.
    """

    folder: str
    name: str
    sha256: str
    """The checksum, or its first digits if only these are known."""
    origin: str
    """Where the data were published."""
    url: str = ""
    """Empty where the file cannot be downloaded."""
    packings: tuple[str, ...] = ()
    """Checksums of other archives with the same content."""

    def paths(self) -> tuple[Path, ...]:
        """Return the paths that are searched, in order; the last is in the user's cache."""
        import platformdirs

        cache = platformdirs.user_cache_path("unlearnbench") / "data"
        chosen = os.environ.get(VARIABLE)
        roots = (Path(chosen).expanduser(), cache) if chosen else (cache,)
        return tuple(root / self.folder / self.name for root in roots)

    def find(self) -> Path | None:
        """Return the first path that exists, whatever its content."""
        return next((path for path in self.paths() if path.is_file()), None)

    def availability(self) -> Availability:
        """Return where the file is, or how to get it."""
        path = self.find()
        if path is None:
            return Availability(False, self._remedy(), "download" if self.url else "")
        return Availability(True, str(path), "cache" if path == self.paths()[-1] else "variable")

    def fetch(self) -> Path:
        """Return the path of the file, after a download if necessary; a UserError that names the ways to get it."""
        path = self.find()
        if path is None:
            if not self.url:
                raise UserError(f"{self.name} is missing; {self._remedy()}")
            path = self.paths()[-1]
            try:
                download(self.url, path, lambda fetched: open_verified(fetched, self.sha256, *self.packings).close())
            except UserError as error:
                raise UserError(
                    f"{self.name} is missing and {error.message}; {self._places()}; from {self.url}"
                ) from error
        return path

    def open(self) -> BinaryIO:
        """Open the verified file, after a download if necessary; errors are those of ``fetch`` and of the check."""
        return open_verified(self.fetch(), self.sha256, *self.packings)

    def _remedy(self) -> str:
        """Return how to get the file, in few words: two paths are long already."""
        fetch = f"or run unlearnbench data fetch, which downloads {self.url}"
        source = fetch if self.url else f"its data come from {self.origin}"
        known = f"; sha256 {self.sha256[:DIGITS]}..." if self.sha256 else ""
        return f"{self._places()}; {source}{known}"

    def _places(self) -> str:
        paths = [str(path) for path in self.paths()]
        if not os.environ.get(VARIABLE):
            paths.insert(0, f"${VARIABLE}/{self.folder}/{self.name} ({VARIABLE} is not set)")
        return f"put it at {' or '.join(paths)}"


class FileDataset(Dataset):
    """A data set that is read from data files."""

    @abstractmethod
    def files(self) -> Sequence[DataFile]:
        """Return the files that are read with these parameters."""

    def availability(self) -> Availability:
        """Return whether all files are available, or how to get the first that is missing."""
        found = [file.availability() for file in self.files()]
        return next((one for one in found if not one.available), found[0])

    def fetch(self) -> None:
        """Download missing files into the user's cache; a UserError where that fails."""
        for file in self.files():
            file.fetch()
