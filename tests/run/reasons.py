"""Why the rows of a plug-in failed."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.run.conftest import Ran


def failed(ran: Ran, *plugins: str) -> set[str]:
    """Return the reasons of the rows that name one of these plug-ins; all of them must have failed."""
    rows = [row for row in ran.rows if {*plugins} & {*row.names.values()}]
    assert {row.status for row in rows} == {"failed"}
    return {row.reason.partition(": ")[2] if row.reason.startswith("target") else row.reason for row in rows}
