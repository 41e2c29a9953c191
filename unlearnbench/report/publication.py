"""Published results: the file that a leaderboard is built from, rows and what made them, no machine's name."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from unlearnbench.core.errors import UserError
from unlearnbench.hooks.sources import one_line
from unlearnbench.run.cells import Plan
from unlearnbench.run.results import Row
from unlearnbench.run.store import Store
from unlearnbench.suite.model import AXES

SCHEMA = 1


@dataclass(frozen=True)
class Accepted:
    """The submission that rows were computed from; ``rerun`` are the cells that ``nonce`` drew to be run anew."""

    id: str
    digest: str
    name: str
    author: str
    nonce: str = ""
    rerun: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        words = (self.id, self.digest, self.name, self.author, self.nonce, *self.rerun)
        if not all(isinstance(word, str) for word in words) or not re.fullmatch(r"[a-z0-9-]+", self.id):
            raise ValueError("its submission is not told by id, digest, name, author, nonce and cells")


@dataclass(frozen=True)
class Curve:
    """The ROC curve of a cell, the mean over its seeds: ``hits`` at rates of ``false`` accusations, both rising."""

    labels: Mapping[str, str]
    false: tuple[float, ...]
    hits: tuple[float, ...]

    def __post_init__(self) -> None:
        if self.labels.keys() != set(AXES) or len(self.false) != len(self.hits):
            raise ValueError("a curve lacks an axis or a rate")
        if not all(isinstance(rate, float) and 0 <= rate <= 1 for rate in (*self.false, *self.hits)):
            raise ValueError("a curve has a rate that is none")


@dataclass(frozen=True)
class Publication:
    """The results of one run of one suite. ``environment`` is the fingerprint of what ran it.

    ``submission`` and ``curves`` are there where the rows were computed from a submission that was checked.
    """

    suite: Mapping[str, Any]
    suite_sha256: str
    environment: Mapping[str, str]
    rows: tuple[Row, ...]
    submission: Accepted | None = None
    curves: tuple[Curve, ...] = ()

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
        head: dict[str, object] = {
            "schema": SCHEMA,
            "suite": self.suite,
            "suite_sha256": self.suite_sha256,
            "environment": self.environment,
        }
        if self.submission:
            head |= {"submission": asdict(self.submission), "curves": [asdict(curve) for curve in self.curves]}
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
            accepted = Accepted(**_tuples(data["submission"])) if "submission" in data else None
            curves = tuple(Curve(**_tuples(curve)) for curve in data.get("curves", ()))
            return cls(data["suite"], data["suite_sha256"], dict(data["environment"]), rows, accepted, curves)
        except (AttributeError, OSError, KeyError, TypeError, ValueError) as error:
            raise UserError(
                f"not a published result ({one_line(error)}); write one with run SUITE --publish", str(file)
            ) from error


def _tuples(data: Mapping[str, Any]) -> dict[str, Any]:
    return {key: tuple(value) if isinstance(value, list) else value for key, value in data.items()}


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
