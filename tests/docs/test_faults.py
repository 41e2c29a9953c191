"""Each fault that the documents list has a test of the name that they give."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest

from tests.run.test_survival import KILLS

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "faults.md").read_text(encoding="utf-8")
NAMED = re.findall(r"`([\w/]+\.py)::(\w+)`", TEXT)
ROWS = [line.strip("| ").split(" | ") for line in TEXT.splitlines() if line.startswith("| ") and "---" not in line]


@pytest.mark.parametrize(("file", "test"), NAMED)
def test_the_test_of_a_fault_is_there(file: str, test: str) -> None:
    code = (ROOT / "tests" / file).read_text(encoding="utf-8")
    assert re.search(rf"^def {test}\(", code, re.MULTILINE)


def test_every_fault_names_a_test() -> None:
    faults = [row for row in ROWS if row[-1] != "test"]
    assert len(faults) > 30
    assert [row[0] for row in faults if not (len(row) == 3 and re.fullmatch(r"`[^`]+::\w+`|the same", row[2]))] == []


def test_how_often_runs_are_killed_is_as_told() -> None:
    seeds, told = Counter(executor for executor, _ in KILLS), " ".join(TEXT.split())
    assert seeds["serial"] == seeds["processes"]
    assert f"`serial` and `processes` {seeds['serial']} seeds of 3 kills each" in told
    assert f"a `dask` cluster of the run's own {seeds['dask']} seeds of 3" in told
