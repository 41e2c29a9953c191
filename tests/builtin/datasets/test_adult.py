from __future__ import annotations

import gzip
import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from unlearnbench.builtin.datasets import adult
from unlearnbench.builtin.datasets.adult import FEATURES, Adult
from unlearnbench.core.dataset_cards import card
from unlearnbench.core.errors import UserError
from unlearnbench.core.records import Records

FIRST = (  # as UCI writes it
    "34, Private, 167474, HS-grad, 9, Married-civ-spouse, Exec-managerial, Husband, White, Male, 0, 0, 40, "
    "United-States, <=50K"
)
UCI = Path(os.environ.get("UNLEARNBENCH_DATA", "")) / "adult"


@pytest.fixture(scope="module")
def records() -> Records:
    return Adult().load()


def decoded(records: Records) -> Iterator[tuple[str, ...]]:
    """The records as UCI writes them, label last."""
    with np.load(adult.FILE, allow_pickle=False) as columns:
        values = {name: columns[f"{name}.values"] for name in FEATURES if f"{name}.values" in columns}
    table = [
        values[name][column.astype(int)].tolist() if name in values else [f"{v:.0f}" for v in column]
        for name, column in zip(FEATURES, records.x.T, strict=True)
    ]
    labels = [records.class_names[label] for label in records.y]
    return zip(*table, labels, strict=True)


def test_the_card_is_that_of_adult_without_missing_values(records: Records) -> None:
    described = card(records)
    assert (described.rows, described.features, described.duplicates) == (45_222, 14, 101)
    assert described.classes == (("<=50K", 34_014), (">50K", 11_208))
    assert described.licence == "CC-BY-4.0"
    assert described.sha256 == "e68f7949ae1b36313cdf6625dbdfbee13c830e99b9b67065c7bc5853fc1644f4"


def test_features_are_float64_and_labels_int64(records: Records) -> None:
    assert records.x.dtype == np.float64
    assert records.y.dtype == np.int64


def test_the_first_record_is_a_person_of_the_census(records: Records) -> None:
    assert ", ".join(next(decoded(records))) == FIRST


def test_rows_are_shuffled(records: Records) -> None:
    ages = records.x[:, 0]
    assert abs(np.corrcoef(np.arange(len(ages)), ages)[0, 1]) < 0.02
    assert abs(np.corrcoef(np.arange(len(ages)), records.y)[0, 1]) < 0.02


def test_a_changed_file_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    changed = tmp_path / "adult.npz"
    changed.write_bytes(adult.FILE.read_bytes() + b"\0")
    monkeypatch.setattr(adult, "FILE", changed)
    with pytest.raises(UserError, match=f"expected sha256 {adult.SHA256}"):
        Adult().load()


def test_it_is_part_of_the_package() -> None:
    assert Adult().availability().available


@pytest.mark.skipif(not UCI.is_dir(), reason="UNLEARNBENCH_DATA has no folder adult with UCI's files")
def test_the_records_are_uci_s_without_missing_values(records: Records) -> None:
    lines = gzip.decompress((UCI / "adult.data.gz").read_bytes()).decode().splitlines()
    lines += gzip.decompress((UCI / "adult.test.gz").read_bytes()).decode().splitlines()[1:]  # its first is a remark
    rows = (tuple(field.strip() for field in line.rstrip(".").split(",")) for line in lines if line)
    assert Counter(decoded(records)) == Counter(row for row in rows if "?" not in row)
