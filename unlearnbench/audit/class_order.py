"""Whether the columns of both models and the labels have the classes in one order.

Nothing that an audit finds holds where they do not. A model errs at random, or takes one class for another; it hardly
ever takes two classes for each other. The columns are said to be in another order where, of the records that were not
deleted, most of those predicted as some classes are of other classes, which are predicted as others again, and far more
are right under that assignment than are as they stand. Half of the rows suggest the assignment, the other half test it.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from unlearnbench.audit.columns import Columns
from unlearnbench.core.scenarios import Role

Codes = NDArray[np.int64]

LEVEL: Final = 1e-4
"""The p-value of as many or more right predictions, were either assignment as good, below which a file is refused."""
TIMES_RIGHT: Final = 3
"""How many times as many predictions must be right under the other assignment."""
MOST_NAMED: Final = 3
"""Columns that a message names."""


def check_class_order(
    columns: Columns,
    before: NDArray[np.float64],
    after: NDArray[np.float64],
    label: Codes | None,
    role: NDArray[np.int8],
) -> None:
    """Raise :class:`UserError` where ``before`` or ``after`` (n, C) has another order than the labels (n,).

    Without labels, where ``after`` has another than ``before``.
    """
    rows = role != Role.FORGOTTEN
    first, second = (matrix[rows].argmax(axis=1) for matrix in (before, after))
    if label is None:
        _check(columns, "after", second, "before", first)
    else:
        _check(columns, "before", first, "label", label[rows])
        _check(columns, "after", second, "label", label[rows])


def _check(columns: Columns, name: str, predicted: Codes, other: str, reference: Codes) -> None:
    assigned = other_order(predicted, reference)
    if assigned is None:
        return
    pairs = [f"{name}_{column} as class {its}" for column, its in enumerate(assigned.tolist()) if column != its]
    as_it_is, moved = np.mean(predicted == reference), np.mean(assigned[predicted] == reference)
    columns.fail(
        f"{name} and {other} have the classes in different orders: of 100 records that were not deleted they agree on "
        f"{100 * as_it_is:.0f}, and on {100 * moved:.0f} with {', '.join(pairs[:MOST_NAMED])}"
        f"{', ...' if len(pairs) > MOST_NAMED else ''}; give the same order in both"
    )


def other_order(predicted: Codes, reference: Codes) -> Codes | None:
    """Return the class (C,) that each predicted one stands for if not for itself; None where there is no such order."""
    from scipy.special import bdtrc

    usual = _usual(predicted[::2], reference[::2], 1 + max(predicted.max(initial=0), reference.max(initial=0)))
    own = np.arange(len(usual))
    moved = usual != own
    # Who takes the place of a class that moved has moved too, and shares the place with no other.
    alone = np.bincount(usual[moved], minlength=len(usual)) == 1
    moved &= moved[usual] & alone[usual]
    assigned = np.where(moved, usual, own)
    tested, truth = predicted[1::2], reference[1::2]
    own_right = np.count_nonzero(moved[tested] & (tested == truth))
    right = np.count_nonzero(moved[tested] & (assigned[tested] == truth))
    chance = bdtrc(right - 1, right + own_right, 0.5) if right else 1.0
    return assigned if chance < LEVEL and right >= TIMES_RIGHT * own_right else None


def _usual(predicted: Codes, reference: Codes, n_classes: int) -> Codes:
    """Return the class (C,) that most rows of each predicted class have; itself where it is never predicted."""
    pairs, counts = np.unique(np.stack([predicted, reference]), axis=1, return_counts=True)
    fewest_first = np.argsort(counts, kind="stable")
    usual = np.arange(n_classes)
    usual[pairs[0, fewest_first]] = pairs[1, fewest_first]  # of several, the last one is kept
    return usual
