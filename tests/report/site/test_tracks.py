from __future__ import annotations

from collections.abc import Callable

import pytest

from unlearnbench.core.estimates import Estimate
from unlearnbench.hooks.registry import Registry
from unlearnbench.report.publication import Publication
from unlearnbench.report.site.tracks import BASELINES, COLUMNS, CONTROLS, TRACKS, Line, Rank, Source, rank_text, samples
from unlearnbench.run.results import Row

MakeRow = Callable[..., Row]


def ranks(lines: list[Line], model: str = "decision-tree") -> dict[str, dict[str, str]]:
    return {line.entry: {k: rank_text(r) for k, r in line.ranks.items()} for line in lines if line.model == model}


@pytest.fixture
def lines(publication: Publication) -> dict[str, list[Line]]:
    (sample,) = samples(publication.rows)
    assert (sample.title, sample.reference) == ("adult, single", "sorted-diff")
    return {track: list(sample.lines[track]) for track in TRACKS}


def test_attacks_are_ranked_by_seeds_and_controls_and_baselines_never(lines: dict[str, list[Line]]) -> None:
    found = ranks(lines["attack"])
    assert {entry: rank.get("auc") for entry, rank in found.items()} == {
        "sorted-diff": "1",
        "euclidean": "2-3",
        "score-diff": "2-3",
        "forgetting": None,
        "classical": None,
        "random": None,
        "blind('<script>throw 1</script>')": None,
        "euclidean(k=1)": None,  # it failed
    }


def test_a_rank_knows_whom_it_is_ahead_of_and_behind(lines: dict[str, list[Line]]) -> None:
    first, second, third = (line.ranks["auc"] for line in lines["attack"][:3])
    assert first == Rank(1, 1, ahead=("euclidean", "score-diff"))
    assert second == third == Rank(2, 3, behind=("sorted-diff",))


def test_unlearners_have_a_rank_on_each_axis_and_stay_in_the_suites_order(lines: dict[str, list[Line]]) -> None:
    found = ranks(lines["unlearner"])
    assert list(found) == ["retrain", "none", "sisa", "<b>fast</b>"]
    assert found["retrain"] == found["none"] == {}
    assert found["sisa"].keys() == found["<b>fast</b>"].keys() == {"deletion-inference", "forgetting"}
    assert (found["sisa"]["deletion-inference"], found["<b>fast</b>"]["deletion-inference"]) == ("2", "1")


def test_a_defense_that_brings_the_attack_to_half_is_first(lines: dict[str, list[Line]]) -> None:
    assert ranks(lines["defense"]) == {"none": {}, "label-only": {"auc": "1"}, "temperature": {"auc": "2"}}


def test_ranks_hold_within_one_model(lines: dict[str, list[Line]]) -> None:
    assert ranks(lines["defense"], "mlp") == ranks(lines["defense"])


def test_a_rank_among_one_is_none(row: MakeRow) -> None:
    (sample,) = samples([row(), row(attack="random")])
    assert [line.ranks for line in sample.lines["attack"]] == [{}, {}]


@pytest.mark.parametrize("status", ["failed", "skipped", "invalid"])
def test_what_is_not_sound_has_no_rank_and_takes_none(row: MakeRow, status: str) -> None:
    (sample,) = samples([row(), row(attack="euclidean"), row(attack="score-diff", status=status)])
    assert [line.ranks.get("auc") for line in sample.lines["attack"]] == [Rank(1, 2), Rank(1, 2), None]


def test_an_undefined_auc_has_no_rank(row: MakeRow) -> None:
    rows = [row(), row(attack="euclidean"), row(attack="score-diff", metrics={"auc": Estimate.undefined("n/a")})]
    (sample,) = samples(rows)
    assert [line.ranks.get("auc") for line in sample.lines["attack"]] == [Rank(1, 2), Rank(1, 2), None]


def test_lines_know_their_seeds(lines: dict[str, list[Line]]) -> None:
    assert all([row.seed for row in line.source.seeds] == [0, 1, 2] for line in lines["attack"])


def test_a_text_has_number_interval_and_rank(row: MakeRow) -> None:
    line = Line("attack", Source(row()), ranks={"auc": Rank(1, 3)})
    assert [line.text(column) for column in COLUMNS["attack"]][:2] == [".720 [.670, .770] #1-3", "n/a"]


def test_an_unlearner_that_was_not_asked_for_forgetting_says_so(row: MakeRow) -> None:
    (sample,) = samples([row()])
    (line,) = sample.lines["unlearner"]
    assert [line.text(column) for column in COLUMNS["unlearner"]] == [".720 [.670, .770]", "n/a", "n/a", "n/a"]


def test_every_built_in_control_is_one_here_too(registry: Registry) -> None:
    for track in ("attack", "unlearner"):
        known = {entry.name for entry in registry.all(track) if entry.plugin.role == "control"}
        assert known == CONTROLS[track]


def test_every_control_and_baseline_is_a_built_in(registry: Registry) -> None:
    for track in TRACKS:
        names = {entry.name for entry in registry.all(track)}
        assert (CONTROLS[track] | BASELINES[track]) <= names
        assert not CONTROLS[track] & BASELINES[track]
