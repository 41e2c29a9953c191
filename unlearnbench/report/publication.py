"""Published results: the file that a leaderboard is built from, rows and what made them, no machine's name."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from unlearnbench.core.errors import UserError
from unlearnbench.hooks.sources import one_line
from unlearnbench.run.plan import Plan
from unlearnbench.run.results import Row
from unlearnbench.run.store import Store

SCHEMA = 1


@dataclass(frozen=True)
class Publication:
    """The results of one run of one suite. ``environment`` is the fingerprint of what ran it."""

    suite: Mapping[str, Any]
    suite_sha256: str
    environment: Mapping[str, str]
    rows: tuple[Row, ...]

    @property
    def name(self) -> str:
        """The suite's name."""
        return str(self.suite["suite"])

    @classmethod
    def of(cls, plan: Plan, rows: Sequence[Row], store: Store) -> Publication:
        """Return what a run publishes; raises :class:`UserError` where it is unfinished or of several environments."""
        missing = sum(row.status == "missing" for row in rows)
        if missing:
            raise UserError(f"suite {plan.suite.name}: {missing} rows have not run; run the whole suite to publish it")
        return cls(plan.suite.to_dict(), plan.suite.sha256, _environment(plan, store), tuple(rows))

    def write(self, folder: Path) -> Path:
        """Write ``results.json`` into the suite's folder and return its path."""
        head = {
            "schema": SCHEMA,
            "suite": self.suite,
            "suite_sha256": self.suite_sha256,
            "environment": self.environment,
        }
        file = folder / self.name / "results.json"
        file.parent.mkdir(parents=True, exist_ok=True)
        lines = ",\n".join(json.dumps(row.to_dict(), allow_nan=False) for row in self.rows)  # a row a line: diffs tell
        file.write_text(f'{json.dumps(head, allow_nan=False)[:-1]}, "rows": [\n{lines}\n]}}\n')
        return file

    @classmethod
    def read(cls, file: Path) -> Publication:
        """Read a ``results.json``; raises :class:`UserError` where it is not one."""
        try:
            data = json.loads(file.read_bytes())
            if data["schema"] != SCHEMA:
                raise UserError(f"schema {data['schema']} is not the one this version reads, {SCHEMA}", str(file))
            if lacking := {"suite", "seeds"} - data["suite"].keys():
                raise UserError(f"the suite lacks {', '.join(sorted(lacking))}", str(file))
            rows = tuple(Row.from_dict(row) for row in data["rows"])
            return cls(data["suite"], data["suite_sha256"], dict(data["environment"]), rows)
        except (AttributeError, OSError, KeyError, TypeError, ValueError) as error:
            raise UserError(
                f"not a published result ({one_line(error)}); write one with run SUITE --publish", str(file)
            ) from error


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
