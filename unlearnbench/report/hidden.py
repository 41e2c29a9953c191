"""Numbers on hidden seeds beside those on the public ones: a method that was tuned to the public seeds shows a gap."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Final

from pydantic import Field, ValidationError

from unlearnbench.core.errors import UserError, describe_error
from unlearnbench.core.estimates import Estimate
from unlearnbench.core.files import write_whole
from unlearnbench.report.published_form import EstimateForm, Form, Share
from unlearnbench.run.results import Row, by_cell, headline_rows
from unlearnbench.stats import holm
from unlearnbench.stats.gap import gap_p
from unlearnbench.stats.ranking import LEVEL, Measured
from unlearnbench.suite.model import AXES, Axis

SCHEMA: Final = 1
HIDDEN: Final = "hidden.json"
AGAIN: Final = "make it again: leaderboard reseed SUITE --nonce TEXT"


class HiddenNumber(Form):
    """The AUC of one cell on the hidden seeds."""

    labels: Annotated[dict[Axis, str], Field(min_length=len(AXES))]
    auc: EstimateForm
    by_seed: list[Share]

    @property
    def measured(self) -> Measured | None:
        """Return what is compared; None where there is no AUC."""
        estimate = Estimate(**self.auc.model_dump())
        return None if estimate.value is None else Measured(estimate, tuple(self.by_seed))


class Hidden(Form):
    """All of ``hidden.json``: what the top entries of a board come to on seeds that nobody knew."""

    schema_: Annotated[int, Field(alias="schema", ge=SCHEMA, le=SCHEMA)] = SCHEMA
    suite_sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    nonce: str
    """The text that was announced after submission; seeds follow from it and the suite."""
    seeds: list[int]
    environment: dict[str, str]
    entries: dict[str, str]
    """The digests of the entries that were run, by their ids."""
    numbers: list[HiddenNumber]

    def write(self, folder: Path) -> Path:
        """Write it into the folder of its board; return its path."""
        data = self.model_dump(mode="json", by_alias=True, exclude_unset=False)
        numbers = ",\n".join(json.dumps(number, allow_nan=False) for number in data.pop("numbers"))
        return write_whole(folder / HIDDEN, f'{json.dumps(data)[:-1]}, "numbers": [\n{numbers}\n]}}\n')

    @classmethod
    def read(cls, folder: Path) -> Hidden | None:
        """Read that of a board; None where it has none. :class:`UserError` where it is not one."""
        file = folder / HIDDEN
        try:
            return cls.model_validate_json(file.read_bytes()) if file.exists() else None
        except (OSError, ValidationError) as error:
            what = describe_error(error).splitlines()[0]
            raise UserError(f"is not what a board has of hidden seeds ({what}); {AGAIN}", str(file)) from None


def hidden_number(labels: Mapping[Axis, str], rows: Sequence[Row]) -> HiddenNumber | None:
    """Return the number of a cell from its rows, one a seed and their mean; None where it has no AUC."""
    (headline,) = headline_rows(rows)
    estimate = headline.metrics.get("auc")
    if estimate is None or estimate.value is None or headline.status != "ok":
        return None
    seeds = [row.metrics["auc"].value for row in rows if row.seed is not None] if headline.seed is None else []
    plain = {"labels": dict(labels), "auc": asdict(estimate), "by_seed": seeds}
    return HiddenNumber.model_validate_json(json.dumps(plain))


@dataclass(frozen=True)
class Gap:
    """One cell on public and on hidden seeds."""

    labels: Mapping[Axis, str]
    public: Estimate
    hidden: Estimate
    p: float | None
    """Adjusted by Holm over all cells that are compared; None where an error is not known."""

    @property
    def flagged(self) -> bool:
        """Whether the two differ by more than chance."""
        return self.p is not None and self.p <= LEVEL


Pair = tuple[Mapping[Axis, str], Estimate, Estimate, float | None]
"""The labels of a cell, both numbers, and the p-value of a gap before it is adjusted."""


def gaps(rows: Sequence[Row], hidden: Hidden) -> list[Gap]:
    """Return public and hidden numbers side by side, for cells that have both."""
    pairs = list(_pairs(rows, hidden))
    known = [p for *_, p in pairs if p is not None]
    adjusted = iter(holm(known).tolist() if known else [])
    return [Gap(labels, public, other, None if p is None else next(adjusted)) for labels, public, other, p in pairs]


def _pairs(rows: Sequence[Row], hidden: Hidden) -> Iterator[Pair]:
    groups = by_cell(rows)
    for number in hidden.numbers:
        shown = groups.get(tuple(number.labels[axis] for axis in AXES), [])
        public = hidden_number(number.labels, shown) if shown else None
        own, other = (each.measured if each else None for each in (public, number))
        if own and other:
            yield number.labels, own.estimate, other.estimate, gap_p(own, other)
