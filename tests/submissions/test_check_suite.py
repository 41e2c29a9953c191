"""What a submission says of its suite follows from the suite."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from tests.submissions.checking import Data, first_bench
from unlearnbench.submissions.check import check_submission

if TYPE_CHECKING:
    from tests.submissions.conftest import Copy


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
