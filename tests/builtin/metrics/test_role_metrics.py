"""The metrics of three roles, against scikit-learn."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.metrics import confusion_matrix, roc_auc_score

from unlearnbench.builtin.metrics.confusion import NO_VERDICTS, Confusion
from unlearnbench.builtin.metrics.one_vs_rest import OneVsRest
from unlearnbench.core.attacks import VERDICTS
from unlearnbench.core.metrics import ScoredCell
from unlearnbench.core.scenarios import Role
from unlearnbench.run.measuring import measure
from unlearnbench.testing.samples import scored_cell

NAMES = ("forgotten", "retained", "unseen")
ORDER = [Role.FORGOTTEN, Role.RETAINED, Role.UNSEEN]


def probabilities(cell: ScoredCell, seed: int = 0) -> NDArray[np.float64]:
    """Return three made-up probabilities (n, 3) of each row, that of its own role the highest on average."""
    drawn = 2 * np.random.default_rng(seed).random((len(cell.role), 3)) + (cell.role[:, None] == ORDER)
    return np.asarray(drawn / drawn.sum(axis=1, keepdims=True))


def test_the_three_scores_give_the_one_vs_rest_aucs() -> None:
    cell = scored_cell(originals=8)
    p = probabilities(cell)
    known = cell.has_role(*ORDER)
    number = np.array([ORDER.index(Role(role)) for role in cell.role[known]])
    macro, found = roc_auc_score(number, p[known], multi_class="ovr"), []
    for name, k, score in (
        ("auc-forgotten-rest", 0, p[:, 0]),
        ("auc-retained-rest", 1, p[:, 1]),
        ("auc-rest-unseen", 2, 1 - p[:, 2]),
    ):
        estimate = OneVsRest().measure(replace(cell, scores=score))[name]
        assert estimate.value == pytest.approx(roc_auc_score(number == k, p[known, k]), abs=1e-12)
        assert estimate.low is not None
        found.append(estimate.value or 0)
    assert np.mean(found) == pytest.approx(macro, abs=1e-12)


def test_the_confusion_matrix_is_that_of_the_library() -> None:
    cell = scored_cell(originals=8)
    named = probabilities(cell).argmax(axis=1)
    verdict = np.array([VERDICTS[role] for role in ORDER])[named]
    found = Confusion().measure(replace(cell, scores=verdict))
    known = cell.has_role(*ORDER)
    number = [ORDER.index(Role(role)) for role in cell.role[known]]
    expected = confusion_matrix(number, named[known], normalize="true")
    for k, role in enumerate(NAMES):
        row = [found[f"{role}-named-{name}"].value for name in NAMES]
        np.testing.assert_allclose(np.array(row, dtype=float), expected[k], atol=1e-12)
    assert len(found) == 9


@pytest.mark.parametrize("role", ORDER)
@pytest.mark.parametrize("k", range(3))
def test_rows_of_a_role_that_are_all_named_alike(role: Role, k: int) -> None:
    cell = scored_cell()
    score = np.where(cell.role == role, VERDICTS[ORDER[k]], 0.0)
    found = Confusion().measure(replace(cell, scores=score))
    assert [found[f"{role.name.lower()}-named-{name}"].value for name in NAMES] == [float(i == k) for i in range(3)]


def test_scores_that_name_no_roles_have_no_confusion_matrix() -> None:
    for estimate in Confusion().measure(scored_cell()).values():
        assert (estimate.value, estimate.reason) == (None, NO_VERDICTS)


def test_matched_records_are_of_no_role() -> None:
    cell = scored_cell()
    score = np.where(cell.role == Role.MATCHED, 0.7, 1.0)
    assert Confusion().measure(replace(cell, scores=score))["unseen-named-forgotten"].value == 1
    assert OneVsRest().measure(replace(cell, scores=score))["auc-rest-unseen"].value == 0.5


def test_without_retained_records_the_numbers_that_need_them_are_undefined() -> None:
    cell = scored_cell()
    left = cell.take(cell.role != Role.RETAINED)
    assert OneVsRest().measure(left)["auc-retained-rest"].status == "undefined"
    assert OneVsRest().measure(left)["auc-rest-unseen"].value is not None
    assert (
        Confusion().measure(replace(left, scores=np.ones(len(left.role))))["retained-named-unseen"].status
        == "undefined"
    )


def test_intervals_include_the_adversary() -> None:
    """Fitted without a fold, an attack that names all records alike, another role for each fold, is uncertain."""
    cell = scored_cell(originals=8)
    verdict = np.round(2 * cell.scores) / 2
    same, other = np.repeat(verdict[None], 4, axis=0), np.array([[1.0], [0.0], [1.0], [0.0]]) + 0 * verdict
    widths = []
    for folds in (same, other):
        found = measure(replace(cell, scores=verdict, folds=folds.astype(np.float32)), {"": Confusion()})
        estimate = found["forgotten-named-forgotten"]
        assert estimate.low is not None
        assert estimate.high is not None
        widths.append(estimate.high - estimate.low)
    assert widths[1] > 1.2 * widths[0]
