"""What a careful forger changes is found, all digests made right again; what a careless one changes too."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from numpy.typing import NDArray

from unlearnbench.core.errors import UserError
from unlearnbench.run.results import collect
from unlearnbench.submissions.check import check_submission

if TYPE_CHECKING:
    from tests.submissions.conftest import Copy, Packed

Data = dict[str, Any]


def first_bench(data: Data) -> Data:
    bench: Data = data["benches"][0]
    return bench


def cell_of(data: Data, attack: str) -> Data:
    cell: Data = next(cell for cell in first_bench(data)["cells"] if cell["attack"] == attack)
    return cell


def test_a_sound_submission_has_no_findings_and_gives_the_rows_of_the_run(packed: Packed) -> None:
    report = check_submission(packed.folder, packed.suite)
    assert report.findings == ()
    assert [row.to_dict() for row in report.rows] == [row.to_dict() for row in collect(packed.plan, packed.store)]
    assert {row.status for row in report.rows} == {"ok", "skipped"}


def test_a_check_says_what_it_took_as_submitted(packed: Packed) -> None:
    (note,) = check_submission(packed.folder, packed.suite).notes
    assert note.startswith("decision-tree: matched negatives are not the nearest records; regions")


def test_a_byte_changed_in_a_file_is_found(copy: Copy) -> None:
    content = bytearray(copy.arrays.read_bytes())
    content[60] ^= 1
    copy.arrays.write_bytes(content)
    assert "arrays.npy.xz: is not the file that was packed: its size or sha256 is another" in copy.found()[0]


def test_a_changed_word_in_the_metadata_is_found(copy: Copy) -> None:
    copy.document.write_text(copy.document.read_text().replace("An author", "Another author"))
    (line,) = copy.found()
    assert line.startswith("submission.json: was changed after it was packed: the digest is another")


def test_a_path_that_is_not_that_of_the_metadata_is_found(copy: Copy) -> None:
    copy.folder = copy.folder.rename(copy.folder.with_name("elsewhere"))
    (line,) = copy.found()
    assert "its path ends in small/submissions/elsewhere; its metadata make it small/submissions/a-name-" in line


@pytest.mark.parametrize(("here", "path"), [("", "."), ("", "../{0}"), ("..", "{0}"), ("..", "../submissions/{0}/")])
def test_a_place_is_where_a_folder_lies_however_it_is_named(
    copy: Copy, monkeypatch: pytest.MonkeyPatch, here: str, path: str
) -> None:
    monkeypatch.chdir(copy.folder / here)
    assert check_submission(Path(path.format(copy.folder.name)), copy.suite).findings == ()


def test_a_changed_score_is_found_by_the_metrics_it_does_not_give(copy: Copy) -> None:
    number = cell_of(copy.data, "classical")["scores"]
    found = copy.forge_array(number, lambda scores: scores[::-1])
    assert any(
        re.search(r"retrain, single, none, classical, 0: its scores do not give the claimed auc", line)
        for line in found
    )


def test_a_changed_metric_is_found_by_the_scores_that_do_not_give_it(copy: Copy) -> None:
    def better(data: Data) -> None:
        place = cell_of(data, "classical")["estimates"][data["metrics"].index("auc")]
        data["estimates"][place] |= {"value": 0.999, "low": 0.99, "high": 1.0}

    found = copy.forge(better)
    assert any("do not give the claimed auc (0.999, computed" in line for line in found)


@pytest.mark.parametrize("field", ["low", "high", "n", "status", "reason", "details"])
def test_every_field_of_an_estimate_is_compared(copy: Copy, field: str) -> None:
    def change(data: Data) -> None:
        estimate = data["estimates"][cell_of(data, "random")["estimates"][data["metrics"].index("auc")]]
        changed = {
            "low": estimate["low"] - 0.001,
            "high": estimate["high"] + 0.001,
            "n": estimate["n"] + 1,
            "status": "no-interval",
            "reason": "because",
            "details": {},
        }
        estimate |= {field: changed[field]} | ({"reason": "x"} if field == "status" else {})

    assert any("do not give the claimed auc" in line for line in copy.forge(change))


def drop_cell(data: Data) -> None:
    first_bench(data)["cells"].pop()


def repeat_cell(data: Data) -> None:
    first_bench(data)["cells"].append(first_bench(data)["cells"][0])


def repeat_bench(data: Data) -> None:
    data["benches"].append(first_bench(data))


def foreign_cell(data: Data) -> None:
    first_bench(data)["cells"][0]["attack"] = "better-attack"


def other_seed(data: Data) -> None:
    first_bench(data)["seed"] = 7


def other_key(data: Data) -> None:
    first_bench(data)["cells"][0]["key"] = "0" * 64


def other_engine(data: Data) -> None:
    first_bench(data)["engine"] = "fast"


def lose_estimates(data: Data) -> None:
    first_bench(data)["cells"][0]["estimates"][0] = 10**5


def few_estimates(data: Data) -> None:
    first_bench(data)["cells"][0]["estimates"].pop()


def no_auc(data: Data) -> None:
    first_bench(data)["cells"][0]["estimates"][data["metrics"].index("auc")] = None


def other_array(data: Data) -> None:
    first_bench(data)["cells"][0]["scores"] = 10**5


def other_suite(data: Data) -> None:
    data["suite"]["seeds"] = [0, 1, 2]


def other_suite_sha256(data: Data) -> None:
    data["suite_sha256"] = "0" * 64


def no_skipped(data: Data) -> None:
    data["skipped"].pop()


def better_reason(data: Data) -> None:
    data["skipped"][0]["reason"] = "it was late"


def no_plugin(data: Data) -> None:
    data["plugins"].pop()


def more_plugins(data: Data) -> None:
    data["plugins"].append(data["plugins"][0] | {"name": "mine"})


def other_revision(data: Data) -> None:
    data["plugins"][0]["revision"] += 1


def other_forget_sets(data: Data) -> None:
    data["benches"][0]["forget_sets"] = "0" * 64


def sees_less(data: Data) -> None:
    next(part for part in data["plugins"] if part["name"] == "retrain")["declares"]["sees"] = ["forget-set"]


@pytest.mark.parametrize(
    ("change", "found"),
    [
        (drop_cell, "is missing; pack the whole run again"),
        (repeat_cell, "is listed more than once"),
        (repeat_bench, "is listed more than once"),
        (foreign_cell, "better-attack, 0: is not a cell of the suite"),
        (other_seed, "euclidean, 7: is not a cell of the suite"),
        (other_key, "its keys differ: it was run on other data, or with other plug-ins, sizes or seeds"),
        (other_engine, "of engine fast on cpu, which the model can have here is engine reference on cpu"),
        (lose_estimates, "its metrics are not estimates"),
        (few_estimates, "its metrics are not estimates"),
        (no_auc, "do not give the claimed auc (None, computed"),
        (other_array, "arrays.npy.xz, array 100000: there is no such array"),
        (other_suite, "its suite 'small', sha256"),
        (other_suite_sha256, "its suite 'small', sha256 000000000000, is not the one known here"),
        (no_skipped, "skipped cells, the suite gives"),
        (better_reason, "cells or reasons differ; run the suite again"),
        (no_plugin, "is part of the suite and not listed"),
        (more_plugins, "mine: is listed and no part of the suite"),
        (other_revision, "differs from the one here: revision 2 and not 1"),
        (other_forget_sets, "its forget sets, sha256 000000000000, are not those of the suite"),
        (sees_less, "unlearner retrain: differs from the one here: declares"),
    ],
    ids=lambda value: value.__name__ if callable(value) else "",
)
def test_what_does_not_follow_from_the_suite_is_found(copy: Copy, change: Callable[[Data], None], found: str) -> None:
    assert any(found in line for line in copy.forge(change))


def test_an_older_submission_may_not_name_its_forget_sets(copy: Copy) -> None:
    def drop(data: Data) -> None:
        for part in data["benches"]:
            assert len(part.pop("forget_sets")) == 64

    assert copy.forge(drop) == []


def test_all_findings_are_listed_at_once(copy: Copy) -> None:
    def change(data: Data) -> None:
        other_key(data)
        other_revision(data)
        no_auc(data)
        better_reason(data)

    found = copy.forge(change)
    assert len(found) == 4
    assert len({line.partition(": ")[2] for line in found}) == 4


def test_an_unknown_suite_is_found(copy: Copy) -> None:
    (finding,) = check_submission(copy.folder).findings
    assert str(finding) == (
        "submission.json: 'small' is no standard suite; enter a standard suite, or name its file: --suite"
    )


def logistic(copy: Copy) -> Data:
    bench: Data = next(bench for bench in copy.data["benches"] if bench["model"] == "logistic-regression")
    return bench


def test_matched_negatives_must_be_unseen_records(copy: Copy, packed: Packed) -> None:
    first = packed.plan.groups[0].target[0]
    entry = packed.store.get("episode", first.key)
    assert entry is not None
    forgotten = int(entry.arrays["row-record"][0])

    def change(ids: NDArray[np.int64]) -> NDArray[np.int64]:
        ids[0, 0] = forgotten
        return ids

    assert any(
        "some matched negatives are not unseen records" in line
        for line in copy.forge_array(logistic(copy)["matched"], change)
    )


def test_a_matched_negative_is_named_once(copy: Copy) -> None:
    def change(ids: NDArray[np.int64]) -> NDArray[np.int64]:
        ids[0, 1] = ids[0, 0]
        return ids

    found = copy.forge_array(logistic(copy)["matched"], change)
    assert any("a request has a matched negative twice" in line for line in found)


def test_matched_negatives_have_the_label_of_what_they_are_like(copy: Copy, packed: Packed) -> None:
    labels = packed.store.get("episode", packed.plan.groups[0].target[0].key)
    assert labels is not None

    def change(ids: NDArray[np.int64]) -> NDArray[np.int64]:
        rows, roles = labels.arrays["row-record"], labels.arrays["row-role"]
        own = labels.arrays["row-label"][0]
        unseen = rows[(roles == 1) & (labels.arrays["row-label"] != own)]
        ids[0, 0] = unseen[0]
        return ids

    found = copy.forge_array(logistic(copy)["matched"], change)
    assert any("one whose label none of its deleted records has" in line for line in found)


@pytest.mark.parametrize("record", [569, 10**9, -2, -(2**63)])
def test_a_matched_negative_is_a_record(copy: Copy, record: int) -> None:
    def change(ids: NDArray[np.int64]) -> NDArray[np.int64]:
        ids[0, 0] = record
        return ids

    found = copy.forge_array(logistic(copy)["matched"], change)
    assert any("a matched negative is none of the 569 records" in line for line in found)


def test_matched_negatives_leave_no_gaps(copy: Copy) -> None:
    def change(ids: NDArray[np.int64]) -> NDArray[np.int64]:
        ids[0, 0] = -1
        return ids

    assert any(
        "the matched negatives have gaps" in line for line in copy.forge_array(logistic(copy)["matched"], change)
    )


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("accuracies", "is outside [0, 1]"),
        ("forgotten", "is outside [0, 1]"),
        ("passes", "a number of record passes is negative"),
        ("seconds", "a time is negative"),
        ("memory", "a peak of memory is negative"),
    ],
)
def test_numbers_that_cannot_be_are_found(copy: Copy, name: str, found: str) -> None:
    assert any(found in line for line in copy.forge_array(logistic(copy)[name], lambda numbers: -1.5 - numbers))


def test_fewer_than_no_epochs_to_learn_records_again_are_found(copy: Copy) -> None:
    def claimed(data: dict[str, Any], arrays: list[NDArray[Any]]) -> None:
        part = data["benches"][0]
        part["relearned"] = len(arrays)
        arrays.append(np.full(len(arrays[part["passes"]]), -1.0))

    assert any("a number of epochs to learn records again is negative" in line for line in copy.forge_claims(claimed))


def test_a_submission_of_before_these_were_measured_is_checked_without_outcomes(copy: Copy) -> None:
    def older(data: dict[str, Any], arrays: list[NDArray[Any]]) -> None:
        for part in data["benches"]:
            part |= dict.fromkeys(("forgotten", "passes", "outcomes", "memory"))
            for cell in part["cells"]:
                cell["divergence"] = None

    assert all(row.outcomes is not None for row in copy.check().rows if row.status == "ok")
    assert copy.forge_claims(older) == []
    assert all(row.outcomes is None for row in copy.check().rows)


@pytest.mark.parametrize("attack", ["oracle-label", "random"])
def test_controls_that_see_no_model_are_scored_again(copy: Copy, attack: str) -> None:
    cell = next(cell for cell in logistic(copy)["cells"] if cell["attack"] == attack)
    found = copy.forge_array(cell["scores"], lambda scores: np.roll(scores, 1) * 0.99)
    assert any(
        f"{attack}: sees no model, and its scores are not those of the suite's records" in line for line in found
    )


def test_there_must_be_a_folder(copy: Copy) -> None:
    with pytest.raises(UserError, match="there is no such folder; give that of one submission"):
        check_submission(copy.folder / "nothing", copy.suite)
