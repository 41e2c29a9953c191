"""What is registered of this folder."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from unlearnbench.core.ranges import Choice, Range
from unlearnbench.hooks.records import UnlearnerPlugin

_HERE: Final = "unlearnbench.builtin.unlearners.gradient"

_SCRUB: Final = {
    "alpha": Range(1e-3, 1.0, log=True),
    "temperature": Range(0.5, 5.0),
    "forget_epochs": Range(1, 4),
}


def plugins() -> Iterator[UnlearnerPlugin]:
    """Yield methods that train the network further."""
    yield UnlearnerPlugin(
        name="finetune",
        summary="Goes on training on the retain set",
        factory=f"{_HERE}.finetune:Finetune",
        reference="Jia et al. 2023, arXiv 2304.04934",
        sees=("retain-set", "labels"),
        revision=2,
    )
    yield UnlearnerPlugin(
        name="gradient-ascent",
        summary="Climbs the loss of the forget set",
        factory=f"{_HERE}.gradient_ascent:GradientAscent",
        reference="Graves et al. 2021, arXiv 2010.10981",
        sees=("forget-set", "labels"),
        revision=2,
    )
    yield UnlearnerPlugin(
        name="neggrad-plus",
        summary="Descends on the retain set and climbs on the forget set at once",
        factory=f"{_HERE}.neggrad_plus:NegGradPlus",
        reference="Kurmanji et al. 2023, arXiv 2302.09880",
        sees=("forget-set", "retain-set", "labels"),
        revision=2,
        knobs={"alpha": Range(0.5, 1.0)},
    )
    yield UnlearnerPlugin(
        name="random-label",
        summary="Trains the forget set on random labels",
        factory=f"{_HERE}.random_label:RandomLabel",
        reference="Fan et al. 2024, arXiv 2310.12508",
        sees=("forget-set", "retain-set", "labels"),
        revision=2,
        knobs={"variant": Choice(("static", "epoch", "mixed"))},
    )
    yield UnlearnerPlugin(
        name="scrub",
        summary="Leaves the original on the forget set and follows it on the retain set",
        factory=f"{_HERE}.scrub:Scrub",
        reference="Kurmanji et al. 2023, arXiv 2302.09880",
        sees=("forget-set", "retain-set", "labels"),
        revision=2,
        knobs=_SCRUB,
    )
    yield UnlearnerPlugin(
        name="scrub-rewind",
        summary="SCRUB, back to the epoch that errs on the forget set as on unseen records",
        factory=f"{_HERE}.scrub:ScrubRewind",
        reference="Kurmanji et al. 2023, arXiv 2302.09880",
        sees=("forget-set", "retain-set", "validation-set", "labels"),
        revision=2,
        knobs=_SCRUB,
    )
    yield UnlearnerPlugin(
        name="salun",
        summary="Random labels; only the weights that matter most for the forget set move",
        factory=f"{_HERE}.salun:SalUn",
        reference="Fan et al. 2024, arXiv 2310.12508",
        sees=("forget-set", "retain-set", "labels"),
        revision=2,
        knobs={"variant": Choice(("static", "epoch", "mixed")), "share": Range(0.1, 1.0)},
    )
    yield UnlearnerPlugin(
        name="l1-sparse",
        summary="Goes on training on the retain set and pulls weights to zero",
        factory=f"{_HERE}.l1_sparse:L1Sparse",
        reference="Jia et al. 2023, arXiv 2304.04934",
        sees=("retain-set", "labels"),
        revision=2,
        knobs={"alpha": Range(1e-6, 1e-2, log=True)},
    )
    yield UnlearnerPlugin(
        name="bad-teacher",
        summary="Learns the forget set from an untrained network",
        factory=f"{_HERE}.bad_teacher:BadTeacher",
        reference="Chundawat et al. 2023, arXiv 2205.08096",
        sees=("forget-set", "retain-set"),
        revision=2,
        knobs={"share": Range(0.1, 1.0)},
    )
    yield UnlearnerPlugin(
        name="cf-k",
        summary="Goes on training the last k blocks on the retain set",
        factory=f"{_HERE}.last_blocks:CFk",
        reference="Goel et al. 2022, arXiv 2201.06640",
        sees=("retain-set", "labels"),
        revision=2,
        knobs={"anchor": Range(1e-3, 1.0, log=True)},
    )
    yield UnlearnerPlugin(
        name="eu-k",
        summary="Trains the last k blocks anew on the retain set",
        factory=f"{_HERE}.last_blocks:EUk",
        reference="Goel et al. 2022, arXiv 2201.06640",
        sees=("retain-set", "labels"),
        revision=2,
        knobs={"anchor": Range(1e-3, 1.0, log=True)},
    )
    yield UnlearnerPlugin(
        name="delete",
        summary="Learns the original's answers to the forget set without the true class",
        factory=f"{_HERE}.delete:Delete",
        reference="Zhou et al. 2025, arXiv 2503.23751",
        sees=("forget-set", "labels"),
        revision=2,
    )
    yield UnlearnerPlugin(
        name="amnesiac",
        summary="Takes back what the batches of training that held the record did to the weights",
        factory=f"{_HERE}.amnesiac:Amnesiac",
        reference="Graves et al. 2021, arXiv 2010.10981",
        sees=("forget-set", "retain-set", "labels", "training-log"),
    )
    yield UnlearnerPlugin(
        name="jit",
        summary="Flattens the network around the forget set",
        factory=f"{_HERE}.jit:JiT",
        reference="Foster et al. 2024, arXiv 2402.01401",
        sees=("forget-set",),
        revision=2,
        knobs={"sigma": Range(0.01, 1.0, log=True)},
    )
    yield UnlearnerPlugin(
        name="lotus",
        summary="Learns the original's answers to the forget set, softened by how well it is still known",
        factory=f"{_HERE}.lotus:LoTUS",
        reference="Spartalis et al. 2025, arXiv 2503.18314",
        sees=("forget-set", "retain-set", "validation-set", "labels"),
        knobs={"alpha": Range(0.5, 8.0), "share": Range(0.1, 1.0)},
    )
    yield UnlearnerPlugin(
        name="sfron",
        summary="Goes on training on the retain set, with steps between that climb on the forget set",
        factory=f"{_HERE}.sfron:SFRon",
        reference="Huang et al. 2024, arXiv 2409.19732",
        sees=("forget-set", "retain-set", "labels"),
        revision=2,
        knobs={"alpha": Range(1.0, 100.0, log=True), "every": Range(2, 10), "threshold": Range(0.5, 5.0)},
    )
    yield UnlearnerPlugin(
        name="orthograd",
        summary="Climbs on the forget set, orthogonally to the gradients of retained records",
        factory=f"{_HERE}.orthograd:OrthoGrad",
        reference="Shamsian et al. 2025, arXiv 2503.02312",
        sees=("forget-set", "retain-set", "labels"),
        knobs={"alpha": Range(0.5, 1.0), "share": Range(0.05, 0.5)},
    )
    yield UnlearnerPlugin(
        name="uam",
        summary="Descends on the retain set by the gradient where the forget set is worst nearby",
        factory=f"{_HERE}.uam:UAM",
        reference="Unlearning-aware minimization, NeurIPS 2025",
        sees=("forget-set", "retain-set", "labels"),
        knobs={"rho": Range(0.005, 0.5, log=True)},
    )
    yield UnlearnerPlugin(
        name="boundary-shrink",
        summary="Learns for the forget set the class across the nearest boundary",
        factory=f"{_HERE}.boundary_shrink:BoundaryShrink",
        reference="Chen et al. 2023, arXiv 2303.11570",
        sees=("forget-set", "labels"),
        knobs={"epsilon": Range(0.01, 0.5, log=True)},
    )
    yield UnlearnerPlugin(
        name="boundary-expand",
        summary="Learns for the forget set a class of its own, which is then dropped",
        factory=f"{_HERE}.boundary_expand:BoundaryExpand",
        reference="Chen et al. 2023, arXiv 2303.11570",
        sees=("forget-set",),
        revision=2,
    )
    yield UnlearnerPlugin(
        name="amun",
        summary="Goes on training on all records and on adversarial examples of the forgotten ones",
        factory=f"{_HERE}.amun:AMUN",
        reference="Ebrahimpour-Boroojeny et al. 2025, arXiv 2503.00917",
        sees=("forget-set", "retain-set", "labels"),
        revision=2,
        knobs={"radius": Range(0.005, 0.5, log=True)},
    )
    yield UnlearnerPlugin(
        name="rum",
        summary="Forgets records of low, middle and high memorisation in turn, each by a method of its own",
        factory=f"{_HERE}.rum:RUM",
        reference="Zhao et al. 2024, arXiv 2406.01257",
        sees=("forget-set", "retain-set", "labels"),
        revision=2,
        knobs={"score": Choice(("memorisation", "confidence"))},
    )
    yield UnlearnerPlugin(
        name="unsir",
        summary="Trains on noise in place of the classes to forget, then repairs on the retain set",
        factory=f"{_HERE}.unsir:UNSIR",
        reference="Tarun et al. 2023, arXiv 2111.08947",
        sees=("forget-set", "retain-set", "labels"),
        revision=2,
        knobs={
            "repair_learning_rate": Range(1e-5, 1.0, log=True),
            "penalty": Range(1e-3, 1.0, log=True),
            "copies": Range(5, 80, log=True),
        },
    )
