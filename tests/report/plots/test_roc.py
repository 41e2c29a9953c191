from __future__ import annotations

from pathlib import Path

import numpy as np

from unlearnbench.report.plots.roc import RocInput, roc_plot


def test_a_plot_says_each_auc_and_has_the_same_bytes_twice(tmp_path: Path) -> None:
    runs = [RocInput("perfect", np.arange(4.0), np.array([False, False, True, True]))]
    once, twice = (roc_plot(runs, tmp_path / folder / "roc", "adult") for folder in "ab")
    assert "perfect  1.000" in once.svg.read_text()
    assert once.svg.read_bytes() == twice.svg.read_bytes()
    assert once.png.read_bytes() == twice.png.read_bytes()
