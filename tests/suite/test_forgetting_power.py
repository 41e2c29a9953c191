"""The suite of overfitted models: the forgetting axis has power there."""

from __future__ import annotations

from pathlib import Path

import pytest

from unlearnbench.cli import main


@pytest.mark.slow
def test_the_forgetting_axis_has_power_on_overfitted_models(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    only = ("attack=sorted-diff", "attack=forgetting", "model=decision-tree(max_leaf_nodes=null)")
    options = [word for one in only for word in ("--only", one)]
    assert main(["run", "forgetting-power", "--store", str(tmp_path), *options]) == 0
    out = capsys.readouterr().out
    assert "forgetting AUC" in out
    assert "has no power" not in out
