"""The built-in defenses."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from unlearnbench.builtin.papers import CHEN, FU
from unlearnbench.hooks.records import DefensePlugin
from unlearnbench.hooks.specs import hookimpl

_HERE: Final = "unlearnbench.builtin.defenses"


@hookimpl
def unlearnbench_defenses() -> Iterator[DefensePlugin]:
    """Yield the defenses."""
    yield DefensePlugin(
        name="none",
        summary="The posteriors unchanged",
        factory=f"{_HERE}.none:NoDefense",
        role="baseline",
    )
    yield DefensePlugin(
        name="top-k",
        summary="Only the k largest posteriors",
        factory=f"{_HERE}.top_k:TopK",
        reference=CHEN,
    )
    yield DefensePlugin(
        name="label-only",
        summary="Only the predicted label",
        factory=f"{_HERE}.label_only:LabelOnly",
        reference=CHEN,
    )
    yield DefensePlugin(
        name="temperature",
        summary="Posteriors flattened by a temperature",
        factory=f"{_HERE}.temperature:Temperature",
        reference=CHEN,
    )
    yield DefensePlugin(
        name="posterior-noise",
        summary="Posteriors with noise, drawn for every model and record",
        factory=f"{_HERE}.posterior_noise:PosteriorNoise",
    )
    yield DefensePlugin(
        name="dp-sgd",
        summary="Differentially private training",
        factory=f"{_HERE}.dp_sgd:DPTraining",
        reference="Abadi et al. 2016, arXiv 1607.00133",
        stage="training",
    )
    yield DefensePlugin(
        name="dropout",
        summary="Hidden units left out at random in training",
        factory=f"{_HERE}.dropout:Dropout",
        reference=FU,
        stage="training",
    )
    yield DefensePlugin(
        name="batched-release",
        summary="One model published for several deletions",
        factory=f"{_HERE}.batched_release:BatchedRelease",
        stage="publication",
    )
