"""Compiled kernels: the one place that knows numba, and whether it is there.

A kernel is an ordinary typed function under ``@kernel()``. numba is imported and the function compiled at its first
call, so that importing a module of kernels stays light; the machine code is kept on disk for the next process.

A kernel is compiled again when one of its files changes: its own, that of a kernel it calls, or that of a function
whose code is registered with numba. A module whose functions have their code in other files lists these files in
``KERNEL_SOURCES``.
"""

from __future__ import annotations

import dis
import hashlib
from collections.abc import Callable
from functools import cache, cached_property, update_wrapper
from importlib import import_module
from pathlib import Path
from types import FunctionType
from typing import Any, Generic, ParamSpec, TypeVar, cast

P = ParamSpec("P")
R = TypeVar("R")


@cache
def usable() -> bool:
    """Return whether kernels can be compiled here; where not, models are trained by their reference code."""
    try:
        import_module("numba")
    except ImportError:  # no wheel for this platform, or one that does not fit this numpy
        return False
    return True


class Kernel(Generic[P, R]):
    """A function that is compiled when it is first called; kernels may call kernels, but not themselves."""

    def __init__(self, function: Callable[P, R], options: dict[str, Any]) -> None:
        update_wrapper(self, function)
        self.function = cast(FunctionType, function)
        self.options = options
        self.cached = True

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        """Run the kernel."""
        try:
            return cast(R, self.compiled(*args, **kwargs))
        except OSError:  # no kernel opens a file: numba could not write what it compiled, before it ran anything
            if not self.cached:
                raise
            self.cached = False
            self.__dict__.pop("compiled", None)
            return cast(R, self.compiled(*args, **kwargs))

    @cached_property
    def compiled(self) -> Any:
        """The function as called from Python."""
        try:
            return self._njit(cache=self.cached)
        except RuntimeError:  # no place for a cache is writable
            self.cached = False
            return self._njit(cache=False)

    @cached_property
    def inner(self) -> Any:
        """The function as called from another kernel, into which it is compiled: it has no entry from Python."""
        return self._njit(no_cpython_wrapper=True, no_cfunc_wrapper=True)

    def _njit(self, **options: Any) -> Any:
        njit = import_module("numba").njit
        code = self.function.__code__
        scope = {**self.function.__globals__, **{name: called.inner for name, called in self._called().items()}}
        clone = FunctionType(code, scope, self.function.__name__, self.function.__defaults__)
        clone.__module__ = self.function.__module__
        # numba's cache notices a change of this file, but not of the file of a kernel that is called from here and
        # compiled in. So the name, by which the cache finds an entry, contains a digest of those files too.
        clone.__qualname__ = f"{self.function.__name__}_{self._digest}"
        return njit(**self.options, **options)(clone)

    @cached_property
    def _digest(self) -> str:
        return hashlib.sha256(b"".join(file.read_bytes() for file in self.sources)).hexdigest()[:12]

    @property
    def sources(self) -> list[Path]:
        """The files that this kernel and all it calls come from, those in ``KERNEL_SOURCES`` included, sorted."""
        return sorted({file for kernel in self._reached() for file in kernel._files()})

    def _files(self) -> list[Path]:
        functions = [self.function, *(value for value in self._names().values() if isinstance(value, FunctionType))]
        registered = [Path(file) for each in functions for file in each.__globals__.get("KERNEL_SOURCES", ())]
        return [*(Path(each.__code__.co_filename) for each in functions), *registered]

    def _called(self) -> dict[str, Kernel[..., Any]]:
        return {name: value for name, value in self._names().items() if isinstance(value, Kernel)}

    def _names(self) -> dict[str, Any]:
        """Return the values of the global names that the function loads; ``co_names`` would include attributes too."""
        code, scope = self.function.__code__, self.function.__globals__
        names = {each.argval for each in dis.get_instructions(code) if each.opname == "LOAD_GLOBAL"}
        return {name: scope[name] for name in names & scope.keys()}

    def _reached(self) -> list[Kernel[..., Any]]:
        return [self, *(deeper for inner in self._called().values() for deeper in inner._reached())]


def kernel(borrows: bool = False, **options: Any) -> Callable[[Callable[P, R]], Kernel[P, R]]:
    """Return a decorator that makes a function a kernel; ``options`` are numba's.

    By default kernels release the interpreter's lock and divide as numpy does (0/0 is nan, no exception). No
    ``fastmath`` unless ``options`` say so: sums that may be reordered differ between processors.

    ``borrows``: this kernel and those it calls neither allocate nor return arrays, so numba need not count references
    to their arguments. In a small kernel with many arrays that counting takes most of the time.
    """
    chosen = {"nogil": True, "error_model": "numpy", **options}
    if borrows:
        chosen["_nrt"] = False
    return lambda function: Kernel(function, chosen)
