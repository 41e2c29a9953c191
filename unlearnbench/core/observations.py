"""The answers to an adversary's queries, and the part of them that an attack may read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, TypeVar, cast

import numpy as np
from numpy.typing import NDArray

from unlearnbench.core.arrays import ReadOnlyArrays
from unlearnbench.core.boundary import BoundaryDistances
from unlearnbench.core.copies import CopyAnswers
from unlearnbench.core.references import PopulationAnswers, ReferenceAnswers
from unlearnbench.core.scenarios import Role
from unlearnbench.core.versions import Versions

Answers = TypeVar("Answers", ReferenceAnswers, PopulationAnswers)


@dataclass(frozen=True, eq=False)
class Observations(ReadOnlyArrays):
    """All that is known about the queried records of one side. A row is one (episode, request, record)."""

    before: NDArray[np.float64]
    """Log-posteriors (n, C) of the original model."""
    after: NDArray[np.float64]
    """Log-posteriors (n, V, C) of each unlearned version."""
    versions: NDArray[np.int64]
    """How many of the V versions the row's request has (n,); the others are padding."""
    member: NDArray[np.bool_]
    """Was the record in the training set of the original and of each version (n, V+1), according to the request."""
    label: NDArray[np.int64]
    """The true class (n,)."""
    record: NDArray[np.int64]
    """Id of the record (n,)."""
    episode: NDArray[np.int64]
    """Number of the original model (n,)."""
    request: NDArray[np.int64]
    """Number of the request (n,), counted within the episode."""
    role: NDArray[np.int8]
    """A :class:`Role` (n,)."""
    position: NDArray[np.int64]
    """Index among the rows of the same request and role (n,)."""

    def __len__(self) -> int:
        return len(self.label)

    def take(self, rows: NDArray[np.bool_] | NDArray[np.int64]) -> Observations:
        """Return the chosen rows, in the order given."""
        return replace(self, **{f.name: getattr(self, f.name)[rows] for f in fields(self)})

    @classmethod
    def concatenate(cls, parts: Sequence[Observations]) -> Observations:
        """Stack the observations of several episodes, padding versions to the longest request."""
        longest = max(part.after.shape[1] for part in parts)
        padded = [part.pad_versions(longest) for part in parts]
        return cls(**{f.name: np.concatenate([getattr(part, f.name) for part in padded]) for f in fields(cls)})

    def pad_versions(self, n_versions: int) -> Observations:
        """Repeat the last version until there are ``n_versions``; ``versions`` still holds the real number."""
        missing = n_versions - self.after.shape[1]
        after = np.concatenate([self.after, np.repeat(self.after[:, -1:], missing, axis=1)], axis=1)
        member = np.concatenate([self.member, np.repeat(self.member[:, -1:], missing, axis=1)], axis=1)
        return replace(self, after=after, member=member)

    @property
    def last(self) -> NDArray[np.float64]:
        """Log-posteriors (n, C) of the last unlearned version."""
        return self.after[np.arange(len(self)), self.versions - 1]

    def last_only(self) -> Observations:
        """Return the observations of an adversary that queries only the last unlearned version of each request."""
        rows, last = np.arange(len(self)), self.versions - 1
        return replace(
            self,
            after=self.last[:, None],
            member=np.stack([self.member[:, 0], self.member[rows, last + 1]], axis=1),
            versions=np.ones_like(self.versions),
        )

    def left_at(self) -> NDArray[np.int64]:
        """Return the first version (n,) that no longer contains the record; 0 for records that stay."""
        leaves = self.member[:, :-1] & ~self.member[:, 1:]
        return np.where(leaves.any(axis=1), leaves.argmax(axis=1) + 1, 0)

    def paired(self, positive: Role, negative: Role) -> NDArray[np.bool_]:
        """Return the rows (n,) of the balanced game."""
        return balanced(self.role, self.position, self.episode, self.request, positive, negative)


def balanced(
    role: NDArray[np.int8],
    position: NDArray[np.int64],
    episode: NDArray[np.int64],
    request: NDArray[np.int64],
    positive: Role,
    negative: Role,
) -> NDArray[np.bool_]:
    """Return which rows (n,) are positives, or among as many first negatives of the same request."""
    group = episode * (request.max(initial=0) + 1) + request
    per_request = np.bincount(group[role == positive], minlength=int(group.max(initial=0)) + 1)
    first = (role == negative) & (position < per_request[group])
    return np.asarray((role == positive) | first)


@dataclass(frozen=True)
class Needs:
    """What an attack reads. It has no access to anything else."""

    versions: Versions = "both"
    """The models whose posteriors it reads."""
    label: bool = False
    """Whether it reads the true class."""
    features: bool = False
    """Whether it reads the record's features."""
    references: int = 0
    """The number of reference models whose answers it reads."""
    population: int = 0
    """The number of records of the population about which it reads answers."""
    retained: bool = False
    """Whether it learns from retained records of shadow models too."""
    copies: int = 0
    """The number of noisy copies of each record, at each scale, about which it reads answers."""
    boundary: bool = False
    """Whether it reads the record's distance to the decision boundary."""

    @property
    def sees_original(self) -> bool:
        """Whether it reads posteriors of the original model."""
        return self.versions in ("both", "original")

    @property
    def sees_unlearned(self) -> bool:
        """Whether it reads posteriors of the unlearned models."""
        return self.versions in ("both", "unlearned")

    @property
    def target_only(self) -> bool:
        """Whether it reads what there is for target rows only: no shadow row can be scored then."""
        return self.references > 0 or self.population > 0


class UndeclaredNeedError(AttributeError):
    """An attack read an array that its ``needs`` do not declare."""


@dataclass(frozen=True, eq=False)
class View:
    """What an attack may read: the queried rows with the arrays that its :class:`Needs` declare.

    Rows are in random order and carry neither membership nor role. The company of a row carries no information: a score
    must follow from the row alone and from what ``fit`` learned.
    """

    needs: Needs
    n_classes: int
    episode: NDArray[np.int64]
    """Number of the original model that was queried (n,)."""
    request: NDArray[np.int64]
    """Number of the request whose unlearned models were queried (n,)."""
    key: NDArray[np.uint64]
    """A random word for each row (n,), the same in any view of the row. It holds no information."""
    _before: NDArray[np.float64]
    _after: NDArray[np.float64]
    _versions: NDArray[np.int64]
    _label: NDArray[np.int64]
    _features: NDArray[np.float64]
    _references: ReferenceAnswers | None
    _population: PopulationAnswers | None
    _copies: CopyAnswers | None
    _boundary: BoundaryDistances | None

    def __len__(self) -> int:
        return len(self.episode)

    def _allow(self, declared: bool, what: str) -> None:
        if not declared:
            raise UndeclaredNeedError(f"this attack reads {what}, which {self.needs} does not declare")

    @property
    def before(self) -> NDArray[np.float64]:
        """Log-posteriors (n, C) of the original model."""
        self._allow(self.needs.sees_original, "the original model's posteriors")
        return self._before

    @property
    def versions(self) -> NDArray[np.int64]:
        """How many unlearned versions (n,) each row's request has."""
        self._allow(self.needs.sees_unlearned, "the number of unlearned models")
        return self._versions

    @property
    def after_each(self) -> NDArray[np.float64]:
        """Log-posteriors (n, V, C) of every unlearned version; short requests repeat their last one."""
        self._allow(self.needs.sees_unlearned, "the unlearned models' posteriors")
        return self._after

    @property
    def after(self) -> NDArray[np.float64]:
        """Log-posteriors (n, C) of the last unlearned version."""
        return self.after_each[np.arange(len(self)), self._versions - 1]

    @property
    def label(self) -> NDArray[np.int64]:
        """The true class (n,) of each row."""
        self._allow(self.needs.label, "the label")
        return self._label

    @property
    def features(self) -> NDArray[np.float64]:
        """The record's features (n, ...)."""
        self._allow(self.needs.features, "the features")
        return self._features

    @property
    def references(self) -> ReferenceAnswers:
        """What as many reference models as the needs declare answer about the records (n,) of target rows."""
        self._allow(self.needs.references > 0, "the answers of reference models")
        return _of_target(self._references, "reference models")

    @property
    def population(self) -> PopulationAnswers:
        """What the queried models answer about as many records of the population as the needs declare."""
        self._allow(self.needs.population > 0, "answers about the population")
        return _of_target(self._population, "the population")

    @property
    def copies(self) -> CopyAnswers:
        """What the queried models answer about as many noisy copies of each row's record as the needs declare."""
        self._allow(self.needs.copies > 0, "answers about noisy copies")
        return cast(CopyAnswers, self._copies)  # a game that holds none makes no such view

    @property
    def boundary(self) -> BoundaryDistances:
        """How far each row's record is from the decision boundary of the queried models."""
        self._allow(self.needs.boundary, "distances to the decision boundary")
        return cast(BoundaryDistances, self._boundary)  # as above


def _of_target(answers: Answers | None, what: str) -> Answers:
    if answers is None:
        raise ValueError(f"shadow rows have no answers of {what}; only the scores of target rows may use them")
    return answers


@dataclass(frozen=True, eq=False)
class ShadowView(View):
    """What an attack may read of its own shadow models. There it knows which records were deleted."""

    deleted: NDArray[np.bool_]
    """True for rows of the scenario's positive role (n,)."""
    member: NDArray[np.bool_]
    """Membership (n, V+1) as in :class:`Observations`."""

    @property
    def retained(self) -> NDArray[np.bool_]:
        """True for records that are in the training set before and after (n,)."""
        self._allow(self.needs.retained, "which records are retained")
        return np.asarray(~self.deleted & self.member.all(axis=1))

    def take(self, rows: NDArray[np.bool_]) -> ShadowView:
        """Return the chosen rows (n,), such as those of some of the originals, to fit or to judge an attack on."""
        arrays = {name: value for name, value in vars(self).items() if isinstance(value, np.ndarray)}
        chosen: dict[str, Any] = {name: value[rows] for name, value in arrays.items() if len(value) == len(self)}
        chosen["_copies"] = self._copies.take(rows) if self._copies else None
        chosen["_boundary"] = self._boundary.take(rows) if self._boundary else None
        return replace(self, **chosen)
