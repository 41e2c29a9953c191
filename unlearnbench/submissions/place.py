"""Where the files of a submission are written to, and how its metadata are written."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from unlearnbench.core.errors import UserError
from unlearnbench.core.files import write_whole
from unlearnbench.core.hashing import canonical_json
from unlearnbench.core.messages import shown
from unlearnbench.submissions.arrays import FILE
from unlearnbench.submissions.elsewhere import file_name
from unlearnbench.submissions.reading import DOCUMENT
from unlearnbench.submissions.schema import ADDRESS


@dataclass(frozen=True)
class Place:
    """Where submissions are written to."""

    leaderboards: Path
    arrays: Path | None = None
    """The folder of the arrays, by their sha256; None for beside their metadata."""
    address: str = ""
    """Where that folder will be found."""

    def __post_init__(self) -> None:
        if self.address and not re.fullmatch(ADDRESS, self.address):
            raise UserError(f"--address takes an address that begins with https://; got {shown(self.address)}")
        if self.address and not self.arrays:
            raise UserError("--address says where the arrays will be found; give the folder to write them to: --arrays")

    def write(self, document: Mapping[str, Any], packed: bytes) -> Path:
        """Write both files; return the folder of the metadata."""
        folder = self.leaderboards.joinpath(document["suite"]["suite"], "submissions", document["id"])
        write_whole(self.arrays / file_name(document["arrays_sha256"]) if self.arrays else folder / FILE, packed)
        write_whole(folder / DOCUMENT, "".join(_lines(document)))
        return folder

    def address_of(self, sha256: str) -> dict[str, str]:
        """Return where a file of arrays will be found, if it is said."""
        return {"arrays_address": f"{self.address.rstrip('/')}/{file_name(sha256)}"} if self.address else {}


def _lines(document: Mapping[str, Any]) -> Iterator[str]:
    """Yield the metadata, one entry of a list a line, for readable diffs."""
    for i, (key, value) in enumerate(sorted(document.items())):
        yield ",\n" if i else "{\n"
        yield f'"{key}": '
        if isinstance(value, list) and value and isinstance(value[0], dict):
            yield "[\n" + ",\n".join(canonical_json(entry) for entry in value) + "\n]"
        else:
            yield canonical_json(value)
    yield "\n}\n"
