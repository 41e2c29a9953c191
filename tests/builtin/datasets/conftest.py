from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import pytest


@pytest.fixture
def stand_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[ModuleType, bytes], None]:
    """Put a small file, its checksum pinned, in the place of the one that a data set's module reads."""

    def put(module: ModuleType, content: bytes) -> None:
        file = replace(module.FILE, sha256=hashlib.sha256(content).hexdigest())
        path = tmp_path / file.folder / file.name
        path.parent.mkdir()
        path.write_bytes(content)
        monkeypatch.setenv("UNLEARNBENCH_DATA", str(tmp_path))
        monkeypatch.setattr(module, "FILE", file)

    return put
