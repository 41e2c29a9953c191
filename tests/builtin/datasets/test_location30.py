from __future__ import annotations

import io
import tarfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from unlearnbench.builtin.datasets import location30
from unlearnbench.builtin.datasets.location30 import PACKED, TABLE, Location30
from unlearnbench.core.dataset_cards import card
from unlearnbench.core.errors import UserError
from unlearnbench.core.records import Records

BITS = np.random.default_rng(0).integers(0, 2, size=(4, 13), dtype=np.uint8)
LABELS = np.array([0, 29, 5, 5], dtype=np.uint8)
real = pytest.mark.skipif(PACKED.find() is None, reason=f"UNLEARNBENCH_DATA has no {PACKED.folder}/{PACKED.name}")


def packed() -> bytes:
    content = io.BytesIO()
    np.savez(content, x_packed=np.packbits(BITS, axis=1), n_features=13, y=LABELS)
    return content.getvalue()


def published(x: np.ndarray = BITS, y: np.ndarray = LABELS, name: str = TABLE) -> bytes:
    """An archive as its authors publish it: a table without header, class first, counted from 1."""
    table = "".join(f'"{label + 1}",{",".join(map(str, row.astype(int)))}\n' for label, row in zip(y, x, strict=True))
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w:gz") as archive:
        info = tarfile.TarInfo(name)
        info.size = len(table)
        archive.addfile(info, io.BytesIO(table.encode()))
    return content.getvalue()


@pytest.fixture(autouse=True)
def pinned(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Expect the small table, but for the tests of the real file."""
    if "real" not in request.node.name:
        small = Records("location30", BITS.astype(np.float64), LABELS.astype(np.int64), 30, location30.PROVENANCE)
        monkeypatch.setattr(location30, "SHA256", small.sha256)


def test_packed_bits_become_zeros_and_ones_again(stand_in: Callable[..., None]) -> None:
    stand_in(location30, packed(), "PACKED")
    records = Location30().load()
    np.testing.assert_array_equal(records.x, BITS)
    assert records.x.dtype == np.float64
    assert records.y.tolist() == [0, 29, 5, 5]


@pytest.mark.usefixtures("roots")
@pytest.mark.parametrize("name", [TABLE, f"./{TABLE}", f"folder/{TABLE}"])
def test_the_published_archive_holds_the_same_records(stand_in: Callable[..., None], name: str) -> None:
    stand_in(location30, published(name=name), "ARCHIVE")
    records = Location30().load()
    np.testing.assert_array_equal(records.x, BITS)
    assert records.y.tolist() == [0, 29, 5, 5]


@pytest.mark.usefixtures("roots")
@pytest.mark.parametrize(
    ("content", "message"),
    [(published(name="moscow"), "holds no file bangkok"), (published(x=1 - BITS), "other records than expected")],
)
def test_an_archive_that_holds_something_else_is_refused(
    stand_in: Callable[..., None], content: bytes, message: str
) -> None:
    stand_in(location30, content, "ARCHIVE")
    with pytest.raises(UserError, match=message):
        Location30().load()


@real
def test_the_real_file_has_the_known_rows_and_classes() -> None:
    records = Location30().load()
    described = card(records)
    assert (described.rows, described.features, described.duplicates) == (5_010, 446, 0)
    counts = [count for _, count in described.classes]
    assert (len(counts), min(counts), max(counts)) == (30, 97, 308)
    assert set(np.unique(records.x)) == {0.0, 1.0}


@pytest.mark.slow
@real
def test_the_real_records_survive_the_published_format(
    stand_in: Callable[..., None], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    records = Location30().load()
    stand_in(location30, published(records.x, records.y), "ARCHIVE")
    assert Location30().files() == (location30.ARCHIVE,)
    assert Location30().load().sha256 == records.sha256
