"""From a model of one's own to the verdict: the way a privacy engineer goes."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.datasets import load_breast_cancer
from sklearn.tree import DecisionTreeClassifier

if TYPE_CHECKING:
    from tests.cli.conftest import Said

Say = Callable[..., "Said"]


def save_answers(file: Path, training: NDArray[np.int64], unseen: NDArray[np.int64]) -> None:
    """Train a tree, delete ten of its records by training it again without them, and save what both answer."""
    x, y = load_breast_cancer(return_X_y=True)
    forgotten, kept = training[:10], training[10:]
    asked = np.concatenate([forgotten, kept[:20], unseen])
    before, after = (
        DecisionTreeClassifier(random_state=0).fit(x[rows], y[rows]).predict_proba(x[asked])
        for rows in (training, kept)
    )
    role = ["forgotten"] * 10 + ["retained"] * 20 + ["unseen"] * len(unseen)
    np.savez(file, role=role, label=y[asked], record=asked, before=before, after=after)


@pytest.fixture
def files(tmp_path: Path) -> tuple[str, str]:
    order = np.random.default_rng(0).permutation(569)
    save_answers(tmp_path / "mine.npz", order[:150], order[150:280])
    save_answers(tmp_path / "shadow.npz", order[280:430], order[430:560])
    return "mine.npz", "shadow.npz"


def test_a_model_of_ones_own_is_audited_end_to_end(say: Say, files: tuple[str, str], tmp_path: Path) -> None:
    mine, shadow = files
    said = say("audit", mine, "--shadow", shadow, "--page", "audit.html")
    assert (said.code, said.err) == (0, "")
    assert "mine.npz: 10 forgotten, 20 retained, 130 unseen records, 2 classes; shadow shadow.npz" in said.out
    assert "For this pair of models only" in said.out
    assert all(name in said.out for name in ("score-diff", "sorted-diff", "classical", "forgetting", "random"))
    assert "wrote audit.html" in said.out
    page = (tmp_path / "audit.html").read_text(encoding="utf-8")
    assert page.startswith("<!doctype html>")
    assert "sorted-diff" in page


def test_without_shadow_data_it_says_what_was_not_tried(say: Say, files: tuple[str, str]) -> None:
    said = say("audit", files[0])
    assert said.code == 0
    assert "not tried:" in said.out
    learning = (
        "classical, direct-concat, direct-diff, ensemble, euclidean, sorted-concat, sorted-diff, strongest, tri-class"
    )
    assert f"{learning}: learns" in " ".join(said.out.split())


def test_json_holds_verdict_and_numbers(say: Say, files: tuple[str, str]) -> None:
    said = say("audit", files[0], "--json")
    data = json.loads(said.out)
    assert data["verdict"]["outcome"] in ("leak", "no leak found")
    assert {attack["attack"] for attack in data["attacks"]} == {
        "score-diff",
        "score-ratio",
        "delta",
        "gap",
        "forgetting",
        "random",
    }


def test_coins_bound_epsilon_and_are_refused_where_there_were_none(
    say: Say, files: tuple[str, str], tmp_path: Path
) -> None:
    with np.load(tmp_path / files[0]) as saved:
        rows = np.flatnonzero(saved["role"] != "retained")[:20]
        np.savez(tmp_path / "coins.npz", **{name: saved[name][rows] for name in saved.files})
    said = say("audit", "coins.npz", "--coins")
    assert (said.code, said.err) == (0, "")
    assert "What one run proves about epsilon, delta 1e-05:" in said.out
    assert json.loads(say("audit", files[0], "--json").out)["one_run"] == []
    assert len(json.loads(say("audit", "coins.npz", "--coins", "--json").out)["one_run"]) == 5
    refused = say("audit", files[0], "--coins")
    assert (refused.code, refused.out) == (2, "")
    assert refused.err.startswith("error: mine.npz: 10 deleted and 130 unseen records are not of fair coins;")


def test_an_audit_is_the_same_each_time(say: Say, files: tuple[str, str]) -> None:
    command = ("audit", *files[:1], "--shadow", files[1], "--json")
    assert say(*command) == say(*command)


def test_an_attack_of_ones_own_joins(say: Say, files: tuple[str, str], tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(
        "from unlearnbench import AttackPlugin, ScoreAttack, hookimpl\n"
        "class Moved(ScoreAttack):\n"
        "    def score(self, view):\n"
        "        return abs(view.before - view.after).max(axis=1)\n"
        "@hookimpl\n"
        "def unlearnbench_attacks():\n"
        "    yield AttackPlugin(name='moved', summary='How far.', factory=Moved)\n"
    )
    assert "moved" in say("audit", files[0], "--plugin-file", "mine.py").out


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("none.npz",), "error: none.npz: cannot be read: No such file or directory"),
        (("tiny.yaml",), "error: tiny.yaml: must end in .npz, .csv, .parquet"),
        (("mine.npz", "--shadow", "none.csv"), "error: none.csv: cannot be read: No such file or directory"),
        (("mine.npz", "--page", "tiny.yaml/page.html"), "error: tiny.yaml/page.html: cannot be written: "),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(
    arguments: tuple[str, ...], told: str, say: Say, files: tuple[str, str]
) -> None:
    said = say("audit", *arguments)
    assert (said.code, said.out) == (2, "")
    assert said.err.startswith(told)
    assert len(said.err.splitlines()) == 1


def test_nothing_is_written_for_bad_input(say: Say, tmp_path: Path) -> None:
    (tmp_path / "bad.csv").write_text("role,before_0,before_1,after_0,after_1\nforgotten,1,1,1,0\n")
    said = say("audit", "bad.csv", "--page", "audit.html")
    assert (said.code, said.err) == (
        2,
        "error: bad.csv: line 2: before sum to 2; the probabilities of all classes must sum to 1, to 0.01: "
        "give all classes, and enough digits\n",
    )
    assert not (tmp_path / "audit.html").exists()
