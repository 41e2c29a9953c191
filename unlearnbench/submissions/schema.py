"""What ``submission.json`` holds: strict types, bounded texts, no unknown key, no number that is not finite."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from unlearnbench.core.estimates import Status
from unlearnbench.core.hashing import content_key

SCHEMA = 1
NAME = r"^[\w(][\w .,'()&+@-]{0,99}$"
"""Names of entries and authors: letters of any script, digits, spaces and a few signs. What could be read as a tag, a
link or a shell's word by whoever shows them is not among them."""
PLAIN = r"^[^<>\x00-\x1f\x7f-\x9f\u2028\u2029]*$"

Reason = Annotated[str, StringConstraints(max_length=1000)]
"""Any text: it must be, to the letter, what the check comes to itself, or it is a finding."""
Text = Annotated[str, StringConstraints(max_length=1000, pattern=PLAIN)]
Hash = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
Index = Annotated[int, Field(ge=0, lt=10**6)]
Count = Annotated[int, Field(ge=0, lt=2**53)]
Few = Field(max_length=1000)
Many = Field(max_length=200_000)
"""A short text can be a long list, and its entries as objects fill the memory."""


class Part(BaseModel):
    """What all parts share."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)


class PluginPart(Part):
    """A plug-in of the run: where it comes from, and all that its record declares, such as ``sees`` or ``versions``.

    ``sha256`` is of its code where a version does not pin that. What it was given as parameters stands in the suite.
    """

    kind: Text
    name: Text
    revision: Count
    distribution: Text
    version: Text
    sha256: Text
    declares: dict[Text, bool | Text | list[Text]]


class EstimatePart(Part):
    """One estimate; what is not there has its default."""

    value: float | None = None
    low: float | None = None
    high: float | None = None
    n: Count = 0
    status: Status = "ok"
    reason: Reason = ""
    details: dict[Text, float] = {}


class CellPart(Part):
    """One cell. Numbers are those of arrays, and ``estimates`` those of :attr:`Document.estimates`, metric by metric.

    scores (n,): the attack's, row by row · baseline (n,): of its classical baseline · shadow (m,): of the balanced
    shadow rows, cross-fitted · unchanged (n,): were the released posteriors bitwise the same before and after.
    """

    defense: Text
    attack: Text
    key: Hash
    scores: Index
    baseline: Index
    shadow: Index
    unchanged: Index
    estimates: list[Index | None]


class GroupPart(Part):
    """Cells that share their models.

    matched (requests, k): record ids, -1 where there are fewer · accuracies (4, requests): train and test of the
    original, train and test of the unlearned model · seconds (2, requests): to train, to unlearn · epsilon
    (requests,), or null where training was not private.
    """

    dataset: Text
    model: Text
    unlearner: Text
    scenario: Text
    seed: Annotated[int, Field(ge=0, lt=2**63)]
    engine: Literal["fast", "reference"]
    device: Literal["cpu", "cuda", "mps"]
    matched: Index
    accuracies: Index
    seconds: Index
    epsilon: Index | None
    cells: list[CellPart]


class SkippedPart(Part):
    """A cell that cannot be, and why."""

    dataset: Text
    model: Text
    unlearner: Text
    scenario: Text
    defense: Text
    attack: Text
    seed: Annotated[int, Field(ge=0, lt=2**63)]
    reason: Reason


class CostPart(Part):
    """Wall seconds of one thread, summed over all models of both sides."""

    train_seconds: Annotated[float, Field(ge=0)]
    unlearn_seconds: Annotated[float, Field(ge=0)]


class Document(Part):
    """All of ``submission.json``. ``digest`` covers everything but itself and ``id``, which is made from it."""

    schema_: Annotated[int, Field(alias="schema", ge=SCHEMA, le=SCHEMA)]
    id: Annotated[str, StringConstraints(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=80)]
    name: Annotated[str, StringConstraints(pattern=NAME)]
    author: Annotated[str, StringConstraints(pattern=NAME)]
    suite: dict[str, Any]
    suite_sha256: Hash
    environment: dict[Text, Text]
    plugins: Annotated[list[PluginPart], Few]
    cost: CostPart
    metrics: Annotated[list[Text], Few]
    estimates: Annotated[list[EstimatePart], Many]
    benches: Annotated[list[GroupPart], Many]
    skipped: Annotated[list[SkippedPart], Many]
    arrays: Index
    arrays_sha256: Hash
    digest: Hash

    @property
    def suite_name(self) -> str:
        """The suite's name, or nothing where the suite is none."""
        return str(self.suite.get("suite", ""))


def digest_of(data: Mapping[str, Any]) -> str:
    """Return the digest of a submission's plain data, whether or not it holds ``id`` and ``digest`` already."""
    return content_key({key: value for key, value in data.items() if key not in ("id", "digest")})


def id_of(name: str, digest: str) -> str:
    """Return the id: the name in plain letters, and the start of the digest."""
    words = re.findall(r"[a-z0-9]+", name.lower())
    return f"{'-'.join(words)[:60].strip('-') or 'entry'}-{digest[:8]}"
