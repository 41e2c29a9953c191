"""The reference entry of a board: what entries are compared with, and whose arrays they need not store again."""

from __future__ import annotations

from pathlib import Path

from unlearnbench.core.errors import UserError
from unlearnbench.submissions.accepted import Acceptance, accepted_among
from unlearnbench.submissions.findings import RefusedError
from unlearnbench.submissions.reading import Submission, read_document, read_submission


def reference_entry(submissions: Path, suite_sha256: str, elsewhere: Path | None = None) -> Submission | None:
    """Return the accepted reference entry of a suite in a folder of submissions; None where there is none.

    Raises :class:`RefusedError` where it is there and its arrays cannot be read.
    """
    for folder in accepted_among(submissions):
        if _is_reference(folder, suite_sha256):
            return read_submission(folder, elsewhere)[0]
    return None


def _is_reference(folder: Path, suite_sha256: str) -> bool:
    try:
        accepted, document = Acceptance.read(folder).status == "accepted", read_document(folder)
    except (UserError, RefusedError):  # told by the build of the board
        return False
    return accepted and document.entry is None and document.suite_sha256 == suite_sha256
