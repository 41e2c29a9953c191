"""A target model: my-method."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

from unlearnbench import ModelPlugin, SklearnModel, hookimpl


@dataclass(frozen=True)
class MyMethod(SklearnModel):
    """Gaussian naive Bayes, as scikit-learn has it. It draws nothing, so it uses no seed.

    ``smoothing``: share of the largest variance that is added to all variances
    """

    smoothing: float = 1e-3
    seeds_used: ClassVar = frozenset()

    def estimator(self, seed: int) -> Any:
        """Return the unfitted classifier; heavy libraries are imported here, so that listing stays quick."""
        from sklearn.naive_bayes import GaussianNB

        return GaussianNB(var_smoothing=self.smoothing)


@hookimpl
def unlearnbench_models() -> Iterator[ModelPlugin]:
    """Yield the model. Raise ``revision`` whenever its results change."""
    yield ModelPlugin(
        name="my-method",
        summary="Gaussian naive Bayes",
        factory="my_module:MyMethod",
        reference="",
        revision=1,
    )
