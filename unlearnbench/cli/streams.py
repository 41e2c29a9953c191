"""What a process prints to and is stopped by: streams that cannot show a text or are gone, and signals."""

from __future__ import annotations

import io
import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Final, TextIO

SIGNALS: Final = 128
"""The exit code of a process that a signal ends is this and the signal's number."""
INTERRUPTED: Final = SIGNALS + signal.SIGINT
_ENDING: Final = [
    signal.Signals[name] for name in ("SIGINT", "SIGTERM", "SIGHUP") if name in signal.Signals.__members__
]
"""What Ctrl-C, batch systems and closed terminals send; Windows knows two of them."""
CLOSED_PIPE: Final = SIGNALS + 13  # SIGPIPE, which Windows does not have


def show_all_text() -> None:
    """Let the streams escape what their encoding lacks, in place of failing."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def failed_stream() -> str:
    """Return the name of the stream that takes no more text, and silence it; "" where both do."""
    for name, stream in (("standard output", sys.stdout), ("standard error", sys.stderr)):
        try:
            stream.flush()
        except OSError:
            silence(stream)
            return name
    return ""


def silence(stream: TextIO) -> None:
    """Drop what a stream still holds: Python would try again to write it when the process ends, and complain."""
    with suppress(OSError, ValueError, AttributeError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


class StoppedError(KeyboardInterrupt):
    """A signal asked this process to end.

    An own class, since Python notes a plain KeyboardInterrupt that passes through ``exec`` of a text, as when a data
    class is made, and then ends the process by SIGINT whatever exit code it asks for.
    """


class Stop:
    """Whether the process was asked to end."""

    signal: int = signal.SIGINT
    """By which signal."""

    @property
    def code(self) -> int:
        """The exit code."""
        return SIGNALS + self.signal


@contextmanager
def stopped_in_order(stop: Stop) -> Iterator[None]:
    """End the work at Ctrl-C, SIGTERM and SIGHUP by a KeyboardInterrupt, so that it is left in order.

    ``stop`` gets to know the signal. One that this process was started to ignore, as by nohup, stays ignored.
    """

    def end(number: int, _: object) -> None:
        stop.signal = number
        raise StoppedError

    if threading.current_thread() is not threading.main_thread():  # only that one may handle signals
        yield
        return
    before = {number: signal.signal(number, end) for number in _ENDING if signal.getsignal(number) != signal.SIG_IGN}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
