"""A board is the union of its accepted entries: five by three authors, then one more, one withdrawn, one superseded."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from shutil import copytree, rmtree
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from unlearnbench.builtin.executors.serial import SerialExecutor
from unlearnbench.core.errors import UserError
from unlearnbench.hooks.registry import Registry, load_registry
from unlearnbench.report.leaderboard import build, build_page
from unlearnbench.report.publication import Publication
from unlearnbench.run.instances import PluginInstances
from unlearnbench.run.protocol import entry_plan, read_entry
from unlearnbench.run.results import collect
from unlearnbench.run.runner import Runner
from unlearnbench.run.store import Store
from unlearnbench.submissions.accepted import Acceptance, accept, withdraw
from unlearnbench.submissions.board import publications, read_boards, read_entries, without_arrays
from unlearnbench.submissions.check import Report, check_submission
from unlearnbench.submissions.pack import Entry, pack
from unlearnbench.submissions.place import Place
from unlearnbench.submissions.reference import reference_entry
from unlearnbench.submissions.rerun import drawn_cells
from unlearnbench.submissions.reseed import Reseeding, hidden_seeds
from unlearnbench.suite.load import load_suite
from unlearnbench.suite.model import Suite

if TYPE_CHECKING:
    from tests.submissions.conftest import Copy

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
    copytree(five.home, tmp_path / "house")
    return House(tmp_path / "house", load_suite(tmp_path / "house" / "little.yaml", five.registry)[0], five.registry)


def names(publication: Publication, axis: str) -> set[str]:
    return {row.names[axis] for row in publication.rows}


def test_the_board_is_the_union_of_its_entries_each_cell_once(five: House) -> None:
    board = five.published()
    assert {"retrain", "none", "sisa", "sisa(shards=2)"} <= names(board, "unlearner")
    assert {"euclidean", "sorted-diff", "random"} <= names(board, "attack")
    assert names(board, "defense") == {"none", "label-only"}
    cells = [(*row.names.values(), row.seed) for row in board.rows]
    assert len(set(cells)) == len(cells)
    assert {row.status for row in board.rows} == {"ok"}


def test_controls_are_the_reference_entrys_own_rows(five: House) -> None:
    alone = five.published()
    reference = next(entry for entry in read_entries(five.board)[0] if entry.document.entry is None)
    (only,) = publications([reference])
    controls = {(*row.names.values(), row.seed): row.to_dict() for row in only.rows}
    shown = {(*row.names.values(), row.seed): row.to_dict() for row in alone.rows}
    assert controls.items() <= shown.items()


def test_every_row_tells_who_entered_it_when_and_how(five: House) -> None:
    board = five.published()
    by = {label: board.entry_of("unlearner", label) for label in ("retrain", "sisa", "sisa(shards=2)")}
    assert {label: entry and entry.author for label, entry in by.items()} == {
        "retrain": "Ada", "sisa": "Ada", "sisa(shards=2)": "Chen",
    }  # fmt: skip
    chen, files = by["sisa(shards=2)"], build_page(board)
    assert chen is not None
    assert (chen.parameters, chen.nonce, chen.version.split()[0]) == ("chosen", "spring", "unlearnbench")
    for text in (files["README.md"], files["index.html"]):
        assert all(part in text for part in (chen.author, chen.date, chen.id))


def test_an_entry_that_is_added_changes_no_row_of_another(house: House) -> None:
    before = {(*row.names.values(), row.seed): row.to_dict() for row in house.published().rows}
    house.enter("unlearner=sisa:shards=3", "Bo", tuned="3 trials on other seeds")
    board = house.published()
    after = {(*row.names.values(), row.seed): row.to_dict() for row in board.rows}
    assert before.items() < after.items()
    entry = board.entry_of("unlearner", "sisa(shards=3)")
    assert entry is not None
    assert (entry.parameters, entry.tuned) == ("tuned", "3 trials on other seeds")


def test_a_withdrawn_entry_leaves_the_tables_and_stays_listed_with_the_reason(house: House) -> None:
    (folder,) = house.board.glob("submissions/attack-sorted-diff-*")
    withdraw(folder, "its code reads the labels")
    board = house.published()
    assert "sorted-diff" not in names(board, "attack")
    assert house.statuses()["sorted-diff"] == "withdrawn"
    assert "its code reads the labels" in build_page(board)["index.html"]
    context = house.check(folder).context
    assert context is not None
    accept(context, ())
    assert house.statuses()["sorted-diff"] == "withdrawn", "whoever checks it again does not bring it back"
    with pytest.raises(UserError, match="takes the reason"):
        withdraw(folder, " ")


def test_a_superseded_entry_stays_listed_with_its_successor(house: House) -> None:
    (old,) = house.board.glob("submissions/unlearner-sisa-shards-2-*")
    new = house.enter("unlearner=sisa:shards=2", "Chen", supersedes=old.name, tuned="again")
    entries = {entry.id: entry for entry in house.published().entries}
    assert (entries[old.name].status, entries[old.name].reason) == ("superseded", f"by {new.name}")
    assert entries[new.name].status == "accepted"
    withdraw(new, "an error")
    assert {entry.id: entry.status for entry in house.published().entries}[old.name] == "accepted"


def test_a_plug_in_is_entered_once_and_superseded_by_its_author_only(house: House) -> None:
    (old,) = house.board.glob("submissions/unlearner-sisa-shards-2-*")

    def found(author: str, **more: str) -> list[str]:
        return [str(one) for one in house.check(house.packed("unlearner=sisa:shards=2", author, **more)).findings]

    assert any(f"sisa(shards=2) has an entry, {old.name}" in line for line in found("Bo", tuned="mine"))
    assert any("of another author, Chen" in line for line in found("Bo", supersedes=old.name))
    assert any("supersedes gone-1, which is no accepted entry" in line for line in found("Chen", supersedes="gone-1"))


def test_rows_of_two_versions_of_a_suite_share_no_table(house: House) -> None:
    later = house_in(house.home, version=2)
    later.enter("", "Ada")
    boards, found = read_boards(house.home / "leaderboards")
    assert found == []
    assert {folder.name: board.version for folder, board in boards.items()} == {"little": 2, "version-1": 1}
    assert "sisa" in names(boards[house.board / "version-1"], "unlearner")
    assert "sisa" not in names(boards[house.board], "unlearner")


def copy_of(folder: Path, house: House) -> Copy:
    from tests.submissions.conftest import Copy

    assert house.suite.path is not None
    return Copy(folder, house.suite.path)


def test_an_entry_does_not_store_again_what_the_reference_entry_has(house: House) -> None:
    folder = house.packed("unlearner=sisa:shards=4", "Bo")
    data = json.loads((folder / "submission.json").read_text())
    (reference,) = house.board.glob("submissions/reference-*")
    of = json.loads((reference / "submission.json").read_text())
    shared = data["shared"]
    assert shared == {
        "entry": reference.name, "arrays": of["arrays"], "estimates": len(of["estimates"]), "digest": of["digest"],
    }  # fmt: skip
    controls = [group for group in data["benches"] if group["unlearner"] in ("retrain", "none")]
    cells = [cell for group in controls for cell in group["cells"]]
    assert all(cell["scores"] < shared["arrays"] for cell in cells)
    assert all(number is None or number < shared["estimates"] for cell in cells for number in cell["estimates"])
    alone = pack_alone(house)
    assert data["arrays_bytes"] < alone["arrays_bytes"] / 2
    assert len(data["estimates"]) < len(alone["estimates"]) / 2


def pack_alone(house: House) -> dict[str, Any]:
    """Pack the same entry where there is no board; return its metadata."""
    away = replace(house, home=house.home / "away")
    (house.home / "away").mkdir()
    (house.home / "away" / "store").symlink_to(house.home / "store")
    found: dict[str, Any] = json.loads((away.packed("unlearner=sisa:shards=4", "Bo") / "submission.json").read_text())
    return found


@pytest.mark.parametrize("harm", ["gone", "document", "arrays"])
def test_an_entry_is_checked_only_with_the_reference_entry_that_it_shares_with(house: House, harm: str) -> None:
    (folder,) = house.board.glob("submissions/unlearner-sisa-shards-2-*")
    (reference,) = house.board.glob("submissions/reference-*")
    assert house.check(folder).findings == ()
    if harm == "gone":
        rmtree(reference)
        what = "which is not beside it"
    elif harm == "document":
        text = (reference / "submission.json").read_text()
        (reference / "submission.json").write_text(text.replace('"author": "Ada"', '"author": "Eve"'))
        what = "which is another than it was"
    else:
        (reference / "arrays.npy.xz").write_bytes(b"x")
        what = "is not the file that was packed"
    found = [str(one) for one in house.check(folder).findings]
    assert any(reference.name in line and what in line for line in found)


def test_tables_need_no_arrays_and_the_build_says_which_are_elsewhere(house: House) -> None:
    before = build(house.published())
    assert without_arrays(house.home / "leaderboards") == []
    (folder,) = house.board.glob("submissions/reference-*")
    kept = (folder / "arrays.npy.xz").rename(house.home / "kept")
    assert without_arrays(house.home / "leaderboards") == [folder]
    assert build(house.published()) == before
    (entry,) = house.board.glob("submissions/unlearner-sisa-shards-2-*")
    assert any("arrays.npy.xz: is not here" in str(one) for one in house.check(entry).findings)
    assert check_submission(entry, house.suite.path, elsewhere=kept).findings == ()


def test_controls_that_are_not_the_boards_are_not_comparable(house: House) -> None:
    copy = copy_of(house.packed("unlearner=sisa:shards=4", "Bo"), house)
    assert copy.found() == []
    assert any("controls compared with those of reference-" in note for note in copy.check().notes)

    def other(data: dict[str, Any], arrays: list[np.ndarray[Any, Any]]) -> None:
        group = next(group for group in data["benches"] if group["unlearner"] == "retrain")
        cell = next(cell for cell in group["cells"] if cell["attack"] == "euclidean")
        arrays.append(arrays[cell["scores"]][::-1].copy())
        cell["scores"] = len(arrays) - 1

    (line,) = copy.forge_claims(other)
    assert "retrain" in line
    assert "not comparable: this control has other scores than on the board" in line


def test_without_a_reference_entry_it_is_said_that_nothing_was_compared(tmp_path: Path) -> None:
    house = house_in(tmp_path, "alone")
    report = house.check(house.packed("attack=sorted-diff", "Bo"))
    assert report.findings == ()
    assert any("no reference entry" in note for note in report.notes)


def reseeding(house: House) -> Reseeding:
    return Reseeding(house.suite, PluginInstances(house.registry), Store(house.home / "store"), SerialExecutor())


def test_top_entries_are_run_on_seeds_that_follow_from_the_nonce(house: House) -> None:
    hidden = reseeding(house)(house.board, "spring", 1)
    assert hidden.seeds == list(hidden_seeds(house.suite, "spring"))
    assert len(hidden.entries) == 1
    assert {number.labels["unlearner"] for number in hidden.numbers} >= {"retrain"}
    assert hidden == reseeding(house)(house.board, "spring", 1)
    hidden.write(house.board)
    boards, found = read_boards(house.home / "leaderboards")
    assert found == []
    assert "Hidden seeds" in build_page(boards[house.board])["index.html"]


def test_seeds_differ_by_nonce_and_are_none_of_the_suites(five: House) -> None:
    many = replace(five.suite, seeds=tuple(range(50)))
    seeds = hidden_seeds(many, "spring")
    assert len(set(seeds)) == 50
    assert not set(seeds) & set(many.seeds)
    assert set(seeds) != set(hidden_seeds(many, "autumn"))


def test_without_a_nonce_or_entries_nothing_is_run(house: House, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="--nonce takes a text"):
        reseeding(house)(house.board, " ", 1)
    alone = house_in(tmp_path, "alone")
    with pytest.raises(UserError, match="has no entry of suite alone"):
        reseeding(alone)(alone.board, "spring", 1)
    alone.enter("", "Ada")
    with pytest.raises(UserError, match="no entry but the reference entry"):
        reseeding(alone)(alone.board, "spring", 1)


def test_draws_always_touch_the_entrys_own_cells(five: House) -> None:
    (folder,) = five.board.glob("submissions/unlearner-sisa-shards-2-*")
    context = five.check(folder).context
    assert context is not None
    own = sum(context.owns((*cell.labels.values(), str(cell.seed))) for cell in context.plan.cells.values())
    for n in (1, 2, 4, 8, own, len(context.plan.cells)):
        drawn = [context.owns(name) for name in drawn_cells(context, n, "spring")]
        assert len(drawn) == n
        assert sum(drawn) >= min(own, n - n // 4)
        assert any(drawn)
    assert len(drawn_cells(context, 10**6, "spring")) == len(context.plan.cells)


Change = Callable[[dict[str, Any]], None]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda data: data.update(digest="0" * 64), "is another submission than was accepted"),
        (lambda data: data.update(date="yesterday"), "is no record of an acceptance (date"),
        (lambda data: data.update(more=1), "is no record of an acceptance (more"),
        (lambda data: data["outcomes"].pop(), "the outcomes of another submission"),
        (lambda data: data["plugins"]["attack"].pop(), "lacks a plug-in of this cell"),
        (lambda data: data["roles"]["attack"]["random"].update(role="entry"), "declares attack random otherwise"),
        (lambda data: data["roles"]["attack"]["blind"].pop("tests_sample"), "declares attack blind otherwise"),
        (lambda data: data["curves"][0]["tpr"].__setitem__(0, 2.0), "is no record of an acceptance (curves"),
        (lambda data: data["curves"][0]["fpr"].__setitem__(0, "<b>"), "is no record of an acceptance (curves"),
    ],
)
def test_a_record_changed_by_hand_is_found(house: House, change: Change, told: str) -> None:
    (file,) = house.board.glob("submissions/reference-*/accepted.json")
    data = json.loads(file.read_text())
    change(data)
    file.write_text(json.dumps(data))
    assert any(told in str(finding) for finding in read_entries(house.board)[1])


def test_a_record_without_end_is_not_read(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("unlearnbench.submissions.accepted.MOST_BYTES", 100)
    assert all("more than 100 bytes" in str(finding) for finding in read_entries(house.board)[1])


def test_a_submission_changed_after_it_was_accepted_is_found(house: House) -> None:
    (file,) = house.board.glob("submissions/reference-*/submission.json")
    file.write_text(file.read_text().replace("Ada", "Eve"))
    assert any("was changed after it was packed" in str(finding) for finding in read_entries(house.board)[1])
    file.write_text("{")
    assert any("is not plain JSON" in str(finding) for finding in read_entries(house.board)[1])


def test_accepting_again_gives_the_same_bytes_and_keeps_the_date(house: House) -> None:
    (folder,) = house.board.glob("submissions/unlearner-sisa-shards-2-*")
    record = Acceptance.read(folder).model_copy(update={"date": "2020-01-02"})
    file = record.write(folder)
    before, report = file.read_bytes(), house.check(folder)
    assert report.context is not None
    accept(report.context, report.rows, "spring", ["run again, compared to the bit: a cell"])
    assert file.read_bytes() == before


def test_the_area_under_each_curve_is_nearly_its_auc(five: House) -> None:
    board = five.published()
    aucs = {tuple(row.names.values()): row.metrics["auc"].value for row in board.rows}
    assert {"sorted-diff", "euclidean"} <= {curve.labels["attack"] for curve in board.curves}
    for curve in board.curves:
        assert (curve.fpr[0], curve.fpr[-1], curve.tpr[-1]) == (0.0, 1.0, 1.0)
        assert np.trapezoid(curve.tpr, curve.fpr) == pytest.approx(aucs[tuple(curve.labels.values())], abs=0.03)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("sisa", "must be AXIS=NAME"),
        ("scenario=single", "must be AXIS=NAME"),
        ("unlearner=retrain", "is a control or a baseline"),
        ("unlearner=sisa:shards", "must be PARAMETER=VALUE"),
        ("unlearner=siso", "siso"),
        ("unlearner=sisa:shards=0", "shards"),
    ],
)
def test_an_entry_that_is_none_is_refused_in_one_line(five: House, text: str, told: str) -> None:
    with pytest.raises(UserError, match=told) as caught:
        read_entry(text, five.suite, five.registry)
    assert len(str(caught.value).splitlines()) == 1


BOARDS = Path(__file__).parents[2] / "leaderboards"
MOST_BYTES = 10 * 2**20
"""Of an entry; most have 1 to 3 MiB."""


@pytest.mark.parametrize("folder", sorted(BOARDS.glob("*/submissions/*")), ids=lambda folder: folder.name)
def test_an_entry_of_the_boards_is_small(folder: Path) -> None:
    assert sum(file.stat().st_size for file in folder.iterdir()) <= MOST_BYTES
