"""The bases an unlearning method starts from: its author writes only what the method is."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import reduce
from typing import Any, ClassVar

from unlearnbench.core.models import Fitted
from unlearnbench.core.originals import Original
from unlearnbench.core.records import Step, TrainingSet
from unlearnbench.core.scenarios import Request
from unlearnbench.core.seeding import SeedPath
from unlearnbench.core.training import JobKey, TrainingJob
from unlearnbench.core.unlearners import State, Unlearner
from unlearnbench.engine.access import Access
from unlearnbench.engine.guards import guard_deletions, guard_original
from unlearnbench.engine.querying import Ensemble


@dataclass(frozen=True, eq=False)
class ExactState:
    """A model of an exact unlearner."""

    fitted: Fitted
    original: Original
    steps: tuple[Step, ...] = ()
    """The steps served so far."""
    jobs: tuple[TrainingJob, ...] = ()
    """The trainings that it consists of."""
    passes: float = math.nan
    """See :class:`~unlearnbench.core.unlearners.CountsPasses`."""


class ExactUnlearner(Unlearner):
    """An unlearner whose result is the outcome of some training. Authors must write only ``jobs``.

    Jobs that are the same for several requests are trained once.
    """

    counts_passes: ClassVar[bool] = True
    """Whether a job trains on all of its records. Else its record passes are not counted."""

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
        jobs = self.jobs(original, (), original.seeds)
        return ExactState(self._trained(original, jobs), original, jobs=tuple(jobs))

    def serve(self, state: State, step: Step, seeds: SeedPath) -> ExactState:
        """Train the models of one step."""
        first = _exact(state)
        return self._advance(first, step, self._jobs_after(first, (step,), seeds))

    def serve_all(self, state: State, requests: Sequence[Request], seeds: SeedPath) -> Sequence[Sequence[State]]:
        """Train the models of all requests and versions together."""
        first = _exact(state)
        chains = [
            [self._jobs_after(first, request.steps[:v], seeds / r / v) for v in range(1, len(request.steps) + 1)]
            for r, request in enumerate(requests)
        ]
        first.original.train([job for chain in chains for jobs in chain for job in jobs])
        return [self._chain(first, request, chain) for request, chain in zip(requests, chains, strict=True)]

    def _chain(
        self, state: ExactState, request: Request, versions: Sequence[Sequence[TrainingJob]]
    ) -> list[ExactState]:
        """Return the state after each step, given the jobs of each version."""
        chain = [state]
        for step, jobs in zip(request.steps, versions, strict=True):
            chain.append(self._advance(chain[-1], step, jobs))
        return chain[1:]

    def _jobs_after(self, state: ExactState, steps: Sequence[Step], seeds: SeedPath) -> Sequence[TrainingJob]:
        return self.jobs(state.original, (*state.steps, *steps), seeds)

    def _advance(self, state: ExactState, step: Step, jobs: Sequence[TrainingJob]) -> ExactState:
        fitted, steps = self._trained(state.original, jobs), (*state.steps, step)
        passes = _passes(state, steps, jobs) if self.counts_passes else math.nan
        return replace(state, fitted=fitted, steps=steps, jobs=tuple(jobs), passes=passes)

    def _trained(self, original: Original, jobs: Sequence[TrainingJob]) -> Fitted:
        parts = original.train(jobs)
        return parts[0] if len(parts) == 1 else Ensemble(tuple(parts), tuple(self.weights(jobs)))


def _passes(before: ExactState, steps: Sequence[Step], jobs: Sequence[TrainingJob]) -> float:
    """Return the records of all stages that were not trained before, over those that are left after ``steps``."""
    original = before.original
    done, new = _stages(original, before.jobs), _stages(original, jobs)
    left = reduce(TrainingSet.after, steps, original.data)
    return sum(len(stage.data) for key, stage in new.items() if key not in done) / max(len(left), 1)


def _stages(original: Original, jobs: Sequence[TrainingJob]) -> dict[JobKey, TrainingJob]:
    return {original.job_key(stage): stage for job in jobs for stage in job.stages}


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

    def guarded(self, access: Access) -> Deletion:
        """Return this deletion with sets that raise AccessError where a method reads what it does not declare."""
        return guard_deletions([self], access)[0]


@dataclass(frozen=True, eq=False)
class FunctionState:
    """A model of a function unlearner."""

    fitted: Fitted
    data: TrainingSet
    """The training set that the model represents."""
    original: Original
    precomputed: Any
    passes: float = math.nan
    """See :class:`~unlearnbench.core.unlearners.CountsPasses`."""

    def deletion(self, step: Step, seeds: SeedPath) -> Deletion:
        """Return what a function unlearner is given for one step."""
        forget = TrainingSet.of(self.data.records, step.forget)
        return Deletion(self.fitted, self.data.after(step), forget, self.original, seeds, self.precomputed)

    def after(self, step: Step, fitted: Fitted, passes: float = math.nan) -> FunctionState:
        """Return the state after one step, with its unlearned model; TypeError for what is no fitted model."""
        if not callable(getattr(fitted, "log_posteriors", None)):
            raise TypeError(
                f"unlearn must return a fitted model, got {type(fitted).__name__}; of a module, "
                "deletion.fitted.with_module(module) makes one"
            )
        return replace(self, fitted=fitted, data=self.data.after(step), passes=passes)


class FunctionUnlearner(Unlearner):
    """An unlearner that is a function of the fitted model, the retain set and the forget set.

    Authors must write only ``unlearn``.
    """

    sees: ClassVar[tuple[str, ...] | None] = None
    """What it reads, as in its record; to read another set raises AccessError. None to be checked by noise only."""

    @abstractmethod
    def unlearn(self, deletion: Deletion) -> Fitted:
        """Return the unlearned model."""

    def unlearn_all(self, deletions: Sequence[Deletion]) -> Sequence[Fitted]:
        """Serve deletions of one original, none of which depends on another; override it if that is faster."""
        return [self.unlearn(deletion) for deletion in guard_deletions(deletions, self.access)]

    def precompute(self, original: Original) -> Any:  # noqa: ARG002 - most methods need nothing
        """Return what all requests of an original need, such as the importance of each parameter; None by default.

        Called once per original; its time counts as training, not as unlearning.
        """
        return None

    def record_passes(self, deletion: Deletion) -> float:  # noqa: ARG002 - a loop of one's own is not counted
        """Return how many records go forward and backward to serve a deletion, over those of a retraining.

        A retraining's are its epochs times the records of the retain set. NaN, the default, where nobody counts.
        """
        return math.nan

    @property
    def access(self) -> Access:
        """What it may read."""
        return Access(type(self).__name__, self.sees)

    def prepare(self, original: Original) -> FunctionState:
        """Train the original, bitwise the same one as that of exact unlearners."""
        precomputed = self.precompute(guard_original(original, self.access))
        return FunctionState(original.fitted, original.data, original, precomputed)

    def serve(self, state: State, step: Step, seeds: SeedPath) -> FunctionState:
        """Apply the function for one step."""
        first = _function(state)
        return self._serve([(first, step, seeds)])[0]

    def serve_all(self, state: State, requests: Sequence[Request], seeds: SeedPath) -> Sequence[Sequence[State]]:
        """Serve the first steps of all requests, then their second steps, and so on."""
        chains = [[_function(state)] for _ in requests]
        for v in range(max((len(request.steps) for request in requests), default=0)):
            longer = [r for r, request in enumerate(requests) if v < len(request.steps)]
            due = [(chains[r][-1], requests[r].steps[v], seeds / r / (v + 1)) for r in longer]
            for r, state_after in zip(longer, self._serve(due), strict=True):
                chains[r].append(state_after)
        return [chain[1:] for chain in chains]

    def _serve(self, due: Sequence[tuple[FunctionState, Step, SeedPath]]) -> list[FunctionState]:
        """Serve one step of each of these states."""
        deletions = [before.deletion(step, seeds) for before, step, seeds in due]
        return [
            before.after(step, fitted, self.record_passes(deletion))
            for (before, step, _), deletion, fitted in zip(due, deletions, self.unlearn_all(deletions), strict=True)
        ]


def _function(state: State) -> FunctionState:
    if not isinstance(state, FunctionState):
        raise TypeError(f"a function unlearner serves its own states, got {type(state).__name__}")
    return state
