"""Requirements of attacks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from unlearnbench.core.attacks import Attack
from unlearnbench.core.messages import counted
from unlearnbench.hooks.records import AttackPlugin
from unlearnbench.testing.contract import Subject
from unlearnbench.testing.findings import cases, check
from unlearnbench.testing.process import process_check
from unlearnbench.testing.samples import SampleRows, alike, copies, game, one_hot_game

Scores = NDArray[np.float64]


def _scores(attack: Attack, shadow: SampleRows, target: SampleRows) -> Scores:
    fitted = attack.fit(shadow.shadow(attack.needs), np.random.default_rng(0))
    return np.asarray(fitted.score(target.view(attack.needs)))


def _scorer(attack: Attack) -> tuple[SampleRows, Callable[[SampleRows], Scores]]:
    """Return rows to score and the scoring function of the fitted attack."""
    fitted = attack.fit(game(seed=1).shadow(attack.needs), np.random.default_rng(0))
    return game(seed=2), lambda rows: np.asarray(fitted.score(rows.view(attack.needs)))


def _wrong(scores: Scores, n: int) -> Iterator[str]:
    if scores.shape != (n,):
        yield f"{counted(n, 'row')} give scores of shape {scores.shape}, not ({n},)"
    elif scores.dtype.kind not in "fiub" or not np.isfinite(scores.astype(float)).all():
        yield "scores are not all finite numbers"


@check("Make the record's versions, label and features equal to those of the class's `needs`.")
def record_declares_its_needs(subject: Subject) -> Iterator[str]:
    """The record declares what the attack reads."""
    record, needs = subject.registered.plugin, subject.made.needs
    assert isinstance(record, AttackPlugin)  # noqa: S101 - for the type checker
    for name in ("versions", "label", "features"):
        declared, true = getattr(record, name), getattr(needs, name)
        if declared != true:
            yield f"the record says {name}={declared!r}, the class needs {name}={true!r}"


@check("Return one finite float for each row of the view, whatever the number of versions.")
def gives_one_finite_score_a_row(subject: Subject) -> Iterator[str]:
    """Every row gets a finite score, with one unlearned version and with several."""
    for n_versions in (1, 3):
        shadow, target = game(seed=1, n_versions=n_versions), game(30, seed=2, n_versions=n_versions, one_request=True)
        yield from _wrong(_scores(subject.made, shadow, target), len(target))


@check("Draw from the `rng` that `fit` is handed, and from nothing else.")
def same_seed_same_scores(subject: Subject) -> Iterator[str]:
    """Fitted twice with the same generator, it gives the same scores to the bit."""
    first, second = (_scores(subject.made, game(seed=1), game(seed=2)) for _ in range(2))
    if not np.array_equal(first, second):
        yield "the same rows and the same generator give different scores"


leaves_the_process = process_check(lambda subject: _scores(subject.made, game(seed=1), game(seed=2)))


@check("Compute a row's score from that row and from what `fit` learned, not from its index.")
def scores_follow_their_rows(subject: Subject) -> Iterator[str]:
    """Permuted rows get permuted scores, equal to the bit."""
    rows, score = _scorer(subject.made)
    order = np.random.default_rng(3).permutation(len(rows))
    if not np.array_equal(score(rows.take(order)), score(rows)[order]):
        yield "permuted rows get different scores"


@check(
    "Learn statistics of the population from the shadow rows in `fit`, and keep nothing between calls of `score`. A "
    "matrix product may differ in its last bits with the number of rows: compute it row by row."
)
def scores_each_row_independently(subject: Subject) -> Iterator[str]:
    """A row has the same score alone, in other company and when scored again, equal to the bit: a run checks it."""
    rows, score = _scorer(subject.made)
    scores = score(rows)
    alone = np.concatenate([score(rows.take([row])) for row in range(10)])
    if not np.array_equal(alone, scores[:10]):
        yield f"a row's score depends on the other rows of the batch, by up to {np.abs(alone - scores[:10]).max():.1g}"
    elif not np.array_equal(score(rows.take(slice(0, 33))), scores[:33]):
        yield "a row's score depends on how many rows the batch has"
    elif not np.array_equal(score(rows), scores):
        yield "rows that are scored again get other scores"


@check("Declare in `needs` all that you read, and read it by the view's properties, without an underscore.")
def undeclared_fields_have_no_influence(subject: Subject) -> Iterator[str]:
    """Fields that `needs` does not declare do not change scores, on either side."""
    needs = subject.made.needs
    hidden = {
        "before": needs.versions not in ("both", "original"),
        "after": needs.versions not in ("both", "unlearned"),
        "versions": needs.versions not in ("both", "unlearned"),
        "label": not needs.label,
        "features": not needs.features,
    }

    shadow, target = game(seed=1, n_versions=2), game(seed=2, n_versions=2)
    scores = _scores(subject.made, shadow, target)
    for name in (name for name, hide in hidden.items() if hide):
        other = [replace(rows, **{name: getattr(rows, name)[::-1].copy()}) for rows in (shadow, target)]
        if not np.array_equal(_scores(subject.made, other[0], other[1]), scores):
            yield f"scores change with {name}, which `needs` does not declare"


@check("Work on copies: `view.before.copy()`, or operators that make a new array.")
def inputs_stay_as_they_were(subject: Subject) -> Iterator[str]:
    """Neither fitting nor scoring changes the rows."""
    shadow, target = game(seed=1), game(seed=2)
    before = copies(shadow, target)
    _scores(subject.made, shadow, target)
    if not alike(before, copies(shadow, target)):
        yield "the rows have changed"


@check("Return probabilities, or leave `probabilistic` False: DegCount and DegRate use scores as probabilities.")
def probabilities_are_probabilities(subject: Subject) -> Iterator[str]:
    """Scores that are declared probabilistic lie between 0 and 1."""
    scores = _scores(subject.made, game(seed=1), game(seed=2))
    if subject.made.probabilistic and not ((scores >= 0) & (scores <= 1)).all():
        yield f"scores from {scores.min():.3g} to {scores.max():.3g} are declared probabilistic"


@check("Return a finite score for every row, such as 0.5 or 0 where the rows hold no information.")
def edge_cases(subject: Subject) -> Iterator[str]:
    """One class of rows, one row, no row, duplicate rows, posteriors of 0 and 1, two and thirty classes work."""
    shadow, target = game(seed=1), game(30, seed=2)
    rows: dict[str, tuple[SampleRows, SampleRows]] = {
        "two classes": (game(n_classes=2, seed=1), game(30, 2, seed=2)),
        "thirty classes": (game(n_classes=30, seed=1), game(30, 30, seed=2)),
        "a class that no shadow row has": (shadow.take(shadow.label > 0), target),
        "shadow rows all deleted": (replace(shadow, deleted=np.ones_like(shadow.deleted)), target),
        "no shadow row deleted": (replace(shadow, deleted=np.zeros_like(shadow.deleted)), target),
        "one shadow row": (shadow.take([0]), target),
        "duplicate shadow rows": (shadow.take(np.zeros(20, dtype=int)), target),
        "duplicate target rows": (shadow, target.take(np.zeros(20, dtype=int))),
        "posteriors of exactly 0 and 1": (one_hot_game(), one_hot_game(30)),
        "one target row": (shadow, target.take([0])),
        "no target row": (shadow, target.take(slice(0, 0))),
    }

    def case(pair: tuple[SampleRows, SampleRows]) -> Callable[[], Iterator[str]]:
        return lambda: _wrong(_scores(subject.made, *pair), len(pair[1]))

    yield from cases({name: case(pair) for name, pair in rows.items()})


CHECKS: Final = (
    record_declares_its_needs,
    gives_one_finite_score_a_row,
    same_seed_same_scores,
    leaves_the_process,
    scores_follow_their_rows,
    scores_each_row_independently,
    undeclared_fields_have_no_influence,
    inputs_stay_as_they_were,
    probabilities_are_probabilities,
    edge_cases,
)
