"""A board is the union of its accepted entries: five by three authors, then one more, one withdrawn, one superseded."""

from __future__ import annotations

import pytest

from tests.submissions.house import House, house_in
from unlearnbench.core.errors import UserError
from unlearnbench.report.leaderboard import build_page
from unlearnbench.report.publication import Publication
from unlearnbench.submissions.accepted import accept, withdraw
from unlearnbench.submissions.board import publications, read_boards, read_entries


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
