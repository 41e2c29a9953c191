"""A board of five entries by three authors, which are entered as users and maintainers do it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from unlearnbench.builtin.executors.serial import SerialExecutor
from unlearnbench.hooks.registry import Registry, load_registry
from unlearnbench.report.publication import Publication
from unlearnbench.run.instances import PluginInstances
from unlearnbench.run.protocol import entry_plan, read_entry
from unlearnbench.run.results import collect
from unlearnbench.run.runner import Runner
from unlearnbench.run.store import Store
from unlearnbench.submissions.accepted import accept
from unlearnbench.submissions.board import publications, read_entries
from unlearnbench.submissions.check import Report, check_submission
from unlearnbench.submissions.pack import Entry, pack
from unlearnbench.submissions.place import Place
from unlearnbench.submissions.reference import reference_entry
from unlearnbench.suite.load import load_suite
from unlearnbench.suite.model import Suite

SUITE = """
suite: {name}
version: {version}
seeds: [0]
datasets: [breast-cancer]
models: [logistic-regression]
unlearners: [retrain]
attacks: [euclidean]
episodes: {{originals: 5, requests: 2, records: 60, negatives: 5, matched: 2, retained: 2}}
engine: reference
device: cpu
"""


@dataclass
class House:
    """A folder of boards, and who enters what."""

    home: Path
    suite: Suite
    registry: Registry

    @property
    def board(self) -> Path:
        return self.home / "leaderboards" / self.suite.name

    def packed(self, text: str, author: str, supersedes: str = "", tuned: str = "") -> Path:
        """Run what an entry consists of, and pack it."""
        instances, store = PluginInstances(self.registry), Store(self.home / "store")
        plugin = read_entry(text, self.suite, self.registry) if text else None
        plan = entry_plan(self.suite, plugin, instances, "cpu")
        Runner(instances, store, SerialExecutor(), show_progress=False).run(plan)
        assert {row.status for row in collect(plan, store)} <= {"ok", "skipped"}
        entry = Entry((text or "reference").replace("=", " ").replace(":", " "), author, tuned, supersedes)
        reference = reference_entry(self.board / "submissions", self.suite.sha256) if plugin else None
        return pack(plan, self.registry, store, entry, Place(self.home / "leaderboards"), plugin, reference)

    def check(self, folder: Path) -> Report:
        return check_submission(folder, self.suite.path)

    def enter(self, text: str, author: str, **more: str) -> Path:
        """Pack, check and accept."""
        folder = self.packed(text, author, **more)
        report = self.check(folder)
        assert report.findings == ()
        assert report.context is not None
        accept(report.context, report.rows, "spring", ["run again, compared to the bit: a cell"])
        return folder

    def published(self) -> Publication:
        entries, found = read_entries(self.board)
        assert found == []
        return publications(entries)[0]

    def statuses(self) -> dict[str, str]:
        return {entry.label or "reference": entry.status for entry in self.published().entries}


def house_in(home: Path, name: str = "little", version: int = 1) -> House:
    path = home / f"{name}.yaml"
    path.write_text(SUITE.format(name=name, version=version))
    registry = load_registry(discover=False)
    return House(home, load_suite(path, registry)[0], registry)


FIVE = (
    ("", "Ada"),
    ("unlearner=sisa", "Ada"),
    ("attack=sorted-diff", "Bo"),
    ("defense=label-only", "Bo"),
    ("unlearner=sisa:shards=2", "Chen"),
)
