"""The bases an unlearning method starts from: its author writes only what the method *is*."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from unlearnbench.core.models import Fitted, Seeds, TargetModel
from unlearnbench.core.records import Step, TrainingSet
from unlearnbench.core.scenarios import Request
from unlearnbench.core.seeding import SeedPath
from unlearnbench.core.unlearners import State, Unlearner
from unlearnbench.engine.querying import Ensemble
from unlearnbench.engine.training import Trainer, TrainingJob


@dataclass(frozen=True, eq=False)
class ExactState:
    """A model of an exact unlearner: what it was first trained on, the steps served since, and the trainer."""

    fitted: Fitted
    data: TrainingSet
    seeds: SeedPath
    steps: tuple[Step, ...]
    trainer: Trainer


class ExactUnlearner(Unlearner):
    """An unlearner whose result is some training: authors name the training sets, the engine trains them.

    Jobs that stay the same from one request to the next are trained once.
    """

    @abstractmethod
    def jobs(
        self, data: TrainingSet, steps: Sequence[Step], original: SeedPath, request: SeedPath
    ) -> Sequence[TrainingJob]:
        """Return the models to train so that those on ``data`` have served ``steps`` (empty for the original).

        ``original`` is the seed path of the original's training, ``request`` that of this version.
        """

    def weights(self, jobs: Sequence[TrainingJob]) -> Sequence[float]:
        """Return the weight of each job's posteriors in the answer; equal by default."""
        return [1.0] * len(jobs)

    def prepare(self, model: TargetModel, data: TrainingSet, seeds: SeedPath, device: str) -> ExactState:
        """Train the original."""
        trainer = Trainer(model, device)
        jobs = self.jobs(data, (), seeds, seeds)
        return ExactState(self._combine(jobs, trainer), data, seeds, (), trainer)

    def serve(self, state: State, step: Step, seeds: SeedPath) -> ExactState:
        """Train what one step asks for."""
        first = _exact(state)
        return self._advance(first, (step,), self._jobs_after(first, (step,), seeds))

    def serve_all(self, state: State, requests: Sequence[Request], seeds: SeedPath) -> Sequence[Sequence[State]]:
        """Train what all requests and versions ask for in one go."""
        first = _exact(state)
        chains = [
            [
                (request.steps[:v], self._jobs_after(first, request.steps[:v], seeds / r / v))
                for v in range(1, len(request.steps) + 1)
            ]
            for r, request in enumerate(requests)
        ]
        first.trainer.train([job for chain in chains for _, jobs in chain for job in jobs])
        return [[self._advance(first, steps, jobs) for steps, jobs in chain] for chain in chains]

    def _jobs_after(self, state: ExactState, steps: Sequence[Step], seeds: SeedPath) -> Sequence[TrainingJob]:
        return self.jobs(state.data, (*state.steps, *steps), state.seeds, seeds)

    def _advance(self, state: ExactState, steps: tuple[Step, ...], jobs: Sequence[TrainingJob]) -> ExactState:
        return replace(state, fitted=self._combine(jobs, state.trainer), steps=(*state.steps, *steps))

    def _combine(self, jobs: Sequence[TrainingJob], trainer: Trainer) -> Fitted:
        parts = trainer.train(jobs)
        return parts[0] if len(parts) == 1 else Ensemble(tuple(parts), tuple(self.weights(jobs)))


def _exact(state: State) -> ExactState:
    if not isinstance(state, ExactState):
        raise TypeError(f"an exact unlearner serves its own states, got {type(state).__name__}")
    return state


@dataclass(frozen=True, eq=False)
class FunctionState:
    """A model of a function unlearner and the training set it stands for."""

    fitted: Fitted
    data: TrainingSet


class FunctionUnlearner(Unlearner):
    """An unlearner that is a function of the fitted model, the retain set and the forget set."""

    @abstractmethod
    def unlearn(self, fitted: Fitted, retain: TrainingSet, forget: TrainingSet, rng: np.random.Generator) -> Fitted:
        """Return the unlearned model; ``fitted`` itself must stay as it is. ``rng`` is new for every version."""

    def prepare(self, model: TargetModel, data: TrainingSet, seeds: SeedPath, device: str) -> FunctionState:
        """Train the original, the way exact unlearners do: bitwise the same one as theirs."""
        (fitted,) = Trainer(model, device).train([TrainingJob(data, Seeds.at(seeds))])
        return FunctionState(fitted, data)

    def serve(self, state: State, step: Step, seeds: SeedPath) -> FunctionState:
        """Apply the function for one step."""
        if not isinstance(state, FunctionState):
            raise TypeError(f"a function unlearner serves its own states, got {type(state).__name__}")
        retain = state.data.after(step)
        forget = TrainingSet.of(state.data.records, step.forget)
        return FunctionState(self.unlearn(state.fitted, retain, forget, seeds.rng()), retain)
