"""The bases an unlearning method starts from: its author writes only what the method is."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from unlearnbench.core.models import Fitted
from unlearnbench.core.originals import Original
from unlearnbench.core.records import Step, TrainingSet
from unlearnbench.core.scenarios import Request
from unlearnbench.core.seeding import SeedPath
from unlearnbench.core.training import TrainingJob
from unlearnbench.core.unlearners import State, Unlearner
from unlearnbench.engine.querying import Ensemble


@dataclass(frozen=True, eq=False)
class ExactState:
    """A model of an exact unlearner."""

    fitted: Fitted
    original: Original
    steps: tuple[Step, ...] = ()
    """The steps served so far."""


class ExactUnlearner(Unlearner):
    """An unlearner whose result is the outcome of some training. Authors must write only ``jobs``.

    Jobs that are the same for several requests are trained once.
    """

    @abstractmethod
    def jobs(self, original: Original, steps: Sequence[Step], seeds: SeedPath) -> Sequence[TrainingJob]:
        """Return the models to train so that those on ``original.data`` have served ``steps``, empty for the original.

        ``seeds`` is the seed path of this version; for the original it is ``original.seeds``.
        """

    def weights(self, jobs: Sequence[TrainingJob]) -> Sequence[float]:
        """Return the weight of each job's posteriors in the answer; equal by default."""
        return [1.0] * len(jobs)

    def prepare(self, original: Original) -> ExactState:
        """Train the original."""
        return ExactState(self._trained(original, self.jobs(original, (), original.seeds)), original)

    def serve(self, state: State, step: Step, seeds: SeedPath) -> ExactState:
        """Train the models of one step."""
        first = _exact(state)
        return self._advance(first, (step,), self._jobs_after(first, (step,), seeds))

    def serve_all(self, state: State, requests: Sequence[Request], seeds: SeedPath) -> Sequence[Sequence[State]]:
        """Train the models of all requests and versions together."""
        first = _exact(state)
        chains = [
            [
                (request.steps[:v], self._jobs_after(first, request.steps[:v], seeds / r / v))
                for v in range(1, len(request.steps) + 1)
            ]
            for r, request in enumerate(requests)
        ]
        first.original.train([job for chain in chains for _, jobs in chain for job in jobs])
        return [[self._advance(first, steps, jobs) for steps, jobs in chain] for chain in chains]

    def _jobs_after(self, state: ExactState, steps: Sequence[Step], seeds: SeedPath) -> Sequence[TrainingJob]:
        return self.jobs(state.original, (*state.steps, *steps), seeds)

    def _advance(self, state: ExactState, steps: tuple[Step, ...], jobs: Sequence[TrainingJob]) -> ExactState:
        return replace(state, fitted=self._trained(state.original, jobs), steps=(*state.steps, *steps))

    def _trained(self, original: Original, jobs: Sequence[TrainingJob]) -> Fitted:
        parts = original.train(jobs)
        return parts[0] if len(parts) == 1 else Ensemble(tuple(parts), tuple(self.weights(jobs)))


def _exact(state: State) -> ExactState:
    if not isinstance(state, ExactState):
        raise TypeError(f"an exact unlearner serves its own states, got {type(state).__name__}")
    return state


@dataclass(frozen=True, eq=False)
class Deletion:
    """One step of a request, as a function unlearner receives it."""

    fitted: Fitted
    """The model to unlearn from: the original, or in later steps the version before. It must not be changed."""
    retain: TrainingSet
    """The records that stay, and those that the step adds."""
    forget: TrainingSet
    """The records that the step deletes."""
    original: Original
    """The original: the model's parameters, device, training set, validation records."""
    seeds: SeedPath
    """Seed path of this version; ``seeds.rng()`` is its generator."""
    precomputed: Any = None
    """What ``precompute`` returned for this original."""


@dataclass(frozen=True, eq=False)
class FunctionState:
    """A model of a function unlearner."""

    fitted: Fitted
    data: TrainingSet
    """The training set that the model represents."""
    original: Original
    precomputed: Any


class FunctionUnlearner(Unlearner):
    """An unlearner that is a function of the fitted model, the retain set and the forget set.

    Authors must write only ``unlearn``.
    """

    @abstractmethod
    def unlearn(self, deletion: Deletion) -> Fitted:
        """Return the unlearned model."""

    def precompute(self, original: Original) -> Any:  # noqa: ARG002 - most methods need nothing
        """Return what all requests of an original need, such as the importance of each parameter; None by default.

        Called once per original; its time counts as training, not as unlearning.
        """
        return None

    def prepare(self, original: Original) -> FunctionState:
        """Train the original, bitwise the same one as that of exact unlearners."""
        return FunctionState(original.fitted, original.data, original, self.precompute(original))

    def serve(self, state: State, step: Step, seeds: SeedPath) -> FunctionState:
        """Apply the function for one step."""
        if not isinstance(state, FunctionState):
            raise TypeError(f"a function unlearner serves its own states, got {type(state).__name__}")
        retain = state.data.after(step)
        forget = TrainingSet.of(state.data.records, step.forget)
        deletion = Deletion(state.fitted, retain, forget, state.original, seeds, state.precomputed)
        return replace(state, fitted=self.unlearn(deletion), data=retain)
