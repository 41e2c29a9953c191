"""Published tables are read as they were written."""

from __future__ import annotations

from pathlib import Path

import pytest

from unlearnbench.core.errors import UserError
from unlearnbench.core.estimates import Estimate
from unlearnbench.report.tables import to_csv
from unlearnbench.reproduction.published import read_rows
from unlearnbench.run.results import Row
from unlearnbench.suite.find import find_suite
from unlearnbench.suite.load import load_suite
from unlearnbench.suite.model import AXES, PluginRef, Suite


@pytest.fixture
def suite() -> Suite:
    return load_suite(find_suite("paper/label-only"))[0]


def rows_of(suite: Suite) -> list[Row]:
    axes: dict[str, PluginRef] = {axis: suite.axes[axis][0] for axis in AXES}
    metrics = {"auc": Estimate(1 / 3, 0.25, 0.5, 12), "epsilon": Estimate.undefined("trained without", n=3)}
    return [Row(axes, 0, metrics=metrics), Row(axes, 1, "skipped", "-no fast path"), Row(axes, None, metrics=metrics)]


def test_a_table_gives_the_rows_that_it_was_written_from(suite: Suite, tmp_path: Path) -> None:
    file = tmp_path / "table.csv"
    file.write_text(to_csv(rows_of(suite)), encoding="utf-8")
    assert read_rows(file, suite) == rows_of(suite)


def test_a_table_of_another_suite_is_refused(suite: Suite, tmp_path: Path) -> None:
    file = tmp_path / "table.csv"
    file.write_text(to_csv(rows_of(suite)).replace("adult,", "digits,"), encoding="utf-8")
    with pytest.raises(UserError, match='dataset "digits" is not in the suite'):
        read_rows(file, suite)


@pytest.mark.parametrize(
    "content",
    [
        b"a,b\n1,2\n",
        b"\x00\xff" * 40,
        f"{','.join(AXES)},seed\n{'x,' * 9}\n".encode(),
        f"{','.join(AXES)},seed\nadult\n".encode(),
    ],
)
def test_a_file_that_is_no_table_is_told_in_one_line(suite: Suite, tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "table.csv"
    file.write_bytes(content)
    with pytest.raises(UserError, match="no table of unlearnbench reproduce --tables"):
        read_rows(file, suite)


def test_a_folder_in_the_place_of_a_table_is_told(suite: Suite, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="cannot be read: Is a directory"):
        read_rows(tmp_path, suite)
