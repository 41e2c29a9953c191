"""What is wrong with a submission: listed all at once, each with what to do about it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong: where, what, and what would mend it. One line each, without control characters."""

    where: str
    what: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.where}: {self.what}; {self.remedy}"


class RefusedError(Exception):
    """A submission that cannot be looked into any further, and why."""

    def __init__(self, findings: Iterable[Finding]) -> None:
        self.findings = tuple(findings)
        super().__init__("\n".join(map(str, self.findings)))


def refuse(where: str, what: str, remedy: str) -> RefusedError:
    """Return the refusal for one finding."""
    return RefusedError([Finding(where, what, remedy)])
