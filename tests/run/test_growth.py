"""How often files are opened grows with what is asked for, and no faster: stores may hold a million entries."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from unlearnbench.run.results import collect
from unlearnbench.run.store import FOLDERS

if TYPE_CHECKING:
    from tests.run.conftest import Lab

EPISODES, CELLS = FOLDERS["episode"], FOLDERS["cell"]
Opened = Callable[[Callable[[], object]], Counter[str]]


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> Opened:
    """Return how many files of each kind of entry an action opens."""
    counts: Counter[str] = Counter()
    usual = Path.open

    def counting(self: Path, *args: Any, **named: Any) -> Any:
        counts[self.parent.parent.name] += 1
        return usual(self, *args, **named)

    def opened(action: Callable[[], object]) -> Counter[str]:
        counts.clear()
        with monkeypatch.context() as patched:
            patched.setattr(Path, "open", counting)
            action()
        return Counter({kind: count for kind, count in counts.items() if kind in (EPISODES, CELLS)})

    return opened


@pytest.mark.parametrize("seeds", [[0], [0, 1, 2]])
def test_what_is_stored_is_opened_once_to_resume_and_once_for_the_tables(
    lab: Lab, opened: Opened, seeds: list[int]
) -> None:
    first = lab.run(seeds=seeds)
    cells = len(first.plan.cells)
    assert cells % len(seeds) == 0
    assert opened(lambda: first.plan.summary(first.store)) == {}, "what is there is listed"
    assert opened(lambda: collect(first.plan, first.store)) == {CELLS: cells}
    targets = sum(len(group.target) for group in first.plan.groups)
    expected = {CELLS: cells, EPISODES: targets}
    assert opened(lambda: lab.run(seeds=seeds)) == expected, "of a target's episode the line that tells its seconds"


def test_episodes_are_read_for_the_cells_that_need_them_only(lab: Lab, opened: Opened) -> None:
    first = lab.run(seeds=[0, 1])
    key, cell = next(iter(first.plan.cells.items()))
    first.store.drop("cell", key)
    needed = [task for task in first.plan.episodes.values() if task.seed == cell.seed]
    read = opened(lambda: lab.run(seeds=[0, 1]))
    assert len(needed) < len(first.plan.episodes)
    (own,) = (group for group in first.plan.groups if key in group.cells)
    lines = sum(len(group.target) for group in (*first.plan.groups, own))
    assert read[EPISODES] == 2 * len(needed) + lines, "once to verify, once to use, and the lines that tell seconds"
