"""The same suite gives the same bits, whatever the order, the selection, the store or the company it is run in."""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from unlearnbench.core.executors import NO_LIMITS, Executor, Outcome, Task
from unlearnbench.core.limits import Limits
from unlearnbench.hooks.registry import load_registry
from unlearnbench.run.cell_results import CellResult, get_result
from unlearnbench.run.cells import CellTask
from unlearnbench.run.evaluation import EvaluationWork
from unlearnbench.run.instances import PluginInstances

if TYPE_CHECKING:
    from tests.run.conftest import Lab, Ran

Findings = Callable[["Ran"], dict[str, object]]


@dataclass
class Shuffled(Executor):
    """Does tasks in any order, and hands them back in another."""

    seed: int

    def run(
        self, work: Callable[[Task], Outcome], tasks: Sequence[Task], limits: Limits = NO_LIMITS
    ) -> Iterator[tuple[Task, Outcome]]:
        rng = random.Random(self.seed)  # noqa: S311 - no secret
        pairs = [(task, work(task)) for task in rng.sample(list(tasks), len(tasks))]
        yield from rng.sample(pairs, len(pairs))


def manifests(store: Path) -> dict[Path, int]:
    """Return when each entry of a store was written."""
    return {path: path.stat().st_mtime_ns for path in store.rglob("*") if len(path.name) == 64}


@pytest.mark.parametrize("engine", ["reference", "auto"])
def test_two_stores_hold_the_same_bits(lab: Lab, findings: Findings, engine: str) -> None:
    models = ["decision-tree", "logistic-regression"]
    first, second = (lab.run(store, models=models, engine=engine) for store in ("one", "two"))
    assert findings(first) == findings(second)
    assert first.outcome == second.outcome


def test_a_second_run_does_nothing_again(lab: Lab, findings: Findings) -> None:
    first = lab.run()
    written, found = manifests(first.store.root), findings(first)
    again = lab.run()
    assert manifests(again.store.root) == written
    assert findings(again) == found


@pytest.mark.parametrize("seed", [1, 2])
def test_the_order_of_episodes_changes_nothing(lab: Lab, findings: Findings, tiny: Ran, seed: int) -> None:
    assert findings(lab.run(only=(), executor=Shuffled(seed))) == findings(tiny)


def test_the_order_of_a_suites_lists_changes_nothing(lab: Lab, findings: Findings) -> None:
    lists: dict[str, Any] = {
        "attacks": ["sorted-diff", "euclidean"],
        "defenses": ["none", "label-only"],
        "metrics": ["auc", "utility"],
    }
    turned = {key: values[::-1] for key, values in lists.items()}
    first, second = lab.run("one", **lists), lab.run("two", **turned)
    assert findings(first) == findings(second)
    assert set(first.plan.cells) == set(second.plan.cells)


def test_a_part_of_a_suite_equals_that_part_of_the_whole(lab: Lab, findings: Findings, tiny: Ran) -> None:
    part = lab.run(only=("unlearner=random-noise", "attack=sorted-diff"))
    whole = findings(tiny)
    found = findings(part)
    assert 0 < len(found) < len(whole)
    assert found.items() <= whole.items()


def test_more_originals_leave_earlier_episodes_as_they_are(lab: Lab, findings: Findings) -> None:
    small = {"originals": 2, "requests": 2, "records": 60, "negatives": 5}
    first = lab.run(episodes=small)
    written = manifests(first.store.root / "episode-3")
    grown = lab.run(episodes={**small, "originals": 3})
    assert set(first.plan.episodes) < set(grown.plan.episodes)
    after = manifests(grown.store.root / "episode-3")
    assert written.items() <= after.items()
    assert len(after) == len(written) + 2


def test_another_suite_that_asks_the_same_trains_nothing(lab: Lab) -> None:
    first = lab.run()
    written = manifests(first.store.root)
    other = lab.run(name="other", description="Asks the same.")
    assert set(other.plan.cells) == set(first.plan.cells)
    assert manifests(other.store.root) == written


def test_rerun_all_makes_everything_again_and_finds_the_same(lab: Lab, findings: Findings) -> None:
    first = lab.run()
    written, found = manifests(first.store.root), findings(first)
    again = lab.run(rerun="all")
    assert findings(again) == found
    after = manifests(again.store.root)
    assert after.keys() == written.keys()
    assert all(after[path] > written[path] for path in written)


COMPARED: dict[str, Any] = {
    "unlearners": ["retrain", "sisa", "random-noise"],
    "defenses": ["none", "label-only"],
    "metrics": ["auc", "cost"],
}


ATTACKS = ["sorted-diff", "euclidean"]


@pytest.fixture(scope="module")
def compared(lab_in: Callable[[Path], Lab], tmp_path_factory: pytest.TempPathFactory) -> Ran:
    """One run whose cells are compared with retraining; to be read only."""
    return lab_in(tmp_path_factory.mktemp("compared")).run(only=(), attacks=ATTACKS, **COMPARED)


@pytest.mark.parametrize(
    ("only", "models_again"),
    [
        ("unlearner=sisa", {"sisa"}),
        ("unlearner=retrain", set[str]()),
        ("attack=euclidean", set[str]()),
        ("defense=label-only", set[str]()),
        ("model=decision-tree", {"sisa", "retrain", "random-noise", "none", "noise-floor"}),
    ],
)
def test_a_re_run_of_a_part_leaves_every_stored_cell_with_the_models_that_it_was_computed_from(
    lab: Lab, compared: Ran, only: str, models_again: set[str]
) -> None:
    """So retrained models that cells outside the part are compared with stay: later ones took other seconds."""
    written = manifests(shutil.copytree(compared.store.root, lab.folder / "store"))
    part = lab.run(only=(only,), rerun="all", attacks=ATTACKS, **COMPARED)
    after = manifests(part.store.root)
    again = {path.name for path in after if after[path] > written[path]}
    assert again & compared.plan.cells.keys() == part.plan.cells.keys()
    assert {task.unlearner.name for key, task in compared.plan.episodes.items() if key in again} == models_again
    work = EvaluationWork.here(PluginInstances(load_registry()), part.store)
    for group in compared.plan.groups:
        for key in group.cells:
            fresh, stored = work(CellTask(group, key)), get_result(part.store, key)
            assert isinstance(fresh, CellResult)
            assert stored
            assert fresh.payload() == stored.payload()


def test_a_re_run_of_a_part_that_alone_was_run_makes_all_that_it_reads_again(lab: Lab) -> None:
    first = lab.run(only=("unlearner=sisa",), **COMPARED)
    written = manifests(first.store.root)
    again = lab.run(only=("unlearner=sisa",), rerun="all", **COMPARED)
    after = manifests(again.store.root)
    assert {task.unlearner.name for task in first.plan.episodes.values()} == {"sisa", "retrain"}
    assert all(after[path] > written[path] for path in written)


def test_a_re_run_passes_over_data_sets_that_are_not_here(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UNLEARNBENCH_DATA", str(lab.folder / "empty"))
    changes: dict[str, Any] = {"datasets": ["breast-cancer", "location30"]}
    only = ("dataset=breast-cancer", "unlearner=none")
    assert lab.run(only=only, **changes).outcome.failed == 0
    assert lab.run(only=only, rerun="all", **changes).outcome.failed == 0


def test_cells_of_an_older_layout_are_evaluated_again_and_not_called_damaged(
    lab: Lab, findings: Findings, caplog: pytest.LogCaptureFixture
) -> None:
    first = lab.run()
    found = findings(first)
    (first.store.root / "cell-5").rename(first.store.root / "cell")
    assert first.plan.summary(first.store)["cells cached"] == 0
    assert findings(lab.run()) == found
    assert caplog.text == ""


def cut_head(entry: Path) -> None:
    entry.write_bytes(entry.read_bytes()[:40])


def cut_arrays(entry: Path) -> None:
    entry.write_bytes(entry.read_bytes()[:-3])


@pytest.mark.parametrize("damage", [cut_head, cut_arrays])
def test_a_damaged_episode_is_made_again_in_the_same_run_that_finds_it(
    lab: Lab, findings: Findings, damage: Callable[[Path], None], caplog: pytest.LogCaptureFixture
) -> None:
    first = lab.run()
    found, written = findings(first), manifests(first.store.root / "episode-3")
    victim = next(iter(written))
    damage(victim)
    for key in first.plan.cells:
        first.store.drop("cell", key)
    again = lab.run()
    assert again.outcome.failed == 0
    assert f"the episode entry {victim.name} is damaged" in caplog.text
    assert findings(again) == found
    del written[victim]
    assert written.items() <= manifests(again.store.root).items()


def test_a_damaged_cell_is_made_again_in_the_same_run_that_finds_it(
    lab: Lab, findings: Findings, caplog: pytest.LogCaptureFixture
) -> None:
    first = lab.run()
    found = findings(first)
    victim = next((first.store.root / "cell-5").glob("*/*"))
    cut_arrays(victim)
    again = lab.run()
    assert f"the cell entry {victim.name} is damaged" in caplog.text
    assert again.outcome.failed == 0
    assert findings(again) == found
