"""Canonical JSON and its checksum, by which results and suites are identified."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping


def canonical_json(value: object) -> str:
    """Return the canonical JSON text of a value: sorted keys, no spaces, shortest floats. ValueError for NaN."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False, ensure_ascii=False)


def content_key(identity: Mapping[str, object]) -> str:
    """Return the sha256 (hex) of an identity's canonical JSON."""
    return hashlib.sha256(canonical_json(identity).encode()).hexdigest()
