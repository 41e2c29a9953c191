"""Attacks that are not built in, in processes of their own that hold nothing but what an attack is shown.

Such a process is a plain child: it is sent plug-ins to load, views and generators, and answers with scores. It gets
neither the store, the suite and the seeds, nor records, membership or roles. What it can still do is in decision 0022.
Requests are pickled, since this process makes them. Answers are numbers or texts, and are never unpickled.
"""

from __future__ import annotations

import json
import os
import pickle
import shutil
import signal
import struct
import subprocess
import sys
import threading
import weakref
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue
from tempfile import mkdtemp
from typing import Any, BinaryIO, Final, cast

import numpy as np
from numpy.typing import NDArray

import unlearnbench
from unlearnbench.core.attacks import Attack, FittedAttack
from unlearnbench.core.executors import FAILURES, Failure, FailureStatus
from unlearnbench.core.messages import as_line
from unlearnbench.core.observations import Needs, ShadowView, View
from unlearnbench.core.plugin_calls import plugin_call
from unlearnbench.engine.workers import die_with_parent, how_ended, one_thread
from unlearnbench.hooks.parameters import build
from unlearnbench.run.failures import FailedElsewhereError, failure_of
from unlearnbench.run.game import as_scores
from unlearnbench.run.plugin_lock import PluginLock

_LENGTH: Final = struct.Struct("<Q")
_LONGEST: Final = 2**30
"""The most bytes of an answer."""
_NUMBERS, _ERROR = b"n", b"e"


class AttackProcess:
    """A child process that fits and scores attacks of one source.

    It starts when it is first needed, and again if it died. It ends with this object.
    """

    def __init__(self, lock: PluginLock) -> None:
        self.lock = lock
        self.fits = 0
        """How many attacks it was asked to fit; it keeps the last one."""
        self._child: subprocess.Popen[bytes] | None = None
        self._end: weakref.finalize[Any, Any] | None = None

    def fit(self, name: str, params: Mapping[str, object], shadow: ShadowView, rng: np.random.Generator) -> int:
        """Fit the attack of this name; return the number of the fit."""
        self._ask("fit", name, dict(params), shadow, rng)
        self.fits += 1
        return self.fits

    def score(self, views: Sequence[View]) -> list[NDArray[np.float64]]:
        """Return the scores of the attack that was fitted last, (n,) for each view."""
        scores = np.frombuffer(self._ask("score", views), dtype=np.float64)
        return np.split(scores, np.cumsum([len(view) for view in views])[:-1])

    def _ask(self, *request: object) -> bytes:
        """Send one request and return the numbers of its answer; FailedElsewhereError where there is none."""
        child = self._started()
        try:
            _write(_pipe(child.stdin), pickle.dumps(request))
            answer = _answered(_read(_pipe(child.stdout)))
        except (OSError, EOFError):
            with suppress(subprocess.TimeoutExpired):  # it may have closed its pipes, or written into them
                child.wait(1)
            ended = "gives no answer" if child.returncode is None else how_ended(child.returncode)
            self.close()
            raise FailedElsewhereError(Failure("crashed", f"its process {ended}")) from None
        except BaseException:  # interrupted: an answer to this request must not be taken for that of the next
            self.close()
            raise
        if isinstance(answer, Failure):
            raise FailedElsewhereError(answer)
        return answer

    def _started(self) -> subprocess.Popen[bytes]:
        if self._child is None:
            folder = mkdtemp(prefix="unlearnbench-attack-")
            self._child = child = subprocess.Popen(  # noqa: S603 - this very interpreter and package
                [sys.executable, "-m", __name__],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                cwd=folder,
                env=_environment(),
            )
            self._end = weakref.finalize(self, _end, child, folder)
            try:
                self._ask("load", self.lock)
            except FailedElsewhereError:
                self.close()
                raise
        return self._child

    def close(self) -> None:
        """End the child. The next request starts another."""
        if self._end is not None:
            self._end()
        self._child = None


def _end(child: subprocess.Popen[bytes], folder: str) -> None:
    child.kill()
    child.wait()
    shutil.rmtree(folder, ignore_errors=True)
    for pipe in (child.stdin, child.stdout):
        try:
            _pipe(pipe).close()
        except OSError:  # what was not written yet has no reader any more
            continue


def _environment() -> dict[str, str]:
    """Return the environment without settings of this package and places, with the modules that are importable here."""
    left_out = ("UNLEARNBENCH_", "PWD", "OLDPWD")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(left_out)}
    package = Path(unlearnbench.__file__).parents[1]
    return {**kept, "PYTHONPATH": os.pathsep.join([str(package), *filter(None, sys.path)])}


def _pipe(end: Any) -> BinaryIO:
    return end  # type: ignore[no-any-return]  # both are pipes, as they were asked for


def _write(pipe: BinaryIO, body: bytes) -> None:
    pipe.write(_LENGTH.pack(len(body)) + body)
    pipe.flush()


def _read(pipe: BinaryIO) -> bytes:
    (length,) = _LENGTH.unpack(_exactly(pipe, _LENGTH.size))
    if length > _LONGEST:
        raise EOFError("no answer is so long")
    return _exactly(pipe, length)


def _exactly(pipe: BinaryIO, n: int) -> bytes:
    body = pipe.read(n)
    if len(body) < n:
        raise EOFError("the other end is gone")
    return body


def _answered(answer: bytes) -> bytes | Failure:
    """Return the numbers or the failure that a process answers; EOFError for neither: code there may write anything."""
    if answer[:1] == _NUMBERS:
        return answer[1:]
    try:
        status, reason, where = map(str, json.loads(answer[1:]))
        return Failure(FAILURES[FAILURES.index(cast(FailureStatus, status))], as_line(reason), where)
    except (TypeError, ValueError, RecursionError):
        raise EOFError("what was read is no answer") from None


@dataclass(frozen=True, eq=False)
class IsolatedAttack(Attack):
    """An attack that is fitted and scores in another process."""

    name: str
    params: Mapping[str, object]
    declared: Needs
    fitted_on_shadows: bool
    process: AttackProcess

    @property
    def needs(self) -> Needs:
        """What the attack may read."""
        return self.declared

    @property
    def learns(self) -> bool:
        """Whether the attack learns from shadow rows."""
        return self.fitted_on_shadows

    def fit(self, shadow: ShadowView, rng: np.random.Generator) -> FittedAttack:
        """Fit the attack in its process."""
        return IsolatedFit(self.process, self.process.fit(self.name, self.params, shadow, rng))


@dataclass(frozen=True, eq=False)
class IsolatedFit:
    """An attack that was fitted in another process."""

    process: AttackProcess
    number: int

    def score(self, view: View) -> NDArray[np.float64]:
        """Return what the attack answers in its process."""
        return self.score_each([view])[0]

    def score_each(self, views: Sequence[View]) -> list[NDArray[np.float64]]:
        """Return what it answers about several views, which are sent together: each message wakes a process."""
        if self.number != self.process.fits:
            raise RuntimeError("the process of an attack keeps the attack that was fitted last, and no other")
        return self.process.score(views)


class _Served:
    """What the child process holds."""

    def load(self, lock: PluginLock) -> bytes:
        self.registry = lock.registry()
        return b""

    def fit(self, name: str, params: Mapping[str, object], shadow: ShadowView, rng: np.random.Generator) -> bytes:
        attack: Any = build(self.registry.get("attack", name), params)
        with plugin_call():
            self.fitted: FittedAttack = attack.fit(shadow, rng)
        return b""

    def score(self, views: Sequence[View]) -> bytes:
        with plugin_call():
            return b"".join(as_scores(self.fitted.score(view), len(view)).tobytes() for view in views)


def _answer(served: _Served, request: bytes) -> bytes:
    try:
        method, *arguments = pickle.loads(request)  # noqa: S301 - of the process that started this one
        numbers: bytes = getattr(served, method)(*arguments)
        return _NUMBERS + numbers
    except BaseException as error:  # noqa: BLE001 - a plug-in may raise anything, and that is a result
        failure = failure_of(error)
        return _ERROR + json.dumps([failure.status, failure.reason, failure.traceback]).encode()


def _serve() -> None:
    """Answer requests until their pipe is closed. What a plug-in prints goes to the error stream."""
    die_with_parent()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the parent ends its children
    pipe, answers = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    requests, served = SimpleQueue[bytes](), _Served()
    threading.Thread(target=_receive, args=(pipe, requests, Path.cwd()), daemon=True).start()
    with one_thread():
        while True:
            _write(answers, _answer(served, requests.get()))


def _receive(pipe: BinaryIO, requests: SimpleQueue[bytes], folder: Path) -> None:
    """Pass requests on; end this process when the other end is gone, in the middle of a request if need be."""
    while True:
        try:
            requests.put(_read(pipe))
        except EOFError:
            with suppress(OSError):  # if the attack wrote something, the folder stays
                folder.rmdir()
            os._exit(0)


if __name__ == "__main__":
    _serve()
