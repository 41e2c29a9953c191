"""One result is entered once, however the files of the second entry are written."""

from __future__ import annotations

import lzma
from collections.abc import Callable
from pathlib import Path
from shutil import copytree
from typing import TYPE_CHECKING, Any

import pytest
from numpy.typing import NDArray

if TYPE_CHECKING:
    from tests.submissions.conftest import Copy


@pytest.fixture
def first(copy: Copy) -> Path:
    """Put the submission of somebody else beside the one to check."""
    return copytree(copy.folder, copy.folder.with_name("first"))


def quickly(copy: Copy) -> None:
    """Write the same arrays compressed otherwise."""
    copy.arrays.write_bytes(lzma.compress(lzma.decompress(copy.arrays.read_bytes()), preset=0))


def with_another_zero(copy: Copy) -> None:
    """Write every zero as -0.0."""
    copy.write([-array if array.dtype.kind == "f" and not array.any() else array for array in copy.load()])


@pytest.mark.parametrize("rewrite", [lambda copy: None, quickly, with_another_zero], ids=["as is", "quickly", "zeros"])
@pytest.mark.usefixtures("first")
def test_another_name_and_other_bytes_do_not_make_another_result(copy: Copy, rewrite: Callable[[Copy], None]) -> None:
    rewrite(copy)
    (line,) = copy.forge(lambda data: data.update(name="Another name", author="Another author"))
    assert "submission.json: has the very results of first beside it; enter a result once" in line


@pytest.mark.usefixtures("first")
def test_other_times_do_not_make_another_result(copy: Copy) -> None:
    def slower(data: dict[str, Any], arrays: list[NDArray[Any]]) -> None:
        for group in data["benches"]:
            arrays.append(arrays[group["seconds"]] * 1.25)
            group["seconds"] = len(arrays) - 1

    (line,) = copy.forge_claims(slower)
    assert "has the very results of first beside it" in line


def test_other_scores_are_another_result(copy: Copy, first: Path) -> None:
    def other(data: dict[str, Any], arrays: list[NDArray[Any]]) -> None:
        group = next(group for group in data["benches"] if group["model"] == "logistic-regression")
        cell = next(cell for cell in group["cells"] if cell["attack"] == "euclidean")
        arrays.append(arrays[cell["scores"]][::-1].copy())
        cell["scores"] = len(arrays) - 1

    assert copy.forge_claims(other) == []
    (first / "submission.json").write_text("{")
    assert copy.found() == [], "what is no submission is no result either"
