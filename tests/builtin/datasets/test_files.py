from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

import pytest

from unlearnbench.builtin.datasets.files import VARIABLE, DataFile, FileDataset, open_verified
from unlearnbench.core.errors import UserError
from unlearnbench.core.records import Records

CONTENT = b"some records"
FILE = DataFile("folder", "file.npz", hashlib.sha256(CONTENT).hexdigest(), origin="the archive of origin")


def read(file: DataFile) -> bytes:
    with file.open() as content:
        return content.read()


def put(root: Path, content: bytes = CONTENT) -> Path:
    path = root / "folder" / "file.npz"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def test_a_file_under_the_variable_is_read(roots: tuple[Path, Path]) -> None:
    path = put(roots[0])
    assert read(FILE) == CONTENT
    assert FILE.availability().available
    assert FILE.availability().place == str(path)


@pytest.mark.parametrize("variable_is_set", [True, False])
def test_a_file_in_the_cache_is_read_where_the_variable_has_none(
    roots: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch, variable_is_set: bool
) -> None:
    if not variable_is_set:
        monkeypatch.delenv(VARIABLE)
    path = put(roots[1])
    assert FILE.find() == path
    assert read(FILE) == CONTENT


def test_the_variable_comes_before_the_cache(roots: tuple[Path, Path]) -> None:
    in_cache, in_variable = put(roots[1]), put(roots[0])
    assert FILE.find() == in_variable
    in_variable.unlink()
    assert FILE.find() == in_cache


def test_a_home_directory_in_the_variable_is_expanded(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv(VARIABLE, "~/data")
    assert FILE.paths()[0] == tmp_path / "data" / "folder" / "file.npz"


def test_a_wrong_checksum_names_the_file_and_both_sums_even_if_the_cache_has_the_right_file(
    roots: tuple[Path, Path],
) -> None:
    path = put(roots[0], b"other records")
    put(roots[1])
    with pytest.raises(UserError) as caught:
        read(FILE)
    for part in (str(path), FILE.sha256, hashlib.sha256(b"other records").hexdigest()):
        assert part in str(caught.value)


def test_a_missing_file_is_one_line_that_lists_the_ways(roots: tuple[Path, Path]) -> None:
    assert not FILE.availability().available
    with pytest.raises(UserError) as caught:
        read(FILE)
    message = str(caught.value)
    for part in (*(str(root / "folder" / "file.npz") for root in roots), "the archive of origin", FILE.sha256[:12]):
        assert part in message
    assert "\n" not in message
    assert "not set" not in message


@pytest.mark.parametrize("value", [None, ""])
def test_a_missing_file_says_so_where_the_variable_is_not_set(
    roots: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch, value: str | None
) -> None:
    monkeypatch.delenv(VARIABLE) if value is None else monkeypatch.setenv(VARIABLE, value)
    with pytest.raises(UserError, match=r"\$UNLEARNBENCH_DATA/folder/file.npz \(UNLEARNBENCH_DATA is not set\) or /"):
        read(FILE)


def test_a_file_that_cannot_be_read_is_a_user_error(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="cannot be read"):
        open_verified(tmp_path, FILE.sha256)


def test_whereabouts_tell_the_way(roots: tuple[Path, Path]) -> None:
    assert FILE.availability().origin == ""
    assert replace(FILE, url="https://example.org/file.npz").availability().origin == "download"
    put(roots[1])
    assert FILE.availability().origin == "cache"
    put(roots[0])
    assert FILE.availability().origin == "variable"


def test_the_same_content_packed_by_others_is_read_too(roots: tuple[Path, Path]) -> None:
    put(roots[0], b"packed by others")
    packings = (hashlib.sha256(b"packed by others").hexdigest(),)
    assert read(replace(FILE, packings=packings)) == b"packed by others"


def test_the_first_digits_of_a_checksum_are_compared_where_no_more_are_known(roots: tuple[Path, Path]) -> None:
    put(roots[0])
    assert read(replace(FILE, sha256=FILE.sha256[:16])) == CONTENT
    with pytest.raises(UserError, match="is not the expected file"):
        read(replace(FILE, sha256="0" * 16))


def test_a_missing_file_is_downloaded_into_the_cache_once(roots: tuple[Path, Path], server: str) -> None:
    file = replace(FILE, url=f"{server}/file.npz")
    assert read(file) == CONTENT
    assert file.find() == roots[1] / "folder" / "file.npz"
    assert read(replace(file, url="http://127.0.0.1:1/gone")) == CONTENT


def test_nothing_is_downloaded_where_the_file_exists_even_if_it_is_wrong(roots: tuple[Path, Path], server: str) -> None:
    put(roots[0], b"other records")
    with pytest.raises(UserError, match="is not the expected file"):
        read(replace(FILE, url=f"{server}/file.npz"))
    assert not roots[1].exists()


def test_a_download_that_fails_is_one_line_with_the_reason_and_the_three_ways(
    roots: tuple[Path, Path], server: str
) -> None:
    with pytest.raises(UserError) as caught:
        read(replace(FILE, url=f"{server}/nothing"))
    message = str(caught.value)
    for part in (
        "the server answered 404",
        *(str(root / "folder" / "file.npz") for root in roots),
        f"{server}/nothing",
    ):
        assert part in message
    assert "\n" not in message


class Two(FileDataset):
    """A data set in two files."""

    def files(self) -> tuple[DataFile, ...]:
        return FILE, replace(FILE, name="second.npz", url="https://example.org/second.npz")

    def load(self) -> Records:
        raise NotImplementedError


def test_a_data_set_in_several_files_is_available_once_all_are(roots: tuple[Path, Path]) -> None:
    assert "file.npz" in Two().availability().place
    put(roots[0])
    assert not Two().availability().available
    assert "second.npz" in Two().availability().place
    put(roots[0]).with_name("second.npz").write_bytes(CONTENT)
    assert Two().availability().available


def test_fetching_stops_at_a_file_that_cannot_be_got(roots: tuple[Path, Path]) -> None:
    with pytest.raises(UserError, match=r"file.npz is missing; put it at .* its data come from"):
        Two().fetch()
