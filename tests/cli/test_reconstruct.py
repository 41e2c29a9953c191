"""Reconstruction by the command line."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from tests.audit.test_reconstruction import case

if TYPE_CHECKING:
    from tests.cli.conftest import Said

Say = Callable[..., "Said"]


def test_it_prints_the_number_beside_the_baseline(say: Say, tmp_path: Path) -> None:
    np.savez(tmp_path / "parameters.npz", **case())
    said = say("reconstruct", "parameters.npz")
    assert (said.code, said.err) == (0, "")
    assert "parameters.npz: 18 deletions, 0 changed no parameter; intervals over original models" in said.out
    assert "mean of the sample" in said.out
    data = json.loads(say("reconstruct", "parameters.npz", "--json").out)
    assert data["cosine"]["value"] == np.mean(data["cosines"]) > data["baseline"]["value"]
    assert (data["file"], data["deletions"], data["intervals_over"]) == ("parameters.npz", 18, "originals")


def test_bad_input_is_one_line_and_exit_code_2(say: Say, tmp_path: Path) -> None:
    np.savez(tmp_path / "parameters.npz", **{**case(), "records": 0})
    for more in ((), ("--penalty", "-1"), ("--loss", "hinge")):
        said = say("reconstruct", "parameters.npz", *more)
        assert (said.code, said.out, len(said.err.splitlines())) == (2, "", 1)
