"""Fixtures that the tests of several rooms share."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from textwrap import dedent

import numpy as np
import pytest
from hypothesis import settings

from unlearnbench.core.models import FitTask, SeedUse, TargetModel
from unlearnbench.core.posteriors import log_softmax
from unlearnbench.hooks.registry import Registry, load_registry

Install = Callable[..., None]

# The first example may compile a kernel, and machines are shared: no example is too slow.
settings.register_profile("no-deadline", settings.get_profile(settings.get_current_profile_name()), deadline=None)
settings.load_profile("no-deadline")


class SpyFitted:
    """A model whose answers depend on its records, its seeds and its start, and that counts how often it is asked."""

    def __init__(self, task: FitTask) -> None:
        self.task = task
        self.asked = 0

    def log_posteriors(self, x: np.ndarray) -> np.ndarray:
        self.asked += 1
        seeds = self.task.seeds
        slope = self.task.data.x.mean() + (seeds.init + 2 * seeds.order + 3 * seeds.noise) % 1009 / 1009
        logits = np.outer(x[:, 0] * slope, np.arange(self.task.data.n_classes))
        return log_softmax(logits + (self.task.start.log_posteriors(x) if self.task.start else 0))


class Spy(TargetModel):
    """Counts what it is asked to train: ``batches`` holds the tasks of each call."""

    continues = True

    def __init__(self, seeds_used: Sequence[SeedUse] = ("init", "order", "noise")) -> None:
        self.seeds_used = frozenset(seeds_used)  # type: ignore[misc]  # each spy has its own
        self.batches: list[list[FitTask]] = []

    @property
    def tasks(self) -> list[FitTask]:
        return [task for batch in self.batches for task in batch]

    def fit(self, task: FitTask, device: str) -> SpyFitted:
        raise AssertionError("the engine trains through fit_many only, so that all models come from one engine")

    def fit_many(self, tasks: Sequence[FitTask], device: str) -> list[SpyFitted]:
        self.batches.append(list(tasks))
        return [SpyFitted(task) for task in tasks]


@pytest.fixture
def spy() -> type[Spy]:
    return Spy


@pytest.fixture(scope="session")
def registry() -> Registry:
    """Hold our own plug-ins, whatever else is installed on this machine."""
    return load_registry(discover=False)


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Install:
    """Install a distribution for one test: a module, and the metadata that names it as a plug-in."""
    site = tmp_path / "site-packages"
    site.mkdir()
    monkeypatch.syspath_prepend(site)

    def install(name: str, code: str, **metadata: str) -> None:
        module = name.replace("-", "_")
        (site / f"{module}.py").write_text(dedent(code), encoding="utf-8")
        info = site / f"{module}-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n", encoding="utf-8")
        (info / "entry_points.txt").write_text(f"[unlearnbench]\n{name} = {module}\n", encoding="utf-8")
        for file, text in metadata.items():
            (info / f"{file}.json").write_text(text, encoding="utf-8")
        monkeypatch.delitem(sys.modules, module, raising=False)  # and again when the test is over

    return install


@pytest.fixture
def plugin_file(tmp_path: Path) -> Callable[..., Path]:
    """Write a one-file plug-in."""

    def write(code: str, name: str = "mine.py") -> Path:
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(dedent(code), encoding="utf-8")
        return path

    return write


@pytest.fixture
def attack_code() -> Callable[..., str]:
    """Return a plug-in that offers attacks of these names."""

    def code(*names: str, factory: str = "somewhere.attacks:Attack") -> str:
        offers = "".join(
            f"    yield AttackPlugin(name={n!r}, summary='An attack.', factory={factory!r})\n" for n in names
        )
        return (
            "from unlearnbench.hooks import hookimpl\n"
            "from unlearnbench.hooks.records import AttackPlugin\n\n"
            "@hookimpl\n"
            "def unlearnbench_attacks():\n" + offers
        )

    return code
