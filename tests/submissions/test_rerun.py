from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from unlearnbench.core.errors import UserError
from unlearnbench.run.runner import Runner
from unlearnbench.submissions.check import check_submission
from unlearnbench.submissions.reading import read_document
from unlearnbench.submissions.rerun import Again, draw, rerun
from unlearnbench.submissions.schema import CostPart

if TYPE_CHECKING:
    from tests.submissions.conftest import Copy, Packed

CELLS: list[tuple[str, ...]] = [(f"cell-{number}", "0") for number in range(50)]


def test_digest_and_nonce_draw_the_cells() -> None:
    drawn = draw("a" * 64, "a nonce", CELLS, 5)
    assert len(drawn) == 5
    assert drawn == draw("a" * 64, "a nonce", CELLS[::-1], 5)
    assert drawn != draw("a" * 64, "another", CELLS, 5)
    assert drawn != draw("b" * 64, "a nonce", CELLS, 5)
    assert drawn < draw("a" * 64, "a nonce", CELLS, 6)


def test_every_cell_is_drawn_as_often_as_another() -> None:
    counts = dict.fromkeys(CELLS, 0)
    for number in range(500):
        for cell in draw("a" * 64, str(number), CELLS, 5):
            counts[cell] += 1
    assert min(counts.values()) >= 25
    assert max(counts.values()) <= 80  # 50 expected, standard deviation 6.7


def test_a_sound_submission_comes_out_again_to_the_bit(packed: Packed) -> None:
    context = check_submission(packed.folder, packed.suite).context
    assert context is not None
    found, told = rerun(context, Again("what was announced", 2))
    assert found == []
    assert len(told) == 2
    assert all(line.startswith("run again, compared to the bit: breast-cancer, ") for line in told)


def test_scores_that_metrics_agree_with_but_training_does_not_give_are_found(copy: Copy) -> None:
    """All scores doubled, of target and shadow rows: every metric stays as it is, and only a re-run can tell."""
    bench = next(bench for bench in copy.data["benches"] if bench["model"] == "logistic-regression")
    cell = next(cell for cell in bench["cells"] if cell["attack"] == "forgetting")
    copy.forge_array(cell["scores"], lambda scores: scores * 2)
    assert copy.forge_array(cell["shadow"], lambda scores: scores * 2) == []
    found, _ = copy.rerun()
    (line,) = found
    assert "forgetting, 0: run again, it has other scores, shadow; ask its author" in line


def test_accuracies_that_training_does_not_give_are_found(copy: Copy) -> None:
    copy.forge_array(copy.data["benches"][0]["accuracies"], lambda numbers: numbers * 0.999)
    found, _ = copy.rerun()
    assert any("run again, its models have other accuracies" in line for line in found)


def elsewhere(data: dict[str, Any]) -> None:
    data["environment"]["processor"] = "another processor"


def test_in_another_environment_intervals_must_overlap(copy: Copy) -> None:
    assert copy.forge(elsewhere) == []
    assert "made in another environment: controls that see no model, but oracle-label" in copy.check().notes[0]
    found, told = copy.rerun(3)
    assert found == []
    assert all(
        line.startswith("run again, compared by intervals and values, this is another environment: ") for line in told
    )


def test_in_another_environment_a_metric_far_off_is_found(copy: Copy) -> None:
    def worse(data: dict[str, Any]) -> None:
        elsewhere(data)
        cell = next(cell for cell in data["benches"][0]["cells"] if cell["attack"] == "random")
        place = cell["estimates"][data["metrics"].index("auc")]
        data["estimates"][place] |= {"value": 0.05, "low": 0.04, "high": 0.06}

    copy.forge(worse)
    found, _ = copy.rerun()
    assert any("random, 0: run again, it has other auc" in line for line in found)


@pytest.mark.parametrize(("n", "nonce"), [(0, "a nonce"), (3, " ")])
def test_a_draw_needs_a_number_and_a_nonce(n: int, nonce: str) -> None:
    with pytest.raises(UserError, match="--rerun takes a number from 1 on, and --nonce a text"):
        Again(nonce, n)


def test_minutes_are_as_many_cells_as_the_seconds_of_the_models_allow(packed: Packed) -> None:
    """Groups of 40 s, three times that for a cell: one worker runs one in two minutes, two workers two."""
    document = read_document(packed.folder)
    cost = CostPart(train_seconds=30.0 * len(document.groups), unlearn_seconds=10.0 * len(document.groups))
    slow = document.model_copy(update={"cost": cost})
    given = ((2, 1), (2, 2), (20, 2))
    assert [Again("x", minutes=minutes, workers=n).count(slow) for minutes, n in given] == [1, 2, 20]
    assert Again("x", minutes=0.01).count(slow) == 1, "every entry is touched"
    assert Again("x", 7).count(slow) == 7


def test_an_entry_that_says_it_took_no_time_is_run_again_in_bounds(packed: Packed) -> None:
    free = read_document(packed.folder).model_copy(update={"cost": CostPart(train_seconds=0.0, unlearn_seconds=0.0)})
    assert Again("x", minutes=1).count(free) == 600


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        (("x", 1, 1.0), "give --rerun or --rerun-minutes"),
        ((None, 1, None), "--nonce together"),
        ((None, None, 1.0), "--nonce together"),
        (("x", None, None), "--nonce together"),
    ],
)
def test_options_that_do_not_go_together_are_told(
    asked: tuple[str | None, int | None, float | None], message: str
) -> None:
    with pytest.raises(UserError, match=message):
        Again.asked(*asked, 1)
    assert Again.asked(None, None, None, 1) is None


def test_a_cell_that_cannot_be_run_here_is_a_finding(packed: Packed, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object) -> None:
        raise RuntimeError("not today")

    context = check_submission(packed.folder, packed.suite).context
    assert context is not None
    monkeypatch.setattr("unlearnbench.run.evaluation.scores_of", fails)
    ((finding,), _) = rerun(context, Again("a nonce", 1))
    assert str(finding).endswith("cannot be run here (RuntimeError: not today); fix that and check again")


def test_models_that_cannot_be_trained_here_are_a_finding(packed: Packed, monkeypatch: pytest.MonkeyPatch) -> None:
    context = check_submission(packed.folder, packed.suite).context
    assert context is not None
    monkeypatch.setattr(Runner, "run", lambda *_: None)
    ((finding,), _) = rerun(context, Again("a nonce", 1))
    assert "cannot be run here (target original 0: " in str(finding)
