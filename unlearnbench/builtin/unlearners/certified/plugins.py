"""What is registered of this folder."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from unlearnbench.hooks.records import UnlearnerPlugin

_HERE: Final = "unlearnbench.builtin.unlearners.certified"


def plugins() -> Iterator[UnlearnerPlugin]:
    """Yield methods with a theory."""
    yield UnlearnerPlugin(
        name="newton",
        summary="One Newton step on the retain set, of a logistic regression",
        factory=f"{_HERE}.newton:NewtonStep",
        reference="Koh and Liang 2017, arXiv 1703.04730",
    )
    yield UnlearnerPlugin(
        name="certified-removal",
        summary="A Newton step whose error is hidden by a perturbation of the original's loss",
        factory=f"{_HERE}.certified_removal:CertifiedRemoval",
        reference="Guo et al. 2020, arXiv 1911.03030",
    )
    yield UnlearnerPlugin(
        name="descent-to-delete",
        summary="Gradient descent on the retain set, published with noise",
        factory=f"{_HERE}.descent_to_delete:DescentToDelete",
        reference="Neel et al. 2021, arXiv 2007.02923",
    )
    yield UnlearnerPlugin(
        name="langevin",
        summary="Noisy gradient descent goes on, on the retain set",
        factory=f"{_HERE}.langevin:Langevin",
        reference="Chien et al. 2024, arXiv 2401.10371",
    )
    yield UnlearnerPlugin(
        name="rewind-to-delete",
        summary="Takes the last steps of training again without the records, published with noise",
        factory=f"{_HERE}.rewind_to_delete:RewindToDelete",
        reference="Mu and Klabjan 2024, arXiv 2409.09778",
        sees=("forget-set", "retain-set", "labels", "training-log"),
    )
    yield UnlearnerPlugin(
        name="deltagrad",
        summary="Takes the steps of training again, with most gradients worked out from its log",
        factory=f"{_HERE}.deltagrad:DeltaGrad",
        reference="Wu et al. 2020, arXiv 2006.14755",
        sees=("forget-set", "retain-set", "labels", "training-log"),
    )
