"""Where data files are looked for, and what is said where one is missing or is another than expected."""

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


def open_verified(path: Path, *sha256: str) -> BinaryIO:
    """Open the file at ``path`` once its checksum is found to be one of these, or to begin with it.

    A UserError where it cannot be read or has another one. What is read is what was checked: the file is not opened
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
    """A file that does not travel with the package.

    It is looked for in ``$UNLEARNBENCH_DATA/<folder>/<name>``, then in the user's cache, then downloaded into that
    cache from ``url``, if it has one. The first one found counts and must have this ``sha256`` (or begin with it,
    where only its first digits are known), or one of ``packings``: checksums of the same content, compressed by
    others. A wrong file is an error, never a reason to look further. ``origin`` says where the data were published.
    """

    folder: str
    name: str
    sha256: str
    origin: str
    url: str = ""
    packings: tuple[str, ...] = ()

    def places(self) -> tuple[Path, ...]:
        """Return where the file is looked for, in order; the last is the user's cache."""
        import platformdirs

        cache = platformdirs.user_cache_path("unlearnbench") / "data"
        chosen = os.environ.get(VARIABLE)
        roots = (Path(chosen).expanduser(), cache) if chosen else (cache,)
        return tuple(root / self.folder / self.name for root in roots)

    def find(self) -> Path | None:
        """Return the first place that holds the file, whatever its content."""
        return next((place for place in self.places() if place.is_file()), None)

    def availability(self) -> Availability:
        """Return where the file is, or how to get it."""
        path = self.find()
        if path is None:
            return Availability(False, self._remedy(), "download" if self.url else "")
        return Availability(True, str(path), "cache" if path == self.places()[-1] else "variable")

    def fetch(self) -> Path:
        """Return where the file is, once it was downloaded if need be; a UserError that names the ways to get it."""
        path = self.find()
        if path is None:
            if not self.url:
                raise UserError(f"{self.name} is not here; {self._remedy()}")
            path = self.places()[-1]
            try:
                download(self.url, path, lambda fetched: open_verified(fetched, self.sha256, *self.packings).close())
            except UserError as error:
                raise UserError(f"{self.name} is not here and {error.message}; {self._remedy()}") from error
        return path

    def open(self) -> BinaryIO:
        """Open the verified file, once it was downloaded if need be; errors are those of ``fetch`` and the check."""
        return open_verified(self.fetch(), self.sha256, *self.packings)

    def _remedy(self) -> str:
        places = [str(place) for place in self.places()]
        if not os.environ.get(VARIABLE):
            places.insert(0, f"${VARIABLE}/{self.folder}/{self.name} ({VARIABLE} is not set)")
        source = (
            f"or, when online, let unlearnbench data fetch get it from {self.url}"
            if self.url
            else f"it is not downloaded: its data come from {self.origin}"
        )
        known = f", sha256 {self.sha256}" if self.sha256 else ""
        return f"put it at {' or '.join(places)}; {source}{known}"


class FileDataset(Dataset):
    """A data set that is read from files: where they are, and how they are fetched."""

    @abstractmethod
    def files(self) -> Sequence[DataFile]:
        """Return the files that are read with these parameters; what they hold may be read from others as well."""

    def availability(self) -> Availability:
        """Return where the files are, or how to get the first that is missing."""
        found = [file.availability() for file in self.files()]
        return next((one for one in found if not one.available), found[0])

    def fetch(self) -> None:
        """Download what is missing into the user's cache; a UserError where that fails."""
        for file in self.files():
            file.fetch()
