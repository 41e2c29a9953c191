"""Documents and arrays with random faults, all digests made right again: there are findings, and no traceback."""

from __future__ import annotations

import copy as copies
import json
from collections.abc import Iterator
from pathlib import Path
from shutil import copytree
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.fuzzing import TIMES
from unlearnbench.report.leaderboard import build
from unlearnbench.submissions.accepted import accept
from unlearnbench.submissions.board import publications, read_entries
from unlearnbench.submissions.check import Report, check_submission

if TYPE_CHECKING:
    from tests.submissions.conftest import Copy, Packed

Place = tuple[Any, Any]
"""An object or a list, and a key or an index of it."""

VALUES: Final[tuple[Any, ...]] = (
    None, True, False, 0, -1, 7, 2**63, 10**400, 0.5, -0.0, 1e300, -1e300, "", "x", "x" * 2000, "<b>", "\x1b[2J",
    "a\nb", "\u202e", "0" * 64, "ok", "undefined", [], {}, [[]], [{}], {"": ""}, {"x": None}, [None] * 50, ["x"],
)  # fmt: skip


def places(data: Any) -> Iterator[Place]:
    """Yield every place of a document, those of long lists of numbers once."""
    keys: Any = data.keys() if isinstance(data, dict) else range(len(data)) if isinstance(data, list) else ()
    for key in keys:
        yield data, key
        yield from places(data[key])


def mutate(data: Any, rng: np.random.Generator) -> None:
    """Drop, repeat, replace or exchange what is at some places."""
    for _ in range(rng.integers(1, 4)):
        found = by_name(data)
        (owner, key), (other, another) = (pick(found, rng) for _ in range(2))
        match rng.integers(5):
            case 0:
                del owner[key]
            case 1 if isinstance(owner, list):
                owner.insert(key, copies.deepcopy(owner[key]))
            case 2:
                owner[key] = copies.deepcopy(other[another])
            case 3 if isinstance(owner, dict):
                owner[str(rng.integers(9))] = owner.pop(key)
            case _:
                owner[key] = copies.deepcopy(VALUES[rng.integers(len(VALUES))])


def by_name(data: Any) -> dict[str, list[Place]]:
    """Return the places by key, so that a field is chosen as often as another, however many there are."""
    found: dict[str, list[Place]] = {}
    for owner, key in places(data):
        found.setdefault(key if isinstance(key, str) else "item", []).append((owner, key))
    return found


def pick(found: dict[str, list[Place]], rng: np.random.Generator) -> Place:
    same = found[sorted(found)[rng.integers(len(found))]]
    return same[rng.integers(len(same))]


@pytest.mark.parametrize("seed", range(25 * TIMES))
def test_a_mutated_submission_gives_findings_and_no_traceback(copy: Copy, seed: int) -> None:
    before = plain(copy.data)
    found = copy.forge(lambda data: mutate(data, np.random.default_rng(seed)))
    assert found or plain(copy.data) == before


def plain(data: dict[str, Any]) -> Any:
    """Return a document without what was made right again, and without what a check does not compare."""
    benches = data.get("benches")
    known = [_without(each, "forget_sets") for each in benches] if isinstance(benches, list) else benches
    return _without({**data, "id": "", "digest": "", "benches": known}, "cost")


def _without(data: Any, *names: str) -> Any:
    return {name: value for name, value in data.items() if name not in names} if isinstance(data, dict) else data


EXTREMES: Final[dict[str, tuple[Any, ...]]] = {
    "f": (0.0, -1.0, 3e38, -3e38, 1e-45),
    "i": (0, -1, -2, 10**9, -(2**63), 2**63 - 1),
    "b": (True, False),
}


@pytest.mark.parametrize("seed", range(15 * TIMES))
def test_extreme_values_in_an_array_are_found_unless_no_number_changes(copy: Copy, packed: Packed, seed: int) -> None:
    rng, arrays = np.random.default_rng(seed), copy.load()
    number = rng.integers(len(arrays))
    arrays[number] = with_extremes(arrays[number], rng)
    copy.write(arrays)
    assert copy.forge(lambda data: None) or rows(copy.check()) == rows(check_submission(packed.folder, packed.suite))


def with_extremes(array: NDArray[Any], rng: np.random.Generator) -> NDArray[Any]:
    """Put one extreme value into a few, half or all places."""
    extremes = EXTREMES[array.dtype.kind]
    chosen = rng.random(array.shape) < rng.choice([0.01, 0.5, 1.0])
    return np.where(chosen, np.array(extremes[rng.integers(len(extremes))], array.dtype), array)


def rows(report: Report) -> list[object]:
    """Return the rows of a check, without outcomes, which only a re-run compares."""
    return [_without(row.to_dict(), "outcomes") for row in report.rows]


@pytest.fixture(scope="module")
def accepted(packed: Packed, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Accept the small submission in a folder of its own, once; return the board's folder."""
    folder = tmp_path_factory.mktemp("board") / "small" / "submissions" / packed.folder.name
    copytree(packed.folder, folder)
    report = check_submission(folder, packed.suite)
    assert report.context is not None
    accept(report.context, report.rows)
    return folder.parents[1]


@pytest.mark.parametrize("seed", range(60 * TIMES))
def test_a_mutated_record_is_none_or_makes_a_board(accepted: Path, tmp_path: Path, seed: int) -> None:
    (record,) = copytree(accepted, tmp_path / "small").glob("submissions/*/accepted.json")
    data = json.loads(record.read_text())
    mutate(data, np.random.default_rng(seed))
    record.write_text(json.dumps(data))
    entries, found = read_entries(tmp_path / "small")
    told = [str(finding) for finding in found]
    assert all(line.isprintable() for line in told)
    assert told or all(build(publication) for publication in publications(entries))
