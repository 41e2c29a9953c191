"""What is registered of this folder."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from unlearnbench.core.ranges import Range
from unlearnbench.hooks.records import UnlearnerPlugin

_HERE: Final = "unlearnbench.builtin.unlearners.competition"
_CODE: Final = "Cadet et al. 2024, arXiv 2410.01276"


def plugins() -> Iterator[UnlearnerPlugin]:
    """Yield methods of the NeurIPS 2023 competition, by their places."""
    yield UnlearnerPlugin(
        name="fcs",
        summary="Makes forgotten records uniform, then unlike retained ones, in turns with training on these",
        factory=f"{_HERE}.fcs:FCS",
        reference=_CODE,
        sees=("forget-set", "retain-set", "labels"),
        revision=2,
        knobs={
            "contrast_learning_rate": Range(1e-5, 0.1, log=True),
            "retain_learning_rate": Range(1e-5, 0.1, log=True),
            "temperature": Range(0.5, 5.0),
        },
    )
    yield UnlearnerPlugin(
        name="msg",
        summary="Draws convolution weights anew that matter least to the difference of the sets, and fine-tunes",
        factory=f"{_HERE}.msg:MSG",
        reference=_CODE,
        sees=("forget-set", "retain-set", "labels"),
        knobs={"share": Range(0.05, 0.9), "slowed": Range(0.01, 1.0, log=True)},
    )
    yield UnlearnerPlugin(
        name="cfw",
        summary="Adds noise to convolutions and fine-tunes with class weights",
        factory=f"{_HERE}.cfw:CFW",
        reference=_CODE,
        sees=("retain-set", "labels"),
        knobs={"noise": Range(0.01, 1.0, log=True), "last_noise": Range(5e-4, 0.05, log=True)},
    )
    yield UnlearnerPlugin(
        name="prmq",
        summary="Prunes most weights and draws them anew, trains on the retain set, rounds to 16 bits",
        factory=f"{_HERE}.prmq:PRMQ",
        reference=_CODE,
        sees=("retain-set", "labels"),
        revision=2,
        knobs={"share": Range(0.5, 1.0)},
    )
    yield UnlearnerPlugin(
        name="ct",
        summary="Transposes the kernels of convolutions and fine-tunes",
        factory=f"{_HERE}.ct:CT",
        reference=_CODE,
        sees=("retain-set", "labels"),
    )
    yield UnlearnerPlugin(
        name="kde",
        summary="Draws the first and the last layer anew, and learns the original's answers",
        factory=f"{_HERE}.kde:KDE",
        reference=_CODE,
        sees=("retain-set", "validation-set", "labels"),
        knobs={"warmup_learning_rate": Range(1e-5, 0.1, log=True), "temperature": Range(0.5, 5.0)},
    )
    yield UnlearnerPlugin(
        name="rni",
        summary="Adds noise to random tensors and trains these alone, then all",
        factory=f"{_HERE}.rni:RNI",
        reference=_CODE,
        sees=("retain-set", "labels"),
        knobs={"noise": Range(0.005, 0.5, log=True), "noisy": Range(0.1, 1.0)},
    )
