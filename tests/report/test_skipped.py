"""Rows that are not to run have nothing to show: boards tell them in one line for each reason."""

from __future__ import annotations

import csv
from collections.abc import Callable

from unlearnbench.report.formats import latex_text
from unlearnbench.report.leaderboard import sections
from unlearnbench.report.roles import Roles
from unlearnbench.report.site.exports import to_csv
from unlearnbench.report.tracks import tables
from unlearnbench.report.tracks.unlearner import UNLEARNER
from unlearnbench.run.results import Row

MakeRow = Callable[..., Row]


def test_skipped_rows_are_one_note_for_each_reason_and_all_of_them_in_data(row: MakeRow, roles: Roles) -> None:
    skipped = [
        row(unlearner=unlearner, model=model, status="skipped", reason=reason)
        for unlearner, model, reason in (
            ("sisa", "mlp", "needs a tree"),
            ("sisa", "ridge", "needs a tree"),
            ("newton", "mlp", "needs a tree"),
            ("newton", "ridge", "costs <too> much"),
        )
    ]
    found = tables([row(), *skipped], roles, [UNLEARNER])
    (section,) = sections(found)
    assert [line[0] for line in section.lines] == ["retrain"]
    notes = [
        "3 rows skipped: sisa, newton on mlp; sisa on ridge. Reason: needs a tree.",
        "1 row skipped: newton on ridge. Reason: costs <too> much.",
    ]
    assert section.notes == notes
    assert section.plain().endswith("\n\n".join(["", *notes]) + "\n")
    assert section.markdown().endswith("Reason: costs &lt;too&gt; much.\n")
    lines = list(csv.DictReader(to_csv(found).splitlines()))
    in_data = {(line["unlearner"], line["model"], line["row_reason"]) for line in lines if line["row_reason"]}
    assert in_data == {(each.names["unlearner"], each.names["model"], each.reason) for each in skipped}


def test_where_all_rows_are_skipped_there_is_no_table_and_the_reasons_are_told(row: MakeRow, roles: Roles) -> None:
    (section,) = sections(tables([row(status="skipped", reason="needs a network")], roles, [UNLEARNER]))
    note = "1 row skipped: retrain on decision-tree. Reason: needs a network."
    assert section.plain() == f"{section.title.upper()}\n\n{section.about}\n\n{note}\n"
    assert section.markdown().endswith(f"{section.about}\n\n{note}\n")
    assert section.latex() == f"% {latex_text(f'{section.title}. {section.about} {note}')}\n"


def test_what_one_attack_was_run_on_is_shown_though_another_was_skipped(row: MakeRow, roles: Roles) -> None:
    rows = [row(), row(unlearner="sisa", status="skipped"), row(unlearner="sisa", attack="forgetting")]
    (section,) = sections(tables(rows, roles, [UNLEARNER]))
    assert [line[0] for line in section.lines] == ["retrain", "sisa"]
    assert "skipped" in section.lines[1]
