"""Forgeries whose claims follow from their scores: what a check finds of them, and what only a re-run can find."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from numpy.typing import NDArray

from unlearnbench.core.scenarios import Role

if TYPE_CHECKING:
    from tests.submissions.conftest import Copy

Data = dict[str, Any]
Arrays = list[NDArray[Any]]

NOT_TRAINED = ("random", "blind", "oracle-label", "classical")
"""Cells that a forger of an unlearner leaves as they are."""


def elsewhere(data: Data) -> None:
    data["environment"]["processor"] = "another processor"


def logistic(data: Data) -> Data:
    group: Data = next(group for group in data["benches"] if group["model"] == "logistic-regression")
    return group


def cell_of(group: Data, attack: str) -> Data:
    cell: Data = next(cell for cell in group["cells"] if cell["attack"] == attack)
    return cell


def put(owner: Data, name: str, array: NDArray[Any], arrays: Arrays) -> None:
    owner[name] = len(arrays)
    arrays.append(array)


def test_a_device_that_a_model_cannot_have_is_refused(copy: Copy) -> None:
    def change(data: Data) -> None:
        for group in data["benches"]:
            group["device"] = "mps"
            for cell in group["cells"]:
                cell["key"] = "0" * 64

    found = copy.forge(change)
    assert sum("shadow models are said to be of engine reference on mps" in line for line in found) == 4


@pytest.mark.parametrize("key", ["engine", "device"])
def test_models_of_both_sides_are_of_the_settings_that_they_can_have(copy: Copy, key: str) -> None:
    other = {"engine": "fast", "device": "cuda"}

    def change(data: Data) -> None:
        data["benches"][0]["shadow"] = {"engine": "reference", "device": "cpu", key: other[key]}

    (line,) = copy.forge(change)
    assert "its shadow models are said to be of engine" in line


def perfect_unlearner(data: Data, arrays: Arrays) -> None:
    """Claim constant scores, accuracies of .999 and no time, made in another environment."""
    elsewhere(data)
    for group in data["benches"]:
        put(group, "accuracies", np.full_like(arrays[group["accuracies"]], 0.999), arrays)
        put(group, "seconds", np.zeros_like(arrays[group["seconds"]]), arrays)
        for cell in group["cells"]:
            if cell["attack"] not in NOT_TRAINED:
                for name in ("scores", "shadow", "folds"):
                    put(cell, name, np.zeros_like(arrays[cell[name]]), arrays)


@pytest.mark.slow
def test_a_perfect_unlearner_passes_a_check_and_no_rerun(copy: Copy) -> None:
    assert copy.forge_claims(perfect_unlearner) == []
    found, told = copy.rerun()
    assert all("compared by intervals and values, this is another environment: " in line for line in told)
    models = [line for line in found if "its models have other" in line]
    assert len(models) == 4
    assert all("accuracies, seconds;" in line for line in models)
    cells = [line for line in found if "euclidean, " in line and "ranks of scores" in line]
    assert len(cells) == 3, "those of a tree are constant in one seed as it is"


@pytest.mark.slow
def test_a_perfect_attack_in_another_environment_passes_a_check_and_no_rerun(copy: Copy) -> None:
    """Scores that are the roles have an AUC of 1 without an interval: it is compared with that of the re-run."""

    def change(data: Data, arrays: Arrays) -> None:
        elsewhere(data)
        for group in data["benches"]:
            oracle, cell = (
                next(c for c in group["cells"] if c["attack"] == name) for name in ("oracle-label", "euclidean")
            )
            cell["scores"], cell["shadow"] = oracle["scores"], oracle["shadow"]

    assert copy.forge_claims(change) == []
    cell = cell_of(copy.data["benches"][0], "euclidean")
    claimed = copy.data["estimates"][cell["estimates"][copy.data["metrics"].index("auc")]]
    assert (claimed["value"], claimed["status"]) == (1.0, "degenerate")
    found, _ = copy.rerun()
    assert len(found) == 4
    assert all("euclidean" in line and "it has other" in line and "auc" in line for line in found)


@pytest.mark.parametrize(("own", "baseline"), [("scores", "baseline"), ("folds", "baseline_folds")])
def test_a_baseline_is_what_the_classical_attack_scored(copy: Copy, own: str, baseline: str) -> None:
    """With the scores themselves as baseline, an attack would seem to gain nothing."""

    def change(data: Data, arrays: Arrays) -> None:
        cell = cell_of(logistic(data), "euclidean")
        if own == "folds":
            put(cell, baseline, arrays[cell[baseline]] + 1, arrays)
        else:
            cell[baseline] = cell[own]

    (line,) = copy.forge_claims(change)
    assert "seed 0, none, euclidean: its baseline has other scores than the cell of classical" in line


@pytest.mark.parametrize("name", ["unchanged", "released"])
def test_cells_of_one_release_agree_on_it(copy: Copy, name: str) -> None:
    def change(data: Data, arrays: Arrays) -> None:
        cell = logistic(data)["cells"][0]
        old = arrays[cell[name]]
        put(cell, name, ~old if old.dtype == bool else old * 0.5, arrays)

    found = copy.forge_claims(change)
    assert found
    assert all("what was released differs from that of another cell" in line for line in found)


def times(factor: float) -> Callable[[Data, Arrays], None]:
    def change(data: Data, arrays: Arrays) -> None:
        for group in data["benches"]:
            put(group, "seconds", arrays[group["seconds"]] * factor, arrays)

    return change


@pytest.mark.parametrize(
    ("factor", "found"), [(1.5, False), (0.0, True), pytest.param(1e5, True, marks=pytest.mark.slow)]
)
def test_times_are_compared_within_a_factor(copy: Copy, factor: float, found: bool) -> None:
    assert copy.forge_claims(times(factor)) == []
    lines, told = copy.rerun(1)
    assert all("compared to the bit" in line for line in told)
    assert bool(lines) == found
    assert all("its models have other seconds" in line for line in lines)


@pytest.mark.slow
def test_scores_in_another_order_of_rows_are_found_whatever_the_metrics_say(copy: Copy) -> None:
    """Rows of one role exchange their scores: no metric against random unseen records changes."""

    def change(data: Data, arrays: Arrays) -> None:
        elsewhere(data)
        context = copy.check().context
        assert context is not None
        for group, pair in zip(data["benches"], context.groups, strict=True):
            role = context.remeasurer.derive(*pair).game.target.role
            cell = cell_of(group, "classical")
            forged = arrays[cell["scores"]].copy()
            for one in (Role.FORGOTTEN, Role.UNSEEN, Role.MATCHED, Role.RETAINED):
                forged[role == one] = np.random.default_rng(0).permutation(forged[role == one])
            put(cell, "scores", forged, arrays)
            for other in group["cells"]:
                other["baseline"] = cell["scores"] if other["attack"] != "oracle-label" else other["baseline"]

    copy.forge_claims(change)
    found, _ = copy.rerun()
    assert any("classical" in line and "ranks of scores" in line for line in found)
