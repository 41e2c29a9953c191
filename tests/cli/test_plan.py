from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.cli.conftest import Said

Say = Callable[..., "Said"]
Change = Callable[..., None]


def test_a_plan_tells_what_would_run_and_writes_nothing(say: Say, tmp_path: Path) -> None:
    said = say("plan", "tiny.yaml")
    assert (said.code, said.err) == (0, "")
    assert dict(line.rsplit(maxsplit=1) for line in said.out.splitlines()) == {
        "cells": "24",
        "cells cached": "0",
        "cells skipped": "0",
        "cells failed": "0",
        "episodes": "16",
        "episodes cached": "0",
        "models": "36",
        "models to train": "36",
    }
    assert not (tmp_path / ".unlearnbench").exists()


def test_a_plan_knows_what_is_done(say: Say) -> None:
    say("run", "tiny.yaml", "--only", "unlearner=none")
    told = json.loads(say("plan", "tiny.yaml", "--json").out)
    assert told == {
        "suite": "tiny",
        "cells": 24,
        "cells cached": 6,
        "cells skipped": 0,
        "cells failed": 0,
        "episodes": 16,
        "episodes cached": 4,
        "models": 36,
        "models to train": 28,
        "skipped": [],
        "failed": [],
    }


def test_a_plan_tells_what_is_skipped_and_why_once(say: Say, change: Change) -> None:
    change(models=[{"name": "random-forest", "params": {"draws": "redrawn"}}])
    said = say("plan", "tiny.yaml", "--only", "unlearner=retrain")
    because = "RandomForest cannot keep its other draws still under order: slot; use order: fresh"
    assert said.out.count(because) == 1
    told = json.loads(say("plan", "tiny.yaml", "--only", "unlearner=retrain", "--json").out)
    assert told["skipped"] == [
        {
            "dataset": "breast-cancer",
            "model": "random-forest(draws=redrawn)",
            "unlearner": "retrain",
            "scenario": "single",
            "because": because,
            "cells": 6,
        }
    ]


def test_a_plan_of_a_wrong_suite_is_one_line(say: Say, change: Change) -> None:
    change(models=["decision-tre"])
    said = say("plan", "tiny.yaml")
    assert (said.code, said.out) == (2, "")
    assert len(said.err.splitlines()) == 1
    assert 'unknown model "decision-tre"; did you mean "decision-tree"?' in said.err
