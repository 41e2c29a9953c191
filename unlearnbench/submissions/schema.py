"""What ``submission.json`` holds: strict types, bounded texts, no unknown key, no number that is not finite."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, field_validator

from unlearnbench.core.estimates import Scale, Status
from unlearnbench.core.hashing import content_key
from unlearnbench.run.environment import NAMES
from unlearnbench.submissions.words import checked_name
from unlearnbench.suite.model import AXES

SCHEMA = 3
ADDRESS = r"https://[!-;=?-~]+"
"""Printable ASCII without spaces, < and >."""
ID = r"^[a-z0-9]+(-[a-z0-9]+)*$"
PLAIN = r"^[^<>\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]*$"
"""No tag, no control character, no end of a line, and nothing that turns the direction of text."""

Reason = Annotated[str, StringConstraints(max_length=1000)]
"""Free text. The check computes it again and reports any difference."""
Text = Annotated[str, StringConstraints(max_length=1000, pattern=PLAIN)]
Name = Annotated[str, AfterValidator(checked_name)]
Label = Annotated[str, StringConstraints(max_length=40, pattern=r"^[a-z][a-z0-9 _.-]*$")]
Value = Annotated[str, StringConstraints(max_length=200, pattern=PLAIN)]
Hash = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
Index = Annotated[int, Field(ge=0, lt=10**6)]
Count = Annotated[int, Field(ge=0, lt=2**53)]
Fewest = Field(max_length=40)
Few = Field(max_length=1000)
Many = Field(max_length=200_000)
"""A short text can be a long list, and its entries as objects fill the memory."""


class Part(BaseModel):
    """The base of all parts."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)


class PluginPart(Part):
    """A plug-in of the run. Its parameters are in the suite."""

    kind: Text
    name: Text
    revision: Count
    distribution: Text
    """The package or file that it comes from."""
    version: Text
    sha256: Text
    """Of its code, where the version does not determine that."""
    declares: Annotated[dict[Text, bool | Text | Annotated[list[Text], Fewest]], Fewest]
    """The other fields of its record."""


class EstimatePart(Part):
    """One estimate. Fields that are left out have their defaults."""

    value: float | None = None
    low: float | None = None
    high: float | None = None
    n: Count = 0
    status: Status = "ok"
    reason: Reason = ""
    scale: Scale = "real"
    details: Annotated[dict[Text, float], Fewest] = {}


class CellPart(Part):
    """One cell. Arrays are given by their index in the archive."""

    defense: Text
    attack: Text
    key: Hash
    """The store key of the cell."""
    scores: Index
    """The attack's scores of the target rows (n,)."""
    baseline: Index
    """Those of its classical baseline (n,)."""
    shadow: Index
    """The attack's scores of the balanced shadow rows (m,), cross-fitted."""
    folds: Index
    """The attack's scores of the target rows, fitted without each fold of shadow originals (k, n); (0, n) for one that
    learns nothing."""
    baseline_folds: Index
    """Those of the baseline (k, n)."""
    unchanged: Index
    """Were the released posteriors bitwise the same before and after (n,)."""
    released: Index
    """Accuracy, log loss and calibration error of the released posteriors (3, requests)."""
    divergence: Index | None = None
    """Divergence of the released posteriors from those of retrained models (2, requests); (2, 0) where no metric
    compares with retraining. Null in older submissions."""
    estimates: list[Index | None]
    """Indices into :attr:`Document.estimates`, metric by metric."""

    @property
    def array_numbers(self) -> tuple[int, ...]:
        """The numbers of its arrays."""
        rows = self.scores, self.baseline, self.shadow, self.folds, self.baseline_folds
        optional = () if self.divergence is None else (self.divergence,)
        return (*rows, self.unchanged, self.released, *optional)


class SettingPart(Part):
    """How models are trained."""

    engine: Literal["fast", "reference"]
    device: Literal["cpu", "cuda", "mps"]


class GroupPart(SettingPart):
    """Cells that share their models. Arrays are given by their index in the archive."""

    dataset: Text
    model: Text
    unlearner: Text
    scenario: Text
    seed: Annotated[int, Field(ge=0, lt=2**63)]
    shadow: SettingPart | None = None
    """How the shadow models are trained, where otherwise than the target models."""
    forget_sets: Hash | None = None
    """The sha256 of the ids that all requests forget and add. None in older submissions."""
    matched: Index
    """Record ids of matched negatives (requests, k), -1 where a request has fewer."""
    accuracies: Index
    """Train and test accuracy of the original, then of the unlearned model (4, requests)."""
    seconds: Index
    """Wall time to train and to unlearn (2, requests)."""
    epsilon: Index | None
    """Privacy loss (requests,), null where training was not private."""
    forgotten: Index | None = None
    """Accuracy of the original and of the unlearned model on the deleted records (2, requests)."""
    passes: Index | None = None
    """Record passes over those of a retraining (requests,), null where one is not counted."""
    outcomes: Index | None = None
    """Has the unlearned model collapsed, is it unmoved (2, requests)."""
    relearned: Index | None = None
    """After how many epochs the unlearned model knows deleted records again (requests,), null where nobody tried."""
    memory: Index | None = None
    """Bytes held at the peak of serving an original's requests (requests,), null where nobody measured."""
    cells: list[CellPart]

    @property
    def array_numbers(self) -> tuple[int, ...]:
        """The numbers of the arrays that its cells share."""
        optional = self.epsilon, self.forgotten, self.passes, self.outcomes, self.relearned, self.memory
        return (self.matched, self.accuracies, self.seconds, *(number for number in optional if number is not None))


class SkippedPart(Part):
    """A cell that cannot run, and why."""

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


class EntryPart(Part):
    """The plug-in that is entered."""

    axis: Literal["unlearner", "attack", "defense", "model"]
    name: Text
    params: dict[str, Any]
    label: Text


class SharedPart(Part):
    """The reference entry of the board. What both hold is not stored again: controls are the same to the bit."""

    entry: Annotated[str, StringConstraints(pattern=ID, max_length=80)]
    """Its id: the name of the folder beside this one."""
    arrays: Index
    """How many it has. One with a lower number is of the reference entry, the submission's own go on from there."""
    estimates: Index
    """In the same way."""
    digest: Hash


class Document(Part):
    """All of ``submission.json``. ``digest`` covers everything but itself and ``id``, which is made from it."""

    schema_: Annotated[int, Field(alias="schema", ge=SCHEMA, le=SCHEMA)]
    id: Annotated[str, StringConstraints(pattern=ID, max_length=80)]
    name: Name
    author: Name
    entry: EntryPart | None = None
    """None for the reference entry of a suite: all cells whose unlearner is a control or a baseline."""
    tuned: Text = ""
    """How parameters were chosen; empty where nothing was tuned."""
    supersedes: Annotated[str, StringConstraints(pattern=r"^[a-z0-9-]*$", max_length=80)] = ""
    """The id of the entry of the same author that it takes the place of."""
    suite: dict[str, Any]
    suite_sha256: Hash
    environment: Annotated[dict[Label, Value], Fewest]
    plugins: Annotated[list[PluginPart], Few]
    cost: CostPart
    metrics: Annotated[list[Text], Few]
    estimates: Annotated[list[EstimatePart], Many]
    groups: Annotated[list[GroupPart], Many, Field(alias="benches")]
    skipped: Annotated[list[SkippedPart], Many]
    shared: SharedPart | None = None
    arrays: Index
    """How many arrays its file has."""
    arrays_sha256: Hash
    """Of that file. It may lie elsewhere: whoever checks the submission finds it by this."""
    arrays_bytes: Count
    arrays_address: Annotated[str, StringConstraints(max_length=500, pattern=rf"^({ADDRESS})?$")] = ""
    """Where that file can be fetched, if it is not beside the metadata. Nothing fetches it unasked."""
    digest: Hash

    @field_validator("environment")
    @classmethod
    def _tells_all(cls, environment: dict[str, str]) -> dict[str, str]:
        """Require all that results depend on: what an entry leaves out would make an environment of its own."""
        if missing := [name for name in NAMES if name not in environment]:
            raise ValueError(f"must tell {', '.join(missing)} too")
        return environment

    @property
    def own_arrays(self) -> range:
        """The numbers of the arrays in its file."""
        first = self.shared.arrays if self.shared else 0
        return range(first, first + self.arrays)

    @property
    def named_arrays(self) -> set[int]:
        """The numbers of the arrays that groups and cells name."""
        of_groups = {number for part in self.groups for number in part.array_numbers}
        return of_groups.union(*(cell.array_numbers for part in self.groups for cell in part.cells))

    def owns(self, name: tuple[str, ...]) -> bool:
        """Say whether a cell, by its labels and its seed, is one of the entry's own and no control."""
        return self.entry is None or name[AXES.index(self.entry.axis)] == self.entry.label

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
