"""Files of answers: which reader takes them, and what a file of another kind is told."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from unlearnbench.audit.columns import Columns, Reader
from unlearnbench.audit.npz import read_npz
from unlearnbench.audit.tables import read_csv, read_parquet
from unlearnbench.core.errors import UserError, describe_error
from unlearnbench.core.messages import cut

LONGEST_REASON: Final = 200
"""Characters of a library's own message that are repeated: some libraries quote the file."""

READERS: Final[Mapping[str, Reader]] = {".npz": read_npz, ".csv": read_csv, ".parquet": read_parquet}

FIRST_BYTES: Final = {
    b"PAR1": "a Parquet file",
    b"\x93NUMPY": "one array (.npy); save several by name with numpy.savez",
    b"\x1f\x8b": "compressed by gzip; decompress it",
    b"BZh": "compressed by bzip2; decompress it",
    b"\xfd7zXZ": "compressed by xz; decompress it",
    b"\x80": "a pickle, which may run code when it is read; save arrays with numpy.savez",
    b"\x89HDF": "an HDF5 file; save its arrays with numpy.savez",
    b"\xd0\xcf\x11\xe0": "an Excel workbook; save it as CSV in UTF-8",
    b"{": "JSON; save a table as CSV",
    b"[": "JSON; save a table as CSV",
    b"<": "HTML or XML; save a table as CSV",
}
"""What a file is that begins with these bytes, and what to do with it."""

MEMBERS: Final = {
    ".npy": "a zip archive of arrays (.npz)",
    ".rels": "an Excel workbook; save it as CSV in UTF-8",
    ".pkl": "a checkpoint of PyTorch; save answers, not models, with numpy.savez",
}
"""What a zip archive is whose members end in these."""

RIGHT: Final = {".npz": MEMBERS[".npy"], ".parquet": FIRST_BYTES[b"PAR1"], ".csv": ""}
"""What a file of each ending is; text is nothing in particular."""


def read_columns(file: Path) -> Columns:
    """Read the file by its ending; raises :class:`UserError` where it cannot be read. Nothing is unpickled."""
    reader = READERS.get(file.suffix.lower())
    try:
        kind = kind_of(file)
        if reader is None or kind != RIGHT[file.suffix.lower()]:
            raise UserError(_other_kind(file, kind), str(file))
        return reader(file)
    except UserError:
        raise
    except Exception as error:  # noqa: BLE001 - what a damaged file makes zipfile, numpy or a reader of Parquet raise
        reason = error.strerror if isinstance(error, OSError) and error.strerror else describe_error(error)
        raise UserError(f"cannot be read: {cut(reason, LONGEST_REASON)}", str(file)) from None


def _other_kind(file: Path, kind: str) -> str:
    """Return what to tell of a file that is not what its ending says, or has another one."""
    right = next((ending for ending, its in RIGHT.items() if kind and its == kind), "")
    if not kind and file.suffix.lower() not in READERS:
        return f"must end in {', '.join(READERS)}"
    if kind:
        return f"is {kind}" + (f", not a {file.suffix} file; let its name end in {right}" if right else "")
    return f"is not {RIGHT[file.suffix.lower()]}" + (
        "; name a table of text .csv" if file.stat().st_size else ", but empty"
    )


def kind_of(file: Path) -> str:
    """Return what the file is by its content: empty for text, and for what is not known."""
    with file.open("rb") as content:
        first = content.read(8)
        if first.startswith(b"PK"):
            return _kind_of_zip(file)
    return next((kind for begin, kind in FIRST_BYTES.items() if first.startswith(begin)), "")


def _kind_of_zip(file: Path) -> str:
    with zipfile.ZipFile(file) as archive:
        names = archive.namelist()
    found = (kind for ending, kind in MEMBERS.items() if any(name.endswith(ending) for name in names))
    return next(found, "a zip archive, but of nothing known; save arrays by name with numpy.savez")
