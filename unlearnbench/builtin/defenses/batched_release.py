"""Publish a model only after several deletions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

import numpy as np
from pydantic import Field

from unlearnbench.core.defenses import PublicationDefense
from unlearnbench.core.records import Step
from unlearnbench.core.scenarios import Request


@dataclass(frozen=True)
class BatchedRelease(PublicationDefense):
    """Serve ``size`` requests together and publish one model for them, so that each record is deleted in a group.

    Requests keep their order; the last batch may be smaller. Of requests with several steps, the first steps are served
    together, then the second ones, and so on. Where requests have strata, those of a batch must be of one.

    ``size``: requests per published model
    """

    size: Annotated[int, Field(ge=2)] = 5

    def schedule(self, requests: Sequence[Request]) -> Sequence[Request]:
        """Return one request for each batch of ``size``."""
        return [_together(requests[first : first + self.size]) for first in range(0, len(requests), self.size)]


def _together(requests: Sequence[Request]) -> Request:
    return Request(
        tuple(
            Step(np.concatenate([step.forget for step in steps]), np.concatenate([step.add for step in steps]))
            for steps in zip(*(request.steps for request in requests), strict=True)
        ),
        requests[0].stratum,
    )
