"""Which versions of a model an adversary queries. Imports nothing, so that listing plug-ins is fast."""

from __future__ import annotations

from typing import Literal

Versions = Literal["both", "original", "unlearned", "none"]
"""The models that an attack queries: the original and the unlearned ones, only one of the two, or no model."""

Sees = Literal["all", "last"]
"""The unlearned versions of a request that an adversary queries: every one, or only the last."""
