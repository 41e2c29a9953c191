"""The contract of unlearning algorithms that a run uses. Authors subclass a base of ``engine.unlearners``."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Protocol, runtime_checkable

from unlearnbench.core.models import Fitted, TargetModel
from unlearnbench.core.originals import Original
from unlearnbench.core.records import Records, Step
from unlearnbench.core.scenarios import Request
from unlearnbench.core.seeding import SeedPath


class State(Protocol):
    """An original or unlearned model, with what its unlearner needs to serve the next step."""

    @property
    def fitted(self) -> Fitted:
        """The model that is queried."""
        ...


@runtime_checkable
class CountsPasses(Protocol):
    """A state that knows what it took to make it from the one before."""

    @property
    def passes(self) -> float:
        """How many records went forward and backward, over those of a retraining; NaN where nobody counted."""
        ...


class Unlearner(ABC):
    """An unlearning algorithm: prepares an original model, then serves deletion requests, each starting from it."""

    def refusal(self, model: TargetModel) -> str | None:  # noqa: ARG002 - most unlearners work with every model
        """Return why this unlearner cannot be used with this model, or None where it can."""
        return None

    def refusal_of_records(self, records: Records) -> str | None:  # noqa: ARG002 - most work with all records
        """Return why this unlearner cannot be used with this data set, or None where it can."""
        return None

    @abstractmethod
    def prepare(self, original: Original) -> State:
        """Return the state that all requests start from. Called once per original.

        What every request needs is computed here. An unlearner with an original of another kind, such as an ensemble,
        trains it by ``original.train`` and never reads ``original.fitted``.
        """

    @abstractmethod
    def serve(self, state: State, step: Step, seeds: SeedPath) -> State:
        """Return the state after one step; must not change ``state``."""

    def serve_all(self, state: State, requests: Sequence[Request], seeds: SeedPath) -> Sequence[Sequence[State]]:
        """Serve each request independently, starting from the original; return a list of versions per request."""
        return [self._serve_chain(state, request, seeds / r) for r, request in enumerate(requests)]

    def _serve_chain(self, state: State, request: Request, seeds: SeedPath) -> list[State]:
        versions = []
        for v, step in enumerate(request.steps, start=1):
            state = self.serve(state, step, seeds / v)
            versions.append(state)
        return versions
