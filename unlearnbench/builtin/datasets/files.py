"""Where data files are looked for, and what is said where one is missing or is another than expected."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

from unlearnbench.core.cards import Whereabouts
from unlearnbench.core.errors import UserError

VARIABLE = "UNLEARNBENCH_DATA"


def verified(path: Path, sha256: str) -> bytes:
    """Return what the file at ``path`` holds; a UserError where it cannot be read or has another checksum."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise UserError(f"cannot be read: {error.strerror}", where=str(path)) from error
    found = hashlib.sha256(content).hexdigest()
    if found != sha256:
        raise UserError(f"is not the expected file: expected sha256 {sha256}, found {found}", where=str(path))
    return content


@dataclass(frozen=True)
class DataFile:
    """A file that does not travel with the package.

    It is looked for in ``$UNLEARNBENCH_DATA/<folder>/<name>``, then in the user's cache. The first one found counts
    and must have this ``sha256``: a wrong file is an error, never a reason to look further. ``origin`` says where
    the data were published. Nothing is downloaded.
    """

    folder: str
    name: str
    sha256: str
    origin: str

    def places(self) -> tuple[Path, ...]:
        """Return where the file is looked for, in order."""
        import platformdirs

        cache = platformdirs.user_cache_path("unlearnbench") / "data"
        chosen = os.environ.get(VARIABLE)
        roots = (Path(chosen).expanduser(), cache) if chosen else (cache,)
        return tuple(root / self.folder / self.name for root in roots)

    def find(self) -> Path | None:
        """Return the first place that holds the file, whatever its content."""
        return next((place for place in self.places() if place.is_file()), None)

    def whereabouts(self) -> Whereabouts:
        """Return where the file is, or how to get it."""
        path = self.find()
        return Whereabouts(path is not None, str(path) if path else self._remedy())

    def read(self) -> bytes:
        """Return the verified content; a UserError that names the ways where there is no such file."""
        path = self.find()
        if path is None:
            raise UserError(f"{self.name} is not here; {self._remedy()}")
        return verified(path, self.sha256)

    def _remedy(self) -> str:
        places = [str(place) for place in self.places()]
        if not os.environ.get(VARIABLE):
            places.insert(0, f"${VARIABLE}/{self.folder}/{self.name} ({VARIABLE} is not set)")
        return (
            f"put it at {' or '.join(places)}; it is not downloaded: its data come from {self.origin}, "
            f"sha256 {self.sha256}"
        )
