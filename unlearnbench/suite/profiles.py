"""The two sizes at which a suite is run: in full, or as a smoke test of a few seconds."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Literal

from unlearnbench.core.pools import EpisodeSizes
from unlearnbench.suite.model import DatasetRef, Suite

Profile = Literal["full", "smoke"]
"""Which size of a suite to run."""

SMOKE = EpisodeSizes(originals=2, requests=2, records=300, negatives=20, matched=1, retained=4)
"""The largest sizes of a smoke test, which has one seed. Its numbers have no meaning."""
SMOKE_QUERIES = 100
"""The largest number of queries of a search. Other sizes of the adversary stay, since attacks need as many."""


def in_profile(suite: Suite, profile: Profile) -> Suite:
    """Return the suite at a profile; ``full`` leaves it unchanged."""
    if profile == "full":
        return suite
    return replace(suite, seeds=suite.seeds[:1], datasets=tuple(map(_small, suite.datasets)))


def _small(ref: DatasetRef) -> DatasetRef:
    references = replace(ref.references, boundary=min(ref.references.boundary, SMOKE_QUERIES))
    return replace(ref, episodes=_at_most(ref.episodes), adversary=_at_most(ref.adversary), references=references)


def _at_most(sizes: EpisodeSizes) -> EpisodeSizes:
    names = [f.name for f in fields(EpisodeSizes)]
    return EpisodeSizes(**{name: min(getattr(sizes, name), getattr(SMOKE, name)) for name in names})
