"""Archives of arrays: nothing is unpickled, and nothing is made that is much larger than the file."""

from __future__ import annotations

import io
import tracemalloc
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from unlearnbench.audit.files import read_columns
from unlearnbench.audit.npz import ALWAYS_READ, MOST_EXPANSION

Make = Callable[..., dict[str, Any]]
Save = Callable[..., Path]
Failure = Callable[[Path], str]


@pytest.fixture
def archive(tmp_path: Path) -> Callable[..., Path]:
    """Return a maker of archives with these members, as bytes by name."""

    def archive(compression: int = zipfile.ZIP_DEFLATED, **members: bytes) -> Path:
        with zipfile.ZipFile(tmp_path / "a.npz", "w", compression) as made:
            for name, content in members.items():
                made.writestr(f"{name}.npy", content)
        return tmp_path / "a.npz"

    return archive


Archive = Callable[..., Path]


def npy(array: np.ndarray[Any, Any]) -> bytes:
    content = io.BytesIO()
    np.save(content, array)
    return content.getvalue()


def header(shape: tuple[int, ...], dtype: str) -> bytes:
    """An array of this shape as it begins, without its numbers."""
    content = io.BytesIO()
    np.lib.format.write_array_header_1_0(content, {"descr": dtype, "fortran_order": False, "shape": shape})
    return content.getvalue()


def peak_of(work: Callable[[], object]) -> int:
    """Return the most memory, in bytes, that was in use at once."""
    tracemalloc.start()
    try:
        work()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_arrays_come_as_they_were_saved(save: Callable[..., None], arrays: Make, tmp_path: Path) -> None:
    given = {**arrays(), "before": np.asfortranarray(arrays()["before"].astype(np.float32))}
    save(tmp_path / "a.npz", **given)
    found = read_columns(tmp_path / "a.npz").arrays
    assert all(np.array_equal(found[name], given[name]) for name in given)
    assert found["before"].dtype == np.float32


def test_text_of_one_byte_a_character_is_text(npz: Save, arrays: Make) -> None:
    found = read_columns(npz({**arrays(), "role": arrays()["role"].astype("S9")})).arrays["role"]
    assert found.tolist() == arrays()["role"].tolist()


def test_a_long_text_makes_no_other_longer(npz: Save) -> None:
    role = np.array(["x" * 100_000, *["unseen"] * 100])
    file = npz({"role": role})
    found = read_columns(file).arrays["role"]
    assert found.dtype == object
    assert found.tolist() == role.tolist()


@pytest.mark.parametrize("kind", ["objects", "records", "dates"])
def test_arrays_of_neither_numbers_nor_text_are_refused(kind: str, archive: Archive, failure: Failure) -> None:
    made = {
        "objects": header((3,), "|O") + b"\x80\x04N.",
        "records": npy(np.zeros(3, dtype="f8,i4")),
        "dates": npy(np.zeros(3, dtype="datetime64[s]")),
    }
    told = failure(archive(role=made[kind]))
    assert told.startswith("'role' is an array of neither numbers nor text (")
    assert told.endswith("; convert it, for text by astype(str)")


def test_nothing_is_unpickled(tmp_path: Path, failure: Failure) -> None:
    class Trap:
        def __reduce__(self) -> tuple[Callable[..., object], tuple[Path]]:
            return (Path.touch, (tmp_path / "sprung",))

    np.savez(tmp_path / "a.npz", role=np.array([Trap()], dtype=object))
    assert failure(tmp_path / "a.npz").startswith("'role' is an array of neither numbers nor text ('object')")
    assert not (tmp_path / "sprung").exists()
    np.load(tmp_path / "a.npz", allow_pickle=True)["role"]  # the trap is one
    assert (tmp_path / "sprung").exists()


@pytest.mark.parametrize(
    ("shape", "dtype"),
    [
        ((10**12,), "<f8"),
        ((10**6, 10**6), "<f4"),
        ((10**12,), "<U0"),
        ((10**12,), "|S0"),
        ((3,), "<U1000000000"),
        ((-1, -8), "<f8"),
        ((2**62, 2**62), "<f8"),
        ((), "<f8"),
    ],
)
def test_a_shape_that_the_file_does_not_hold_is_refused_before_memory_is_taken(
    shape: tuple[int, ...], dtype: str, archive: Archive, failure: Failure
) -> None:
    file = archive(before=header(shape, dtype), role=npy(np.array(["unseen"])))
    assert peak_of(lambda: failure(file)) < 2**20


def test_the_message_of_a_wrong_shape_says_what_is_there(archive: Archive, failure: Failure) -> None:
    told = failure(archive(before=header((10, 2), "<f8") + bytes(8)))
    assert told == "'before' is damaged: float64 of shape (10, 2) is not 8 bytes, which it has"


def test_an_archive_that_unpacks_to_far_more_than_its_size_is_refused(archive: Archive, failure: Failure) -> None:
    file = archive(before=npy(np.zeros(9 * 2**20)))
    assert peak_of(lambda: failure(file)) < 2**20
    assert f"bytes, more than {MOST_EXPANSION} times as many; save it without compression" in failure(file)


def test_several_arrays_that_are_each_small_enough_are_refused_together(archive: Archive, failure: Failure) -> None:
    part = npy(np.zeros(ALWAYS_READ // 8 // 2 + 1))
    assert "unpacks from" in failure(archive(before=part, after=part))


def test_what_does_not_expand_that_far_is_read_whatever_its_size(tmp_path: Path) -> None:
    given = np.random.default_rng(0).random(ALWAYS_READ // 8 + 1)
    np.savez_compressed(tmp_path / "a.npz", before=given)
    assert np.array_equal(read_columns(tmp_path / "a.npz").arrays["before"], given)


@pytest.mark.parametrize("compression", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_compression_that_numpy_does_not_write_is_refused(compression: int, archive: Archive, failure: Failure) -> None:
    told = failure(archive(compression, before=npy(np.zeros(3))))
    assert told == "'before' is compressed in a way that numpy does not write; use numpy.savez"


def test_two_arrays_of_one_name_are_refused(tmp_path: Path, failure: Failure) -> None:
    with zipfile.ZipFile(tmp_path / "a.npz", "w") as archive:
        archive.writestr("role.npy", npy(np.zeros(1)))
        with pytest.warns(UserWarning, match="Duplicate name"):
            archive.writestr("role.npy", npy(np.ones(1)))
    assert failure(tmp_path / "a.npz") == "has more than one array 'role'"


def test_a_member_that_is_no_array_is_refused(arrays: Make, npz: Save, failure: Failure) -> None:
    file = npz(arrays())
    with zipfile.ZipFile(file, "a") as archive:
        archive.writestr("record", "not an array")
    assert failure(file) == "holds 'record', which is no array; save arrays by name with numpy.savez"
