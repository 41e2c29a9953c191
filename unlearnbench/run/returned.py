"""What plug-ins return in an episode is checked before it is used: requests, versions and queries."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from unlearnbench.core.messages import brief, counted
from unlearnbench.core.models import HasPrivacy, check_fitted
from unlearnbench.core.records import Records, TrainingSet, among
from unlearnbench.core.scenarios import Queries, Request
from unlearnbench.core.unlearners import CountsPasses, State


def check_requests(requests: object, data: TrainingSet, by: str) -> None:
    """Raise TypeError or ValueError where these are no requests that the training set of an original can serve.

    ``by`` names the kind of plug-in that returned them.
    """
    if not isinstance(requests, Sequence) or not all(isinstance(request, Request) for request in requests):
        raise TypeError(f"a {by} must return a list of Request, got {brief(requests)}")
    for number, request in enumerate(requests):
        if not request.steps:
            raise ValueError(f"a {by} must return requests of one step or more, request {number} has none")
        _check_steps(number, request, data, by)


def _check_steps(number: int, request: Request, data: TrainingSet, by: str) -> None:
    held = data
    for step in request.steps:
        _check_known(np.concatenate([step.forget, step.add]), data.records, by)
        if not (known := among(step.forget, np.concatenate([held.kept_ids, step.add]))).all():
            raise ValueError(
                f"a {by} must delete records of the training set, request {number} deletes {step.forget[~known][0]}"
            )
        held = held.after(step)


def _check_known(ids: NDArray[np.int64], records: Records, by: str) -> None:
    if len(wrong := ids[(ids < 0) | (ids >= len(records))]):
        raise ValueError(f"a {by} names record {wrong[0]}, and {records.name} has ids 0 to {len(records) - 1}")


def check_number(requests: Sequence[Request], wanted: int) -> None:
    """Raise ValueError where a scenario returned another number of requests than it was asked for."""
    if len(requests) != wanted:
        raise ValueError(f"a scenario must return {counted(wanted, 'request')}, as its sizes say, got {len(requests)}")


def check_schedule(requests: Sequence[Request], scheduled: Sequence[Request]) -> None:
    """Raise ValueError where a defense loses a record that is to be deleted or added, or serves one twice.

    Also where it serves requests of several strata together: a record's negatives are those of its own stratum.
    """
    for what in ("forgotten", "added"):
        ids, served = (sorted(i for one in each for i in getattr(one, what).tolist()) for each in (requests, scheduled))
        if ids != served:
            raise ValueError(
                f"a defense must serve every request once: {counted(len(ids), 'record')} to be {what}, "
                f"it serves {len(served)}"
            )
    stratum_of = {i: request.stratum for request in requests for i in request.forgotten.tolist()}
    for number, request in enumerate(scheduled):
        if not all(_same(stratum_of[i], request.stratum) for i in request.forgotten.tolist()):
            raise ValueError(f"a defense must serve together requests of one stratum, request {number} is of several")


def _same(one: NDArray[np.int64] | None, other: NDArray[np.int64] | None) -> bool:
    return one is other or (one is not None and other is not None and np.array_equal(one, other))


def check_versions(chains: Sequence[Sequence[State]], requests: Sequence[Request]) -> None:
    """Raise TypeError or ValueError where an unlearner did not return a trained model for each step."""
    lengths, wanted = [len(chain) for chain in chains], [len(request.steps) for request in requests]
    if lengths != wanted:
        raise ValueError(f"an unlearner must return a version for each step: {wanted} of the requests, got {lengths}")
    for state in (state for chain in chains for state in chain):
        check_fitted(state.fitted)


def check_queries(queries: object, records: Records, population: NDArray[np.int64]) -> None:
    """Raise TypeError or ValueError where a scenario returned no queries of these records, or some of a population."""
    if not isinstance(queries, Queries):
        raise TypeError(f"a scenario must return Queries, got {brief(queries)}")
    _check_known(queries.ids, records, "scenario")
    if len(both := queries.ids[among(queries.ids, population)]):
        raise ValueError(f"a scenario queries record {both[0]}, which is of the population and must not be queried")


def privacy_loss(fitted: object) -> float:
    """Return the epsilon of a model; infinite where it was trained without privacy. ValueError where it is none."""
    epsilon = fitted.epsilon if isinstance(fitted, HasPrivacy) else np.inf
    if not isinstance(epsilon, int | float) or not epsilon >= 0:
        raise ValueError(f"a model's epsilon must be a number from 0 on, got {brief(epsilon)}")
    return float(epsilon)


def record_passes(chain: Sequence[State]) -> float:
    """Return the mean record passes of a request's versions; NaN where one is not counted, ValueError for no number."""
    counts = [state.passes if isinstance(state, CountsPasses) else math.nan for state in chain]
    for count in counts:
        if not isinstance(count, int | float) or count < 0 or math.isinf(count):
            raise ValueError(
                f"record passes must be a number from 0 on, over those of a retraining, got {brief(count)}"
            )
    return float(np.mean(counts))
