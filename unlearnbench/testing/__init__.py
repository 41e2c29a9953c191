"""The conformance kit for authors of plug-ins: the requirements of each kind, as checks.

From Python, ``findings_of(registered)``; from a shell, ``unlearnbench plugins check NAME``; from pytest, see
:mod:`unlearnbench.testing.pytest_plugin`. For your own tests, :mod:`unlearnbench.testing.samples` makes the records and
rows that the checks use.
"""

from __future__ import annotations

from unlearnbench.testing.findings import Check, ConformanceFinding
from unlearnbench.testing.kit import checks_of, findings_of
from unlearnbench.testing.subjects import subjects

__all__ = ["Check", "ConformanceFinding", "checks_of", "findings_of", "subjects"]
