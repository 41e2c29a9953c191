"""Published results: the file that a leaderboard is built from, with the rows and how they were made."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

from unlearnbench.core.errors import UserError, describe_error
from unlearnbench.core.files import write_whole
from unlearnbench.core.messages import counted
from unlearnbench.hooks.registry import Registry
from unlearnbench.report.hidden import Hidden
from unlearnbench.report.roles import Roles
from unlearnbench.run.cells import Plan
from unlearnbench.run.results import Row
from unlearnbench.run.store import Store
from unlearnbench.suite.model import AXES
from unlearnbench.suite.tuning import TrialRecord

SCHEMA = 2
RESULTS: Final = "results.json"
AGAIN = "make it again: run SUITE --publish"


@dataclass(frozen=True)
class BoardEntry:
    """An accepted entry of a board: who entered what, and how it was checked."""

    id: str
    """The name of its folder."""
    digest: str
    """The sha256 of all that it holds."""
    name: str
    author: str
    date: str
    """When it was accepted."""
    axis: str
    """The axis of its plug-in; empty for the reference entry, which has all that entries are compared with."""
    label: str
    """Its plug-in, as tables call it."""
    version: str
    """Distribution, version and revision of the plug-in."""
    environment: Mapping[str, str]
    tuned: str
    """How its parameters were chosen; empty where nothing was tuned."""
    status: Literal["accepted", "withdrawn", "superseded"] = "accepted"
    reason: str = ""
    """Why it is not accepted any more."""
    nonce: str = ""
    """The text that drew the cells to run again."""
    rerun: tuple[str, ...] = ()
    """The cells that were run again, a line each."""

    @property
    def parameters(self) -> str:
        """Whether its parameters are the defaults, were tuned, or were chosen in a way that nobody stated."""
        return "tuned" if self.tuned else "chosen" if "(" in self.label else "default"


@dataclass(frozen=True)
class RocCurve:
    """The ROC curve of a cell, the mean over its seeds. ValueError for values that are not rates."""

    labels: Mapping[str, str]
    """The label of the plug-in on each axis."""
    fpr: tuple[float, ...]
    """False-positive rates, rising."""
    tpr: tuple[float, ...]
    """True-positive rates at these."""

    def __post_init__(self) -> None:
        if self.labels.keys() != set(AXES) or len(self.fpr) != len(self.tpr):
            raise ValueError("curve must have a label on each axis, and as many rates in fpr as in tpr")
        if not all(isinstance(rate, float) and 0 <= rate <= 1 for rate in (*self.fpr, *self.tpr)):
            raise ValueError("the rates of a curve must lie between 0 and 1")


@dataclass(frozen=True)
class Publication:
    """The results of one suite: of one run, or of the entries of its board."""

    suite: Mapping[str, Any]
    """The suite with all defaults."""
    suite_sha256: str
    environment: Mapping[str, str]
    """The fingerprint of what ran it."""
    roles: Roles
    """What the plug-ins of the rows are in tables."""
    rows: tuple[Row, ...]
    entries: tuple[BoardEntry, ...] = ()
    """The entries that the rows are from, those that are not accepted any more too; none for the rows of one run."""
    curves: tuple[RocCurve, ...] = ()
    """The ROC curves of the attack track, if the rows are from entries."""
    hidden: Hidden | None = None
    """What top entries come to on hidden seeds, if they were run on some."""

    @property
    def name(self) -> str:
        """The suite's name."""
        return str(self.suite["suite"])

    @property
    def version(self) -> int:
        """The suite's version."""
        return int(self.suite.get("version", 1))

    @property
    def title(self) -> str:
        """Name and version."""
        return f"{self.name} v{self.version}"

    @property
    def trials(self) -> tuple[TrialRecord, ...]:
        """The trials that the parameters of its unlearners were chosen by; none where nothing was tuned."""
        return tuple(TrialRecord(**trial) for trial in self.suite.get("trials", ()))

    def entry_of(self, axis: str, label: str) -> BoardEntry | None:
        """Return the accepted entry that brought a plug-in, else the reference entry; None for the rows of one run."""
        accepted = [entry for entry in self.entries if entry.status == "accepted"]
        own = (entry for entry in accepted if (entry.axis, entry.label) == (axis, label))
        return next(own, None) or next((entry for entry in accepted if not entry.axis), None)

    @classmethod
    def of(cls, plan: Plan, rows: Sequence[Row], store: Store, registry: Registry) -> Publication:
        """Return what a run publishes; raises :class:`UserError` where it is unfinished or of several environments."""
        missing = sum(row.status == "missing" for row in rows)
        if missing:
            raise UserError(
                f"suite {plan.suite.name}: {counted(missing, 'row')} not run yet; run the whole suite to publish it"
            )
        environment, roles = _environment(plan, store), Roles.of(plan.full, registry)
        return cls(plan.suite.to_dict(), plan.suite.sha256, environment, roles, tuple(rows))

    def write(self, folder: Path) -> Path:
        """Write the results of a run as ``results.json`` into the suite's folder; return its path."""
        head: dict[str, object] = {
            "schema": SCHEMA,
            "suite": self.suite,
            "suite_sha256": self.suite_sha256,
            "environment": self.environment,
            "plugins": self.roles.to_dict(),
        }
        file = folder / self.name / RESULTS
        lines = ",\n".join(
            json.dumps(row.to_dict(), allow_nan=False) for row in self.rows
        )  # a line for each row, for readable diffs
        return write_whole(file, f'{json.dumps(head, allow_nan=False)[:-1]}, "rows": [\n{lines}\n]}}\n')

    @classmethod
    def read(cls, file: Path) -> Publication:
        """Read a ``results.json``; raises :class:`UserError` where it is not one."""
        from unlearnbench.report.published_form import check_form

        try:
            data = json.loads(file.read_bytes())
            if type(data["schema"]) is int and data["schema"] != SCHEMA:
                raise UserError(f"has schema {data['schema']}, this version reads {SCHEMA}; {AGAIN}", str(file))
            check_form(data)
            rows = tuple(Row.from_dict(row) for row in data["rows"])
            roles = Roles.from_dict(data["plugins"])
            if unknown := roles.missing(row.axes for row in rows):
                raise UserError(f"plugins lacks {unknown[0]}, which a row names; {AGAIN}", str(file))
            environment = dict(data["environment"])
            return cls(data["suite"], data["suite_sha256"], environment, roles, rows)
        except (OSError, KeyError, TypeError, ValueError, RecursionError) as error:
            raise UserError(f"not a published result ({describe_error(error)}); {AGAIN}", str(file)) from error


def _environment(plan: Plan, store: Store) -> dict[str, str]:
    """Return the one environment that all episodes of a plan were made in."""
    entries = (store.get("episode", key) for key in plan.episodes)
    made_in: list[dict[str, str]] = []
    for entry in entries:
        environment: Any = entry.payload["environment"] if entry else None
        if environment and environment not in made_in:
            made_in.append(environment)
    if not made_in:
        raise UserError(f"suite {plan.suite.name}: none of its episodes is done; there is nothing to publish")
    if len(made_in) > 1:
        raise UserError(
            f"suite {plan.suite.name}: its episodes were made in {len(made_in)} environments and are no one result; "
            "run it with --rerun all to publish it"
        )
    return made_in[0]
