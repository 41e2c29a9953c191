"""What the adversary sees of queried records, and what it may learn from it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from unlearnbench.core.scenarios import Role

Versions = Literal["both", "original", "unlearned", "none"]
"""Which models an adversary queries: before and after, before only, after only, or no model at all."""


@dataclass(frozen=True, eq=False)
class Observations:
    """Everything known of one side's queried records; a row is (episode, request, record).

    before (n, C), after (n, V, C): log-posteriors of the original and of each unlearned version, float64 ·
    versions (n,): how many of the V versions the row's request has, the rest are padding · member (n, V+1): was the
    record in the training set of the original and of each version (what was requested, not what the unlearner did) ·
    label, record, episode, request (n,) · role (n,): a :class:`Role` · position (n,): place among the rows of
    the same request and role.
    """

    before: NDArray[np.float64]
    after: NDArray[np.float64]
    versions: NDArray[np.int64]
    member: NDArray[np.bool_]
    label: NDArray[np.int64]
    record: NDArray[np.int64]
    episode: NDArray[np.int64]
    request: NDArray[np.int64]
    role: NDArray[np.int8]
    position: NDArray[np.int64]

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
        """Repeat the last version until there are ``n_versions``; ``versions`` still tells the real number."""
        missing = n_versions - self.after.shape[1]
        after = np.concatenate([self.after, np.repeat(self.after[:, -1:], missing, axis=1)], axis=1)
        member = np.concatenate([self.member, np.repeat(self.member[:, -1:], missing, axis=1)], axis=1)
        return replace(self, after=after, member=member)

    def last_only(self) -> Observations:
        """Return what is left where of each request's unlearned versions only the last is met."""
        rows, last = np.arange(len(self)), self.versions - 1
        return replace(
            self,
            after=self.after[rows, last][:, None],
            member=np.stack([self.member[:, 0], self.member[rows, last + 1]], axis=1),
            versions=np.ones_like(self.versions),
        )

    def left_at(self) -> NDArray[np.int64]:
        """Return the version (n,) that each record was first gone from; 0 for those that never left."""
        leaves = self.member[:, :-1] & ~self.member[:, 1:]
        return np.where(leaves.any(axis=1), leaves.argmax(axis=1) + 1, 0)

    def paired(self, positive: Role, negative: Role) -> NDArray[np.bool_]:
        """Return the rows (n,) of the balanced game: every positive, and as many first negatives of its request."""
        group = self.episode * (self.request.max(initial=0) + 1) + self.request
        per_request = np.bincount(group[self.role == positive], minlength=int(group.max(initial=0)) + 1)
        first = (self.role == negative) & (self.position < per_request[group])
        return np.asarray((self.role == positive) | first)


@dataclass(frozen=True)
class Needs:
    """What an attack must be shown. It is shown nothing else."""

    versions: Versions = "both"
    label: bool = False
    features: bool = False


class UndeclaredNeedError(AttributeError):
    """An attack read something that its ``needs`` do not declare."""


@dataclass(frozen=True, eq=False)
class View:
    """What an adversary holds: the rows it queried and the answers that its :class:`Needs` declare.

    ``episode`` and ``request`` (n,) say which pair of models a row was asked of. Rows come in random order and
    carry neither membership nor role. A target view holds one request, each record of it once.
    """

    needs: Needs
    n_classes: int
    episode: NDArray[np.int64]
    request: NDArray[np.int64]
    _before: NDArray[np.float64]
    _after: NDArray[np.float64]
    _versions: NDArray[np.int64]
    _label: NDArray[np.int64]
    _features: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.episode)

    def _allow(self, declared: bool, what: str) -> None:
        if not declared:
            raise UndeclaredNeedError(f"this attack reads {what}, which {self.needs} does not declare")

    @property
    def before(self) -> NDArray[np.float64]:
        """Log-posteriors (n, C) of the original model."""
        self._allow(self.needs.versions in ("both", "original"), "the original model's posteriors")
        return self._before

    @property
    def versions(self) -> NDArray[np.int64]:
        """How many unlearned versions (n,) each row's request has."""
        self._allow(self.needs.versions in ("both", "unlearned"), "the number of unlearned models")
        return self._versions

    @property
    def after_each(self) -> NDArray[np.float64]:
        """Log-posteriors (n, V, C) of every unlearned version; short requests repeat their last one."""
        self._allow(self.needs.versions in ("both", "unlearned"), "the unlearned models' posteriors")
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
        """The record's own features (n, ...)."""
        self._allow(self.needs.features, "the features")
        return self._features


@dataclass(frozen=True, eq=False)
class ShadowView(View):
    """What an adversary holds of its own shadow models: there it knows which rows were deleted.

    deleted (n,): True for the scenario's positive rows · member (n, V+1) as in :class:`Observations`.
    """

    deleted: NDArray[np.bool_]
    member: NDArray[np.bool_]
