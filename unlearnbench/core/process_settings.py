"""The settings of this process that a plug-in could change and that others depend on: read, compared and written back.

A setting of a library that is not imported has no value. Libraries are never imported here.
"""

from __future__ import annotations

import locale
import os
import random
import signal
import sys
import threading
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

Values = Mapping[str, Any]
"""The values of settings by name."""

_SIGNALS: Final = [
    getattr(signal, name)
    for name in ("SIGINT", "SIGTERM", "SIGALRM", "SIGCHLD", "SIGHUP", "SIGPIPE", "SIGQUIT", "SIGUSR1", "SIGUSR2")
    if hasattr(signal, name)
]
_TINY = 1e-310
"""A number that is zero once it was multiplied, where the processor flushes denormal numbers."""


@dataclass(frozen=True)
class Setting:
    """One setting; ``read`` returns values that can be compared, ``write`` takes one of them."""

    name: str
    read: Callable[[], Any]
    write: Callable[[Any], object]
    library: str = ""
    """The module that it belongs to, if not always imported."""
    initial: Any = None
    """Its value after the import of the library; None where that is not to be restored."""

    @property
    def exists(self) -> bool:
        """Whether its library is imported."""
        return not self.library or self.library in sys.modules


def read_settings() -> dict[str, Any]:
    """Return the values of all settings of what is imported."""
    return {setting.name: setting.read() for setting in SETTINGS if setting.exists}


def write_settings(wanted: Values, now: Values) -> None:
    """Write the values that differ; what was imported since then gets the values that it had after its import."""
    for setting in SETTINGS:
        value = wanted.get(setting.name, setting.initial)
        if setting.name in now and value is not None and now[setting.name] != value:
            setting.write(value)


def differing(before: Values, after: Values) -> list[str]:
    """Return the names of the settings that differ, those of libraries that were imported in between left out."""
    return [name for name, value in before.items() if after.get(name) != value]


def _directory() -> str:
    try:
        return os.getcwd()  # noqa: PTH109 - Path.cwd takes longer
    except OSError:  # it was deleted
        return ""


def _write_directory(folder: str) -> None:
    if folder:
        os.chdir(folder)


def _write_environment(wanted: dict[str, str]) -> None:
    for name in os.environ.keys() - wanted.keys():
        del os.environ[name]
    os.environ.update(wanted)


def _numpy() -> Any:
    return sys.modules["numpy"]


def _numpy_draws() -> tuple[Any, ...]:
    name, words, *rest = _numpy().random.get_state()
    return name, words.tobytes(), *rest


def _write_numpy_draws(state: tuple[Any, ...]) -> None:
    name, words, *rest = state
    _numpy().random.set_state((name, _numpy().frombuffer(words, dtype="uint32"), *rest))


def _warnings() -> tuple[Any, ...]:
    return (*warnings.filters,), warnings.showwarning


def _write_warnings(value: tuple[Any, ...]) -> None:
    warnings.resetwarnings()  # also makes Python forget what it decided by the other filters
    warnings.filters.extend(value[0])  # type: ignore[attr-defined]  # a list, typed as a sequence
    warnings.showwarning = value[1]


def _write_signals(handlers: list[Any]) -> None:
    if threading.current_thread() is not threading.main_thread():
        return  # no other thread can set them
    for number, handler in zip(_SIGNALS, handlers, strict=True):
        if handler is not None and signal.getsignal(number) is not handler:
            signal.signal(number, handler)


def _alarm() -> bool:
    return hasattr(signal, "getitimer") and signal.getitimer(signal.ITIMER_REAL)[0] > 0


def _write_alarm(wanted: bool) -> None:
    if not wanted:
        signal.setitimer(signal.ITIMER_REAL, 0)


def _write_path(entries: list[str]) -> None:
    sys.path[:] = entries


def _torch() -> Any:
    return sys.modules["torch"]


def _write_torch_draws(state: bytes) -> None:
    words = _numpy().frombuffer(state, dtype="uint8").copy()
    _torch().set_rng_state(_torch().from_numpy(words))


def _write_deterministic(value: tuple[bool, bool]) -> None:
    _torch().use_deterministic_algorithms(value[0], warn_only=value[1])


def _cudnn() -> tuple[bool, bool, bool]:
    found = _torch().backends.cudnn
    return found.enabled, found.benchmark, found.deterministic


def _write_cudnn(value: tuple[bool, bool, bool]) -> None:
    found = _torch().backends.cudnn
    found.enabled, found.benchmark, found.deterministic = value


_ALWAYS: Final = (
    Setting("the working directory", _directory, _write_directory),
    Setting("the environment", os.environ.copy, _write_environment),
    Setting("the draws of random", random.getstate, random.setstate),
    Setting("the filters of warnings", _warnings, _write_warnings),
    Setting("the locale", partial(locale.setlocale, locale.LC_ALL), partial(locale.setlocale, locale.LC_ALL)),
    Setting("the recursion limit", sys.getrecursionlimit, sys.setrecursionlimit),
    Setting("the handlers of signals", lambda: [signal.getsignal(each) for each in _SIGNALS], _write_signals),
    Setting("the alarm timer", _alarm, _write_alarm),
    Setting("sys.path", sys.path.copy, _write_path),
    Setting("sys.argv", lambda: [*sys.argv], lambda value: setattr(sys, "argv", value)),
    Setting("sys.stderr", lambda: sys.stderr, lambda value: setattr(sys, "stderr", value)),
    Setting("sys.excepthook", lambda: sys.excepthook, lambda value: setattr(sys, "excepthook", value)),
)
_NUMPY: Final = (  # listing plug-ins imports no numpy
    Setting("the draws of numpy.random", _numpy_draws, _write_numpy_draws, "numpy"),
    Setting(
        "numpy's treatment of errors",
        lambda: _numpy().geterr(),
        lambda value: _numpy().seterr(**value),
        "numpy",
        {"divide": "warn", "over": "warn", "under": "ignore", "invalid": "warn"},
    ),
    Setting(
        "numpy's error handler",
        lambda: (_numpy().geterrcall(),),
        lambda value: _numpy().seterrcall(*value),
        "numpy",
        (None,),
    ),
    Setting(
        "numpy's print options",
        lambda: _numpy().get_printoptions(),
        lambda value: _numpy().set_printoptions(**value),
        "numpy",
    ),
)
_TORCH: Final = (
    Setting(
        "torch's default type",
        lambda: str(_torch().get_default_dtype()),
        lambda name: _torch().set_default_dtype(getattr(_torch(), name.removeprefix("torch."))),
        "torch",
        "torch.float32",
    ),
    Setting(
        "torch's default device",
        lambda: str(_torch().get_default_device()),
        lambda name: _torch().set_default_device(None if name == "cpu" else name),
        "torch",
        "cpu",
    ),
    Setting(
        "torch's number of threads",
        lambda: _torch().get_num_threads(),
        lambda value: _torch().set_num_threads(value),
        "torch",
        1,  # as the environment of a run says
    ),
    Setting(
        "torch's gradients",
        lambda: _torch().is_grad_enabled(),
        lambda value: _torch().set_grad_enabled(value),
        "torch",
        True,
    ),
    Setting(
        "torch's deterministic algorithms",
        lambda: (
            _torch().are_deterministic_algorithms_enabled(),
            _torch().is_deterministic_algorithms_warn_only_enabled(),
        ),
        _write_deterministic,
        "torch",
        (False, False),
    ),
    Setting(
        "torch's precision of products",
        lambda: _torch().get_float32_matmul_precision(),
        lambda value: _torch().set_float32_matmul_precision(value),
        "torch",
        "highest",
    ),
    Setting("torch's settings of cudnn", _cudnn, _write_cudnn, "torch", (True, False, False)),
    Setting(
        "torch's flushing of denormal numbers",
        lambda: _TINY * 0.5 == 0,
        lambda value: _torch().set_flush_denormal(value),
        "torch",
        False,
    ),
    Setting("the draws of torch", lambda: _torch().get_rng_state().numpy().tobytes(), _write_torch_draws, "torch"),
)
_OTHERS: Final = (
    Setting(
        "scikit-learn's configuration",
        lambda: sys.modules["sklearn"].get_config(),
        lambda value: sys.modules["sklearn"].set_config(**value),
        "sklearn",
    ),
    Setting(
        "scipy.special's treatment of errors",
        lambda: sys.modules["scipy.special"].geterr(),
        lambda value: sys.modules["scipy.special"].seterr(**value),
        "scipy.special",
    ),
)
SETTINGS: Final = _ALWAYS + _NUMPY + _TORCH + _OTHERS
"""All of them. The number of threads of other libraries is not among them: to ask for it takes longer than a call."""
