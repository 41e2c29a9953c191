from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest

from unlearnbench.core.estimates import Estimate
from unlearnbench.hooks.records import EntryRole
from unlearnbench.report.leaderboard import sections
from unlearnbench.report.publication import Publication
from unlearnbench.report.roles import PluginRole, Roles
from unlearnbench.report.tracks import TRACKS, Rank, RowWithSeeds, Selected, Track, TrackRow, TrackTable, tables
from unlearnbench.report.tracks.attack import ATTACK
from unlearnbench.report.tracks.record_or_region import RECORD_OR_REGION
from unlearnbench.report.tracks.unlearner import FORGETTING_AUC, UNLEARNER
from unlearnbench.run.outcomes import Outcomes
from unlearnbench.run.results import Row, mean_over_seeds
from unlearnbench.stats.strongest import surely_found

MakeRow = Callable[..., Row]
Table = Callable[[list[Row], Track], TrackTable]


def ranks(lines: list[TrackRow], model: str = "decision-tree") -> dict[str, dict[str, str]]:
    return {line.entry: {k: str(r) for k, r in line.ranks.items()} for line in lines if line.model == model}


@pytest.fixture
def lines(publication: Publication) -> dict[str, list[TrackRow]]:
    found = tables(publication.rows, publication.roles, TRACKS)
    assert {(table.setting.title, table.setting.reference) for table in found} == {("adult, single", "sorted-diff")}
    return {table.track.name: list(table.rows) for table in found}


@pytest.fixture
def table(roles: Roles) -> Table:
    return lambda rows, track: tables(rows, roles, [track])[0]


def test_attacks_are_ranked_by_seeds_and_controls_and_baselines_never(lines: dict[str, list[TrackRow]]) -> None:
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


def test_a_rank_knows_whom_it_is_ahead_of_and_behind(lines: dict[str, list[TrackRow]]) -> None:
    first, second, third = (line.ranks["auc"] for line in lines["attack"][:3])
    assert first == Rank(1, 1, ahead=("euclidean", "score-diff"))
    assert second == third == Rank(2, 3, behind=("sorted-diff",))


def test_unlearners_have_a_rank_on_each_axis_and_stay_in_the_suites_order(lines: dict[str, list[TrackRow]]) -> None:
    found = ranks(lines["unlearner"])
    assert list(found) == ["retrain", "none", "sisa", "<b>fast</b>"]
    assert found["retrain"] == found["none"] == {}
    assert found["sisa"].keys() == found["<b>fast</b>"].keys() == {"deletion-inference", "forgetting"}
    assert (found["sisa"]["deletion-inference"], found["<b>fast</b>"]["deletion-inference"]) == ("2", "1")


def test_a_defense_that_brings_the_attack_to_half_is_first(lines: dict[str, list[TrackRow]]) -> None:
    assert ranks(lines["defense"]) == {"none": {}, "label-only": {"auc": "1"}, "temperature": {"auc": "2"}}


def test_ranks_hold_within_one_model(lines: dict[str, list[TrackRow]]) -> None:
    assert ranks(lines["defense"], "mlp") == ranks(lines["defense"])


def test_a_rank_among_one_is_none(row: MakeRow, table: Table) -> None:
    lines = table([row(), row(attack="random")], ATTACK).rows
    assert [line.ranks for line in lines] == [{}, {}]


@pytest.mark.parametrize("status", ["failed", "skipped", "invalid"])
def test_what_is_not_sound_has_no_rank_and_takes_none(row: MakeRow, table: Table, status: str) -> None:
    lines = table([row(), row(attack="euclidean"), row(attack="score-diff", status=status)], ATTACK).rows
    assert [line.ranks.get("auc") for line in lines] == [Rank(1, 2), Rank(1, 2), None]


def test_an_undefined_auc_has_no_rank(row: MakeRow, table: Table) -> None:
    rows = [row(), row(attack="euclidean"), row(attack="score-diff", metrics={"auc": Estimate.undefined("n/a")})]
    lines = table(rows, ATTACK).rows
    assert [line.ranks.get("auc") for line in lines] == [Rank(1, 2), Rank(1, 2), None]


def test_lines_know_their_seeds(lines: dict[str, list[TrackRow]]) -> None:
    assert all([row.seed for row in line.result.seeds] == [0, 1, 2] for line in lines["attack"])


def test_a_text_has_number_interval_and_rank(row: MakeRow) -> None:
    line = TrackRow(ATTACK, Selected(RowWithSeeds(row())), ranks={"auc": Rank(1, 3)})
    assert [line.text(column) for column in ATTACK.columns][:2] == [".720 [.670, .770] #1-3", "n/a"]


def test_an_unlearner_that_was_not_asked_for_forgetting_says_so(row: MakeRow, table: Table) -> None:
    found = table([row()], UNLEARNER)
    assert {column.key: found.rows[0].text(column) for column in found.columns} == {
        "deletion-inference": ".720 [.670, .770]",
        "highest": ".720 [.670, .770] sorted-diff",
        "surely-found": "n/a",  # its error is not known
        "forgetting": "n/a",
        "deletion-inference-matched": "n/a",
        "test-accuracy": "n/a",
    }


def test_the_bound_of_the_strongest_attack_is_corrected_for_all_that_were_compared(row: MakeRow, table: Table) -> None:
    def auc(value: float, se: float) -> dict[str, Estimate]:
        return {"auc": Estimate(value, value - 0.1, value + 0.1, 40, details={"se": se, "degrees": 4.0})}

    rows = [row(metrics=auc(0.8, 0.01)), row(attack="euclidean", metrics=auc(0.85, 0.1))]
    controls = [row(attack="oracle-label", metrics=auc(0.9, 0.001)), row(attack="classical", metrics=auc(0.9, 0.001))]
    found = table([*rows, *controls], UNLEARNER)
    column = next(column for column in found.columns if column.key == "surely-found")
    bound = surely_found([each.metrics["auc"] for each in rows])
    assert found.rows[0].estimate(column) == bound
    assert "auc-surely-found" not in rows[0].metrics


COST = {"record-passes": 0.5, "tug-of-war": 0.9, "test-accuracy-gap": -0.02, "seconds-over-retraining": 0.3}
COST |= {"memory-over-retraining": 1.5}


def costly(row: MakeRow, **words: str) -> Row:
    numbers = {name: Estimate(value, status="no-interval", reason="one seed") for name, value in COST.items()}
    return row(metrics={"auc": Estimate(0.6, 0.5, 0.7, 40), **numbers}, **words)


def test_columns_of_metrics_that_a_suite_must_list_are_shown_where_one_row_has_them(row: MakeRow, table: Table) -> None:
    def keys(*rows: Row) -> set[str]:
        return {column.key for column in table(list(rows), UNLEARNER).columns}

    more = keys(row(), costly(row, unlearner="sisa")) - keys(row())
    assert more == {"record-passes", "tug-of-war", "test-accuracy-gap", "seconds", "memory"}


def test_an_entry_that_costs_more_than_a_fifth_of_retraining_is_marked_and_retraining_is_not(
    row: MakeRow, table: Table
) -> None:
    found = table([costly(row), costly(row, unlearner="sisa")], UNLEARNER)
    column = next(column for column in found.columns if column.key == "record-passes")
    assert [line.text(column) for line in found.rows] == [".500", ".500 (> .2)"]
    assert column.mark(Estimate(0.2, status="no-interval", reason="one seed")) == ""


def test_what_became_of_the_models_of_an_entry_stands_beside_its_name(row: MakeRow, table: Table) -> None:
    outcomes = Outcomes(50, collapsed=3)
    rows = [replace(row(unlearner=name), outcomes=outcomes) for name in ("sisa", "none")]
    found = table(rows, UNLEARNER)
    assert [line.marks for line in found.rows] == [("collapsed 3/50",), ()]
    (section,) = sections([found])
    assert [line[0] for line in section.lines] == ["sisa (collapsed 3/50)", "none"]


def test_what_an_unlearner_can_read_has_a_column_where_it_is_known(row: MakeRow, roles: Roles) -> None:
    sees = {"sisa": None, "finetune": ("retain-set", "labels"), "bad-teacher": ("forget-set", "retain-set")}
    known = {**roles.plugins, "unlearner": {name: PluginRole(sees=each) for name, each in sees.items()}}
    (section,) = sections(tables([row(unlearner=name) for name in sees], Roles(known), [UNLEARNER]))
    assert section.headers[:3] == ["unlearner", "model", "access"]
    assert [line[2] for line in section.lines] == ["not enforced", "R", "F, R, no labels"]


def test_the_highest_auc_of_an_unlearner_is_that_of_its_strongest_entry_on_both_models(
    row: MakeRow, table: Table
) -> None:
    rows = [
        row(auc=0.8),
        row(auc=0.97, attack="euclidean"),
        row(auc=0.98, attack="score-diff", status="invalid"),
        row(auc=0.99, attack="oracle-label"),
        row(auc=0.99, attack="classical"),
        row(auc=0.99, attack="forgetting"),
        row(auc=0.99, attack="direct-diff", defense="label-only"),
    ]
    (line,) = table(rows, UNLEARNER).rows
    highest = UNLEARNER.columns[1]
    assert line.text(highest) == ".970 [.920, 1.020] euclidean"
    assert line.attack(highest) == "euclidean"
    assert [found.row.names["attack"] for found in line.results] == ["sorted-diff", "forgetting", "euclidean"]
    failed = [row(status="failed"), row(attack="euclidean", status="failed")]
    assert table(failed, UNLEARNER).rows[0].text(highest) == "n/a"


def test_forgetting_is_measured_by_the_first_attack_that_queries_the_unlearned_model_only(
    row: MakeRow, roles: Roles
) -> None:
    plugins = {"attack": {"new": PluginRole(versions="unlearned"), "sorted-diff": PluginRole(versions="both")}}
    rows = [row(auc=0.7), row(attack="new", auc=0.6), row(attack="new(k=2)", auc=0.9)]
    (line,) = tables(rows, Roles({**roles.plugins, **plugins}), [UNLEARNER])[0].rows
    assert line.text(FORGETTING_AUC) == ".600 [.550, .650]"
    assert [result.row.names["attack"] for result in line.results] == ["sorted-diff", "new"]


def test_attacks_by_reference_models_stand_beside_the_threshold(row: MakeRow, roles: Roles) -> None:
    plugins = {
        "attack": {
            "sorted-diff": PluginRole(versions="both"),
            "u-lira": PluginRole(versions="unlearned"),
            "rmia": PluginRole(versions="unlearned"),
            "forgetting": PluginRole("baseline", "unlearned"),
        }
    }
    aucs = {"sorted-diff": 0.7, "u-lira": 0.9, "rmia": 0.8, "forgetting": 0.55}
    rows = [row(attack=name, auc=value) for name, value in aucs.items()]
    found = tables(rows, Roles({**roles.plugins, **plugins}), [UNLEARNER])[0]
    shown = {column.key: found.rows[0].text(column)[:4] for column in found.columns if "forgetting" in column.key}
    assert shown == {"forgetting": ".550", "forgetting-u-lira": ".900", "forgetting-rmia": ".800"}
    without = tables(rows[:1] + rows[3:], Roles({**roles.plugins, **plugins}), [UNLEARNER])[0]
    assert [column.key for column in without.columns if "forgetting" in column.key] == ["forgetting"]


def forgetting_rows(row: MakeRow, model: str, none: Sequence[float], retrain: Sequence[float]) -> list[Row]:
    """Return the rows of four unlearners, with these AUCs of the attack on the unlearned model by seed."""
    by_unlearner = {"retrain": retrain, "none": none, "sisa": (0.50, 0.51, 0.52), "other": (0.60, 0.61, 0.62)}
    seeds = [
        row(seed=seed, model=model, unlearner=unlearner, attack=attack, auc=auc)
        for unlearner, aucs in by_unlearner.items()
        for attack in ("sorted-diff", "forgetting")
        for seed, auc in enumerate(aucs)
    ]
    return [*seeds, *mean_over_seeds(seeds)]


def test_where_none_is_not_told_from_retraining_forgetting_has_no_ranks_and_a_note_says_why(
    row: MakeRow, table: Table
) -> None:
    # paired over seeds: .01, -.01, .03 has t = .87, p = .48
    found = table(forgetting_rows(row, "mlp", (0.53, 0.51, 0.55), (0.52, 0.52, 0.52)), UNLEARNER)
    assert found.notes == [
        "Forgetting AUC has no power here: none, which keeps the deleted records, is not told from both chance and "
        "retrain. Nothing is ranked by it."
    ]
    assert ranks(list(found.rows), "mlp")["sisa"].keys() == {"deletion-inference"}


def test_a_number_without_an_interval_has_no_power_and_the_note_says_so(row: MakeRow, table: Table) -> None:
    found = table(forgetting_rows(row, "mlp", (1.0, 1.0, 1.0), (0.52, 0.51, 0.51)), UNLEARNER)
    assert [note.partition(",")[2].partition("from ")[2] for note in found.notes] == [
        "both chance and retrain: its number has no interval. Nothing is ranked by it."
    ]


def test_where_none_is_found_forgetting_is_ranked(row: MakeRow, table: Table) -> None:
    # paired over seeds: .21, .20, .21 has t = 62, p < .001
    found = table(forgetting_rows(row, "mlp", (0.73, 0.71, 0.72), (0.52, 0.51, 0.51)), UNLEARNER)
    assert found.notes == []
    assert ranks(list(found.rows), "mlp")["sisa"]["forgetting"] == "1"


def test_power_is_decided_for_each_model(row: MakeRow, table: Table) -> None:
    strong = forgetting_rows(row, "mlp", (0.73, 0.71, 0.72), (0.52, 0.51, 0.51))
    weak = forgetting_rows(row, "decision-tree", (0.53, 0.51, 0.55), (0.52, 0.52, 0.52))
    found = table([*strong, *weak], UNLEARNER)
    assert [note.partition(":")[0] for note in found.notes] == ["Forgetting AUC has no power for decision-tree"]
    assert "forgetting" in ranks(list(found.rows), "mlp")["sisa"]
    assert "forgetting" not in ranks(list(found.rows), "decision-tree")["sisa"]


def test_a_difference_from_retraining_near_chance_is_no_power(row: MakeRow, table: Table) -> None:
    # paired over seeds: .009, .010, .009 has t = 28, p = .001; but none's interval contains .5
    found = table(forgetting_rows(row, "mlp", (0.519, 0.510, 0.509), (0.510, 0.500, 0.500)), UNLEARNER)
    assert len(found.notes) == 1


def test_a_control_that_forgets_more_than_retraining_is_no_power(row: MakeRow, table: Table) -> None:
    found = table(forgetting_rows(row, "mlp", (0.52, 0.51, 0.51), (0.73, 0.71, 0.72)), UNLEARNER)
    assert len(found.notes) == 1


def test_without_the_control_nothing_is_said_of_power(row: MakeRow, table: Table) -> None:
    rows = forgetting_rows(row, "mlp", (0.53, 0.51, 0.55), (0.52, 0.52, 0.52))
    assert table([row for row in rows if row.names["unlearner"] != "none"], UNLEARNER).notes == []


@pytest.mark.parametrize(("role", "ranked"), [("entry", 3), ("control", 2), ("baseline", 2)])
def test_the_role_of_a_plugin_of_anyone_is_what_its_record_declares(
    row: MakeRow, roles: Roles, role: EntryRole, ranked: int
) -> None:
    plugins = {"attack": {**roles.plugins["attack"], "mine": PluginRole(role)}}
    rows = [row(), row(attack="euclidean"), row(attack="mine")]
    lines = tables(rows, Roles({**roles.plugins, **plugins}), [ATTACK])[0].rows
    assert [line.role for line in lines] == ["entry", "entry", role]
    assert sum(bool(line.ranks) for line in lines) == ranked


def test_models_are_named_with_their_retraining_where_it_is_not_the_usual_one(row: MakeRow, table: Table) -> None:
    rows = [row(), row(unlearner="retrain(order=fresh)")]
    assert [line.model for line in table(rows, RECORD_OR_REGION).rows] == [
        "decision-tree",
        "decision-tree, retrain(order=fresh)",
    ]
    assert [line.model for line in table(rows, UNLEARNER).rows] == ["decision-tree"] * 2
