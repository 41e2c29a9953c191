"""Arrays that are not beside their metadata are found by what they hold, wherever they lie; tables need none."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from unlearnbench.core.errors import UserError
from unlearnbench.submissions import elsewhere
from unlearnbench.submissions.check import check_submission
from unlearnbench.submissions.elsewhere import WantedFile
from unlearnbench.submissions.findings import RefusedError
from unlearnbench.submissions.pack import Entry, pack
from unlearnbench.submissions.place import Place

if TYPE_CHECKING:
    from tests.submissions.conftest import Copy, Packed

ADDRESS = "https://example.org/arrays/"


@pytest.fixture
def outside(packed: Packed, tmp_path: Path) -> tuple[Path, Path]:
    """Pack the small run with its arrays elsewhere; return the folder of the submission and that of the arrays."""
    place = Place(tmp_path / "boards", tmp_path / "arrays", ADDRESS)
    folder = pack(packed.plan, packed.registry, packed.store, Entry("A name", "An author"), place)
    return folder, tmp_path / "arrays"


def found(folder: Path, packed: Packed, arrays: Path | None) -> list[str]:
    return [str(one) for one in check_submission(folder, packed.suite, elsewhere=arrays).findings]


def test_the_metadata_tell_how_the_arrays_are_found_and_where(outside: tuple[Path, Path], packed: Packed) -> None:
    folder, arrays = outside
    assert [file.name for file in folder.iterdir()] == ["submission.json"]
    (file,) = arrays.iterdir()
    data = json.loads((folder / "submission.json").read_text())
    assert file.name == f"{data['arrays_sha256']}.npy.xz"
    assert data["arrays_bytes"] == file.stat().st_size
    assert data["arrays_address"] == f"{ADDRESS}{file.name}"
    assert file.read_bytes() == (packed.folder / "arrays.npy.xz").read_bytes()


@pytest.mark.parametrize("name", ["0.bin", "arrays.npy.xz"])
def test_the_right_bytes_are_found_whatever_they_are_called(
    outside: tuple[Path, Path], packed: Packed, name: str
) -> None:
    folder, arrays = outside
    (file,) = arrays.iterdir()
    file.rename(arrays / name)
    (arrays / "other").write_bytes(bytes((arrays / name).stat().st_size))
    assert found(folder, packed, arrays) == []
    assert found(folder, packed, arrays / name) == []


def test_without_the_bytes_one_line_says_which_and_where_to_fetch_them(
    outside: tuple[Path, Path], packed: Packed, tmp_path: Path
) -> None:
    folder, arrays = outside
    (line,) = found(folder, packed, None)
    assert re.match(r"arrays\.npy\.xz: is not here: \d+ bytes with sha256 [0-9a-f]{64}; fetch https://example", line)
    assert len(line) <= 300
    (file,) = arrays.iterdir()
    file.write_bytes(file.read_bytes()[:-1] + b"x")
    (line,) = found(folder, packed, arrays)
    assert "is not here, nor in " in line
    assert len(line) <= 300 + len(str(tmp_path))
    with pytest.raises(UserError, match="cannot be read"):
        found(folder, packed, tmp_path / "nowhere")


def test_a_link_elsewhere_is_not_followed(outside: tuple[Path, Path], packed: Packed, tmp_path: Path) -> None:
    folder, arrays = outside
    (file,) = arrays.iterdir()
    file.rename(tmp_path / "moved")
    file.symlink_to(tmp_path / "moved")
    (line,) = found(folder, packed, arrays)
    assert "is not here" in line


def test_what_lies_beside_the_metadata_is_what_is_checked(copy: Copy, tmp_path: Path) -> None:
    """The right bytes elsewhere do not excuse wrong ones in the submission."""
    (tmp_path / "right").write_bytes(copy.arrays.read_bytes())
    copy.arrays.write_bytes(b"wrong")
    lines = [str(one) for one in check_submission(copy.folder, copy.suite, elsewhere=tmp_path / "right").findings]
    assert any("is not the file that was packed" in line for line in lines)


def test_a_large_file_does_not_belong_beside_the_metadata(copy: Copy, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(elsewhere, "MOST_BESIDE", 1000)
    (line,) = copy.found()
    assert re.search(r"has \d+ bytes, at most 1000 may be; .* --arrays DIR, which puts it elsewhere", line)


@pytest.mark.parametrize(("arrays", "address"), [("here", "http://example.org"), ("here", "a b"), (None, ADDRESS)])
def test_an_address_is_one_of_a_folder_that_is_written(arrays: str | None, address: str, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="--address "):
        Place(tmp_path, tmp_path / arrays if arrays else None, address)


def test_a_finding_of_long_names_is_one_short_line(tmp_path: Path) -> None:
    wanted = WantedFile("0" * 64, 10**9, "https://example.org/" + "x" * 400)
    (tmp_path / ("y" * 200)).mkdir()
    with pytest.raises(RefusedError) as refused:
        wanted.read(tmp_path, tmp_path / ("y" * 200))
    assert len(str(refused.value)) <= 300 + len("arrays.npy.xz: ") + 120
