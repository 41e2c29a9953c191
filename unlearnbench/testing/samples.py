"""Small synthetic inputs for checks and tests of plug-ins."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unlearnbench.core.boundary import BoundaryDistances
from unlearnbench.core.copies import SCALES, CopyAnswers
from unlearnbench.core.metrics import ReleasedUtility, ScoredCell, Utility
from unlearnbench.core.observations import Needs, ShadowView, View
from unlearnbench.core.posteriors import log_of, log_softmax
from unlearnbench.core.records import Provenance, Records, TrainingSet
from unlearnbench.core.references import PopulationAnswers, ReferenceAnswers
from unlearnbench.core.scenarios import Role
from unlearnbench.core.seeding import keyed_bits, keyed_normals

Floats = NDArray[np.float64]


def blobs(n: int = 60, n_classes: int = 3, shape: tuple[int, ...] = (4,), seed: int = 0) -> Records:
    """Return records of overlapping Gaussian blobs, one per class, with features on different scales, no duplicates.

    They declare bounds, far beyond their features.
    """
    rng = np.random.default_rng(seed)
    y = np.arange(n, dtype=np.int64) % n_classes
    centres = rng.normal(size=(n_classes, *shape))
    x = (centres[y] + rng.normal(size=(n, *shape))) * np.linspace(1, 20, shape[-1]) + 7
    return Records("blobs", x, y, n_classes, Provenance("made up", "public domain"), bounds=(-200, 200))


def garbled(records: Records, ids: NDArray[np.int64], x: bool = True) -> Records:
    """Return records of which those with these ids have other labels and, unless ``x`` is False, other features."""
    features, labels = records.x.copy(), records.y.copy()
    labels[ids] = (labels[ids] + 1) % records.n_classes
    if x:
        features[ids] = features[ids[::-1]] + 3.0
    return replace(records, y=labels, x=features)


def doubled(records: Records) -> Records:
    """Return records in which each one occurs twice."""
    return replace(records, x=np.concatenate([records.x] * 2), y=np.concatenate([records.y] * 2))


def everything(records: Records) -> TrainingSet:
    """Return the training set of all records."""
    return TrainingSet.of(records, np.arange(len(records)))


@dataclass(frozen=True, eq=False)
class SampleRows:
    """The arrays of a view, and which records were deleted."""

    before: Floats
    """Log-posteriors (n, C) of the original model."""
    after: Floats
    """Log-posteriors (n, V, C) of the unlearned versions."""
    versions: NDArray[np.int64]
    label: NDArray[np.int64]
    features: Floats
    deleted: NDArray[np.bool_]
    episode: NDArray[np.int64]
    request: NDArray[np.int64]
    key: NDArray[np.uint64]

    def __len__(self) -> int:
        return len(self.label)

    def take(self, rows: Any) -> SampleRows:
        """Return the chosen rows, in the order given."""
        return replace(self, **{f.name: getattr(self, f.name)[rows] for f in fields(self)})

    def copy(self) -> SampleRows:
        """Return a copy that shares no array with this one."""
        return self.take(np.arange(len(self)))

    def view(self, needs: Needs) -> View:
        """Return these rows as the target view of an attack."""
        return View(needs, **self._parts(needs))

    def shadow(self, needs: Needs) -> ShadowView:
        """Return these rows as the shadow view of an attack.

        If its needs declare ``retained``, half of the rows that were not deleted are, drawn by the key of each.
        """
        stayed = ~self.deleted & (self.key % 2 == 0) if needs.retained else ~self.deleted
        first = self.deleted | stayed if needs.retained else np.ones_like(stayed)
        member = np.stack([first, *[stayed] * self.after.shape[1]], axis=1)
        return ShadowView(needs, **self._parts(needs), deleted=self.deleted, member=member)

    def _parts(self, needs: Needs) -> dict[str, Any]:
        names = ("before", "after", "versions", "label", "features")
        parts = {f"_{name}": getattr(self, name) for name in names}
        parts["_references"] = made_up_references(self.key, needs.references) if needs.references else None
        parts["_population"] = self._population(needs) if needs.population else None
        parts["_copies"] = self._copies(needs) if needs.copies else None
        parts["_boundary"] = self._boundary(needs) if needs.boundary else None
        return {
            "n_classes": self.before.shape[1],
            "episode": self.episode,
            "request": self.request,
            "key": self.key,
            **parts,
        }

    @property
    def _last(self) -> Floats:
        return self.after[np.arange(len(self)), self.versions - 1]

    def _boundary(self, needs: Needs) -> BoundaryDistances:
        """Return made-up distances: by how much the largest log-posterior exceeds the next."""

        def lead(answers: Floats) -> Floats:
            return np.asarray(np.diff(np.sort(answers, axis=1)[:, -2:], axis=1)[:, 0])

        nothing = np.empty(0)
        return BoundaryDistances(
            lead(self.before) if needs.sees_original else nothing,
            lead(self._last) if needs.sees_unlearned else nothing,
        )

    def _copies(self, needs: Needs) -> CopyAnswers:
        """Return answers about noisy copies: those about the row with noise that grows with the scale, by its key."""
        n, classes = self.before.shape
        number = np.arange(needs.copies)[:, None]
        drawn = keyed_normals(5, self.key[:, None, None], number, np.arange(classes))
        noise = np.reshape(SCALES, (-1, 1)) * drawn[:, :, None]
        nothing = np.empty((n, 0, 0, 0))
        return CopyAnswers(
            log_softmax(self.before[:, None, None] + noise) if needs.sees_original else nothing,
            log_softmax(self._last[:, None, None] + noise) if needs.sees_unlearned else nothing,
        )

    def _population(self, needs: Needs) -> PopulationAnswers:
        """Return made-up answers about the population, the same in each view."""
        groups, group = np.unique(np.stack([self.episode, self.request]), axis=1, return_inverse=True)
        shape = groups.shape[1], needs.population
        odds = 2.0 * keyed_normals(3, groups[0][:, None], groups[1][:, None], np.arange(needs.population))
        nothing, others = np.empty((shape[0], 0)), keyed_normals(4, *np.indices((needs.population, needs.references)))
        return PopulationAnswers(
            group,
            odds if needs.sees_original else nothing,
            odds + 0.1 if needs.sees_unlearned else nothing,
            ReferenceAnswers(others, others + 0.1, np.zeros(others.shape, dtype=np.bool_))
            if needs.references
            else None,
        )


def made_up_references(key: NDArray[np.uint64], models: int) -> ReferenceAnswers:
    """Return answers of reference models about records (n,), drawn by the key of each."""
    keys, number = key[:, None], np.arange(models)
    member = (keyed_bits(0, keys, number // 2) + number.astype(np.uint64)) % 2 == 0
    before = 2.0 * keyed_normals(1, keys, number) + member
    return ReferenceAnswers(before, before - member + 0.1 * keyed_normals(2, keys, number), member)


def game(
    n: int = 60,
    n_classes: int = 4,
    n_versions: int = 1,
    seed: int = 0,
    one_request: bool = False,
    leak: float = 1.0,
) -> SampleRows:
    """Return rows of which half, at random, were deleted and lost about ``leak`` nats of confidence in their label.

    If ``n_versions`` > 1, the request of every third row has one version fewer and repeats its last one.
    """
    rng = np.random.default_rng(seed)
    row = np.arange(n)
    label, deleted = rng.integers(n_classes, size=n), rng.permutation(n) % 2 == 0
    logits = rng.normal(size=(n, n_classes))
    logits[row, label] += 2.0
    moved = logits[:, None] + rng.normal(scale=0.05, size=(n, n_versions, n_classes))
    moved[row, :, label] -= (leak * deleted * rng.uniform(0.5, 1.5, size=n))[:, None]
    versions = np.where((n_versions > 1) & (row % 3 == 0), n_versions - 1, n_versions)
    moved[versions < n_versions, -1] = moved[versions < n_versions, n_versions - 2]
    number = np.zeros(n, dtype=np.int64) if one_request else row
    features = rng.normal(size=(n, 3))
    place = number // 10, number // 5 % 2
    keys = keyed_bits(seed, row)
    return SampleRows(log_softmax(logits), log_softmax(moved), versions, label, features, deleted, *place, keys)


def game_of(before: Floats, after: Floats, label: NDArray[np.int64], deleted: Sequence[bool]) -> SampleRows:
    """Return rows with these posteriors (n, C), not logarithms, and one unlearned version: for worked examples."""
    return replace(
        game(len(label), before.shape[1]),
        before=log_of(before),
        after=log_of(after)[:, None],
        label=label,
        deleted=np.array(deleted, dtype=bool),
    )


def one_hot_game(n: int = 40) -> SampleRows:
    """Return rows whose posteriors are exactly zero and one."""
    certain = log_of(np.eye(3)[np.arange(n) % 3])
    made = game(n, 3)
    return replace(made, before=certain, after=certain[::-1, None].copy())


ROLES = (Role.FORGOTTEN, *[Role.UNSEEN] * 4, *[Role.MATCHED] * 2, *[Role.RETAINED] * 2)
POSITIONS = (0, *range(4), *range(2), *range(2))


def scored_cell(
    originals: int = 4, requests: int = 3, seed: int = 0, retrained: bool = False, references: int = 0
) -> ScoredCell:
    """Return a cell whose scores, in (0, 1), are higher for deleted records.

    It holds a retrained cell, and answers of reference models, if asked for.
    """
    rng = np.random.default_rng(seed)
    pairs = originals * requests
    role = np.tile(np.array(ROLES, dtype=np.int8), pairs)
    n, deleted, shadow = len(role), role == Role.FORGOTTEN, np.arange(4 * pairs) % 2 == 1
    return ScoredCell(
        scores=0.7 * rng.random(n) + 0.3 * deleted,
        baseline=0.9 * rng.random(n) + 0.1 * deleted,
        role=role,
        position=np.tile(np.array(POSITIONS), pairs),
        episode=np.repeat(np.arange(originals), n // originals),
        request=np.tile(np.repeat(np.arange(requests), len(ROLES)), originals),
        record=np.arange(n),
        label=rng.integers(3, size=n),
        unchanged=~deleted & (rng.random(n) < 0.5),
        positive=Role.FORGOTTEN,
        negative=Role.UNSEEN,
        shadow_scores=0.7 * rng.random(len(shadow)) + 0.3 * shadow,
        shadow_deleted=shadow,
        shadow_fold=np.arange(len(shadow)) // 2 % 4,
        folds=(0.7 * rng.random((4, n)) + 0.3 * deleted).astype(np.float32),
        baseline_folds=(0.9 * rng.random((4, n)) + 0.1 * deleted).astype(np.float32),
        probabilistic=True,
        baseline_probabilistic=True,
        utility=_utility(rng, originals, requests),
        released=ReleasedUtility(np.repeat(np.arange(originals), requests), *rng.random((3, pairs))),
        divergence=rng.random((2, pairs if retrained else 0)),
        retrained=scored_cell(originals, requests, seed + 1000, references=references) if retrained else None,
        references=made_up_references(keyed_bits(seed, np.arange(n)), references) if references else None,
    )


def _utility(rng: np.random.Generator, originals: int, requests: int) -> Utility:
    numbers: dict[str, Any] = {f.name: rng.random(originals * requests) for f in fields(Utility)}
    numbers |= {"episode": np.repeat(np.arange(originals), requests), "epsilon": np.full(originals * requests, np.inf)}
    numbers |= {name: numbers[name] < 0.3 for name in ("collapsed", "unmoved")}
    return Utility(**numbers)


def arrays_of(value: object) -> Iterator[NDArray[Any]]:
    """Yield the arrays that a dataclass holds, those of dataclasses inside it too."""
    for f in fields(value):  # type: ignore[arg-type]  # callers hand dataclasses only
        found = getattr(value, f.name)
        if isinstance(found, np.ndarray):
            yield found
        elif hasattr(found, "__dataclass_fields__") and not isinstance(found, type):
            yield from arrays_of(found)


def copies(*values: object) -> list[NDArray[Any]]:
    """Return copies of all arrays in these dataclasses, to compare with later."""
    return [array.copy() for value in values for array in arrays_of(value)]


def alike(before: list[NDArray[Any]], after: list[NDArray[Any]]) -> bool:
    """Return whether two lists of arrays are bitwise equal."""
    return len(before) == len(after) and all(map(np.array_equal, before, after))
