"""A whole run from the command line, on MNIST where it is at hand, else on scikit-learn's digits."""

from __future__ import annotations

from pathlib import Path

import pytest
from unlearnbench import load_registry
from unlearnbench.builtin.datasets.mnist import Mnist
from unlearnbench.cli import main

SUITE = """\
suite: tiny
version: 1
{data}
models: [{{name: resnet18, params: {{epochs: 1, batch_size: 24, precision: bf16}}}}]
unlearners: [retrain]
attacks: [score-diff]
metrics: [auc]
episodes: {{originals: 2, requests: 1, records: 24, negatives: 2, matched: 0, retained: 0}}
"""

DIGIT_IMAGES = """\
from dataclasses import dataclass, replace

from unlearnbench import Dataset, DatasetPlugin, hookimpl
from unlearnbench.builtin.datasets.digits import Digits


@dataclass(frozen=True)
class DigitImages(Dataset):
    def load(self):
        records = Digits().load()
        x = records.x[:80].reshape(-1, 8, 8)
        return replace(records, name="digit-images", x=x, y=records.y[:80], feature_names=())


@hookimpl
def unlearnbench_datasets():
    yield DatasetPlugin(name="digit-images", summary="Digits as images", factory=DigitImages, licence="CC BY 4.0")
"""


def test_all_three_are_found_by_their_entry_point() -> None:
    sources = {name: str(load_registry().get("model", name).source) for name in ("resnet18", "resnet50", "densenet121")}
    assert set(sources.values()) == {"distribution unlearnbench-vision 0.1.0"}


@pytest.mark.slow
def test_a_whole_run_takes_resnet18(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = "datasets: [{name: mnist, params: {size: 80}}]"
    if not Mnist().availability().available:
        data = "plugins: [digit_images.py]\ndatasets: [digit-images]"
        (tmp_path / "digit_images.py").write_text(DIGIT_IMAGES)
    suite = tmp_path / "tiny.yaml"
    suite.write_text(SUITE.format(data=data))
    only = ("--only", "unlearner=retrain", "--only", "attack=score-diff")  # not the baselines
    assert main(["run", str(suite), *only, "--store", str(tmp_path / "store")]) == 0
    out = capsys.readouterr().out
    assert "resnet18" in out
    assert "0 failed, 0 skipped" in out


def test_a_table_of_features_is_told_as_such(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    suite = tmp_path / "tiny.yaml"
    suite.write_text(SUITE.format(data="datasets: [digits]"))
    assert main(["run", str(suite), "--store", str(tmp_path / "store")]) != 0
    told = capsys.readouterr()
    assert "resnet18 needs images" in told.out + told.err
