"""Whatever happens to a store: a sound entry is read as it was put, a damaged one never, and any later put works."""

from __future__ import annotations

import logging
import shutil
import tempfile
from collections.abc import Callable
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from unlearnbench.core.errors import UserError
from unlearnbench.core.executors import Failure
from unlearnbench.run.entries import encode
from unlearnbench.run.store import FOLDERS, Store

KEYS = [content * 64 for content in "ab"] + ["a" + "b" * 63]
KIND = "cell"
LOG = logging.getLogger("unlearnbench.run")


class KilledError(BaseException):
    """The process ends here."""


STEPS: dict[str, tuple[Any, str]] = {
    "open": (Path, "open"),
    "replace": (Path, "replace"),
    "rename": (Path, "rename"),
    "unlink": (Path, "unlink"),
    "mkdir": (Path, "mkdir"),
}
"""The operations on files between which a writer can be killed."""


class StoreMachine(RuleBasedStateMachine):
    """Two stores in one folder, as two processes have them, and what must be found there."""

    def __init__(self) -> None:
        super().__init__()
        self.level = LOG.level
        LOG.setLevel(logging.CRITICAL)
        self.folder = Path(tempfile.mkdtemp(prefix="store-machine-"))
        self.writers = Store(self.folder / "store"), Store(self.folder / "store")
        self.sound: dict[str, int] = {}
        """The number that was put under each key whose entry is sound."""
        self.unsure: set[str] = set()
        """Keys that a killed writer was at: the entry is whole, the old or the new one, or there is none."""

    def teardown(self) -> None:
        shutil.rmtree(self.folder)
        LOG.setLevel(self.level)

    def place(self, key: str) -> Path:
        return self.folder / "store" / FOLDERS[KIND] / key[:2] / key

    @rule(key=st.sampled_from(KEYS), who=st.integers(0, 1), number=st.integers(0, 99))
    def put(self, key: str, who: int, number: int) -> None:
        self.settle(key)
        self.writers[who].put(KIND, key, {"number": number}, {"x": np.full(3, number)})
        self.sound.setdefault(key, number)  # the first of two writers stays
        assert self.read(key) == self.sound[key]

    @rule(key=st.sampled_from(KEYS), who=st.integers(0, 1))
    def drop(self, key: str, who: int) -> None:
        self.writers[who].drop(KIND, key)
        self.sound.pop(key, None)
        self.unsure.discard(key)

    @rule(key=st.sampled_from(KEYS), who=st.integers(0, 1))
    def fail(self, key: str, who: int) -> None:
        self.writers[who].fail(KIND, key, Failure("failed", "it broke"))
        assert self.writers[1 - who].failure(KIND, key) == Failure("failed", "it broke")

    @rule(
        key=st.sampled_from(KEYS),
        step=st.sampled_from(sorted(STEPS)),
        after=st.integers(0, 4),
        done=st.booleans(),
        verb=st.sampled_from(["put", "drop", "fail", "make_ready"]),
    )
    def be_killed(self, key: str, step: str, after: int, done: bool, verb: str) -> None:
        """Kill a writer before or after one of its steps."""
        self.settle(key)
        left = [after]
        owner, name = STEPS[step]
        real = getattr(owner, name)

        def dying(*arguments: Any, **named: Any) -> Any:
            left[0] -= 1
            if left[0] < 0 and not done:
                raise KilledError
            result = real(*arguments, **named)
            if left[0] < 0:
                if name == "open":
                    result.close()  # as the system does
                raise KilledError
            return result

        calls: dict[str, Callable[[], None]] = {
            "put": lambda: self.writers[0].put(KIND, key, {"number": 100}, {"x": np.full(3, 100)}),
            "drop": lambda: self.writers[0].drop(KIND, key),
            "fail": lambda: self.writers[0].fail(KIND, key, Failure("failed", "it broke")),
            "make_ready": self.writers[0].make_ready,
        }
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(owner, name, dying)
            with suppress(KilledError):
                calls[verb]()
        if verb in ("put", "drop"):
            self.unsure.add(key)

    @rule(
        key=st.sampled_from(KEYS),
        how=st.sampled_from(["cut", "flip", "empty", "foreign", "folder", "garbage", "old layout"]),
        at=st.floats(0, 1, exclude_max=True),
    )
    def damage(self, key: str, how: str, at: float) -> None:
        place = self.place(key)
        if not place.is_file():
            return
        content = place.read_bytes()
        i = int(at * len(content))
        damaged = {
            "cut": content[:i],
            "flip": content[:i] + bytes([content[i] ^ 1]) + content[i + 1 :] if content else b"?",
            "empty": b"",
            "foreign": b"".join(encode(KIND, "c" * 64, {"number": 7}, {})),
            "garbage": sha256(b"[" * 10_000).hexdigest().encode() + b" " + b"[" * 10_000 + b"\n",
        }
        if how in damaged:
            place.write_bytes(damaged[how])
        else:
            place.unlink()
            place.mkdir()
            if how == "old layout":
                (place / "manifest.json").write_text("{}")
        self.sound.pop(key, None)
        self.unsure.discard(key)

    @rule(key=st.sampled_from(KEYS))
    def put_a_file_in_place_of_its_folder(self, key: str) -> None:
        folder = self.place(key).parent
        if folder.parent.is_dir():
            shutil.rmtree(folder, ignore_errors=True)
            folder.unlink(missing_ok=True)
            folder.write_text("in the way")
            for each in KEYS:
                if each[:2] == key[:2]:
                    self.sound.pop(each, None)
                    self.unsure.discard(each)

    @rule()
    def delete_everything(self) -> None:
        shutil.rmtree(self.folder / "store", ignore_errors=True)
        self.sound.clear()
        self.unsure.clear()

    @rule(key=st.sampled_from(KEYS))
    def find_a_newer_schema(self, key: str) -> None:
        place = self.place(key)
        if not place.is_file():
            return
        kept = place.read_bytes()
        newer = b'{"arrays":{},"key":"%s","kind":"cell","payload":{},"schema":3}' % key.encode()
        place.write_bytes(sha256(newer).hexdigest().encode() + b" " + newer + b"\n")
        calls: list[Callable[[], object]] = [
            lambda: self.writers[0].get(KIND, key),
            lambda: self.writers[1].put(KIND, key, {"number": 1}, {}),
        ]
        for call in calls:
            with pytest.raises(UserError, match="schema 3"):
                call()
        place.write_bytes(kept)

    @rule()
    def start_a_run(self) -> None:
        self.writers[1].make_ready()
        assert not list((self.folder / "store" / "tmp").iterdir())

    @invariant()
    def what_is_sound_is_read_and_nothing_else(self) -> None:
        for key in KEYS:
            if key not in self.unsure:
                assert self.read(key) == self.sound.get(key)
                assert key not in self.sound or self.writers[1].has(KIND, key)
            else:
                assert self.read(key) in (None, 100, self.sound.get(key))

    def settle(self, key: str) -> None:
        """Take what a killed writer left for what is there."""
        if key in self.unsure:
            self.unsure.discard(key)
            self.sound.pop(key, None)
            if (found := self.read(key)) is not None:
                self.sound[key] = found

    def read(self, key: str) -> int | None:
        """Return the number that both stores find, whole and by its head alone."""
        entries = [store.get(KIND, key) for store in self.writers]
        heads = [store.payload(KIND, key) for store in self.writers]
        numbers = {None if entry is None else int(entry.arrays["x"][0]) for entry in entries}
        assert len(numbers) == 1
        for entry, head in zip(entries, heads, strict=True):
            assert entry is None or entry.payload == head == {"number": entry.arrays["x"][0]}
        return numbers.pop()


TestStore = StoreMachine.TestCase
TestStore.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
