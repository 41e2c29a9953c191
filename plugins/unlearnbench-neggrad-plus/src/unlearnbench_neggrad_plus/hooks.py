"""What this package offers. The class is named, not imported: it needs torch, which listing need not wait for."""

from __future__ import annotations

from collections.abc import Iterator

from unlearnbench import UnlearnerPlugin, hookimpl


@hookimpl
def unlearnbench_unlearners() -> Iterator[UnlearnerPlugin]:
    """Yield the unlearner."""
    yield UnlearnerPlugin(
        name="neggrad-plus-whole",
        summary="NegGrad+ with the whole forget set in every step",
        factory="unlearnbench_neggrad_plus.neggrad_plus:NegGradPlus",
        reference="Kurmanji et al. 2023, arXiv 2302.09880",
        sees=("forget-set", "retain-set", "labels"),
    )
