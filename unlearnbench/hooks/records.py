"""The records that hooks yield: the name and description of a plug-in, and the path of its class.

``factory`` is a dotted string, so that listing plug-ins imports none of them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import ClassVar, Final, Literal, get_args

from unlearnbench.core.ranges import Choice, Range, Space
from unlearnbench.core.versions import Versions

Kind = Literal["dataset", "model", "unlearner", "scenario", "defense", "attack", "metric", "executor"]

Seen = Literal["forget-set", "retain-set", "validation-set", "labels", "training-log"]
"""What an unlearning algorithm may use."""

Stage = Literal["training", "publication", "release"]
"""When a defense acts: while the model is trained, when versions are published, or on each answer."""

Answers = Literal["posteriors", "labels"]
"""What the models return to an adversary."""

EntryRole = Literal["entry", "baseline", "control"]
"""The role of a plug-in in a table: an entry, which is ranked; a baseline, which entries are compared with; a control,
which shows whether the measurement is valid. Baselines and controls are never ranked."""

MOST_KNOBS: Final = 3
"""Of an unlearner: so that none gains by having many."""

_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
_FACTORY = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*:[^\W\d]\w*")


@dataclass(frozen=True, kw_only=True)
class Plugin:
    """The fields of all kinds. ValueError for a field with an invalid value."""

    kind: ClassVar[Kind]

    name: str
    """Lower-case words and digits joined by hyphens."""
    summary: str
    """One line of text."""
    factory: str | type
    """The class, as ``package.module:Class``; in a one-file plug-in the class itself."""
    reference: str = ""
    """The paper it comes from."""
    revision: int = 1
    """Must be raised whenever the results change, since it is part of the keys of stored results."""
    role: EntryRole = "entry"
    """Its role in tables."""

    def __post_init__(self) -> None:
        if not isinstance(self.name, str) or not _NAME.fullmatch(self.name):
            raise ValueError(f"name {self.name!r} must be lower-case words joined by hyphens, such as 'sorted-diff'")
        self._check_line("summary", self.summary)
        if not self.summary.strip():
            raise ValueError(f"{self.name}: summary must be one line of text")
        self._check_line("reference", self.reference)
        if isinstance(self.factory, str) and not _FACTORY.fullmatch(self.factory):
            raise ValueError(f"{self.name}: factory {self.factory!r} must look like 'package.module:Class'")
        if type(self.revision) is not int or self.revision < 1:
            raise ValueError(f"{self.name}: revision {self.revision!r} must be an integer from 1 on")
        self._check("role", self.role, get_args(EntryRole))

    def _check_line(self, field: str, value: object) -> None:
        """Raise ValueError for what is no text, has line breaks, or characters that would hide or move others."""
        if not isinstance(value, str) or not value.isprintable():
            raise ValueError(f"{self.name}: {field} must be one line of text, without control characters")

    def _check(self, field: str, value: object, allowed: tuple[object, ...]) -> None:
        if value not in allowed:
            raise ValueError(f"{self.name}: {field} {value!r} must be one of {', '.join(map(repr, allowed))}")


@dataclass(frozen=True, kw_only=True)
class DatasetPlugin(Plugin):
    """A data set: a :class:`unlearnbench.core.datasets.Dataset`."""

    kind: ClassVar[Kind] = "dataset"
    licence: str = ""
    """The terms of use, in one line."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self._check_line("licence", self.licence)


@dataclass(frozen=True, kw_only=True)
class ModelPlugin(Plugin):
    """A target model: a :class:`unlearnbench.core.models.TargetModel`."""

    kind: ClassVar[Kind] = "model"


@dataclass(frozen=True, kw_only=True)
class UnlearnerPlugin(Plugin):
    """An unlearning algorithm: a :class:`unlearnbench.core.unlearners.Unlearner`."""

    kind: ClassVar[Kind] = "unlearner"
    exact: bool = False
    """Whether the unlearned model has the distribution of one retrained without the forget set."""
    sees: tuple[Seen, ...] = ("forget-set", "retain-set", "labels")
    """What it uses."""
    deletes_nothing: bool = False
    """Whether its models are trained on the forgotten records too. For a control: an attack that tells forgotten from
    retained records there does not attack the deletion, and its results are invalid."""
    knobs: Space = field(default_factory=dict, hash=False)
    """What ``tune`` tries beside the parameters that a suite names: values of at most three of its parameters."""

    def __post_init__(self) -> None:
        super().__post_init__()
        for seen in self.sees:
            self._check("sees", seen, get_args(Seen))
        if self.deletes_nothing and self.role != "control":
            raise ValueError(f"{self.name}: deletes_nothing is for a control")
        if len(self.knobs) > MOST_KNOBS:
            raise ValueError(f"{self.name}: knobs must be {MOST_KNOBS} at most, got {len(self.knobs)}")
        for name, values in self.knobs.items():
            if not isinstance(values, Range | Choice):
                raise ValueError(f"{self.name}: knob {name!r} must be a Range or a Choice, got {values!r}")


@dataclass(frozen=True, kw_only=True)
class ScenarioPlugin(Plugin):
    """A kind of deletion requests: a :class:`unlearnbench.core.scenarios.Scenario`."""

    kind: ClassVar[Kind] = "scenario"


@dataclass(frozen=True, kw_only=True)
class DefensePlugin(Plugin):
    """A defense: a :class:`unlearnbench.core.defenses.Defense`."""

    kind: ClassVar[Kind] = "defense"
    stage: Stage = "release"
    """The stage at which it acts."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self._check("stage", self.stage, get_args(Stage))


@dataclass(frozen=True, kw_only=True)
class AttackPlugin(Plugin):
    """An attack: a :class:`unlearnbench.core.attacks.Attack`. The fields describe its adversary."""

    kind: ClassVar[Kind] = "attack"
    versions: Versions = "both"
    """Which models it queries."""
    answers: Answers = "posteriors"
    """What the models return to it."""
    label: bool = False
    """Whether it reads the true class."""
    features: bool = False
    """Whether it reads the record's features."""
    tests_sample: bool = False
    """Whether the results of a setting are invalid where it beats chance. For a control that queries no model."""
    knows_truth: bool = False
    """Whether a run sets its scores to the true membership, which no attack can read. For a control."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self._check("versions", self.versions, get_args(Versions))
        self._check("answers", self.answers, get_args(Answers))
        if self.tests_sample and (self.role, self.versions) != ("control", "none"):
            raise ValueError(f"{self.name}: tests_sample is for a control that queries no model")
        if self.knows_truth and self.role != "control":
            raise ValueError(f"{self.name}: knows_truth is for a control")


@dataclass(frozen=True, kw_only=True)
class MetricPlugin(Plugin):
    """A metric: a :class:`unlearnbench.core.metrics.Metric`."""

    kind: ClassVar[Kind] = "metric"
    primary: bool = False
    """Whether every run measures it, listed or not: it decides whether a sample is valid."""


@dataclass(frozen=True, kw_only=True)
class ExecutorPlugin(Plugin):
    """An executor: a :class:`unlearnbench.core.executors.Executor`."""

    kind: ClassVar[Kind] = "executor"


RECORDS: Final[dict[Kind, type[Plugin]]] = {
    "dataset": DatasetPlugin,
    "model": ModelPlugin,
    "unlearner": UnlearnerPlugin,
    "scenario": ScenarioPlugin,
    "defense": DefensePlugin,
    "attack": AttackPlugin,
    "metric": MetricPlugin,
    "executor": ExecutorPlugin,
}
"""The record of each kind, in the order in which kinds are listed."""
