"""The unlearning algorithms that come with the package, and their controls."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from unlearnbench.builtin.papers import CHEN
from unlearnbench.hooks.records import UnlearnerPlugin
from unlearnbench.hooks.specs import hookimpl

_HERE: Final = "unlearnbench.builtin.unlearners"


@hookimpl
def unlearnbench_unlearners() -> Iterator[UnlearnerPlugin]:
    """Yield the unlearning algorithms."""
    yield from _exact()
    yield from _gradient()
    yield from _edits()
    yield from _controls()


def _exact() -> Iterator[UnlearnerPlugin]:
    """Yield retraining, and methods that train again only what held a record."""
    yield UnlearnerPlugin(
        name="retrain",
        summary="Train again on the retain set",
        factory=f"{_HERE}.retrain:Retrain",
        reference=CHEN,
        exact=True,
        role="baseline",
    )
    yield UnlearnerPlugin(
        name="sisa",
        summary="One model per shard; a deletion retrains only the shard that holds the record",
        factory=f"{_HERE}.sisa:SISA",
        reference="Bourtoule et al. 2021, arXiv 1912.03817",
        exact=True,
    )
    yield UnlearnerPlugin(
        name="forest-exact",
        summary="Repairs only the trees of a forest that held the record",
        factory=f"{_HERE}.forest_exact:ForestExact",
        reference="Brophy and Lowd 2021, arXiv 2009.05567",
        exact=True,
    )


def _gradient() -> Iterator[UnlearnerPlugin]:
    """Yield methods that train the network further."""
    yield UnlearnerPlugin(
        name="finetune",
        summary="Goes on training on the retain set",
        factory=f"{_HERE}.finetune:Finetune",
        reference="Jia et al. 2023, arXiv 2304.04934",
        sees=("retain-set", "labels"),
    )
    yield UnlearnerPlugin(
        name="gradient-ascent",
        summary="Climbs the loss of the forget set",
        factory=f"{_HERE}.gradient_ascent:GradientAscent",
        reference="Graves et al. 2021, arXiv 2010.10981",
        sees=("forget-set", "labels"),
    )
    yield UnlearnerPlugin(
        name="neggrad-plus",
        summary="Descends on the retain set and climbs on the forget set at once",
        factory=f"{_HERE}.neggrad_plus:NegGradPlus",
        reference="Kurmanji et al. 2023, arXiv 2302.09880",
        sees=("forget-set", "retain-set", "labels"),
    )
    yield UnlearnerPlugin(
        name="random-label",
        summary="Trains the forget set on random labels",
        factory=f"{_HERE}.random_label:RandomLabel",
        reference="Fan et al. 2024, arXiv 2310.12508",
        sees=("forget-set", "retain-set", "labels"),
    )
    yield UnlearnerPlugin(
        name="scrub",
        summary="Leaves the original on the forget set and follows it on the retain set",
        factory=f"{_HERE}.scrub:Scrub",
        reference="Kurmanji et al. 2023, arXiv 2302.09880",
        sees=("forget-set", "retain-set", "labels"),
    )
    yield UnlearnerPlugin(
        name="scrub-rewind",
        summary="SCRUB, back to the epoch that errs on the forget set as on unseen records",
        factory=f"{_HERE}.scrub:ScrubRewind",
        reference="Kurmanji et al. 2023, arXiv 2302.09880",
        sees=("forget-set", "retain-set", "validation-set", "labels"),
    )
    yield UnlearnerPlugin(
        name="salun",
        summary="Random labels; only the weights that matter most for the forget set move",
        factory=f"{_HERE}.salun:SalUn",
        reference="Fan et al. 2024, arXiv 2310.12508",
        sees=("forget-set", "retain-set", "labels"),
    )
    yield UnlearnerPlugin(
        name="l1-sparse",
        summary="Goes on training on the retain set and pulls weights to zero",
        factory=f"{_HERE}.l1_sparse:L1Sparse",
        reference="Jia et al. 2023, arXiv 2304.04934",
        sees=("retain-set", "labels"),
    )
    yield UnlearnerPlugin(
        name="bad-teacher",
        summary="Learns the forget set from an untrained network",
        factory=f"{_HERE}.bad_teacher:BadTeacher",
        reference="Chundawat et al. 2023, arXiv 2205.08096",
        sees=("forget-set", "retain-set"),
    )
    yield UnlearnerPlugin(
        name="cf-k",
        summary="Goes on training the last k blocks on the retain set",
        factory=f"{_HERE}.last_blocks:CFk",
        reference="Goel et al. 2022, arXiv 2201.06640",
        sees=("retain-set", "labels"),
    )
    yield UnlearnerPlugin(
        name="eu-k",
        summary="Trains the last k blocks anew on the retain set",
        factory=f"{_HERE}.last_blocks:EUk",
        reference="Goel et al. 2022, arXiv 2201.06640",
        sees=("retain-set", "labels"),
    )
    yield UnlearnerPlugin(
        name="delete",
        summary="Learns the original's answers to the forget set without the true class",
        factory=f"{_HERE}.delete:Delete",
        reference="Zhou et al. 2025, arXiv 2503.23751",
        sees=("forget-set", "labels"),
    )


def _edits() -> Iterator[UnlearnerPlugin]:
    """Yield methods that edit the weights of the network."""
    yield UnlearnerPlugin(
        name="ssd",
        summary="Shrinks the weights that matter more to the forget set than to all records",
        factory=f"{_HERE}.ssd:SSD",
        reference="Foster et al. 2024, arXiv 2308.07707",
        sees=("forget-set", "retain-set", "labels"),
    )
    yield UnlearnerPlugin(
        name="lfssd",
        summary="SSD without labels, by the gradient of the squared logits",
        factory=f"{_HERE}.ssd:LossFreeSSD",
        reference="Foster et al. 2024, arXiv 2402.19308",
        sees=("forget-set", "retain-set"),
    )
    yield UnlearnerPlugin(
        name="assd",
        summary="SSD that chooses its threshold by the size of the forget set",
        factory=f"{_HERE}.ssd:AdaptiveSSD",
        reference="Schoepf et al. 2024, arXiv 2402.10098",
        sees=("forget-set", "retain-set", "labels"),
    )
    yield UnlearnerPlugin(
        name="fisher",
        summary="Adds noise to the weights that matter least to the retain set",
        factory=f"{_HERE}.fisher:Fisher",
        reference="Golatkar et al. 2020, arXiv 1911.04933",
        sees=("retain-set",),
    )
    yield UnlearnerPlugin(
        name="influence",
        summary="One step along the difference of the gradients of forget and retain set",
        factory=f"{_HERE}.influence:Influence",
        reference="Izzo et al. 2021, arXiv 2002.10077",
        sees=("forget-set", "retain-set", "labels"),
    )
    yield UnlearnerPlugin(
        name="influence-damped",
        summary="One step by the damped inverse of the Fisher information of the retain set",
        factory=f"{_HERE}.influence:DampedInfluence",
        reference="Koh and Liang 2017, arXiv 1703.04730",
        sees=("forget-set", "retain-set", "labels"),
    )
    yield UnlearnerPlugin(
        name="negmerge",
        summary="Subtracts what several networks tuned on the forget set learn alike",
        factory=f"{_HERE}.negmerge:NegMerge",
        reference="Kim et al. 2024, arXiv 2410.05583",
        sees=("forget-set", "labels"),
    )


def _controls() -> Iterator[UnlearnerPlugin]:
    """Yield the controls."""
    yield UnlearnerPlugin(
        name="none",
        summary="The original itself: nothing is unlearned",
        factory=f"{_HERE}.none:NoUnlearning",
        sees=(),
        role="control",
        deletes_nothing=True,
    )
    yield UnlearnerPlugin(
        name="random-noise",
        summary="A sham: the original with noise that no record caused",
        factory=f"{_HERE}.random_noise:RandomNoise",
        sees=(),
        role="control",
    )
    yield UnlearnerPlugin(
        name="noise-floor",
        summary="Trained again with the record named but not deleted",
        factory=f"{_HERE}.noise_floor:NoiseFloor",
        role="control",
        deletes_nothing=True,
    )
