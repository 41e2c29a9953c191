"""What maintainers alone write of submissions: a pull request of somebody else must not bring it."""

from __future__ import annotations

import re
from collections.abc import Iterable

MAINTAINERS = ("OWNER", "MEMBER", "COLLABORATOR")
"""What GitHub calls an author who may write to the repository."""
_RECORDS = re.compile(r"leaderboards/[^/]+/(submissions/[^/]+/accepted|hidden)\.json")


def records_of_others(paths: Iterable[str], author_is: str) -> list[str]:
    """Return which paths of a pull request are records of maintainers, if its author is none."""
    return [] if author_is in MAINTAINERS else [path for path in paths if _RECORDS.fullmatch(path)]
