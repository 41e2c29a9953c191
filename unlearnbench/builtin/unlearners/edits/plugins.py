"""What is registered of this folder."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from unlearnbench.core.ranges import Range
from unlearnbench.hooks.records import UnlearnerPlugin

_HERE: Final = "unlearnbench.builtin.unlearners.edits"


def plugins() -> Iterator[UnlearnerPlugin]:
    """Yield methods that edit the weights of the network."""
    yield UnlearnerPlugin(
        name="ssd",
        summary="Shrinks the weights that matter more to the forget set than to all records",
        factory=f"{_HERE}.ssd:SSD",
        reference="Foster et al. 2024, arXiv 2308.07707",
        sees=("forget-set", "retain-set", "labels"),
        revision=2,
        knobs={"selection": Range(1.0, 100.0, log=True), "dampening": Range(0.1, 10.0, log=True)},
    )
    yield UnlearnerPlugin(
        name="lfssd",
        summary="SSD without labels, by the gradient of the squared logits",
        factory=f"{_HERE}.ssd:LossFreeSSD",
        reference="Foster et al. 2024, arXiv 2402.19308",
        sees=("forget-set", "retain-set"),
        revision=2,
        knobs={"selection": Range(1.0, 100.0, log=True), "dampening": Range(0.1, 10.0, log=True)},
    )
    yield UnlearnerPlugin(
        name="assd",
        summary="SSD that chooses its threshold by the size of the forget set",
        factory=f"{_HERE}.ssd:AdaptiveSSD",
        reference="Schoepf et al. 2024, arXiv 2402.10098",
        sees=("forget-set", "retain-set", "labels"),
        revision=2,
        knobs={"dampening": Range(0.1, 10.0, log=True)},
    )
    yield UnlearnerPlugin(
        name="fisher",
        summary="Adds noise to the weights that matter least to the retain set",
        factory=f"{_HERE}.fisher:Fisher",
        reference="Golatkar et al. 2020, arXiv 1911.04933",
        sees=("retain-set",),
        revision=2,
        knobs={"alpha": Range(1e-9, 1e-4, log=True)},
    )
    yield UnlearnerPlugin(
        name="influence",
        summary="One step along the difference of the gradients of forget and retain set",
        factory=f"{_HERE}.influence:Influence",
        reference="Izzo et al. 2021, arXiv 2002.10077",
        sees=("forget-set", "retain-set", "labels"),
        revision=2,
        knobs={"alpha": Range(0.1, 100.0, log=True)},
    )
    yield UnlearnerPlugin(
        name="influence-damped",
        summary="One step by the damped inverse of the Fisher information of the retain set",
        factory=f"{_HERE}.influence:DampedInfluence",
        reference="Koh and Liang 2017, arXiv 1703.04730",
        sees=("forget-set", "retain-set", "labels"),
        revision=2,
        knobs={"damping": Range(1e-4, 1.0, log=True)},
    )
    yield UnlearnerPlugin(
        name="negmerge",
        summary="Subtracts what several networks tuned on the forget set learn alike",
        factory=f"{_HERE}.negmerge:NegMerge",
        reference="Kim et al. 2024, arXiv 2410.05583",
        sees=("forget-set", "labels"),
        revision=2,
        knobs={"scale": Range(0.1, 3.0)},
    )
