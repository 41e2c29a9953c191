"""Models that are made again have other seconds: the cells that they are of are evaluated again, and tell those."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from unlearnbench.run.cell_results import MEASURED, get_result
from unlearnbench.run.cells import CellGroup
from unlearnbench.run.merging import merge
from unlearnbench.run.store import Store

if TYPE_CHECKING:
    from tests.run.conftest import Lab, Ran

RETRAIN = ("unlearner=retrain",)
UTILITY: dict[str, Any] = {"metrics": ["auc", "utility"]}


def cut_head(entry: Path) -> None:
    entry.write_bytes(entry.read_bytes()[:40])


def cut_arrays(entry: Path) -> None:
    entry.write_bytes(entry.read_bytes()[:-3])


def seconds_to_train(store: Store, group: CellGroup) -> float:
    """The mean over the stored originals, each of which serves as many requests."""
    payloads: list[Any] = [store.payload("episode", task.key) for task in group.target]
    return float(np.mean([payload["seconds"]["train"] for payload in payloads]))


def assert_cells_are_of_the_stored_models(ran: Ran) -> None:
    assert ran.outcome.failed == 0
    for group in ran.plan.groups:
        for key in group.cells:
            result = get_result(ran.store, key)
            assert result is not None
            assert result.estimates["seconds-to-train"].value == pytest.approx(
                seconds_to_train(ran.store, group), rel=1e-12
            )


def file_of(ran: Ran, kind: str, key: str) -> Path:
    (found,) = ran.store.root.glob(f"{kind}*/{key[:2]}/{key}")
    return found


@pytest.mark.parametrize("damage", [Path.unlink, cut_head, cut_arrays])
def test_a_model_that_is_made_again_for_one_cell_is_that_of_all(lab: Lab, damage: Callable[[Path], None]) -> None:
    first = lab.run(only=(), attacks=["sorted-diff"], **UTILITY)
    damage(file_of(first, "episode", first.plan.groups[0].target[0].key))
    assert_cells_are_of_the_stored_models(lab.run(only=(), attacks=["sorted-diff", "euclidean"], **UTILITY))


def test_what_was_evaluated_for_another_suite_is_evaluated_again_when_it_is_wanted(lab: Lab) -> None:
    first = lab.run(**UTILITY)
    file_of(first, "episode", first.plan.groups[0].target[0].key).unlink()
    lab.run(only=(*RETRAIN, "attack=euclidean"), attacks=["euclidean"], name="other", **UTILITY)
    assert_cells_are_of_the_stored_models(lab.run(**UTILITY))


def test_cells_of_another_store_are_evaluated_with_the_models_of_this_one(lab: Lab) -> None:
    attacks = ["sorted-diff", "euclidean"]
    one, other = (lab.run(name, only=(*RETRAIN, f"attack={name}"), attacks=attacks, **UTILITY) for name in attacks)
    merge(other.store, into=one.store)
    assert_cells_are_of_the_stored_models(lab.run("sorted-diff", attacks=attacks, **UTILITY))


def test_a_cell_that_does_not_tell_its_models_stays(lab: Lab) -> None:
    first = lab.run(**UTILITY)
    written = {}
    for key in first.plan.cells:
        entry = first.store.get("cell", key)
        assert entry is not None
        first.store.drop("cell", key)
        first.store.put("cell", key, {k: v for k, v in entry.payload.items() if k != MEASURED}, entry.arrays)
        written[key] = file_of(first, "cell", key).stat().st_mtime_ns
    assert {key: file_of(lab.run(**UTILITY), "cell", key).stat().st_mtime_ns for key in written} == written


def test_an_episode_that_fails_is_tried_once_a_run(lab: Lab) -> None:
    lab.plugin(
        """
        from pathlib import Path
        from unlearnbench import ExactUnlearner, UnlearnerPlugin, hookimpl

        class Breaks(ExactUnlearner):
            "Counts its attempts."

            def jobs(self, original, steps, seeds):
                with (Path(__file__).parent / "attempts").open("a") as file:
                    file.write("x")
                raise RuntimeError("broken")

        @hookimpl
        def unlearnbench_unlearners():
            yield UnlearnerPlugin(name="breaks", summary="Breaks", factory=Breaks, exact=True)
        """
    )
    ran = lab.run(only=("unlearner=breaks",), plugins=["mine.py"], unlearners=["breaks"])
    assert ran.outcome.done == 0
    assert len((lab.folder / "attempts").read_text()) == len(ran.plan.episodes)
