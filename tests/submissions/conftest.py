"""A small run, packed once, copies of it to do harm to, and a board of five entries."""

from __future__ import annotations

import hashlib
import io
import json
import lzma
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.submissions.house import FIVE, House, house_in
from unlearnbench.builtin.executors.serial import SerialExecutor
from unlearnbench.hooks.registry import Registry, load_registry
from unlearnbench.run.cells import Plan
from unlearnbench.run.instances import PluginInstances
from unlearnbench.run.plan import make_plan
from unlearnbench.run.runner import Runner
from unlearnbench.run.store import Store
from unlearnbench.submissions.arrays import ArrayPool
from unlearnbench.submissions.check import Report, check_submission
from unlearnbench.submissions.pack import Entry, pack, plain_estimate
from unlearnbench.submissions.place import Place
from unlearnbench.submissions.rerun import Again, rerun
from unlearnbench.submissions.schema import digest_of, id_of
from unlearnbench.suite.load import load_suite

TINY = """
suite: small
version: 1
seeds: [0, 1]
datasets: [breast-cancer]
models: [decision-tree, logistic-regression]
unlearners: [retrain, none, random-noise, noise-floor]
attacks: [euclidean]
exclude:
  - {unlearner: none, because: "a rule of this test"}
  - {unlearner: random-noise, because: "a rule of this test"}
  - {unlearner: noise-floor, because: "a rule of this test"}
episodes: {originals: 5, requests: 2, records: 60, negatives: 5, matched: 2, retained: 2}
engine: reference
device: cpu
"""


@dataclass(frozen=True)
class Packed:
    """A finished run and its submission."""

    suite: Path
    plan: Plan
    registry: Registry
    store: Store
    folder: Path


@pytest.fixture(scope="session")
def packed(tmp_path_factory: pytest.TempPathFactory) -> Packed:
    """Run the small suite and pack it; to be read only."""
    home = tmp_path_factory.mktemp("small")
    path = home / "small.yaml"
    path.write_text(TINY)
    registry = load_registry(discover=False)
    suite, _ = load_suite(path, registry)
    instances = PluginInstances(registry)
    plan = make_plan(suite, instances, "cpu")
    store = Store(home / "store")
    outcome = Runner(instances, store, SerialExecutor(), show_progress=False).run(plan)
    assert outcome.failed == 0
    folder = pack(plan, registry, store, Entry("A name", "An author"), Place(home / "leaderboards"))
    return Packed(path, plan, registry, store, folder)


@dataclass
class Copy:
    """A copy of the submission that a test does something to."""

    folder: Path
    suite: Path
    report: Report | None = None
    """Of the last check."""

    @property
    def document(self) -> Path:
        return self.folder / "submission.json"

    @property
    def arrays(self) -> Path:
        return self.folder / "arrays.npy.xz"

    @property
    def data(self) -> dict[str, Any]:
        data: dict[str, Any] = json.loads(self.document.read_text())
        return data

    def check(self) -> Report:
        self.report = check_submission(self.folder, self.suite)
        return self.report

    def found(self) -> list[str]:
        """Check it; what a check finds is one printable line each, with a remedy."""
        report = self.check()
        told = [str(finding) for finding in report.findings]
        assert all(line.isprintable() for line in told)
        assert all(finding.remedy for finding in report.findings)
        return told

    def rerun(self, n: int = 1000) -> tuple[list[str], list[str]]:
        """Run so many of its cells again as it was last checked; return what is found, and what was compared how."""
        context = (self.report or self.check()).context
        assert context is not None
        found, told = rerun(context, Again("what was announced", n))
        return [str(finding) for finding in found], told

    def forge(self, change: Callable[[dict[str, Any]], None]) -> list[str]:
        """Change the metadata as a careful forger would, all digests and the path made right again; then check."""
        data = self.data
        change(data)
        packed = self.arrays.read_bytes()
        data |= {"arrays_sha256": hashlib.sha256(packed).hexdigest(), "arrays_bytes": len(packed)}
        data["digest"] = digest_of(data)
        data["id"] = id_of(data["name"], data["digest"])
        self.document.write_text(json.dumps(data))
        self.folder = self.folder.rename(self.folder.with_name(data["id"]))
        return self.found()

    def load(self) -> list[NDArray[Any]]:
        """Read all arrays that it names, those of the reference entry first where it shares them."""
        data = self.data
        shared = data.get("shared")
        first = load(self.folder.parent / shared["entry"] / self.arrays.name, shared["arrays"]) if shared else []
        return first + load(self.arrays, data["arrays"])

    def write(self, arrays: list[NDArray[Any]]) -> None:
        """Write the arrays, equal ones as often as they are there."""
        self.arrays.write_bytes(lzma.compress(b"".join(map(npy, arrays))))

    def forge_array(self, number: int, change: Callable[[NDArray[Any]], NDArray[Any]]) -> list[str]:
        """Replace one array, as a careful forger would; then check."""
        arrays = self.load()
        arrays[number] = change(arrays[number].copy())
        pool = ArrayPool()
        for array in arrays:
            pool.add(array)
        assert len(pool) == len(arrays), "a changed array must be another than the rest"
        self.arrays.write_bytes(pool.packed())
        return self.forge(lambda data: None)

    def forge_claims(self, change: Callable[[dict[str, Any], list[NDArray[Any]]], None]) -> list[str]:
        """Change metadata and arrays, as a forger would who lets every claimed metric follow from the scores.

        ``change`` may add arrays to the list and name them by their index; only those that are named are packed.
        """
        data, arrays = self.data, self.load()
        change(data, arrays)
        pool = ArrayPool()
        for part in data["benches"]:
            for owner, names in ((part, OF_GROUP), *((cell, OF_CELL) for cell in part["cells"])):
                owner |= {name: pool.add(arrays[owner[name]]) for name in names if owner[name] is not None}
        self.arrays.write_bytes(pool.packed())
        data.pop("shared", None)
        data["arrays"] = len(pool)
        self.document.write_text(json.dumps(data))
        found = self.forge(lambda plain: None)
        return (
            self.forge(self._claim_what_follows) if any("do not give the claimed" in line for line in found) else found
        )

    def _claim_what_follows(self, data: dict[str, Any]) -> None:
        context = self.check().context
        assert context is not None
        data["estimates"] = []
        for part, pair in zip(data["benches"], context.groups, strict=True):
            for number, estimates in context.remeasurer(*pair).estimates.items():
                part["cells"][number]["estimates"] = list(range(n := len(data["estimates"]), n + len(estimates)))
                data["estimates"] += map(plain_estimate, estimates.values())
                assert list(estimates) == data["metrics"]

    def forge_member(self, number: int, content: bytes) -> list[str]:
        """Replace the bytes of one array, as a careful forger would; then check."""
        contents = [npy(array) for array in self.load()]
        contents[number] = content
        return self.forge_file(lzma.compress(b"".join(contents)))

    def forge_file(self, packed: bytes) -> list[str]:
        """Replace the file of all arrays, as a careful forger would; then check."""
        self.arrays.write_bytes(packed)
        return self.forge(lambda data: None)


OF_GROUP = ("matched", "accuracies", "seconds", "epsilon", "forgotten", "passes", "outcomes", "relearned", "memory")
OF_CELL = ("scores", "baseline", "shadow", "folds", "baseline_folds", "unchanged", "released", "divergence")


def npy(array: NDArray[Any], **options: bool) -> bytes:
    """Return an array as a file has it."""
    content = io.BytesIO()
    np.save(content, array, **options)
    return content.getvalue()


def load(file: Path, count: int) -> list[NDArray[Any]]:
    """Read a file of arrays by numpy alone."""
    with lzma.open(file) as stream:
        return [np.load(stream, allow_pickle=False) for _ in range(count)]


@pytest.fixture
def copy(packed: Packed, tmp_path: Path) -> Copy:
    folder = tmp_path / "small" / "submissions" / packed.folder.name
    shutil.copytree(packed.folder, folder)
    return Copy(folder, packed.suite)


@pytest.fixture
def untouched(copy: Copy, tmp_path: Path) -> Iterator[None]:
    """Hold that nothing is written or removed anywhere near a submission that is checked."""

    def snapshot() -> set[str]:
        names = (path.relative_to(tmp_path).parts for path in tmp_path.rglob("*"))
        return {"/".join(parts) for parts in names if parts[:3] != ("small", "submissions", copy.folder.name)}

    before = {name for name in snapshot() if not name.startswith("small/submissions/")}
    yield
    assert {name for name in snapshot() if not name.startswith("small/submissions/")} == before


@pytest.fixture(scope="session")
def five(tmp_path_factory: pytest.TempPathFactory) -> House:
    """Return a board of five entries by three authors; to be read only."""
    house = house_in(tmp_path_factory.mktemp("house"))
    for text, author in FIVE:
        house.enter(text, author)
    return house


@pytest.fixture
def house(five: House, tmp_path: Path) -> House:
    """Return a copy of the house of five."""
    shutil.copytree(five.home, tmp_path / "house")
    return House(tmp_path / "house", load_suite(tmp_path / "house" / "little.yaml", five.registry)[0], five.registry)
