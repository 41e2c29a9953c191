from __future__ import annotations

import hashlib
from pathlib import Path

import platformdirs
import pytest

from unlearnbench.builtin.datasets.files import VARIABLE, DataFile, verified
from unlearnbench.core.errors import UserError

CONTENT = b"some records"
FILE = DataFile("folder", "file.npz", hashlib.sha256(CONTENT).hexdigest(), origin="the archive of origin")


@pytest.fixture
def roots(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, Path]:
    """The two roots of the chain, both empty: that of the variable, and the user's cache."""
    monkeypatch.setenv(VARIABLE, str(tmp_path / "variable"))
    monkeypatch.setattr(platformdirs, "user_cache_path", lambda name: tmp_path / "cache" / name)
    return tmp_path / "variable", tmp_path / "cache" / "unlearnbench" / "data"


def put(root: Path, content: bytes = CONTENT) -> Path:
    path = root / "folder" / "file.npz"
    path.parent.mkdir(parents=True)
    path.write_bytes(content)
    return path


def test_a_file_under_the_variable_is_read(roots: tuple[Path, Path]) -> None:
    path = put(roots[0])
    assert FILE.read() == CONTENT
    assert FILE.whereabouts().available
    assert FILE.whereabouts().place == str(path)


@pytest.mark.parametrize("variable_is_set", [True, False])
def test_a_file_in_the_cache_is_read_where_the_variable_has_none(
    roots: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch, variable_is_set: bool
) -> None:
    if not variable_is_set:
        monkeypatch.delenv(VARIABLE)
    path = put(roots[1])
    assert FILE.find() == path
    assert FILE.read() == CONTENT


def test_the_variable_comes_before_the_cache(roots: tuple[Path, Path]) -> None:
    in_cache, in_variable = put(roots[1]), put(roots[0])
    assert FILE.find() == in_variable
    in_variable.unlink()
    assert FILE.find() == in_cache


def test_a_home_directory_in_the_variable_is_expanded(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv(VARIABLE, "~/data")
    assert FILE.places()[0] == tmp_path / "data" / "folder" / "file.npz"


def test_a_wrong_checksum_names_the_file_and_both_sums_even_if_the_cache_has_the_right_file(
    roots: tuple[Path, Path],
) -> None:
    path = put(roots[0], b"other records")
    put(roots[1])
    with pytest.raises(UserError) as caught:
        FILE.read()
    for part in (str(path), FILE.sha256, hashlib.sha256(b"other records").hexdigest()):
        assert part in str(caught.value)


def test_a_missing_file_is_one_line_that_lists_the_ways(roots: tuple[Path, Path]) -> None:
    assert not FILE.whereabouts().available
    with pytest.raises(UserError) as caught:
        FILE.read()
    message = str(caught.value)
    for part in (*(str(root / "folder" / "file.npz") for root in roots), "the archive of origin", FILE.sha256):
        assert part in message
    assert "\n" not in message
    assert "not set" not in message


@pytest.mark.parametrize("value", [None, ""])
def test_a_missing_file_says_so_where_the_variable_is_not_set(
    roots: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch, value: str | None
) -> None:
    monkeypatch.delenv(VARIABLE) if value is None else monkeypatch.setenv(VARIABLE, value)
    with pytest.raises(UserError, match=r"\$UNLEARNBENCH_DATA/folder/file.npz \(UNLEARNBENCH_DATA is not set\) or /"):
        FILE.read()


def test_a_file_that_cannot_be_read_is_a_user_error(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="cannot be read"):
        verified(tmp_path, FILE.sha256)
