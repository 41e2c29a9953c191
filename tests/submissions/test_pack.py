from __future__ import annotations

import json
import lzma
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray

from tests.fuzzing import TIMES
from unlearnbench.core.errors import UserError
from unlearnbench.core.executors import Failure
from unlearnbench.run.entries import Entry as Stored
from unlearnbench.run.evaluation import Evaluator
from unlearnbench.run.instances import PluginInstances
from unlearnbench.run.store import Store
from unlearnbench.stats import auc, deg_rate, true_confidence
from unlearnbench.submissions.arrays import ArrayFile, ArrayPool
from unlearnbench.submissions.claims import same
from unlearnbench.submissions.findings import Finding, RefusedError
from unlearnbench.submissions.pack import Entry, pack
from unlearnbench.submissions.place import Place

if TYPE_CHECKING:
    from tests.submissions.conftest import Copy, Packed

ENTRY = Entry("A name", "An author")


def test_the_same_run_gives_the_same_files_whenever_and_wherever_it_is_packed(packed: Packed, tmp_path: Path) -> None:
    again = pack(packed.plan, packed.registry, packed.store, ENTRY, Place(tmp_path))
    assert again.relative_to(tmp_path).parts == ("small", "submissions", packed.folder.name)
    files = {file.name: file.read_bytes() for file in packed.folder.iterdir()}
    assert files.keys() == {"submission.json", "arrays.npy.xz"}
    assert {file.name: file.read_bytes() for file in again.iterdir()} == files


def test_metadata_tell_what_made_it_and_name_no_machine(packed: Packed) -> None:
    text = (packed.folder / "submission.json").read_text()
    data = json.loads(text)
    assert (data["name"], data["author"], data["id"][:7]) == ("A name", "An author", "a-name-")
    assert data["suite"] == json.loads(json.dumps(packed.plan.suite.to_dict()))
    assert data["suite_sha256"] == packed.plan.suite.sha256
    assert {"python", "numpy", "processor", "threads"} <= data["environment"].keys()
    assert {bench["engine"] for bench in data["benches"]} == {"reference"}
    assert {bench["device"] for bench in data["benches"]} == {"cpu"}
    assert {bench["seed"] for bench in data["benches"]} == {0, 1}
    assert data["cost"]["train_seconds"] > 0
    assert str(packed.suite.parent) not in text


def test_plugins_are_told_with_what_they_may_see_and_whom_they_assume(packed: Packed) -> None:
    data = json.loads((packed.folder / "submission.json").read_text())
    plugins = {(part["kind"], part["name"]): part for part in data["plugins"]}
    assert plugins["unlearner", "retrain"]["declares"]["sees"] == ["forget-set", "retain-set", "labels"]
    assert plugins["unlearner", "retrain"]["declares"]["exact"] is True
    assert plugins["attack", "euclidean"]["declares"]["versions"] == "both"
    assert plugins["attack", "euclidean"]["distribution"] == "unlearnbench"
    assert ("metric", "auc") in plugins
    assert ("attack", "oracle-label") in plugins, "controls stand in every run"


def test_arrays_are_plain_numbers_each_there_once(copy: Copy) -> None:
    arrays = copy.load()
    assert {array.dtype.str for array in arrays} == {"<f4", "<f8", "<i8", "|b1"}
    assert all(np.isfinite(array).all() for array in arrays)
    assert len({(array.dtype.str, array.shape, array.tobytes()) for array in arrays}) == len(arrays)


def test_neither_roles_nor_membership_are_in_it(copy: Copy, packed: Packed) -> None:
    roles = {cell for bench in copy.data["benches"] for cell in bench} - {"cells"}
    assert roles.isdisjoint({"role", "member", "membership", "records"})
    assert set(copy.data["benches"][0]["cells"][0]) == {
        "attack", "baseline", "baseline_folds", "defense", "divergence", "estimates", "folds", "key", "released",
        "scores", "shadow", "unchanged",
    }  # fmt: skip


def test_an_unfinished_run_is_refused_with_the_reason(packed: Packed, tmp_path: Path) -> None:
    with pytest.raises(
        UserError, match=r"suite small is not finished: \d+ cells missing: not run yet; run it to its end"
    ):
        pack(packed.plan, packed.registry, Store(tmp_path / "empty"), ENTRY, Place(tmp_path))
    assert not (tmp_path / "small").exists()


class Broken(Store):
    """A store in which one cell failed."""

    def __init__(self, root: Path, key: str) -> None:
        super().__init__(root)
        self.key = key

    def get(self, kind: str, key: str) -> Stored | None:
        return None if key == self.key else super().get(kind, key)

    def payload(self, kind: str, key: str) -> Mapping[str, object] | None:
        return None if key == self.key else super().payload(kind, key)

    def failure(self, kind: str, key: str) -> Failure | None:
        return Failure("failed", "it broke") if key == self.key else super().failure(kind, key)


def test_a_failed_run_is_refused_with_the_reason(packed: Packed, tmp_path: Path) -> None:
    store = Broken(packed.store.root, next(iter(packed.plan.cells)))
    with pytest.raises(UserError, match="suite small is not finished: 1 cell failed: it broke; run it to its end"):
        pack(packed.plan, packed.registry, store, ENTRY, Place(tmp_path))


def test_cells_that_were_not_computed_from_the_stored_models_are_refused(packed: Packed, tmp_path: Path) -> None:
    store = Store(shutil.copytree(packed.store.root, tmp_path / "store"))
    key = next(iter(packed.plan.groups[0].target)).key
    made = store.get("episode", key)
    assert made is not None
    store.drop("episode", key)
    store.put("episode", key, {**made.payload, "seconds": {"train": 9.0, "unlearn": 9.0}}, made.arrays)
    with pytest.raises(UserError, match=r"^models of breast-cancer, .*, seed 0, were made again since; run the suite"):
        pack(packed.plan, packed.registry, store, ENTRY, Place(tmp_path))
    assert not (tmp_path / "small").exists()


def test_packing_reads_what_the_run_stored_and_evaluates_nothing(
    packed: Packed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> NoReturn:
        raise AssertionError("packing must not evaluate")

    monkeypatch.setattr(Evaluator, "__init__", fail)
    monkeypatch.setattr(PluginInstances, "make", fail)
    folder = pack(packed.plan, packed.registry, packed.store, ENTRY, Place(tmp_path))
    assert folder.name == packed.folder.name


ARRAYS = st.one_of(
    hnp.arrays(np.float64, hnp.array_shapes(max_dims=2, min_side=0, max_side=5), elements=st.floats(-9, 9)),
    hnp.arrays(np.int64, hnp.array_shapes(max_dims=2, min_side=0, max_side=5)),
    hnp.arrays(np.bool_, hnp.array_shapes(max_dims=1, max_side=9)),
)


@given(st.lists(ARRAYS, min_size=1, max_size=5))
@settings(deadline=None)
def test_arrays_come_back_as_they_went_in_and_equal_ones_are_one(given_arrays: list[NDArray[Any]]) -> None:
    pool = ArrayPool()
    numbers = [pool.add(array) for array in given_arrays]
    assert [pool.add(array) for array in given_arrays] == numbers
    file = ArrayFile(pool.packed(), len(pool))
    for number, array in zip(numbers, given_arrays, strict=True):
        back = file.read(number, array.dtype.type, array.shape)
        assert back.dtype == array.dtype
        assert back.tobytes() == array.tobytes()


@given(st.lists(ARRAYS, min_size=1, max_size=4), st.lists(ARRAYS, max_size=4))
@settings(deadline=None)
def test_arrays_that_the_reference_has_are_read_from_it_and_not_written(
    of_reference: list[NDArray[Any]], own: list[NDArray[Any]]
) -> None:
    first = ArrayPool()
    numbers = [first.add(array) for array in of_reference]
    reference = ArrayFile(first.packed(), len(first))
    pool = ArrayPool(reference)
    assert [pool.add(array) for array in of_reference] == numbers
    assert len(pool) == 0
    numbers = [pool.add(array) for array in own]
    file = ArrayFile(pool.packed(), len(pool), reference)
    assert len(pool) == len({number for number in numbers if number >= len(reference)})
    for number, array in zip(numbers, own, strict=True):
        back = file.read(number, array.dtype.type, array.shape)
        assert back.tobytes() == array.tobytes()


def headed(text: bytes) -> bytes:
    """Return bytes that call themselves an array of format 1.0, with this text as header."""
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text


def described(descr: str, shape: str) -> bytes:
    return headed(f"{{'descr': '{descr}', 'fortran_order': False, 'shape': ({shape}), }}\n".encode())


PIECES = st.one_of(
    st.binary(max_size=40),
    st.builds(headed, st.binary(max_size=300)),
    st.builds(
        described,
        st.sampled_from(["<f8", "|b1", "|O", "|S0", "<U9", "<M8[s]", "xx", "<f9"]),
        st.sampled_from(["", "1,", "3", "0, 5", ",", "9" * 40, "1, " * 20, "00"]),
    ),
)


@given(st.lists(PIECES, max_size=4), st.integers(0, 5), st.booleans())
@settings(deadline=None, max_examples=200 * TIMES)
def test_any_bytes_are_arrays_or_are_refused(pieces: list[bytes], count: int, packed: bool) -> None:
    content = b"".join(pieces)
    findings: tuple[Finding, ...] = ()
    try:
        file = ArrayFile(lzma.compress(content) if packed else content, count)
        assert len(file) == count
        for number in range(count):
            file.read(number, np.float64, (1,))
    except RefusedError as error:
        findings = error.findings
    assert all(str(finding).isprintable() and len(str(finding)) <= 300 for finding in findings)


def test_scores_keep_their_precision_because_a_metric_reads_values_and_not_only_their_order() -> None:
    """As float32 the same scores have the same AUC and another DegRate, by more than a check allows."""
    rng = np.random.default_rng(0)
    scores, baseline, positive = rng.random(200), rng.random(200), np.arange(200) % 2 == 0
    half = scores.astype(np.float32).astype(np.float64)
    assert auc(scores, positive) == auc(half, positive)
    cluster = np.arange(200) // 20
    before = true_confidence(baseline, positive)
    full, rounded = (deg_rate(true_confidence(each, positive), before, cluster) for each in (scores, half))
    assert not same(full, rounded)
