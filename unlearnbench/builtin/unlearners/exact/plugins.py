"""What is registered of this folder."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from unlearnbench.builtin.papers import CAO, CHEN
from unlearnbench.hooks.records import UnlearnerPlugin

_HERE: Final = "unlearnbench.builtin.unlearners.exact"


def plugins() -> Iterator[UnlearnerPlugin]:
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
    yield UnlearnerPlugin(
        name="decremental",
        summary="Takes the forgotten records out of a model that keeps records or sums of them",
        factory=f"{_HERE}.decremental:DecrementalUnlearning",
        reference=CAO,
        exact=True,
    )
    yield UnlearnerPlugin(
        name="leaf-refit",
        summary="Boosted trees keep their splits; their leaves are fitted again",
        factory=f"{_HERE}.leaf_refit:LeafRefit",
        reference="Ke et al. 2017, NeurIPS 30",
        sees=("retain-set", "labels"),
    )
